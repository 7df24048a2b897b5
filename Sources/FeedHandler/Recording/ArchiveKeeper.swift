internal import Configuration
internal import Logging
internal import MarketData
internal import TickArchive

/// What the recorder keeps on disk beside the candles: the archive of ticks and, where wanted, the venue's frames; and
/// what is given up, in which order, when the device is full.
///
/// Frames go first, at their first failure. Then the steps of `archive.when_full` are taken in their order.
struct ArchiveKeeper: ~Copyable {
  private var archive: ArchiveWriter
  private var capture: CaptureWriter?
  private let frames: FrameRing?
  private let steps: [FeedConfiguration.Archive.FullDeviceStep]
  private let logger: Logger
  /// When the archive is tried again, on the monotonic clock; nil while it is not stopped.
  private var nextTry: Int64?
  private var lostRecords: UInt64 = 0
  private var reportedDrops: UInt64 = 0

  private static let retryNanoseconds: Int64 = 5_000_000_000

  init(
    archive: consuming ArchiveWriter, capture: consuming CaptureWriter?, frames: FrameRing?,
    steps: [FeedConfiguration.Archive.FullDeviceStep], logger: Logger
  ) {
    self.archive = archive
    self.capture = capture
    self.frames = frames
    self.steps = steps
    self.logger = logger
  }

  var lastSealedSequence: UInt64? { archive.lastSealedSequence }

  var statistics: ArchiveStatistics { archive.statistics }

  mutating func define(_ instruments: [Instrument]) throws(Fault) {
    try archive.define(instruments)
    capture?.define(instruments)
  }

  /// Takes a record; true when it and all before it need not be kept elsewhere any more.
  mutating func append(_ tick: Tick) throws(Fault) -> Bool {
    if let nextTry {
      if Timestamp.monotonicNanoseconds() >= nextTry { tryAgain() }
      if self.nextTry != nil {
        lostRecords += 1
        return true
      }
    }
    do throws(Fault) {
      return try archive.append(tick)
    } catch {
      try stop(because: error)
      lostRecords += 1
      return true
    }
  }

  mutating func seal() throws(Fault) {
    guard nextTry == nil else { return }
    do throws(Fault) { try archive.seal() } catch { try stop(because: error) }
  }

  /// Makes safe from a power cut what was taken so far.
  mutating func synchronize() throws(Fault) {
    reportDeletedSegments()
    guard nextTry == nil else { return }
    do throws(Fault) { try archive.synchronize() } catch { try stop(because: error) }
  }

  mutating func finish() throws(Fault) {
    finishCapture()
    if nextTry != nil { tryAgain() }
    do throws(Fault) { try archive.finish() } catch { try stop(because: error) }
    reportDeletedSegments()
    if nextTry != nil {
      logger.critical("the archive ends incomplete: \(lostRecords) records found no room on the device")
    }
  }

  /// Something more precious than old ticks found no room: deletes the oldest segment, if that is allowed and there is
  /// one.
  mutating func makeRoom() throws(Fault) -> Bool {
    guard steps.contains(.deleteOldest) else { return false }
    defer { reportDeletedSegments() }
    return try archive.deleteOldestSegment()
  }

  // MARK: - Frames

  /// Takes what the receive thread left.
  mutating func takeFrames() {
    guard let frames, capture != nil else { return }
    do throws(Fault) {
      try frames.drain { frame, isText, receiveTime throws(Fault) in
        try capture?.append(frame, isText: isText, receiveTime: receiveTime)
      }
    } catch {
      giveUpCapture(because: error)
    }
  }

  /// Seals and synchronizes the frames so far.
  mutating func secureFrames() {
    guard let frames, capture != nil else { return }
    do throws(Fault) {
      try capture?.seal()
      try capture?.synchronize()
    } catch {
      giveUpCapture(because: error)
    }
    let dropped = frames.dropped
    if dropped > reportedDrops {
      logger.warning(
        "\(dropped - reportedDrops) frames were not captured: more than archive.capture_megabytes waited")
      reportedDrops = dropped
    }
  }

  private mutating func finishCapture() {
    takeFrames()
    secureFrames()
    do throws(Fault) { try capture?.finish() } catch { giveUpCapture(because: error) }
  }

  private mutating func giveUpCapture(because fault: Fault) {
    capture = nil
    logger.error("frames are captured no more until the next start: \(fault.message)")
  }

  // MARK: - Full device

  /// Goes on without archive where that is wanted and the device is full; throws where not.
  private mutating func stop(because fault: Fault) throws(Fault) {
    reportDeletedSegments()
    guard archive.isDeviceFull, steps.contains(.stopArchive) else { throw fault }
    if nextTry == nil {
      logger.critical(
        "the archive is stopped until there is room, strategies and candles go on: \(fault.message)")
    }
    nextTry = Timestamp.monotonicNanoseconds() + Self.retryNanoseconds
  }

  private mutating func tryAgain() {
    do throws(Fault) {
      try archive.seal()
      nextTry = nil
      logger.warning("the archive goes on; \(lostRecords) records are missing in it")
      lostRecords = 0
    } catch {
      nextTry = Timestamp.monotonicNanoseconds() + Self.retryNanoseconds
    }
  }

  private mutating func reportDeletedSegments() {
    for segment in archive.takeDeletedSegments() {
      if segment.failure != nil || segment.reason == .deviceFull {
        logger.warning("\(segment.description)")
      } else {
        logger.info("\(segment.description)")
      }
    }
  }
}
