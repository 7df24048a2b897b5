internal import CLinux
internal import CandleBuilding
internal import CandleStore
internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization
internal import TickArchive

/// The recorder thread: takes every record from its lane into the archive, builds the candles, and stores them.
///
/// A record leaves the lane only when its archive block is in the file. Until then the lane in shared memory keeps it
/// through a `kill -9`, and the archive's journal, a little later, through a power cut.
///
/// A candle store that refuses (full disk, failing disk) does not stop it: candles wait in a ``CandleBacklog``, which
/// says what is given up in which order, and go in when the store takes them again. An archive that refuses does, unless
/// `archive.when_full` says otherwise.
final class Recorder: @unchecked Sendable {
  // @unchecked: everything but the mailbox belongs to the recorder thread.

  enum Command: Sendable {
    case define([Instrument])
    case stop
  }

  struct Options {
    /// A block is sealed at the latest so long after its first record.
    var sealMilliseconds: Int
    /// What was recorded is safe from a power cut after so long.
    var syncMilliseconds: Int
    var processor: Int?
    var dataDirectory: String
  }

  let commands = Mailbox<Command>()

  private var lane: LaneReader
  private var archive: ArchiveKeeper
  private let store: CandleStore
  private var aggregator: CandleAggregator
  private let segment: FeedSegment
  private let clock: FeedClock
  private let options: Options
  private let logger: Logger
  /// Is told of what has to be fetched from the venue; nil when nothing is.
  private let repair: Mailbox<RepairLoop.Command>?
  private var sessions: SessionNotes
  private var quality: QualityLog
  private var forming: FormingRows
  private let market: MarketHours
  private var sessionsEnd = Timestamp(nanoseconds: .min)
  private var closed: [Candle] = []
  private var backlog = CandleBacklog()
  private var unsealedSince: Int64?
  private var recorded: UInt64 = 0
  private var lastStore: Int64 = 0
  private var lastSynchronization: Int64 = 0
  private var isStopping = false

  /// Records taken from the lane at a time.
  private static let batchMax = 8192
  /// Candles that wait for the database at most, unless the time below passes first.
  private static let candlesWaitingMax = 5000
  private static let storeIntervalNanoseconds: Int64 = 250_000_000
  private static let qualityIntervalNanoseconds: Int64 = 5_000_000_000
  /// With less room than this a failed transaction is blamed on the full device.
  private static let freeBytesMin: UInt64 = 4 << 20
  private static let idleMicroseconds: UInt32 = 1000

  init(
    lane: consuming LaneReader, archive: consuming ArchiveKeeper, store: CandleStore,
    aggregator: CandleAggregator, quality: QualityLog, market: MarketHours, sessions: SessionNotes,
    repair: Mailbox<RepairLoop.Command>?,
    segment: FeedSegment, clock: FeedClock,
    options: Options,
    logger: Logger
  ) {
    self.sessions = sessions
    self.repair = repair
    self.quality = quality
    forming = FormingRows(segment: segment)
    self.market = market
    self.lane = lane
    self.archive = archive
    self.store = store
    self.aggregator = aggregator
    self.segment = segment
    self.clock = clock
    self.options = options
    self.logger = logger
  }

  /// Runs until told to stop and the lane is empty, which returns nil, or until storage fails, which returns why.
  func run() -> Fault? {
    tickring_name_thread("tick-record")
    if let processor = options.processor, tickring_pin_to_cpu(Int32(processor)) != 0 {
      logger.warning("recorder.cpu: this thread cannot be bound to processor \(processor)")
    }
    do {
      while true {
        let wasStopping = isStopping
        try handleCommands()
        let count = try record()
        archive.takeFrames()
        try sealIfDue()
        try synchronizeIfDue()
        try noteSession()
        noteMarketDay()
        try storeCandles(isForced: false)
        noteProgress()
        guard count == 0 else { continue }
        if wasStopping { break }
        aggregator.advance(to: clock.now(), into: &closed)
        usleep(Self.idleMicroseconds)
      }
      try finish()
      return nil
    } catch {
      return error
    }
  }

  private func handleCommands() throws(Fault) {
    for command in commands.take() {
      switch command {
      case .define(let instruments): try archive.define(instruments)
      case .stop: isStopping = true
      }
    }
  }

  private func record() throws(Fault) -> Int {
    let firstPosition = lane.position
    let alreadySealed = archive.lastSealedSequence ?? 0
    var sealedEnd: UInt64?
    let count = try lane.read(max: Self.batchMax) { run throws(Fault) in
      var first = 0
      // After a crash the lane still holds what the archive had sealed just before.
      while first < run.count, run[first].sequence <= alreadySealed { first += 1 }
      if first > 0 { sealedEnd = firstPosition + UInt64(first) }
      let new = run.extracting(first..<run.count)
      for index in new.indices {
        if try archive.append(new[index]) { sealedEnd = firstPosition + UInt64(first + index) + 1 }
        if new[index].kind == .gap { recordGap(FeedGap(new[index])) }
      }
      aggregator.apply(new, into: &closed)
      forming.store(new, from: aggregator)
      quality.take(new)
    }
    if count > 0, unsealedSince == nil { unsealedSince = Timestamp.monotonicNanoseconds() }
    recorded += UInt64(count)
    if let sealedEnd {
      lane.release(upTo: sealedEnd)
      unsealedSince = sealedEnd == lane.position ? nil : Timestamp.monotonicNanoseconds()
    }
    return count
  }

