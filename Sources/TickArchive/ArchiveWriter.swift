public import MarketData

/// Appends the records of one feed to its archive; used by one thread.
///
/// Records are gathered in memory and written a block at a time: what is not sealed yet is lost when the process
/// dies, and the caller replays it from elsewhere, from ``lastSealedSequence`` on. A writer that is dropped without
/// ``close()`` behaves like a process that died: nothing sealed is lost, and the next writer goes on behind it.
///
/// When writing fails the file is left at its last good block and nothing gathered is lost: calling the same method
/// again, say once the disk has room, goes on as if nothing had happened.
public struct ArchiveWriter: ~Copyable {
  /// What was found to be wrong on opening; nil when all was well.
  public let recovery: RecoveryReport?
  /// The sequence of the newest record that is in the file; nil when the archive is empty.
  public private(set) var lastSealedSequence: UInt64?
  /// What was stored since the writer was opened.
  public private(set) var statistics = ArchiveStatistics()

  private let directory: String
  private let feed: String
  private let options: ArchiveOptions
  private let calls: FileCalls
  private let lock: WriterLock
  private var segment: SegmentOutput?
  /// The newest segment there is, whether open or not.
  private var newest: SegmentName?
  private var encoder: BlockEncoder
  private var pending: [Tick] = []
  /// The day of the records in `pending`, later than that of any record before.
  private var pendingDate = 0
  private var pendingDayEnd: Timestamp?
  private var lastSequence: UInt64?
  /// Every definition there has been, by identifier.
  private var instruments: [InstrumentID: Instrument]
  /// Definitions that the open segment lacks.
  private var undefined: [InstrumentID: Instrument] = [:]
  private var hasNewFile = false

  /// Opens the archive of a feed in a directory, which is made if it is missing, and goes on behind the last good
  /// block. What a crash left behind that block is cut off and told in ``recovery``.
  ///
  /// - Parameter feed: 1 to 36 letters, digits, `_`, `.` or `-`.
  /// - Throws: ``Fault`` of kind `configuration` for a bad name, `held` when another process writes the feed,
  ///   `cannotCreate` when directory or files cannot be made or opened for writing, `missingInput` or `inputOutput`
  ///   when they cannot be read, `badData` when the newest segment is of a newer format version.
  public init(directory: String, feed: String, options: ArchiveOptions = .init()) throws(Fault) {
    try self.init(directory: directory, feed: feed, options: options, calls: .system)
  }

  /// As above, with the system calls that a test wants to fail.
  package init(directory: String, feed: String, options: ArchiveOptions, calls: FileCalls) throws(Fault) {
    try SegmentName.check(feed: feed)
    try ArchiveDirectory.create(directory)
    let lock = try WriterLock(directory: directory, feed: feed)
    var found = try ArchiveRecovery(directory: directory, feed: feed, calls: calls)
    self.directory = directory
    self.feed = feed
    self.options = options
    self.calls = calls
    self.lock = lock
    recovery = found.report
    lastSealedSequence = found.lastSequence
    lastSequence = found.lastSequence
    newest = found.newest
    instruments = found.defined
    segment = found.segment.take()
    encoder = BlockEncoder(blockTicks: options.blockTicks)
    pending.reserveCapacity(options.blockTicks)
  }

  /// Makes instruments known; they are written before the next block of ticks, and again into each later segment.
  ///
  /// An instrument that is defined already the same way costs nothing. One that is defined anew replaces the old
  /// definition from there on.
  /// - Throws: ``Fault`` of kind `badData` when a venue token is longer than 1024 UTF-8 bytes; then none of
  ///   `definitions` is taken over.
  public mutating func define(_ definitions: [Instrument]) throws(Fault) {
    for instrument in definitions
    where instrument.venueToken.utf8.count > ArchiveLimits.venueTokenBytesMax {
      throw Fault(
        .badData,
        "the venue token of \(instrument.symbol) has \(instrument.venueToken.utf8.count) bytes; the archive takes "
          + "at most \(ArchiveLimits.venueTokenBytesMax)")
    }
    for instrument in definitions where instruments[instrument.id] != instrument {
      instruments[instrument.id] = instrument
      undefined[instrument.id] = instrument
    }
  }

