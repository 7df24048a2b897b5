internal import CLinux
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization
internal import TickQuality

/// The receive thread: socket → frame → decode → quality flags → publish, and the only owner of reconnecting.
///
/// On the path of a tick there is no lock and, once its buffers have grown, no allocation.
final class ReceiveLoop: @unchecked Sendable {
  // @unchecked: everything but the mailbox and the note of the last bad frame belongs to the receive thread.

  struct Options {
    /// How long one wait for bytes may last: also the longest that a command waits. Zero spins.
    var waitMilliseconds: Int
    /// Without any message for so long, the connection counts as dead.
    var silenceMillisecondsMax: Int
    /// Where the gap before this run begins; unknown when there was no earlier run.
    var gapStart: Timestamp
    var processor: Int?
  }

  let commands = Mailbox<FeedCommand>()
  /// What was wrong with the latest bad frame, for the status.
  let lastBadFrame = Mutex("")

  private let source: any TickSource
  private let segment: FeedSegment
  private let clock: FeedClock
  private let options: Options
  private let logger: Logger
  private var inspector: TickQualityInspector
  private var publisher: Publisher
  private var retry: RetryPolicy
  private var generator = SystemRandomNumberGenerator()
  private var instruments: [Instrument]
  private var batch: [Tick] = []
  private var statistics = SourceStatistics()
  private var lostAt: Timestamp
  private var gapCause = GapCause.start
  /// True until connected, and from each loss to the next connection.
  private var isDown = true
  private var isStopping = false

  /// Records that one batch can hold before its array grows: several full frames.
  private static let batchCapacity = 16_384
  /// Rounds between two readings of the thread's processor time, which cost a system call.
  private static let roundsPerMeasurement = 64

  init(
    source: any TickSource, instruments: [Instrument], inspector: TickQualityInspector,
    publisher: consuming Publisher, segment: FeedSegment, clock: FeedClock, retry: RetryPolicy,
    options: Options, logger: Logger
  ) {
    self.source = source
    self.instruments = instruments
    self.inspector = inspector
    self.publisher = publisher
    self.segment = segment
    self.clock = clock
    self.retry = retry
    self.options = options
    self.logger = logger
    self.lostAt = options.gapStart
    batch.reserveCapacity(Self.batchCapacity)
  }

  /// Runs until told to stop, which returns nil, or until it must HALT, which returns why.
  func run() -> Fault? {
    tickring_name_thread("tick-receive")
    if let processor = options.processor, tickring_pin_to_cpu(Int32(processor)) != 0 {
      logger.warning("receive.cpu: this thread cannot be bound to processor \(processor)")
    }
    do {
      while !isStopping {
        do {
          try connect()
          try receive()
        } catch {
          source.close()
          try noteLoss(error)
        }
        if !isStopping { try waitBeforeRetry() }
      }
      source.close()
      let now = clock.now()
      try publisher.publishGap(start: isDown ? lostAt : now, end: nil, now: now, cause: .stopped)
      measureProcessorTime()
      return nil
    } catch {
      source.close()
      measureProcessorTime()
      return error
    }
  }

  private func connect() throws(Fault) {
    handleCommands()
    if isStopping { return }
    try source.subscribe(to: instruments)
    try source.connect()
    segment.add(.connects)
    let now = clock.now()
    inspector.noteSubscribed(instruments.map(\.id), at: now)
    try publisher.publishGap(start: lostAt, end: now, now: now, cause: gapCause)
    isDown = false
    gapCause = .disconnected
    segment.set(.state, FeedState.running.rawValue)
    logger.info("connected to \(source.name), \(instruments.count) instruments subscribed")
  }

