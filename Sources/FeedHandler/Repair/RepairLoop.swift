internal import CLinux
internal import CandleStore
internal import Configuration
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing

/// The repair thread: fetches from the venue, once it has them, the minutes that an outage took away, stores them beside
/// what was built here, and says so in the gap's row and in the stream.
///
/// The venue's sealed candle goes before ours wherever one candle is asked for, so after the repair no candle of the
/// outage is wrong, whatever of it had been built.
final class RepairLoop: @unchecked Sendable {
  // @unchecked: everything but the mailbox belongs to the repair thread.

  enum Command: Sendable {
    /// What is observed now.
    case observed([Instrument])
    /// A gap has ended.
    case gap(FeedGap)
    /// A sealed candle lacks volume that was traded during an outage.
    case minute(InstrumentID, Timestamp)
    /// A person wants what was given up to be tried again.
    case retryGivenUp
    case stop
  }

  struct Options {
    var attemptsMax: Int
    /// What came before was fetched when the feed started.
    var loadedUntil: Timestamp?
  }

  let commands = Mailbox<Command>()

  private let source: any CandleSource
  private let store: CandleStore
  private let plan: RepairPlan
  private let segment: FeedSegment
  private let latch: HaltLatch
  private let alerts: AlertHook
  private let stream: Mailbox<FeedCommand>
  private let clock: FeedClock
  private let options: Options
  private let logger: Logger
  private var generator = SystemRandomNumberGenerator()
  private var observed: [Instrument] = []
  private var jobs: [(job: RepairJob, earliest: Int64)] = []
  private var givenUp: [RepairJob] = []
  private var minutes: [(instrument: Instrument, start: Timestamp)] = []
  private var repaired: UInt64 = 0
  private var fetched: UInt64 = 0
  private var isStopping = false

  private static let pollMicroseconds: UInt32 = 20_000
  private static let firstDelayMilliseconds = 1000
  private static let delayMillisecondsMax = 60_000
  /// Venue candles that start so shortly before now may still be running.
  private static let settledNanoseconds: Int64 = 5_000_000_000

  init(
    source: any CandleSource, store: CandleStore, plan: RepairPlan, segment: FeedSegment, latch: HaltLatch,
    alerts: AlertHook, stream: Mailbox<FeedCommand>, clock: FeedClock, options: Options, logger: Logger
  ) {
    self.source = source
    self.store = store
    self.plan = plan
    self.segment = segment
    self.latch = latch
    self.alerts = alerts
    self.stream = stream
    self.clock = clock
    self.options = options
    self.logger = logger
  }

  /// Runs until told to stop. What is not repaired by then waits in the store for the next start.
  func run() -> Fault? {
    tickring_name_thread("tick-repair")
    do throws(Fault) {
      handleCommands()
      try takeUpPending()
    } catch {
      logger.error("gaps of earlier runs are not repaired: \(error.message)")
    }
    while !isStopping {
      handleCommands()
      if !minutes.isEmpty, let job = plan.job(for: minutes) {
        jobs.append((job, 0))
        minutes = []
      }
      if let index = nextDue() {
        let entry = jobs.remove(at: index)
        carryOut(entry.job)
      } else {
        usleep(Self.pollMicroseconds)
      }
      segment.set(.repairWaiting, UInt64(jobs.count { $0.job.gap != nil }))
    }
    return nil
  }

  private func handleCommands() {
    var gaps: [FeedGap] = []
    // What is observed by then is concerned, even where both were posted together.
    defer { for group in RepairJob.grouped(gaps) { take(group.gap, of: group.instruments) } }
    for command in commands.take() {
      switch command {
      case .observed(let instruments): observed = instruments
      case .gap(let gap): gaps.append(gap)
      case .minute(let id, let start):
        let isPlanned = jobs.contains { entry in
          entry.job.work.contains { $0.instrument.id == id && $0.from <= start && start < $0.to }
        }
        if !isPlanned, let instrument = observed.first(where: { $0.id == id }) {
          minutes.append((instrument, start))
        }
      case .retryGivenUp:
        jobs += givenUp.map { job in
          var job = job
          job.attempts = 0
          return (job, 0)
        }
        givenUp = []
      case .stop: isStopping = true
      }
    }
  }

  private func take(_ gap: FeedGap, of instruments: [InstrumentID]) {
    guard let end = gap.end, gap.cause != .moved else { return }
    if let job = plan.job(
      for: gap, of: instruments, instruments: observed, loadedUntil: options.loadedUntil, now: clock.now())
    {
      logger.info(
        "\(Self.text(gap)): \(job.work.count) instruments are asked of the venue after \(job.due.rfc3339)")
      jobs.append((job, 0))
    } else if gap.start.isKnown {
      note(RepairJob.gaps(gap, of: instruments), .notNeeded, at: end)
    }
  }

  private func takeUpPending() throws(Fault) {
    let pending = try store.storedGaps().filter {
      [.pending, .givenUp].contains($0.repair) && $0.gap.end != nil
    }
    for group in RepairJob.grouped(pending.map(\.gap)) { take(group.gap, of: group.instruments) }
  }

