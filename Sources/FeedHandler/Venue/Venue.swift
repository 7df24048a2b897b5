internal import Configuration
internal import Logging
internal import MarketData
internal import Venues

/// What the feed handler needs of a venue, put together from its parts; a new venue is one folder in Venues, one
/// file here that puts it together, and one case in ``init(_:environment:)``.
struct Venue {
  let name: String
  /// Instruments that its live connection carries.
  let instrumentsMax: Int
  let listings: () throws(Fault) -> [InstrumentListing]
  /// Something that changes when the venue's credentials do; nil while they cannot be read.
  let credentialsMark: @Sendable () -> Int?
  /// What a person does about dead credentials.
  let loginAdvice: String
  /// True when its credentials end each day, and others can be given to a process that runs.
  var hasTokenOfTheDay = false
  /// Throws when a credential is missing: told at the start, not at 09:15.
  var checkCredentials: () throws(Fault) -> Void = {}
  var history: any CandleSource & Sendable
  /// Makes the live connection; the frames also go where somebody wants them as they came.
  let makeSource: (FeedClock, (any FrameSink)?) -> any TickSource

  /// Puts together the venue that the configuration names.
  ///
  /// Missing credentials are no fault here: what the store holds is there without them.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the description of a master data store makes no sense.
  init(_ configuration: FeedConfiguration, environment: [String: String]) throws(Fault) {
    switch configuration.source.venue {
    case .kite: try self.init(kite: configuration, environment: environment)
    case .angelone: try self.init(angelOne: configuration, environment: environment)
    case .openalgo: try self.init(openAlgo: configuration, environment: environment)
    case .gateway: try self.init(gateway: configuration, environment: environment)
    }
    if let other = try Self.otherHistory(configuration, environment: environment) { history = other }
  }

  /// How a venue's instruments are spread over connections: as the venue allows and the configuration wants.
  static func spread(_ configuration: FeedConfiguration, instrumentsPerConnection: Int, connectionsMax: Int)
    -> SpreadSource.Options
  {
    var options = SpreadSource.Options(
      instrumentsPerConnection: instrumentsPerConnection,
      connectionsMax: min(configuration.source.connectionsMax ?? connectionsMax, connectionsMax))
    options.silenceMillisecondsMax = configuration.retry.silenceSecondsMax * 1000
    return options
  }

  /// Where tokens of the day are kept.
  static func tokenStore(_ configuration: FeedConfiguration, _ environment: [String: String]) -> TokenStore {
    configuration.credentials.directory.map { TokenStore(directory: $0) }
      ?? TokenStore(environment: environment)
  }

  /// A venue's candles over REST, as fast as its limits and the configuration allow.
  static func history(
    _ service: any CandleService, limits: [RateLimit], _ configuration: FeedConfiguration,
    proxy: String? = nil
  ) -> RESTHistory {
    let logger = Logger(label: "tickring.\(configuration.feed)")
    var options = RESTHistory.Options()
    options.requestsAtOnce = configuration.history.requestsAtOnce
    return RESTHistory(
      service, budget: budget(configuration, of: limits), caFile: configuration.source.caFile,
      proxy: proxy, options: options,
      notice: { logger.notice("\($0)") })
  }

  /// The venue's limits of requests for candles, where the configuration doesn't say otherwise.
  static func budget(_ configuration: FeedConfiguration, of venueLimits: [RateLimit]) -> RequestBudget {
    let history = configuration.history
    let configured: [(span: Duration, requests: Int?)] = [
      (.seconds(1), history.requestsPerSecond), (.seconds(60), history.requestsPerMinute),
      (.seconds(3600), history.requestsPerHour),
    ]
    var limits = venueLimits
    for (span, requests) in configured {
      guard let requests else { continue }
      limits.removeAll { $0.span == span }
      if requests > 0 { limits.append(RateLimit(requests: requests, per: span)) }
    }
    return RequestBudget(limits)
  }

  /// A number that other words would hardly have.
  static func mark(_ words: String...) -> Int {
    var hasher = Hasher()
    hasher.combine(words)
    return hasher.finalize()
  }

  /// A word from the environment; secrets come from nowhere else.
  static func secret(_ name: String, _ environment: [String: String]) throws(Fault) -> String {
    guard let value = environment[name], !value.isEmpty else {
      throw Fault(
        .configuration, "the environment variable \(name) is not set; it holds the venue's credential")
    }
    return value
  }
}
