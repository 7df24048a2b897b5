internal import CandleStore
internal import Logging
internal import MarketData

/// Loads past 1-minute candles into the store before the feed starts: of each instrument what is missing, and nothing
/// else.
///
/// A minute is known when it was fetched before, traded or not, or when a whole candle of it is stored. The running
/// minute is never fetched: history ends where ``HistoryPlan/end(at:)`` says, and the live feed, with the repair of the
/// gap before its first tick, begins there.
struct Prepopulation {
  let source: any CandleSource & Sendable
  let store: CandleStore
  let schedule: any SessionSchedule
  let logger: Logger
  let shouldStop: @Sendable () -> Bool
  /// Told how far it has come; nil writes lines to the log.
  var progress: (@Sendable (HistoryProgress) -> Void)?

  /// Time between two lines of progress.
  private static let lineNanoseconds: Int64 = 10_000_000_000
  /// Failures that are told one by one.
  private static let failuresToldMax = 5

  /// Loads the last `sessions` trading days before `now`, and the running one.
  ///
  /// A venue that does not answer for an instrument is asked again, then passed over and logged: a hole in the past
  /// must not keep the feed from starting.
  /// - Returns: Up to where the candles are loaded; nil when none were wanted, or not all are there.
  /// - Throws: ``Fault`` of kind `refused` from the venue, and what the store throws.
  @discardableResult
  func run(_ instruments: [Instrument], sessions: Int, now: Timestamp) throws(Fault) -> Timestamp? {
    guard sessions > 0, !instruments.isEmpty else { return nil }
    let end = HistoryPlan.end(at: now)
    let requests = try requests(instruments, sessions: sessions, end: end)
    guard !requests.isEmpty else {
      logger.info("history: nothing is missing of \(instruments.count) instruments in \(sessions) sessions")
      return end
    }
    let names = Set(requests.map(\.instrument.id)).count
    logger.info(
      "history: \(names) of \(instruments.count) instruments lack minutes, \(requests.count) requests")
    let outcome: HistoryLoader.Outcome
    do {
      var lines = ProgressLines(logger: logger, everyNanoseconds: Self.lineNanoseconds)
      outcome = try HistoryLoader(source: source, store: store).load(
        requests, urgency: .preparation, until: shouldStop
      ) { state in
        if let progress { progress(state) } else { lines.note(state) }
      }
    } catch {
      guard error.kind == .unavailable || error.kind == .protocolViolation else { throw error }
      logger.error("the history is incomplete, the next start asks for the rest: \(error.message)")
      return nil
    }
    for failure in outcome.failures.prefix(Self.failuresToldMax) {
      logger.error("history of \(failure.request.instrument.symbol): \(failure.fault.message)")
    }
    if !outcome.failures.isEmpty {
      logger.error("history: \(outcome.failures.count) requests failed; the next start asks for them again")
    }
    logger.info("history: \(outcome.progress.candles) candles loaded")
    return outcome.isStopped || !outcome.failures.isEmpty ? nil : end
  }

  /// What to ask for, instrument by instrument.
  func requests(_ instruments: [Instrument], sessions: Int, end: Timestamp) throws(Fault) -> [CandleRequest] {
    let plan = HistoryPlan(schedule: schedule)
    var wantedByExchange: [Substring: [Range<Timestamp>]] = [:]
    var requests: [CandleRequest] = []
    for instrument in instruments {
      let exchange = instrument.symbol.exchange
      let wanted: [Range<Timestamp>]
      if let known = wantedByExchange[exchange] {
        wanted = known
      } else {
        wanted = plan.sessions(sessions, before: end, of: exchange)
        wantedByExchange[exchange] = wanted
      }
      requests += try Self.missing(wanted, of: instrument, interval: .minute, in: store)
    }
    return requests
  }

  /// The requests that bring what the store lacks of the wanted stretches.
  static func missing(
    _ wanted: [Range<Timestamp>], of instrument: Instrument, interval: Interval, in store: CandleStore
  ) throws(Fault) -> [CandleRequest] {
    var known = try store.historyCoverage(of: instrument.id, interval: interval)
    var missing = HistoryPlan.missing(wanted, known: known)
    if interval == .minute, let first = missing.first, let last = missing.last {
      known += try store.wholeMinutes(of: instrument.id, in: first.lowerBound..<last.upperBound)
      missing = HistoryPlan.missing(wanted, known: known)
    }
    return missing.map {
      CandleRequest(instrument, interval: interval, from: $0.lowerBound, to: $0.upperBound)
    }
  }
}

/// Progress as lines in a log.
private struct ProgressLines {
  let logger: Logger
  let everyNanoseconds: Int64
  private let started = Timestamp.monotonicNanoseconds()
  private var last = Timestamp.monotonicNanoseconds()

  init(logger: Logger, everyNanoseconds: Int64) {
    self.logger = logger
    self.everyNanoseconds = everyNanoseconds
  }

  mutating func note(_ state: HistoryProgress) {
    let now = Timestamp.monotonicNanoseconds()
    guard now - last >= everyNanoseconds, state.done > 0 else { return }
    last = now
    let seconds = Double(now - started) / 1e9
    let left = Int(seconds / Double(state.done) * Double(state.total - state.done))
    let perSecond = (Double(state.done) / seconds * 10).rounded() / 10
    let pace = "\(perSecond) requests/s, about \(left) s left"
    logger.info("history: \(state.done) of \(state.total) requests, \(state.candles) candles, \(pace)")
  }
}
