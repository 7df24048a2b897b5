public import MarketData

/// Appends a venue's frames, as they came, to the captures of a feed: segments `FEED-YYYYMMDD-NNNN.tkc` beside those of
/// the ticks. Used by one thread.
///
/// With them a decoder's bug can be repaired for the past. They are a luxury: whoever writes them gives them up before
/// anything else when the device is full.
public struct CaptureWriter: ~Copyable {
  private let directory: String
  private let feed: String
  private let options: ArchiveOptions
  private let calls: FileCalls
  private let lock: WriterLock
  private var segment: SegmentOutput?
  private var newest: SegmentName?
  private var hasNewFile = false
  private var instruments: [InstrumentID: Instrument]
  private var undefined: [InstrumentID: Instrument] = [:]
  private var frames = CapturedFrames()
  /// Number of the next frame.
  private var nextNumber: UInt64

  /// What was found to be wrong on opening; nil when all was well.
  public let recovery: RecoveryReport?
  /// What was stored since the writer was opened; its `ticks` are frames.
  public private(set) var statistics = ArchiveStatistics()

  /// Bytes of the longest frame that can be stored.
  public static let frameBytesMax = CapturedFrames.frameBytesMax

  /// Opens the captures of a feed and goes on behind the last good block; of the options those about segments count.
  ///
  /// - Throws: ``Fault`` as ``ArchiveWriter/init(directory:feed:options:)``.
  public init(directory: String, feed: String, options: ArchiveOptions = .init()) throws(Fault) {
    try self.init(directory: directory, feed: feed, options: options, calls: .system)
  }

  /// As above, with the system calls that a test wants to fail.
  package init(directory: String, feed: String, options: ArchiveOptions, calls: FileCalls) throws(Fault) {
    try SegmentName.check(feed: feed)
    try ArchiveDirectory.create(directory)
    let lock = try WriterLock(directory: directory, feed: feed + ".capture")
    var found = try ArchiveRecovery(directory: directory, feed: feed, content: .frames, calls: calls)
    self.directory = directory
    self.feed = feed
    self.options = options
    self.calls = calls
    self.lock = lock
    recovery = found.report
    newest = found.newest
    nextNumber = (found.lastSequence ?? 0) + 1
    instruments = found.defined
    segment = found.segment.take()
  }

  /// Makes instruments known, so that the frames can be decoded from the capture alone.
  public mutating func define(_ definitions: [Instrument]) {
    for instrument in definitions where instruments[instrument.id] != instrument {
      instruments[instrument.id] = instrument
      undefined[instrument.id] = instrument
    }
  }

  /// Takes a frame; it is in the file once its block is full or ``seal()`` was called.
  ///
  /// - Parameter frame: At most ``frameBytesMax`` bytes.
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate` when a block could not be written; the frame is taken
  ///   all the same.
  public mutating func append(_ frame: RawSpan, isText: Bool, receiveTime: Timestamp) throws(Fault) {
    precondition(frame.byteCount <= Self.frameBytesMax, "a frame fits a block")
    if !frames.hasRoom(for: frame.byteCount) { try seal() }
    frames.append(frame, isText: isText, receiveTime: receiveTime)
    if frames.isFull { try seal() }
  }

  /// Writes what has been gathered as a block, if there is anything.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate`; everything gathered is kept, to be sealed later.
  public mutating func seal() throws(Fault) {
    guard frames.count > 0 else { return }
    do throws(WriteFailure) {
      let date = ArchiveDay(of: frames.earliest).date
      if isSegmentOver(at: frames.earliest, date: date) { try finishSegment() }
      if segment == nil { try beginSegment(date: date) }
      try writeDefinitions()
      var header = BlockHeader(kind: .frames, recordCount: frames.count)
      header.earliest = frames.earliest
      header.latest = frames.latest
      header.firstSequence = nextNumber
      header.lastSequence = nextNumber + UInt64(frames.count - 1)
      try write(BlockBuilder.block(header, payload: frames.payload))
    } catch {
      throw error.fault
    }
    statistics.ticks += UInt64(frames.count)
    statistics.blocks += 1
    nextNumber += UInt64(frames.count)
    frames.removeAll()
  }

  /// Waits until everything sealed is on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  public mutating func synchronize() throws(Fault) {
    do throws(WriteFailure) { try synchronizeSegment() } catch { throw error.fault }
  }

  /// Seals what has been gathered, writes the footer index and waits until all is on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate`.
  public mutating func finish() throws(Fault) {
    try seal()
    do throws(WriteFailure) {
      if segment != nil { try finishSegment() }
    } catch {
      throw error.fault
    }
  }

  private mutating func isSegmentOver(at time: Timestamp, date: Int) -> Bool {
    guard let open = segment?.name else { return false }
    if date > open.date || (segment?.end ?? 0) >= options.segmentBytesMax { return true }
    guard let seconds = options.segmentSecondsMax, let first = segment?.firstTime else { return false }
    return time.seconds - first.seconds >= Int64(seconds)
  }

  private mutating func beginSegment(date: Int) throws(WriteFailure) {
    let date = max(date, newest?.date ?? 0)
    let number = newest.map { $0.date == date ? $0.number + 1 : 1 } ?? 1
    let name = SegmentName(feed: feed, date: date, number: number, content: .frames)
    segment = try SegmentOutput.create(name, in: directory, calls: calls)
    statistics.bytes += UInt64(SegmentHeader.length)
    newest = name
    hasNewFile = true
    undefined = instruments
  }

  private mutating func finishSegment() throws(WriteFailure) {
    statistics.bytes += UInt64(try segment?.finish() ?? 0)
    try synchronizeSegment()
    segment = nil
  }

  private mutating func synchronizeSegment() throws(WriteFailure) {
    try segment?.synchronize()
    guard hasNewFile else { return }
    guard calls.synchronizeDirectory(directory) == 0 else {
      throw WriteFailure(.inputOutput, "cannot synchronize directory \(directory)")
    }
    hasNewFile = false
  }

  private mutating func writeDefinitions() throws(WriteFailure) {
    while !undefined.isEmpty {
      let ordered = undefined.values.sorted { $0.id < $1.id }.prefix(InstrumentDefinitions.perBlockMax)
      let header = BlockHeader(kind: .instruments, recordCount: ordered.count)
      try write(BlockBuilder.block(header, payload: InstrumentDefinitions.payload(of: ordered)))
      for instrument in ordered { undefined[instrument.id] = nil }
    }
  }

  private mutating func write(_ block: BlockBuilder) throws(WriteFailure) {
    try segment?.append(block)
    statistics.bytes += UInt64(block.bytes.count)
  }
}