  private func nextDue() -> Int? {
    let monotonic = Timestamp.monotonicNanoseconds()
    let now = clock.now()
    return jobs.firstIndex { $0.earliest <= monotonic && $0.job.due <= now }
  }

  /// Fetches what the job is for; what fails is tried again later, and only that.
  private func carryOut(_ started: RepairJob) {
    var job = started
    var left = Set(job.work.indices)
    var failed: Fault?
    do throws(Fault) {
      let requests = job.work.map {
        CandleRequest($0.instrument, interval: .minute, from: $0.from, to: $0.to)
      }
      try source.fetch(requests, urgency: .repair) {
        handleCommands()
        return isStopping
      } deliver: { delivery throws(Fault) in
        switch delivery.outcome {
        case .success(let candles):
          let work = job.work[delivery.requestIndex]
          job.candles[work.instrument.id, default: 0] += try store(candles, of: work)
          left.remove(delivery.requestIndex)
        case .failure(let fault): failed = fault
        }
      }
    } catch {
      failed = error
    }
    if isStopping { return }
    job.work = left.sorted().map { job.work[$0] }
    if let failed { return postpone(job, because: failed) }
    finish(job)
  }

  private func store(_ fetched: [Candle], of work: RepairJob.Work) throws(Fault) -> Int {
    let settled = clock.now() + -Self.settledNanoseconds
    var candles = fetched
    candles.removeAll {
      $0.start < work.from || $0.start >= work.to || $0.start + Interval.minute.nanoseconds > settled
    }
    for index in candles.indices { candles[index].flags.insert(.repaired) }
    try store.upsert(candles)
    self.fetched += UInt64(candles.count)
    segment.set(.repairCandles, self.fetched)
    return candles.count
  }

  private func finish(_ job: RepairJob) {
    guard let gap = job.gap else { return }
    let now = clock.now()
    let candles = job.candles
    let total = job.candleCount
    guard
      note(job.gaps, .repaired, at: now, candles: { $0 == .all ? total : candles[$0] ?? 0 })
    else {
      // The recorder writes the row a little later.
      if gap.start.isKnown { jobs.append((job, Timestamp.monotonicNanoseconds() + 250_000_000)) }
      return
    }
    repaired += 1
    segment.set(.repaired, repaired)
    let sentence = "\(Self.text(gap)) is repaired with \(total) candles of the venue"
    logger.notice("\(sentence)")
    for gap in job.gaps { stream.post(.publish(gap.repairRecord(at: now))) }
    alerts.post(AlertEvent(.repaired, reason: sentence, details: Self.details(gap)))
  }

  /// False when a row is not there yet.
  @discardableResult
  private func note(
    _ gaps: [FeedGap], _ state: GapRepairState, at time: Timestamp,
    candles: @Sendable (InstrumentID) -> Int = { _ in 0 }
  ) -> Bool {
    guard let first = gaps.first else { return true }
    do throws(Fault) {
      return try store.noteRepairs(of: gaps, state, at: time, candles: candles)
    } catch {
      logger.error("\(Self.text(first)) is \(state.name), but that cannot be noted: \(error.message)")
      return true
    }
  }

  private func postpone(_ failed: RepairJob, because fault: Fault) {
    var job = failed
    // Dead credentials are a matter of the whole feed, not of this gap: no attempt is spent on them.
    if fault.kind != .refused { job.attempts += 1 }
    guard job.attempts < options.attemptsMax else { return giveUp(job, because: fault) }
    let full = min(Self.firstDelayMilliseconds << min(job.attempts, 16), Self.delayMillisecondsMax)
    let delay = Int.random(in: full / 2...full, using: &generator)
    logger.warning(
      "\(job.gap.map(Self.text) ?? "a minute") is not repaired yet: \(fault.message); again in \(delay) ms")
    jobs.append((job, Timestamp.monotonicNanoseconds() + Int64(delay) * 1_000_000))
  }

  private func giveUp(_ job: RepairJob, because fault: Fault) {
    givenUp.append(job)
    let symbols = job.work.map(\.instrument.symbol.text)
    let subject =
      symbols.prefix(3).joined(separator: " ") + (symbols.count > 3 ? " and \(symbols.count - 3) more" : "")
    let candles = job.candles
    let total = job.candleCount
    note(job.gaps, .givenUp, at: clock.now(), candles: { $0 == .all ? total : candles[$0] ?? 0 })
    latch.latch(
      Halt(
        scope: .instrument, subject: subject,
        fault: Fault(
          fault.kind,
          "\(job.gap.map(Self.text) ?? "a minute") could not be repaired in \(job.attempts) attempts: \(fault.message)"
        ),
        rule: .request, since: .wallClock()))
  }

  static func text(_ gap: FeedGap) -> String {
    "the gap from \(gap.start.isKnown ? gap.start.rfc3339 : "the beginning") to \(gap.end?.rfc3339 ?? "now") "
      + "(\(gap.cause.name))"
  }

  static func details(_ gap: FeedGap) -> [String: String] {
    var details = ["cause": gap.cause.name]
    if gap.start.isKnown { details["from"] = gap.start.rfc3339 }
    if let end = gap.end { details["to"] = end.rfc3339 }
    return details
  }
}
