internal import Configuration
internal import MarketData
internal import Venues

extension Venue {
  /// Zerodha's Kite Connect.
  init(kite configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
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
    let spread = Self.spread(
      configuration, instrumentsPerConnection: KiteSource.instrumentsMax,
      connectionsMax: KiteSource.connectionsMax)
    instrumentsMax = spread.instrumentsMax
    listings = { () throws(Fault) in
      try KiteInstruments.download(with: client, baseURL: source.apiURL).map(\.listing)
    }
    history = RESTHistory(
      KiteCandles(baseURL: source.apiURL, credentials: credentials),
      budget: Self.budget(configuration, of: KiteCandles.rateLimits), caFile: source.caFile)
    credentialsMark = {
      guard let current = try? credentials() else { return nil }
      return Venue.mark(current.apiKey, current.accessToken)
    }
    loginAdvice = "get a new access token by logging in at Kite"
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
