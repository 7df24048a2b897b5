internal import CandleStore
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization
internal import TickQuality
internal import TradingCalendar

/// Fetches the venue's own candles of the observed instruments while the feed runs, and keeps them beside ours (candle
/// rule 18): each minute, a set time after its end, in one batch; and after the close the whole day once more, for
/// venues amend their candles.
///
/// As many requests go out as the venue's limit allows, urgent ones of others first; instruments whose turn did not come
/// go first in the next minute and are then asked for all that they missed, so that nobody is ever left behind for good.
/// The store keeps both candles of a minute, and its view `candle_differences` says where they differ.
///
/// It has a thread of its own. A venue that does not answer is logged and asked again a minute later: the feed does not
/// need it.
final class Reconciler: @unchecked Sendable {
  // @unchecked: everything but the mailbox and the word to stop belongs to its thread; the source may be asked by any.

  struct Options {
    /// From a minute's end until it is asked for.
    var afterNanoseconds: Int64
    var closeAfterNanoseconds: Int64 = 600 * Timestamp.nanosecondsPerSecond
  }

  let commands = Mailbox<[Instrument]>()
  private let source: any CandleSource
  private let store: CandleStore
  private let market: MarketHours
  private let rules: [ChosenCandleRule]
  private let segment: FeedSegment
  private let clock: FeedClock
  private let options: Options
  private let logger: Logger
  private let isStopping = Atomic<Bool>(false)
  private var progress = ReconcileProgress()
  private var hasFailed = false

  private static let pauseMicroseconds: UInt32 = 100_000
  /// Requests handed over at a time; between two batches it is decided anew who has waited longest.
  private static let batchMax = 64
  /// Between two attempts at a venue that refuses: it needs a person, who needs no log full of it.
  private static let refusedPauseNanoseconds: Int64 = 600 * Timestamp.nanosecondsPerSecond

  init(
    source: any CandleSource, store: CandleStore, market: MarketHours, rules: [ChosenCandleRule],
    segment: FeedSegment, clock: FeedClock, options: Options, logger: Logger
  ) {
    self.source = source
    self.store = store
    self.market = market
    self.rules = rules
    self.segment = segment
    self.clock = clock
    self.options = options
    self.logger = logger
  }

  func stop() { isStopping.store(true, ordering: .releasing) }

  private var shouldStop: Bool { isStopping.load(ordering: .acquiring) }

  /// Runs until told to stop.
  func run() -> Fault? {
    while !shouldStop {
      for instruments in commands.take() {
        for instrument in instruments { progress.observe(instrument) }
      }
      let now = clock.now()
      if let session = session(at: now) {
        progress.begin(session: session)
        let due = progress.due(
          at: now, afterNanoseconds: options.afterNanoseconds,
          closeAfterNanoseconds: options.closeAfterNanoseconds)
        if !due.isEmpty { fetch(Array(due.prefix(Self.batchMax))) }
      }
      usleep(Self.pauseMicroseconds)
    }
    return nil
  }

  /// The stretch from the first session's start to the last one's end of today; nil when the market is closed today.
  private func session(at now: Timestamp) -> Range<Timestamp>? {
    let day = CivilTime(now).dayNumber
    if let known = progress.session, CivilTime(known.lowerBound).dayNumber == day { return known }
    let sessions = market.phases.groups.flatMap { group in
      (try? market.calendar.tradingDay(day, of: group))?.sessions ?? []
    }
    guard let start = sessions.map(\.start).min(), let end = sessions.map(\.end).max() else { return nil }
    return start..<end
  }

  private func fetch(_ due: [ReconcileProgress.Due]) {
    do throws(Fault) {
      try source.fetch(
        due.map(\.request), urgency: .routine,
        until: { [self] in shouldStop },
        deliver: { (delivery) throws(Fault) in
          segment.add(.reconciled, UInt64(try take(delivery, due[delivery.requestIndex])))
        })
      hasFailed = false
    } catch {
      note(error)
      pause(error.kind == .refused ? Self.refusedPauseNanoseconds : options.afterNanoseconds)
    }
  }

