internal import CLinux
internal import Configuration
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization
internal import TickQuality

/// The receive thread: socket → frame → decode → quality flags → publish, and the only owner of reconnecting.
///
/// What it does about a broken connection is parted: ``OutageLog`` knows since when and why, ``Watchdog`` what counts as
/// dead, ``RetryPolicy`` when to come back, ``HaltLatch`` that it must not.
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
    /// Gaps of single instruments that the run before left open.
    var gapsLeftOpen: [FeedGap]
    var processor: Int?
    /// True to end with the fault instead of waiting for the HALT's end.
    var exitsOnHalt: Bool
  }

  /// How the thread deals with what stops it.
  struct Recovery {
    var latch: HaltLatch
    var alerts: AlertHook
    var board: SubscriptionBoard
    var session: SessionWatch
    /// Something that changes when the venue's credentials do; nil while they cannot be read.
    var credentialsMark: @Sendable () -> Int?
    /// What a person does about dead credentials.
    var loginAdvice: String
  }

  let commands = Mailbox<FeedCommand>()
  /// What was wrong with the latest bad frame, for the status.
  let lastBadFrame = Mutex("")

  let source: any TickSource
  let segment: FeedSegment
  let clock: FeedClock
  let options: Options
  let logger: Logger
  var recovery: Recovery
  var retry: RetryPolicy
  var generator = SystemRandomNumberGenerator()
  var isStopping = false
  /// Somebody asked for the end of a HALT.
  var isResumeRequested = false
  /// As of the last look while a part was given up.
  var wasMarketOpen = true
  /// The HALT during which the feed was stopped.
  var haltAtStop: Halt?
  var inspector: TickQualityInspector
  var publisher: Publisher
  var lostParts: LostParts
  private var subscriptions: [Subscription]
  private var batch: [Tick] = []
  private var statistics = SourceStatistics()
  private var outage: OutageLog
  private var watchdog: Watchdog
  var isConnecting = false
  /// While the source connects nobody may call it: the subscriptions that were changed meanwhile wait.
  private var isSourceBusy = false
  private var areSubscriptionsChanged = false
  /// When the present connection brought its first tick, by the monotonic clock.
  private var deliveringSince: Int64?
  /// The mark of the credentials before the venue was shown them last: others that came since, be it in the middle of the
  /// attempt, are worth another one.
  private(set) var credentialsShown: Int?
  private(set) var hasEverConnected = false

  /// Records that one batch can hold before its array grows: several full frames.
  private static let batchCapacity = 16_384
  /// Rounds between two readings of the thread's processor time, which cost a system call.
  private static let roundsPerMeasurement = 64

  init(
    source: any TickSource, subscriptions: [Subscription], inspector: consuming TickQualityInspector,
    publisher: consuming Publisher, segment: FeedSegment, clock: FeedClock, retry: RetryPolicy,
    recovery: Recovery, options: Options, logger: Logger
  ) {
    self.source = source
    self.subscriptions = subscriptions
    self.inspector = inspector
    self.publisher = publisher
    self.segment = segment
    self.clock = clock
    self.retry = retry
    self.recovery = recovery
    self.options = options
    self.logger = logger
    outage = OutageLog(start: options.gapStart, cause: .start)
    lostParts = LostParts(leftOpen: options.gapsLeftOpen, retry: retry)
    watchdog = Watchdog(
      silenceMillisecondsMax: options.silenceMillisecondsMax, now: Timestamp.monotonicNanoseconds())
    batch.reserveCapacity(Self.batchCapacity)
  }

  /// Runs until told to stop, which returns nil or the HALT that it was in, or until it must end, which returns why.
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
          // An attempt that was given up because the feed stops is no loss.
          if isStopping, isConnecting { break }
          try noteLoss(error)
          if !isStopping { try recover(from: error) }
        }
      }
      source.close()
      let now = clock.now()
      try publisher.publishGap(start: outage.isDown ? outage.start : now, end: nil, now: now, cause: .stopped)
      measureProcessorTime()
      return haltAtStop?.fault
    } catch {
      source.close()
      measureProcessorTime()
      return error
    }
  }

  private func connect() throws(Fault) {
    try handleCommands()
    if isStopping { return }
    isConnecting = true
    credentialsShown = recovery.credentialsMark()
    try source.subscribe(to: subscriptions)
    try connectSource()
    isConnecting = false
    segment.add(.connects)
    let unopened = source.lostInstruments
    recovery.board.noteSent(except: unopened)
    watchdog.noteAlive(at: Timestamp.monotonicNanoseconds())
    let now = clock.now()
    inspector.noteSubscribed(subscriptions.map(\.instrument.id), at: now)
    try publisher.publishGap(start: outage.start, end: now, now: now, cause: outage.cause)
    outage.noteConnected()
    try publishEndOfParts(now: now)
    segment.set(.state, FeedState.running.rawValue)
    logger.info(
      "connected to \(source.name), \(subscriptions.count - unopened.count) instruments subscribed")
    if hasEverConnected {
      let gap = FeedGap(start: outage.start, end: now, cause: outage.cause)
      recovery.alerts.post(
        AlertEvent(
          .recovered, reason: "\(source.name) is back after \(RepairLoop.text(gap))",
          details: RepairLoop.details(gap)))
    }
    hasEverConnected = true
  }

  /// Connects the source, and carries out meanwhile what control asks for: a venue may let it wait for long.
  private func connectSource() throws(Fault) {
    var commandFault: Fault?
    var polls = 0
    areSubscriptionsChanged = false
    do throws(Fault) {
      isSourceBusy = true
      defer { isSourceBusy = false }
      try source.connect { () -> Bool in
        do throws(Fault) {
          try handleCommands()
        } catch {
          commandFault = error
        }
        polls += 1
        if polls % Self.roundsPerMeasurement == 0 { measureProcessorTime() }
        return isStopping || commandFault != nil
      }
    } catch {
      throw commandFault ?? error
    }
    if areSubscriptionsChanged { subscribeSource() }
  }

  private func receive() throws(Fault) {
    var round = 0
    while true {
      try handleCommands()
      if isStopping { return }
      batch.removeAll(keepingCapacity: true)
      let outcome = receiveBatch()
      // What came before a connection ended came all the same.
      if !batch.isEmpty {
        inspector.inspect(&batch)
        try publisher.publish(&batch)
        if deliveringSince == nil { deliveringSince = Timestamp.monotonicNanoseconds() }
      }
      let activity = try outcome.get()
      try tendParts()
      round += 1
      if activity == .alive {
        noteStatistics()
        watchdog.noteAlive(at: Timestamp.monotonicNanoseconds())
      } else {
        try checkSilence()
      }
      // A spinning thread is idle most rounds, and this reading costs a system call.
      let isWaiting = activity == .idle && options.waitMilliseconds > 0
      if isWaiting || round % Self.roundsPerMeasurement == 0 { measureProcessorTime() }
    }
  }

  private func receiveBatch() -> Result<SourceActivity, Fault> {
    do throws(Fault) {
      return .success(try source.receive(timeoutMilliseconds: options.waitMilliseconds, into: &batch))
    } catch {
      return .failure(error)
    }
  }

  private func checkSilence() throws(Fault) {
    let now = Timestamp.monotonicNanoseconds()
    guard watchdog.deadSilence(at: now, isMarketOpen: true) != nil,
      let silence = watchdog.deadSilence(at: now, isMarketOpen: isMarketOpen)
    else { return }
    noteOutage(cause: .stalled)
    throw Fault(
      .unavailable,
      "\(source.name) sent nothing, not even a heartbeat, for \(silence / 1_000_000) ms; the connection counts as dead"
    )
  }

  /// Records the outage; rethrows what no retry can mend.
  private func noteLoss(_ fault: Fault) throws(Fault) {
    switch fault.kind {
    case .unavailable, .protocolViolation, .refused: break
    // Credentials that cannot be read are as good as refused.
    case .configuration, .missingInput: guard isConnecting else { throw fault }
    default: throw fault
    }
    if let since = deliveringSince {
      retry.noteDelivered(forNanoseconds: Timestamp.monotonicNanoseconds() - since)
      deliveringSince = nil
    }
    recovery.board.noteLost()
    noteOutage(cause: OutageLog.cause(of: fault, whileConnecting: isConnecting))
    isConnecting = false
    if let began = outageToTell {
      outageToTell = nil
      let now = clock.now()
      try publisher.publishGap(start: began.start, end: nil, now: now, cause: began.cause)
      recovery.alerts.post(AlertEvent(.gap, reason: fault.message, details: RepairLoop.details(began)))
    }
    logger.warning("\(fault.message)")
  }

  /// The outage that has begun and is not in the stream yet.
  private var outageToTell: FeedGap?

  /// The last sign of life is where the outage begins: what came after it, if anything, was lost with the connection.
  private func noteOutage(cause: GapCause) {
    let silence = Timestamp.monotonicNanoseconds() - watchdog.lastAlive
    let lastAlive = clock.feedTime(at: Timestamp.wallClock() + -silence)
    guard outage.noteLoss(lastAlive: lastAlive, cause: cause) else { return }
    outageToTell = FeedGap(start: outage.start, end: nil, cause: outage.cause)
  }

  /// Carries out what control has asked for; between two rounds of the thread's work, or while it waits.
  func handleCommands() throws(Fault) {
    for command in commands.take() {
      switch command {
      case .addLane(let lane): publisher.add(lane)
      case .removeLane(let name): publisher.removeLane(name)
      case .observe(let lane, let filter): publisher.observe(lane, filter)
      case .subscribe(let wanted): subscribe(to: wanted)
      case .publish(let record):
        var records = [record]
        try publisher.publish(&records)
      case .resume: isResumeRequested = true
      case .stop: isStopping = true
      }
    }
  }

  private func subscribe(to wanted: [Subscription]) {
    let known = Set(subscriptions.map(\.instrument.id))
    subscriptions = wanted
    recovery.session = recovery.session.watching(wanted.map(\.instrument))
    inspector.noteSubscribed(wanted.map(\.instrument.id).filter { !known.contains($0) }, at: clock.now())
    if isSourceBusy { areSubscriptionsChanged = true } else { subscribeSource() }
  }

  private func subscribeSource() {
    do {
      try source.subscribe(to: subscriptions)
      if !outage.isDown { recovery.board.noteSent(except: source.lostInstruments) }
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
    if now.complaints != statistics.complaints {
      logger.warning("\(source.name) complains: \(now.lastComplaint)")
    }
    if now.sequenceHoles != statistics.sequenceHoles, statistics.sequenceHoles == 0 {
      let consequence = "the ticks behind such holes are flagged \(TickFlags.missedBefore)"
      logger.warning("of \(source.name)'s numbered messages \(now.missedMessages) never came; \(consequence)")
    }
    statistics = now
  }

  func measureProcessorTime() {
    segment.set(.receiveProcessorTime, UInt64(tickring_thread_cpu_ns()))
    segment.set(.wallHeartbeat, UInt64(bitPattern: Timestamp.wallClock().nanoseconds))
  }
}
