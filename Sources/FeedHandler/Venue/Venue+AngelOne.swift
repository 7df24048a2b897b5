internal import Configuration
internal import MarketData
internal import Venues

extension Venue {
  /// Angel One's SmartAPI. The stream and the history share one session, which logs in by itself.
  init(angelOne configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    let source = configuration.source
    let client = try HTTPClient(caFile: source.caFile, proxy: source.proxy)
    let credentials: AngelOneCredentialsProvider = { () throws(Fault) in
      try AngelOneCredentials(environment: environment)
    }
    let session = AngelOneSession(credentials: credentials, baseURL: source.apiURL) {
      [caFile = source.caFile, proxy = source.proxy] (request) throws(Fault) in
      // A login is rare, and comes from whichever thread needs one.
      try HTTPClient(caFile: caFile, proxy: proxy).send(request)
    }
    name = "angelone"
    checkCredentials = { () throws(Fault) in _ = try credentials() }
    let spread = Self.spread(
      configuration, instrumentsPerConnection: AngelOneSource.instrumentsMax,
      connectionsMax: AngelOneSource.connectionsMax)
    instrumentsMax = spread.instrumentsMax
    listings = { () throws(Fault) in
      let url = source.instrumentsURL ?? source.apiURLGiven ?? AngelOneInstruments.vendorURL
      return try AngelOneInstruments.download(with: client, baseURL: url).rows
    }
    history = Self.history(
      AngelOneCandles(baseURL: source.apiURL, session: session), limits: AngelOneCandles.rateLimits,
      configuration, proxy: source.proxy)
    // What the environment holds cannot change while the process lives, but a day's first login may do better.
    credentialsMark = { CivilTime(.wallClock()).dayNumber }
    loginAdvice =
      "check that the customer is not blocked, and \(AngelOneCredentials.variables.joined(separator: ", ")), of which "
      + "another value takes a new start; or wait for the next day"
    makeSource = { clock, frames in
      var options = AngelOneSource.Options()
      options.url = source.websocketURL
      options.caFile = source.caFile
      options.proxy = source.proxy
      // The venue says nothing by itself: an answered ping must come before silence counts as death.
      options.pingMilliseconds = min(
        AngelOneSource.pingMillisecondsDefault, configuration.retry.silenceSecondsMax * 1000 / 2)
      return SpreadSource(name: "angelone", options: spread) { [options] in
        let angelOne = AngelOneSource(options: options, clock: clock, session: session)
        angelOne.frameSink = frames
        return angelOne
      }
    }
  }
}