  /// An outage becomes a row once its beginning is known; the time before the very first record is none.
  private func recordGap(_ gap: FeedGap) {
    if gap.start.isKnown { backlog.take(gap) }
    if gap.end != nil { repair?.post(.gap(gap)) }
  }

  private func sealIfDue() throws(Fault) {
    guard let unsealedSince,
      Timestamp.monotonicNanoseconds() - unsealedSince > Int64(options.sealMilliseconds) * 1_000_000
    else { return }
    try sealAll()
  }

  private func synchronizeIfDue() throws(Fault) {
    let now = Timestamp.monotonicNanoseconds()
    guard now - lastSynchronization > Int64(options.syncMilliseconds) * 1_000_000 else { return }
    try archive.synchronize()
    archive.secureFrames()
    lastSynchronization = now
  }

  private func noteSession() throws(Fault) {
    guard sessions.isDue(sealed: archive.lastSealedSequence ?? 0) else { return }
    try archive.synchronize()
    sessions.write(hasEnded: false)
  }

  /// Keeps the sessions of each day on which something is recorded, as the calendar has them.
  ///
  /// A calendar that ends is no reason to stop recording: it is said, and the day's ticks are flagged.
  private func noteMarketDay() {
    guard aggregator.now > .unknown, aggregator.now >= sessionsEnd else { return }
    let day = CivilTime(aggregator.now).dayNumber
    sessionsEnd = CivilTime(dayNumber: day + 1).timestamp()
    do throws(Fault) {
      try store.recordSessions(market.sessions(of: day))
    } catch {
      logger.error("the sessions of \(CivilTime(dayNumber: day).dateText) are not kept: \(error.message)")
    }
  }

  private func sealAll() throws(Fault) {
    try archive.seal()
    try archive.synchronize()
    lane.release(upTo: lane.position)
    unsealedSince = nil
  }

  private func storeCandles(isForced: Bool) throws(Fault) {
    backlog.take(&closed)
    quality.take(aggregator.takeWithheld())
    let now = Timestamp.monotonicNanoseconds()
    let areCandlesDue =
      (backlog.count >= Self.candlesWaitingMax || now - lastStore > Self.storeIntervalNanoseconds)
      && backlog.isDue(at: now)
    // Between two minutes there are verdicts to note, but seldom is it worth a wait for the disk.
    let isQualityDue =
      backlog.isEmpty && backlog.fault == nil && now - lastStore > Self.qualityIntervalNanoseconds
    guard isForced || areCandlesDue || isQualityDue else { return }
    if backlog.isEmpty, quality.isEmpty { return }
    let earlierFault = backlog.fault
    let stored = try backlog.flush(at: now) { gaps throws(Fault) in
      try store.recordGaps(gaps)
    } store: { candles throws(Fault) in
      try store.upsert(candles)
      try quality.flush(to: store)
    }
    // A candle that was sealed without what was traded during an outage lacks it wherever it lies.
    for candle in stored
    where candle.flags.contains(.volumeInGap) && candle.state.rawValue >= CandleState.final.rawValue {
      repair?.post(.minute(candle.instrument, candle.start))
    }
    // Old ticks are given up before candles are, where that is wanted; the store tries again soon.
    if backlog.fault != nil, isDeviceFull() { _ = try archive.makeRoom() }
    lastStore = now
    segment.add(.candles, UInt64(stored.count))
    segment.add(.revisions, UInt64(stored.count { $0.revision > 0 }))
    if let fault = backlog.fault, fault != earlierFault {
      logger.error(
        "\(fault.message); \(backlog.count) candles wait and are stored when it can be written again")
    } else if earlierFault != nil, backlog.fault == nil {
      logger.notice(
        "the candle store takes candles again; \(stored.count) that waited are stored, \(backlog.dropped) were given up"
      )
    }
  }

  /// True when the database's device has hardly any room left.
  private func isDeviceFull() -> Bool {
    var status = statvfs()
    guard statvfs(options.dataDirectory, &status) == 0 else { return false }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize) < Self.freeBytesMin
  }

  private func finish() throws(Fault) {
    try sealAll()
    aggregator.finish(into: &closed)
    try storeCandles(isForced: true)
    try archive.finish()
    sessions.write(hasEnded: true)
    noteProgress()
    if let fault = backlog.fault {
      // What is archived is not lost: the next start builds the day's candles from it.
      throw Fault(fault.kind, "\(fault.message); the next start stores the day's candles from the archive")
    }
  }

  private func noteProgress() {
    segment.set(.recorded, recorded)
    segment.set(.sealed, archive.lastSealedSequence ?? 0)
    segment.set(.blocks, archive.statistics.blocks)
    segment.set(.archiveBytes, archive.statistics.bytes)
    segment.set(.recorderProcessorTime, UInt64(tickring_thread_cpu_ns()))
    segment.set(.recorderHeartbeat, UInt64(bitPattern: Timestamp.wallClock().nanoseconds))
  }
}