  private func receive() throws(Fault) {
    var lastAlive = Timestamp.monotonicNanoseconds()
    var round = 0
    while true {
      handleCommands()
      if isStopping { return }
      batch.removeAll(keepingCapacity: true)
      let activity = try source.receive(timeoutMilliseconds: options.waitMilliseconds, into: &batch)
      if !batch.isEmpty {
        inspector.inspect(&batch)
        try publisher.publish(&batch)
        retry.noteHealthy()
      }
      round += 1
      if activity == .alive {
        noteStatistics()
        lastAlive = Timestamp.monotonicNanoseconds()
      } else {
        try checkSilence(since: lastAlive)
      }
      // A spinning thread is idle most rounds, and this reading costs a system call.
      let isWaiting = activity == .idle && options.waitMilliseconds > 0
      if isWaiting || round % Self.roundsPerMeasurement == 0 { measureProcessorTime() }
    }
  }

  private func checkSilence(since lastAlive: Int64) throws(Fault) {
    let silence = (Timestamp.monotonicNanoseconds() - lastAlive) / 1_000_000
    guard silence > Int64(options.silenceMillisecondsMax) else { return }
    gapCause = .stalled
    throw Fault(
      .unavailable,
      "\(source.name) sent nothing, not even a heartbeat, for \(silence) ms; the connection counts as dead")
  }

  /// Records the outage; rethrows what no retry can mend.
  private func noteLoss(_ fault: Fault) throws(Fault) {
    switch fault.kind {
    case .unavailable, .protocolViolation: break
    default: throw fault
    }
    if !isDown {
      isDown = true
      lostAt = clock.now()
      try publisher.publishGap(start: lostAt, end: nil, now: lostAt, cause: gapCause)
    }
    logger.warning("\(fault.message)")
    lastFault = fault
  }

  private var lastFault = Fault(.unavailable, "the venue was never reached")

  private func waitBeforeRetry() throws(Fault) {
    guard let delay = retry.nextDelayMilliseconds(using: &generator) else {
      throw Fault(
        lastFault.kind,
        "gave up on \(source.name) after \(retry.attempts) attempts without a tick; the last one failed so: "
          + lastFault.message)
    }
    logger.info("next attempt in \(delay) ms (\(retry.attempts) of \(retry.attemptsMax))")
    let deadline = Timestamp.monotonicNanoseconds() + Int64(delay) * 1_000_000
    while Timestamp.monotonicNanoseconds() < deadline, !isStopping {
      usleep(10_000)
      handleCommands()
    }
  }

  private func handleCommands() {
    for command in commands.take() {
      switch command {
      case .addLane(let lane): publisher.add(lane)
      case .removeLane(let name): publisher.removeLane(name)
      case .observe(let lane, let filter): publisher.observe(lane, filter)
      case .subscribe(let wanted): subscribe(to: wanted)
      case .stop: isStopping = true
      }
    }
  }

  private func subscribe(to wanted: [Instrument]) {
    let known = Set(instruments.map(\.id))
    instruments = wanted
    inspector.noteSubscribed(wanted.map(\.id).filter { !known.contains($0) }, at: clock.now())
    do {
      try source.subscribe(to: wanted)
    } catch {
      // The next receive meets the same broken connection and reconnects, which restores the whole set.
      logger.warning("cannot change subscriptions: \(error.message)")
    }
  }

  private func noteStatistics() {
    let now = source.statistics
    segment.set(.bytes, now.bytes)
    segment.set(.messages, now.messages)
    segment.set(.heartbeats, now.heartbeats)
    segment.set(.unknownInstruments, now.unknownInstruments)
    if now.badFrames != statistics.badFrames {
      segment.set(.badFrames, now.badFrames)
      lastBadFrame.withLock { $0 = now.lastBadFrame }
      if statistics.badFrames == 0 { logger.warning("skipped a bad frame: \(now.lastBadFrame)") }
    }
    statistics = now
  }

  private func measureProcessorTime() {
    segment.set(.receiveProcessorTime, UInt64(tickring_thread_cpu_ns()))
    segment.set(.wallHeartbeat, UInt64(bitPattern: Timestamp.wallClock().nanoseconds))
  }
}
