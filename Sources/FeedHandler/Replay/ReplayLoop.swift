internal import CLinux
internal import FeedControl
internal import Glibc
internal import MarketData
internal import SharedRing
internal import TickArchive

/// The thread that replays: archive → lanes, paced by the receive times of the records, under the control of requests.
///
/// It is to a replayed feed what the receive thread is to a live one.
final class ReplayLoop: @unchecked Sendable {
  // @unchecked: everything but the mailbox and the desk belongs to the replay's thread.

  struct Options: Sendable {
    var range: TickSelection
    var symbols: Set<Symbol>?
    /// The receive times of the first record and the last, for requests to be checked against.
    var bounds: ClosedRange<Timestamp>
    var recordsMax: Int
    var speed: ReplaySpeed
    var waitsForConsumers: SlowConsumerPolicy
    /// Lanes that must be read before the first record is published.
    var lanesToWaitFor: [String]
    /// Stay at the end of the range until told to stop, instead of ending.
    var staysAtEnd: Bool
    var cores: Int
    var processor: Int?
  }

  let commands = Mailbox<FeedCommand>()
  let desk = ReplayDesk()

  private let archives: [ArchiveReader]
  private let segment: FeedSegment
  private let options: Options
  private var broadcaster: Broadcaster
  private var patience: ConsumerPatience
  private var pacer: ReplayPacer
  private var activity = ReplayStatus.Activity.waiting
  /// Records that a step still has to publish, or the time up to which it does, and who waits for it.
  private var step: ReplayStep?
  private var stepAnswers: [ReplayDesk.Waiting] = []
  private var seek: (selection: TickSelection, waiting: ReplayDesk.Waiting)?
  private var newestTime: Timestamp
  private var newestSequence: UInt64 = 0
  private var isStopping = false
  private var rounds = 0

  /// Blocks that could not be read and were left out.
  private(set) var skipped: [DamagedBlock] = []
  /// True once the end of the range was reached.
  private(set) var isComplete = false

  /// Records that are published together at most: requests are looked at in between.
  private static let batchMax = 8192
  /// The longest sleep, which is also the longest that a request waits.
  private static let sleepNanosecondsMax: Int64 = 2_000_000
  /// The system wakes a sleeper late by up to so much; the rest of a wait is spun.
  private static let spinNanoseconds: Int64 = 80_000
  private static let roundsPerMeasurement = 256

  init(archives: [ArchiveReader], segment: FeedSegment, options: Options) {
    self.archives = archives
    self.segment = segment
    self.options = options
    broadcaster = Broadcaster(segment: segment)
    patience = ConsumerPatience()
    newestTime = options.bounds.lowerBound
    let now = Timestamp.wallClock()
    // Until the first record the feed's time stands still.
    pacer = ReplayPacer(speed: options.speed, start: options.bounds.lowerBound, now: now)
    pacer.pause(now)
  }

  /// Runs to the end of the range, or until told to stop, which returns nil, or until the archive cannot be read,
  /// which returns why.
  func run() -> Fault? {
    tickring_name_thread("tick-replay")
    tickring_set_timer_slack(1)
    if let processor = options.processor { _ = tickring_pin_to_cpu(Int32(processor)) }
    var fault: Fault?
    showClock()
    segment.set(.state, FeedState.running.rawValue)
    do {
      waitForLanes()
      pacer.resume(.wallClock())
      showClock()
      activity = .playing
      try play()
    } catch {
      fault = error
    }
    activity = .ended
    answerSteps()
    if let seek { refuse(seek.waiting, "the replay ended") }
    measure()
    desk.close(with: status())
    return fault
  }

  /// What the replay is doing; from its own thread, or once it has ended.
  func status() -> ReplayStatus {
    // A paused clock stands where it was halted, which lies behind the newest record.
    let hasClock = activity == .playing || activity == .paused
    return ReplayStatus(
      activity: activity, speed: pacer.speed.description,
      timeNanoseconds: (hasClock ? max(newestTime, pacer.clock.now()) : newestTime).nanoseconds,
      sequence: newestSequence, records: broadcaster.hash.count, hash: broadcaster.hash.text,
      recordsMax: options.recordsMax)
  }

  private func play() throws(Fault) {
    var selection = options.range
    while !isStopping {
      if let seek { selection = seek.selection }
      var merge = try TickMerge(archives, selection, symbols: options.symbols, cores: options.cores)
      if let seek { try arrive(seek.waiting, &merge) }
      while !isStopping, seek == nil, try merge.next({ ticks throws(Fault) in publish(ticks) }) {}
      skipped += merge.skipped
      if seek == nil, !isStopping {
        isComplete = true
        guard options.staysAtEnd else { return }
        stayAtEnd()
      }
    }
  }

