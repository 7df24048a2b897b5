internal import Configuration
internal import Glibc
internal import MarketData
internal import Venues

/// What the feed handler needs of a venue, put together from its parts; a new venue is one folder in Venues and
/// one case here.
struct Venue {
  let name: String
  /// Instruments that its live connection carries.
  let instrumentsMax: Int
  let listings: () throws(Fault) -> [InstrumentDirectory.Listing]
  let history: any CandleSource
  /// Makes the live connection; the frames also go where somebody wants them as they came.
  let makeSource: (FeedClock, (any FrameSink)?) -> any TickSource

  /// Puts together the venue that the configuration names.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when a credential is missing from the environment.
  init(_ configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    switch configuration.source.venue {
    case .kite: try self.init(kite: configuration, environment: environment)
    }
  }

  private init(kite configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    let source = configuration.source
    let client = try HTTPClient(caFile: source.caFile)
    // Read at each connection, since a token is good for one day; missing ones are told now, not at 09:15.
    let credentials: KiteCredentialsProvider = { () throws(Fault) in
      KiteCredentials(
        apiKey: try Self.secret("TICKRING_KITE_API_KEY", environment),
        accessToken: try Self.secret("TICKRING_KITE_ACCESS_TOKEN", environment))
    }
    _ = try credentials()
    name = "kite"
    instrumentsMax = KiteSource.instrumentsMax
    listings = { () throws(Fault) in
      try KiteInstruments.download(with: client, baseURL: source.apiURL).map {
        InstrumentDirectory.Listing(
          symbol: $0.symbol, venueToken: String($0.token), priceTick: $0.priceTick, lotSize: $0.lotSize)
      }
    }
    history = KiteHistory(
      client: client, baseURL: source.apiURL,
      budget: RequestBudget(requestsPerSecond: configuration.history.requestsPerSecond),
      credentials: credentials)
    makeSource = { clock, frames in
      var options = KiteSource.Options()
      options.url = source.websocketURL
      options.caFile = source.caFile
      let kite = KiteSource(options: options, clock: clock, credentials: credentials)
      kite.frameSink = frames
      return kite
    }
  }

  private static func secret(_ name: String, _ environment: [String: String]) throws(Fault) -> String {
    guard let value = environment[name], !value.isEmpty else {
      throw Fault(
        .configuration, "the environment variable \(name) is not set; it holds the venue's credential")
    }
    return value
  }
}
