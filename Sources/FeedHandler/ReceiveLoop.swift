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

  enum Command: Sendable {
    case addLane(Lane)
    case removeLane(String)
    case observe(lane: String, InstrumentSet)
    case subscribe([Instrument])
    case stop
  }

  struct Options {
    /// How long one wait for bytes may last: also the longest that a command waits. Zero spins.
    var waitMilliseconds: Int
    /// Without any message for so long, the connection counts as dead.
    var silenceMillisecondsMax: Int
    /// Time of the newest record of an earlier run, where the gap before this run begins.
    var previousReceiveTime: Timestamp
    var processor: Int?
  }

  let commands = Mailbox<Command>()
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
    self.lostAt = options.previousReceiveTime
    batch.reserveCapacity(Self.batchCapacity)
  }

  /// Runs until told to stop, which returns nil, or until it must HALT, which returns why.
  func run() -> Fault? {
    tickring_name_thread("tick-receive")
    if let processor = options.processor { tickring_pin_to_cpu(Int32(processor)) }
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
      try publisher.publishGap(start: clock.now(), end: nil, now: clock.now(), cause: .stopped)
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
    segment.set(.state, FeedState.running.rawValue)
    logger.info("connected to \(source.name), \(instruments.count) instruments subscribed")
  }

  private func receive() throws(Fault) {
    var lastAlive = Timestamp.wallClock()
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
        lastAlive = Timestamp.wallClock()
      } else {
        try checkSilence(since: lastAlive)
      }
      if activity == .idle || round % Self.roundsPerMeasurement == 0 { measureProcessorTime() }
    }
  }

  private func checkSilence(since lastAlive: Timestamp) throws(Fault) {
    let now = Timestamp.wallClock()
    segment.set(.wallHeartbeat, UInt64(bitPattern: now.nanoseconds))
    let silence = (now - lastAlive) / 1_000_000
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
    if segment.value(.state) == FeedState.running.rawValue, gapCause != .disconnected {
      let cause = gapCause == .stalled ? GapCause.stalled : .disconnected
      lostAt = clock.now()
      try publisher.publishGap(start: lostAt, end: nil, now: lostAt, cause: cause)
      gapCause = .disconnected
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
    let deadline = Timestamp.wallClock() + Int64(delay) * 1_000_000
    while Timestamp.wallClock() < deadline, !isStopping {
      usleep(10_000)
      handleCommands()
    }
  }

  private func handleCommands() {
    for command in commands.take() {
      switch command {
      case .addLane(let lane): publisher.add(lane)
      case .removeLane(let name): publisher.removeLane(name)
      case .observe(let lane, let observed): publisher.lane(lane)?.observe(observed)
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