  /// Appends a record, whose sequence must be greater than that of every record before.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate` when a block had to be written and could not be;
  ///   then the record is not taken, and may be appended again.
  /// - Returns: True when this sealed a block, so that everything up to and including the record is in the file.
  public mutating func append(_ tick: Tick) throws(Fault) -> Bool {
    precondition(
      lastSequence.map { tick.sequence > $0 } ?? true, "sequences of one feed increase from record to record")
    if pendingDayEnd.map({ tick.receiveTime >= $0 }) ?? true { try enterDay(of: tick) }
    pending.append(tick)
    guard pending.count == options.blockTicks else {
      lastSequence = tick.sequence
      return false
    }
    do {
      try seal()
    } catch {
      pending.removeLast()
      throw error
    }
    return true
  }

  /// Writes what has been gathered as a block, if there is anything.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate`; everything gathered is kept, to be sealed later.
  public mutating func seal() throws(Fault) {
    guard let last = pending.last else { return }
    if let open = segment?.name, pendingDate > open.date || (segment?.end ?? 0) >= options.segmentBytesMax {
      try finishSegment()
    }
    if segment == nil { try beginSegment() }
    try writeDefinitions()
    try write(encoder.encode(pending))
    statistics.ticks += UInt64(pending.count)
    statistics.blocks += 1
    lastSequence = last.sequence
    lastSealedSequence = last.sequence
    pending.removeAll(keepingCapacity: true)
  }

  /// Waits until everything sealed is on the device.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`.
  public mutating func synchronize() throws(Fault) {
    try segment?.synchronize()
    guard hasNewFile else { return }
    // A new file survives a power cut only once its directory entry does.
    try ArchiveDirectory.synchronize(directory)
    hasNewFile = false
  }

  /// Seals what has been gathered, writes the footer index and waits until all is on the device. A record that is
  /// appended after that begins a new segment.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate`; what was sealed before is safe.
  public mutating func finish() throws(Fault) {
    try seal()
    if segment != nil {
      try writeDefinitions()
      try finishSegment()
    }
    try synchronize()
  }

  /// Finishes, as ``finish()``, and gives the feed free for another writer.
  ///
  /// - Throws: as ``finish()``.
  public consuming func close() throws(Fault) {
    try finish()
  }

  /// Begins the day of a record that comes after the day so far. Records of earlier days, which a clock that was
  /// set back can produce, stay with the day so far, so that the order of segments is the order of records.
  private mutating func enterDay(of tick: Tick) throws(Fault) {
    let day = ArchiveDay(of: tick.receiveTime)
    if day.date != pendingDate { try seal() }
    pendingDate = max(pendingDate, day.date)
    pendingDayEnd = day.end
  }

  private mutating func beginSegment() throws(Fault) {
    let date = max(pendingDate, newest?.date ?? 0)
    let number = newest.map { $0.date == date ? $0.number + 1 : 1 } ?? 1
    let name = SegmentName(feed: feed, date: date, number: number)
    segment = try SegmentOutput.create(name, in: directory, calls: calls)
    statistics.bytes += UInt64(SegmentHeader.length)
    newest = name
    hasNewFile = true
    undefined = instruments
  }

  /// Completes the open segment and makes it durable, so that at most one segment of a feed can ever be torn.
  private mutating func finishSegment() throws(Fault) {
    statistics.bytes += UInt64(try segment?.finish() ?? 0)
    try synchronize()
    segment = nil
  }

  private mutating func writeDefinitions() throws(Fault) {
    while !undefined.isEmpty {
      let ordered = undefined.values.sorted { $0.id < $1.id }.prefix(InstrumentDefinitions.perBlockMax)
      let header = BlockHeader(kind: .instruments, recordCount: ordered.count)
      try write(BlockBuilder.block(header, payload: InstrumentDefinitions.payload(of: ordered)))
      for instrument in ordered { undefined[instrument.id] = nil }
    }
  }

  private mutating func write(_ block: BlockBuilder) throws(Fault) {
    try segment?.append(block)
    statistics.bytes += UInt64(block.bytes.count)
  }
}
