public import MarketData

/// Appends the records of one feed to its archive; used by one thread.
///
/// Records are gathered in memory and written a block at a time. What is not sealed yet is lost when the process dies,
/// and the caller replays it from elsewhere, from ``lastSealedSequence`` on. With a journal, what was appended before
/// the last ``synchronize()`` is not lost, whether the process dies or the machine: the next writer finds it in
/// the journal and seals it. A writer that is dropped without ``close()`` behaves like a process that died.
///
/// When writing fails the file is left at its last good block and nothing gathered is lost: calling the same method
/// again, say once the disk has room, goes on as if nothing had happened. After a failed synchronization there is no
/// going on: the system may have dropped what it could not write, and a second try that succeeds would prove nothing.
/// Every later call throws the same fault, and the next writer looks at what is really there.
public struct ArchiveWriter: ~Copyable {
  /// What was found to be wrong on opening; nil when all was well.
  public let recovery: RecoveryReport?
  /// The sequence of the newest record that is in the file; nil when the archive is empty.
  public private(set) var lastSealedSequence: UInt64?
  /// What was stored since the writer was opened.
  public private(set) var statistics = ArchiveStatistics()
  /// True when the last failure was for want of room on the device.
  public private(set) var isDeviceFull = false

  private let directory: String
  private let feed: String
  private let options: ArchiveOptions
  private let calls: FileCalls
  private let lock: WriterLock?
  private var segment: SegmentOutput?
  /// The newest segment there is, whether open or not.
  private var newest: SegmentName?
  private var beforeNewest: SegmentName?
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
  private var journal: ArchiveJournal?
  /// So many of the pending records are in the journal.
  private var journaledCount = 0
  private var deleted: [DeletedSegment] = []
  private var synchronizationFault: Fault?

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
    if !found.journaled.isEmpty {
      let report = found.report
      try Self.sealJournal(directory: directory, feed: feed, options: options, calls: calls, found: &found)
      // Looking anew reads every checksum once more, so it is done only where a block has been added.
      found = try ArchiveRecovery(directory: directory, feed: feed, calls: calls)
      found.report = report
    }
    // The segment before the newest stays, in case the newest holds no ticks yet.
    let kept = Set([found.newest, found.beforeNewest].compactMap(\.self))
    found.deleted = try ArchiveRetention(directory: directory, feed: feed, calls: calls)
      .apply(options, keeping: kept)
    self.init(directory: directory, feed: feed, options: options, calls: calls, lock: lock, found: &found)
  }

  /// Puts what the journal kept into a block, so that readers find everything in blocks.
  private static func sealJournal(
    directory: String, feed: String, options: ArchiveOptions, calls: FileCalls, found: inout ArchiveRecovery
  ) throws(Fault) {
    let journaled = found.journaled
    // The old journal stays as it is until its records are safe in a block.
    var options = options
    options.keepsJournal = false
    var writer = ArchiveWriter(
      directory: directory, feed: feed, options: options, calls: calls, lock: nil, found: &found)
    for tick in journaled { _ = try writer.append(tick) }
    try writer.seal()
    try writer.synchronizeSegment()
  }

  private init(
    directory: String, feed: String, options: ArchiveOptions, calls: FileCalls, lock: consuming WriterLock?,
    found: inout ArchiveRecovery
  ) {
    self.directory = directory
    self.feed = feed
    self.options = options
    self.calls = calls
    self.lock = lock
    recovery = found.report
    lastSealedSequence = found.lastSequence
    lastSequence = found.lastSequence
    newest = found.newest
    beforeNewest = found.beforeNewest
    instruments = found.defined
    segment = found.segment.take()
    encoder = BlockEncoder(blockTicks: options.blockTicks)
    pending.reserveCapacity(options.blockTicks)
    // After a process died, the name of its last segment may be in memory only.
    hasNewFile = newest != nil
    deleted = found.deleted
  }

  /// The instruments that the archive knows by its newest segment and by ``define(_:)``.
  public var definitions: [Instrument] { instruments.values.sorted { $0.id < $1.id } }

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
    guard let first = pending.first, let last = pending.last else { return }
    try checkSynchronization()
    if options.keepsJournal, journal == nil {
      // Before the first block: how far the archive is safe without it.
      try synchronizeSegment()
      try keepJournal(recordCount: 0)
    }
    if isSegmentOver(at: first.receiveTime) { try finishSegment() }
    if segment == nil { try beginSegment() }
    try writeDefinitions()
    try write(encoder.encode(pending))
    statistics.ticks += UInt64(pending.count)
    statistics.blocks += 1
    lastSequence = last.sequence
    lastSealedSequence = last.sequence
    pending.removeAll(keepingCapacity: true)
    journaledCount = 0
  }

  /// Waits until everything sealed is on the device, and with a journal everything appended.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `cannotCreate`.
  public mutating func synchronize() throws(Fault) {
    // Blocks first: their rows in the journal may be overwritten only when they are safe themselves.
    try synchronizeSegment()
    if options.keepsJournal { try keepJournal(recordCount: pending.count) }
  }

  /// Brings the journal to the first so many pending records; everything in blocks is on the device.
  private mutating func keepJournal(recordCount: Int) throws(Fault) {
    let checkpoint = ArchiveJournal.Checkpoint(
      date: newest?.date ?? 0, number: newest?.number ?? 0, end: segment?.end ?? .max)
    do throws(WriteFailure) {
      if journal == nil {
        journal = try ArchiveJournal.create(
          directory: directory, feed: feed, capacity: options.blockTicks, checkpoint: checkpoint, calls: calls
        )
      }
      try journal?.store(
        pending[journaledCount..<recordCount], at: journaledCount, checkpoint: checkpoint)
    } catch {
      isDeviceFull = error.isDeviceFull
      if !error.isDeviceFull { synchronizationFault = error.fault }
      throw error.fault
    }
    journaledCount = recordCount
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
    try synchronizeSegment()
    journal = nil
    ArchiveJournal.remove(directory: directory, feed: feed, calls: calls)
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

  /// Deletes the oldest segment, say because something more precious than old ticks needs its room. Returns false when
  /// there is none that may go.
  ///
  /// - Throws: ``Fault`` when the directory cannot be read.
  public mutating func deleteOldestSegment() throws(Fault) -> Bool {
    guard let gone = try retention.deleteOldest(keeping: preciousSegments()) else { return false }
    deleted.append(gone)
    return gone.failure == nil
  }

  /// Segments that were deleted since the last call.
  public mutating func takeDeletedSegments() -> [DeletedSegment] {
    defer { deleted.removeAll() }
    return deleted
  }

  private var retention: ArchiveRetention {
    ArchiveRetention(directory: directory, feed: feed, calls: calls)
  }

  /// Segments that must stay: the open one, and as long as it holds no ticks the one before it, which then is the
  /// only one to say where the feed goes on.
  private mutating func preciousSegments() -> Set<SegmentName> {
    let hasTicks = segment?.firstTime != nil
    return Set((hasTicks ? [newest] : [newest, beforeNewest]).compactMap(\.self))
  }

  private mutating func deleteWhatIsTooMuch() throws(Fault) {
    deleted += try retention.apply(options, keeping: preciousSegments())
  }

  /// True when the open segment must not take a record of this time: of a later day, too much later, or full.
  private mutating func isSegmentOver(at time: Timestamp) -> Bool {
    guard let open = segment?.name else { return false }
    if pendingDate > open.date || (segment?.end ?? 0) >= options.segmentBytesMax { return true }
    guard let seconds = options.segmentSecondsMax, let first = segment?.firstTime else { return false }
    return time.seconds - first.seconds >= Int64(seconds)
  }

  private mutating func beginSegment() throws(Fault) {
    let date = max(pendingDate, newest?.date ?? 0)
    let number = newest.map { $0.date == date ? $0.number + 1 : 1 } ?? 1
    let name = SegmentName(feed: feed, date: date, number: number)
    while segment == nil {
      do throws(WriteFailure) {
        segment = try SegmentOutput.create(name, in: directory, calls: calls)
      } catch {
        try makeRoom(after: error)
      }
    }
    statistics.bytes += UInt64(SegmentHeader.length)
    beforeNewest = newest
    newest = name
    hasNewFile = true
    undefined = instruments
    try deleteWhatIsTooMuch()
  }

  /// Completes the open segment and makes it durable, so that at most one segment of a feed can ever be torn.
  private mutating func finishSegment() throws(Fault) {
    // The footer vouches for the blocks, so they must not be younger than it on the device.
    try synchronizeSegment()
    var footerBytes: Int?
    while footerBytes == nil {
      do throws(WriteFailure) {
        footerBytes = try segment?.finish() ?? 0
      } catch {
        try makeRoom(after: error)
      }
    }
    statistics.bytes += UInt64(footerBytes ?? 0)
    try synchronizeSegment()
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
    var isWritten = false
    while !isWritten {
      do throws(WriteFailure) {
        try segment?.append(block)
        isWritten = true
      } catch {
        try makeRoom(after: error)
      }
    }
    statistics.bytes += UInt64(block.bytes.count)
  }

  /// Returns when another try may succeed, since something could be deleted; throws when not.
  private mutating func makeRoom(after failure: WriteFailure) throws(Fault) {
    isDeviceFull = failure.isDeviceFull
    guard failure.isDeviceFull, options.deletesOldestWhenFull, try deleteOldestSegment() else {
      throw failure.fault
    }
  }

  private mutating func synchronizeSegment() throws(Fault) {
    try checkSynchronization()
    do throws(WriteFailure) {
      try segment?.synchronize()
      // A new file survives a power cut only once its directory entry does.
      if hasNewFile, calls.synchronizeDirectory(directory) != 0 {
        throw WriteFailure(.inputOutput, "cannot synchronize directory \(directory)")
      }
    } catch {
      isDeviceFull = error.isDeviceFull
      synchronizationFault = error.fault
      throw error.fault
    }
    hasNewFile = false
  }

  private func checkSynchronization() throws(Fault) {
    if let synchronizationFault { throw synchronizationFault }
  }
}
