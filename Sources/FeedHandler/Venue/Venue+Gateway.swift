internal import Configuration
internal import Logging
internal import MarketData
internal import Venues

extension Venue {
  /// A program of the user's, which is started twice: once for ticks, and once for instruments and candles.
  init(gateway configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    var options = GatewayOptions(command: configuration.source.gatewayCommand, environment: environment)
    options.log = Self.log(of: "gateway", configuration)
    let started = options
    let history = GatewayHistory(options: options)
    name = "gateway"
    instrumentsMax = configuration.sharedMemory.instrumentsMax
    listings = { () throws(Fault) in
      if let listed = try history.instruments() { return listed }
      // A gateway without a list is taken at the configuration's word.
      guard case .symbols(let symbols) = configuration.instruments else {
        throw Fault(
          .configuration,
          "instruments is all, but the gateway keeps no list of instruments; name them, as in [NSE:RELIANCE]")
      }
      return symbols.map { InstrumentListing(symbol: $0, venueToken: "", priceTick: .zero, lotSize: 1) }
    }
    self.history = history
    // Its credentials are the gateway's own business.
    credentialsMark = { 0 }
    loginAdvice = "give the gateway new credentials, as its author says"
    makeSource = { clock, frames in
      let gateway = GatewaySource(options: started, clock: clock)
      gateway.frameSink = frames
      return gateway
    }
  }

  /// Carries what a gateway has to say, beside its ticks, into the feed's log.
  static func log(of venue: String, _ configuration: FeedConfiguration) -> @Sendable (String, String) -> Void
  {
    var logger = Logger(label: "tickring.\(configuration.feed).\(venue)")
    logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    return { [logger] level, text in logger.log(level: Logger.Level(rawValue: level) ?? .info, "\(text)") }
  }
}