  /// Publishes a run of records when each is due.
  private func publish(_ ticks: Span<Tick>) {
    var next = 0
    while next < ticks.count {
      handleRequests()
      if isStopping || seek != nil { return }
      let now = Timestamp.wallClock()
      let count = batch(of: ticks, from: next, now)
      guard count > 0 else {
        wait(until: ticks[next].receiveTime, now)
        continue
      }
      broadcaster.publish(ticks.extracting(next..<next + count))
      next += count
      newestTime = ticks[next - 1].receiveTime
      newestSequence = ticks[next - 1].sequence
      let isClockStill = pacer.clock.speed == 0
      pacer.note(newestTime, now)
      if isClockStill { showClock() }
      note(published: count)
    }
  }

  /// How many of the records from `next` on are to be published now: those that are due, or that a step still wants,
  /// and that fit where they have to.
  private func batch(of ticks: Span<Tick>, from next: Int, _ now: Timestamp) -> Int {
    var count = min(ticks.count - next, Self.batchMax)
    var dueBefore = pacer.due(now)
    if pacer.isPaused {
      switch step {
      case nil: return 0
      case .records(let left)?:
        count = min(count, left)
        dueBefore = nil
      case .until(let time)?: dueBefore = time
      }
    }
    if let dueBefore {
      var due = 0
      while due < count, ticks[next + due].receiveTime <= dueBefore { due += 1 }
      if due == 0, pacer.isPaused { finishStep(at: dueBefore) }
      count = due
    }
    guard count > 0, options.waitsForConsumers.applies(at: pacer.speed) else { return count }
    return patience.room(for: count, in: broadcaster, now)
  }

  private func note(published count: Int) {
    if case .records(let left)? = step {
      step = left > count ? .records(left - count) : nil
      if step == nil { answerSteps() }
    }
    rounds += 1
    if rounds % Self.roundsPerMeasurement == 0 { measure() }
  }

  private func finishStep(at time: Timestamp) {
    pacer.move(to: time, .wallClock())
    showClock()
    step = nil
    answerSteps()
  }

  /// Waits for what is not due, or does not fit: to the microsecond, since bursts keep their shape.
  private func wait(until time: Timestamp, _ now: Timestamp) {
    if pacer.isPaused { return sleep(Self.sleepNanosecondsMax) }
    let delay = pacer.delay(until: time, now)
    // A consumer is waited for.
    if delay == 0 { return sleep(patience.pauseNanoseconds) }
    if delay > Self.spinNanoseconds {
      measure()
      sleep(min(delay - Self.spinNanoseconds, Self.sleepNanosecondsMax))
    } else {
      LaneReader.pause()
    }
  }

  private func sleep(_ nanoseconds: Int64) {
    guard nanoseconds > 0 else { return LaneReader.pause() }
    var time = timespec(tv_sec: 0, tv_nsec: Int(nanoseconds))
    nanosleep(&time, nil)
  }

  private func waitForLanes() {
    while !isStopping {
      handleRequests()
      let missing = options.lanesToWaitFor.contains { broadcaster.lane($0)?.hasConsumer != true }
      if !missing { return }
      measure()
      sleep(Self.sleepNanosecondsMax)
    }
  }

  private func stayAtEnd() {
    activity = .ended
    step = nil
    answerSteps()
    while !isStopping, seek == nil {
      handleRequests()
      measure()
      sleep(Self.sleepNanosecondsMax)
    }
    activity = pacer.isPaused ? .paused : .playing
  }

  /// Goes on after a seek: strategies are told where from and where to, and a new fingerprint begins.
  private func arrive(_ waiting: ReplayDesk.Waiting, _ merge: inout TickMerge) throws(Fault) {
    let now = Timestamp.wallClock()
    let left = newestTime
    var target = options.bounds.upperBound
    switch waiting.request {
    case .seekTime(let time): target = time
    case .seekSequence(let sequence):
      // The record itself tells the time; its block is unpacked once more for that.
      let found = try archives[0].firstTick(TickSelection(fromSequence: sequence))
      target = found?.receiveTime ?? target
    default: break
    }
    seek = nil
    step = nil
    isComplete = false
    answerSteps()
    pacer.move(to: target, now)
    newestTime = target
    broadcaster.restartHash()
    segment.clearLastValues()
    showClock()
    broadcaster.announce(
      Tick(
        instrument: .all, sequence: newestSequence, receiveTime: target, exchangeTime: left, lastPrice: .zero,
        dayVolume: 0, lastTradeSeconds: 0, lastQuantity: GapCause.moved.rawValue, openInterest: 0, kind: .gap)
    )
    waiting.answer.resume(returning: .success(status()))
  }

