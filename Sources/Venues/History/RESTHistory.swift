public import MarketData
internal import Synchronization

/// A venue's candles over REST: sends what a ``CandleService`` words, several requests at once, at the pace of a
/// ``RequestBudget`` that all callers share, and tries again what may succeed later.
///
/// Any number of threads may ask at once; each drives its own requests, over connections that stay open between
/// calls. What a caller has been delivered is done, so after a failure or a stop it asks for the rest only.
public final class RESTHistory: CandleSource, Sendable {
  let service: any CandleService
  let budget: RequestBudget
  let options: Options
  /// Tells of pauses and retries, for the log.
  let notice: @Sendable (String) -> Void
  private let caFile: String?
  private let proxy: String?
  /// Engines that nobody uses just now, with their open connections.
  private let idle = Mutex<[HTTPMulti]>([])
  /// The headers that the venue refused last, what it said, and until when, on the monotonic clock in nanoseconds, they
  /// are not sent again.
  private let refused = Mutex<(headers: [String], fault: Fault, until: Int64)?>(nil)

  /// How many requests, and how patient.
  public struct Options: Sendable {
    /// Requests of one caller under way at once.
    public var requestsAtOnce = 6
    /// When a request that failed is sent again.
    public var retry = RetrySchedule()
    /// Longest pause that the venue may ask for with `Retry-After`; a longer one fails the request.
    public var pauseSecondsMax = 900
    /// Parts in a row that may fail for good, as long as none succeeds, before the venue counts as out of order.
    public var failuresMax = 3
    /// For how long credentials that were refused are not shown again. Then they are, once: what made the venue refuse may
    /// have been mended there, as by a login at an OpenAlgo server, whose clients keep their key.
    public var refusalMilliseconds = 60_000

    /// The defaults.
    public init() {}
  }

  /// Makes a history that asks `service`.
  ///
  /// - Parameters:
  ///   - caFile: PEM file with the certificates to trust instead of the system's.
  ///   - proxy: The address of a proxy in place of the environment's; empty for none.
  public init(
    _ service: any CandleService, budget: RequestBudget, caFile: String? = nil, proxy: String? = nil,
    options: Options = Options(),
    notice: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.service = service
    self.budget = budget
    self.caFile = caFile
    self.proxy = proxy
    self.options = options
    self.notice = notice
  }

  /// Fetches the candles of one instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Throws: `Fault` of kind `usage` for an interval that the venue does not keep, `refused` when it rejects the
  ///   credentials or the subscription, `unavailable` when it does not answer or has too much to do,
  ///   `protocolViolation` when its answer cannot be understood.
  public func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    var parts: [(start: Timestamp, candles: [Candle])] = []
    let request = CandleRequest(instrument, interval: interval, from: from, to: to)
    try fetch([request], urgency: .preparation, until: { false }) { (delivery) throws(Fault) in
      parts.append((delivery.part.from, try delivery.outcome.get()))
    }
    return parts.sorted { $0.start < $1.start }.flatMap(\.candles)
  }

  /// Fetches the candles of many requests, as ``CandleSource`` says.
  ///
  /// - Throws: Also ``Fault`` of kind `usage` for an interval that the venue does not keep, and `unavailable` when it
  ///   is out of order altogether.
  public func fetch(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    var jobs: [RESTJob] = []
    for (index, request) in requests.enumerated() {
      let days = try service.daysMax(of: request.interval)
      jobs += request.parts(ofAtMost: days).map { RESTJob(part: $0, requestIndex: index) }
    }
    if jobs.isEmpty { return }
    let multi: HTTPMulti
    if let free = idle.withLock({ $0.popLast() }) {
      multi = free
    } else {
      multi = try HTTPMulti(caFile: caFile, proxy: proxy, connectionsMax: options.requestsAtOnce)
    }
    defer {
      multi.cancelAll()
      idle.withLock { $0.append(multi) }
    }
    var run = RESTRun(self, multi, jobs, urgency)
    try run.carryOut(until: shouldStop, deliver: deliver)
  }

  /// Words the request for a part, unless the venue has refused its credentials already.
  func request(for part: CandleRequest) throws(Fault) -> HTTPRequest {
    let request = try service.request(for: part)
    let dead = refused.withLock { $0 }
    if let dead, dead.until > RequestBudget.monotonicNanoseconds(), dead.headers == Self.fingerprint(request)
    {
      throw dead.fault
    }
    return request
  }

  /// Notes that the venue refused a request's credentials.
  func noteRefusal(of request: HTTPRequest, _ fault: Fault) {
    let until = RequestBudget.monotonicNanoseconds() + Int64(options.refusalMilliseconds) * 1_000_000
    refused.withLock { $0 = (Self.fingerprint(request), fault, until) }
    service.credentialsWereRefused(in: request)
  }

  private static func fingerprint(_ request: HTTPRequest) -> [String] {
    request.headers.map { "\($0.name): \($0.value)" }
  }
}

/// A part on its way.
struct RESTJob {
  let part: CandleRequest
  let requestIndex: Int
  /// How often it was sent.
  var attempts = 0
  /// Not to be sent before, on the monotonic clock in nanoseconds.
  var earliest: Int64 = 0
  /// As it was sent last.
  var request: HTTPRequest?

  init(part: CandleRequest, requestIndex: Int) {
    self.part = part
    self.requestIndex = requestIndex
  }
}
