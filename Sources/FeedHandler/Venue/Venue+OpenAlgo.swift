internal import Configuration
internal import MarketData
internal import Venues

extension Venue {
  /// A self-hosted OpenAlgo server.
  init(openAlgo configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    let source = configuration.source
    let client = try HTTPClient(caFile: source.caFile, proxy: source.proxy)
    let apiKey: @Sendable () throws(Fault) -> String = { () throws(Fault) in
      try Self.secret("TICKRING_OPENALGO_API_KEY", environment)
    }
    name = "openalgo"
    checkCredentials = { () throws(Fault) in _ = try apiKey() }
    instrumentsMax = OpenAlgoSource.instrumentsMax
    listings = { () throws(Fault) in
      try OpenAlgoInstruments.download(with: client, baseURL: source.apiURL, apiKey: try apiKey())
    }
    history = Self.history(
      OpenAlgoCandles(baseURL: source.apiURL, apiKey: apiKey), limits: OpenAlgoCandles.rateLimits,
      configuration, proxy: source.proxy)
    credentialsMark = { (try? apiKey()).map { Venue.mark($0) } }
    loginAdvice =
      "log in to the broker at the OpenAlgo server, and see that TICKRING_OPENALGO_API_KEY is the key that it shows"
    makeSource = { clock, frames in
      var options = OpenAlgoSource.Options()
      options.url = source.websocketURL
      options.caFile = source.caFile
      options.proxy = source.proxy
      let openAlgo = OpenAlgoSource(options: options, clock: clock, apiKey: apiKey)
      openAlgo.frameSink = frames
      return openAlgo
    }
  }
}