  private func take(_ delivery: CandleDelivery, _ due: ReconcileProgress.Due) throws(Fault) -> Int {
    let candles: [Candle]
    switch delivery.outcome {
    case .success(let fetched): candles = fetched
    case .failure(let fault):
      note(fault)
      progress.postpone(due, until: clock.now() + Interval.minute.nanoseconds)
      return 0
    }
    let (accepted, rejected) = rules.sift(CandleDay(built: [], venue: candles))
    try store.upsert(try keepingRepairs(accepted, of: due.request))
    try store.quarantine(
      rejected.map { candle, finding in
        QuarantinedRecord(
          instrument: candle.instrument, record: .candle, rule: finding.rule, reason: finding.sentence,
          receiveTime: clock.now(), exchangeTime: candle.start, price: candle.close, volume: candle.volume,
          detail:
            "{\"origin\":\"venue\",\"open\":\"\(candle.open)\",\"high\":\"\(candle.high)\",\"low\":\"\(candle.low)\"}"
        )
      })
    progress.settle(due)
    return accepted.count
  }

  /// The candles with the mark of those that stand there already because an outage was repaired.
  private func keepingRepairs(_ candles: [Candle], of request: CandleRequest) throws(Fault) -> [Candle] {
    let repaired = Set(
      try store.candles(
        of: request.instrument.id, interval: .minute, from: request.from, to: request.to, origin: .venue
      ).filter { $0.flags.contains(.repaired) }.map(\.start))
    guard !repaired.isEmpty else { return candles }
    return candles.map { candle in
      var candle = candle
      if repaired.contains(candle.start) { candle.flags.insert(.repaired) }
      return candle
    }
  }

  private func note(_ fault: Fault) {
    segment.add(.reconcileFaults)
    if !hasFailed { logger.warning("the venue's candles cannot be compared: \(fault.message)") }
    hasFailed = true
  }

  private func pause(_ nanoseconds: Int64) {
    let deadline = Timestamp.monotonicNanoseconds() + nanoseconds
    while !shouldStop, Timestamp.monotonicNanoseconds() < deadline { usleep(Self.pauseMicroseconds) }
  }
}

/// Up to where each instrument's minutes have been fetched, and who is to be asked next. A value without clock or I/O.
struct ReconcileProgress {
  /// One instrument's turn.
  struct Due: Equatable {
    var request: CandleRequest
    /// True for the whole day after the close.
    var isClosing: Bool
  }

  private struct Standing {
    var instrument: Instrument
    /// Minutes before this have been fetched.
    var until: Timestamp
    var hasClosed = false
    /// Not asked for again before this, because it failed.
    var retryAt = Timestamp.unknown
  }

  private(set) var session: Range<Timestamp>?
  private var standings: [InstrumentID: Standing] = [:]

  /// Adds an instrument; one that is there already is left as it is.
  mutating func observe(_ instrument: Instrument) {
    if standings[instrument.id] == nil {
      standings[instrument.id] = Standing(instrument: instrument, until: session?.lowerBound ?? .unknown)
    }
  }

  /// A day's trading; a new one begins with nothing fetched.
  mutating func begin(session new: Range<Timestamp>) {
    guard session != new else { return }
    session = new
    for id in standings.keys {
      standings[id]?.until = new.lowerBound
      standings[id]?.hasClosed = false
    }
  }

  /// Everybody whose minutes are over and not fetched, those first who have waited longest.
  func due(at now: Timestamp, afterNanoseconds: Int64, closeAfterNanoseconds: Int64) -> [Due] {
    guard let session else { return [] }
    let minute = Interval.minute.nanoseconds
    let reach = now + -afterNanoseconds
    let ended = Timestamp(nanoseconds: reach.nanoseconds / minute * minute)
    let end = min(ended, session.upperBound)
    let isClosing = now >= session.upperBound + closeAfterNanoseconds
    return standings.values.compactMap { standing -> Due? in
      guard standing.retryAt <= now else { return nil }
      if isClosing, !standing.hasClosed {
        return Due(
          request: CandleRequest(standing.instrument, from: session.lowerBound, to: session.upperBound),
          isClosing: true)
      }
      guard standing.until < end else { return nil }
      return Due(request: CandleRequest(standing.instrument, from: standing.until, to: end), isClosing: false)
    }.sorted { ($0.request.from, $0.request.instrument.id) < ($1.request.from, $1.request.instrument.id) }
  }

  /// Notes that a turn failed, and until when the next one is put off.
  mutating func postpone(_ due: Due, until time: Timestamp) {
    standings[due.request.instrument.id]?.retryAt = time
  }

  /// Notes that a turn was carried out.
  mutating func settle(_ due: Due) {
    let id = due.request.instrument.id
    let until = max(standings[id]?.until ?? .unknown, due.request.to)
    standings[id]?.until = until
    if due.isClosing { standings[id]?.hasClosed = true }
  }
}
