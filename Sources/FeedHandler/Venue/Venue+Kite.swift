internal import Configuration
internal import MarketData
internal import Venues

extension Venue {
  /// Zerodha's Kite Connect.
  init(kite configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    let source = configuration.source
    let client = try HTTPClient(caFile: source.caFile, proxy: source.proxy)
    // Looked up at each connection and request, since a token is good for one day.
    let tokens = KiteTokens(store: Self.tokenStore(configuration, environment), environment: environment)
    let credentials: KiteCredentialsProvider = { () throws(Fault) in try tokens.credentials() }
    name = "kite"
    hasTokenOfTheDay = true
    checkCredentials = { () throws(Fault) in _ = try credentials() }
    let spread = Self.spread(
      configuration, instrumentsPerConnection: KiteSource.instrumentsMax,
      connectionsMax: KiteSource.connectionsMax)
    instrumentsMax = spread.instrumentsMax
    listings = { () throws(Fault) in
      try KiteInstruments.download(with: client, baseURL: source.apiURL).map(\.listing)
    }
    history = Self.history(
      KiteCandles(baseURL: source.apiURL, credentials: credentials), limits: KiteCandles.rateLimits,
      configuration, proxy: source.proxy)
    credentialsMark = {
      guard let current = try? credentials() else { return nil }
      return Venue.mark(current.apiKey, current.accessToken)
    }
    loginAdvice = KiteTokens.advice
    makeSource = { clock, frames in
      var options = KiteSource.Options()
      options.url = source.websocketURL
      options.caFile = source.caFile
      options.proxy = source.proxy
      return SpreadSource(name: "kite", options: spread) {
        let kite = KiteSource(options: options, clock: clock, credentials: credentials)
        kite.frameSink = frames
        return kite
      }
    }
  }
}