  private func handleRequests() {
    for command in commands.take() {
      switch command {
      case .addLane(let lane): broadcaster.add(lane)
      case .removeLane(let name): broadcaster.removeLane(name)
      case .observe(let lane, let filter):
        broadcaster.lane(lane)?.observe(filter, behind: newestSequence)
      case .subscribe, .publish, .resume: break
      case .stop: isStopping = true
      }
    }
    for waiting in desk.take() { carryOut(waiting) }
  }

  private func carryOut(_ waiting: ReplayDesk.Waiting) {
    let now = Timestamp.wallClock()
    switch waiting.request {
    case .status: break
    case .stop: isStopping = true
    case .pause:
      pause(now)
    case .resume:
      guard activity != .ended else {
        return refuse(waiting, "the replay is at its end; move it with seek, or stop it")
      }
      if pacer.isPaused, activity != .waiting {
        pacer.resume(now)
        activity = .playing
      }
      step = nil
      answerSteps()
    case .speed(let speed): pacer.set(speed, now)
    case .stepRecords, .stepTime:
      guard activity == .playing || activity == .paused else {
        return refuse(waiting, "a replay that is \(activity.rawValue) cannot step")
      }
      pause(now)
      if case .stepRecords(let count) = waiting.request { step = .records(count) }
      if case .stepTime(let nanoseconds) = waiting.request {
        step = ReplayStep(from: max(pacer.clock.now(), newestTime), nanoseconds: nanoseconds)
      }
      stepAnswers.append(waiting)
      showClock()
      return
    case .seekTime(let time):
      guard options.bounds.contains(time) else {
        return refuse(
          waiting,
          "\(time.rfc3339) lies outside of what is replayed, \(options.bounds.lowerBound.rfc3339) to "
            + options.bounds.upperBound.rfc3339)
      }
      var selection = options.range
      selection.from = time
      return move(to: selection, waiting)
    case .seekSequence(let sequence):
      guard archives.count == 1 else {
        return refuse(waiting, "merged archives are numbered anew: move the replay by time instead")
      }
      var selection = options.range
      selection.fromSequence = sequence
      guard (try? archives[0].firstTick(selection)) ?? nil != nil else {
        return refuse(waiting, "no record of sequence \(sequence) or later is in what is replayed")
      }
      return move(to: selection, waiting)
    }
    showClock()
    waiting.answer.resume(returning: .success(status()))
  }

  private func pause(_ now: Timestamp) {
    guard activity == .playing || activity == .paused else { return }
    if !pacer.isPaused { pacer.pause(now) }
    activity = .paused
  }

  private func move(to selection: TickSelection, _ waiting: ReplayDesk.Waiting) {
    // Of two requests that came together only the last is carried out.
    if let seek { refuse(seek.waiting, "another seek came before this one was carried out") }
    seek = (selection, waiting)
  }

  private func refuse(_ waiting: ReplayDesk.Waiting, _ sentence: String) {
    waiting.answer.resume(returning: .failure(Fault(.usage, sentence)))
  }

  private func answerSteps() {
    for waiting in stepAnswers { waiting.answer.resume(returning: .success(status())) }
    stepAnswers = []
  }

  private func showClock() { segment.setClock(pacer.clock) }

  private func measure() {
    segment.set(.receiveProcessorTime, UInt64(tickring_thread_cpu_ns()))
    segment.set(.wallHeartbeat, UInt64(bitPattern: Timestamp.wallClock().nanoseconds))
  }
}

/// What a step still wants.
enum ReplayStep: Equatable {
  case records(Int)
  case until(Timestamp)

  /// A step of so much time; one that is longer than time goes on reaches to the end of what is replayed.
  init(from start: Timestamp, nanoseconds: Int64) {
    let (end, isBeyond) = start.nanoseconds.addingReportingOverflow(nanoseconds)
    self = .until(Timestamp(nanoseconds: isBeyond ? .max : end))
  }
}

/// Whether a consumer whose lane is full is waited for.
public enum SlowConsumerPolicy: String, Sendable, CaseIterable {
  /// At speed `max` it is waited for and loses nothing; at any other speed the replay is as merciless as a live feed.
  case automatic = "auto"
  /// It is waited for at any speed; time then stretches.
  case wait
  /// It loses ticks, which are counted, as on a live feed.
  case drop

  func applies(at speed: ReplaySpeed) -> Bool {
    switch self {
    case .automatic: speed == .max
    case .wait: true
    case .drop: false
    }
  }
}
