internal import Glibc
public import MarketData

/// A range of an archive, unpacked once and kept in memory for many passes: load once, sweep many.
///
/// A tape never changes, so any number of threads may read it at a time. It takes 64 bytes a record.
///
/// ```swift
/// let tape = try TickTape(archive, TickSelection(from: open, to: close), cores: 2)
/// for threshold in thresholds {
///   tape.withTicks { ticks in for index in ticks.indices { strategy.handle(ticks[index], threshold) } }
/// }
/// ```
public final class TickTape: @unchecked Sendable {
  // @unchecked: the memory is written by the initialiser alone.

  /// What the archives say of their instruments, in the order of their numbers.
  public let instruments: [Instrument]
  /// The records of the tape.
  public let count: Int
  /// Unreadable blocks that were left out, where the selection says to skip them.
  public let skipped: [DamagedBlock]
  private let memory: TapeMemory

  /// Loads what is selected of one archive, on so many cores.
  ///
  /// - Throws: ``Fault`` of kind `badData` on damage unless it is to be skipped, `missingInput` or `inputOutput`
  ///   when files cannot be read, `system` when there is not enough memory.
  public convenience init(_ archive: ArchiveReader, _ selection: TickSelection = .init(), cores: Int = 1)
    throws(Fault)
  {
    // A scan of one archive hands out what the merge of one would, by number instead of by symbol.
    var scan = try archive.scan(selection, cores: cores)
    var memory = try TapeMemory(capacity: try archive.ticksAtMost(selection))
    while try scan.advance() { memory.append(scan.ticks) }
    self.init(memory, instruments: archive.instruments, skipped: scan.skipped)
  }

  /// Loads what is selected of several archives, merged as ``TickMerge`` does.
  ///
  /// - Throws: as above.
  public convenience init(
    merging archives: [ArchiveReader], _ selection: TickSelection = .init(), symbols: Set<Symbol>? = nil,
    cores: Int = 1
  ) throws(Fault) {
    var capacity = 0
    for archive in archives { capacity += try archive.ticksAtMost(selection) }
    var memory = try TapeMemory(capacity: capacity)
    var merge = try TickMerge(archives, selection, symbols: symbols, cores: cores)
    while try merge.next({ ticks throws(Fault) in
      ticks.withUnsafeBufferPointer { memory.append($0) }
    }) {}
    self.init(memory, instruments: merge.instruments, skipped: merge.skipped)
  }

  private init(_ memory: consuming TapeMemory, instruments: [Instrument], skipped: [DamagedBlock]) {
    count = memory.count
    self.memory = memory
    self.instruments = instruments
    self.skipped = skipped
  }

  /// Lends all records.
  public func withTicks<Result, Failure: Error>(
    _ body: (Span<Tick>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withTicks(0..<count, body)
  }

  /// Lends a part of the records, whose range lies within `0..<count`.
  public func withTicks<Result, Failure: Error>(
    _ range: Range<Int>, _ body: (Span<Tick>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range lies on the tape")
    let part = UnsafeBufferPointer(rebasing: memory.ticks[range])
    return try body(part.span)
  }

  /// The record at an index below ``count``.
  public subscript(index: Int) -> Tick {
    precondition(index >= 0 && index < count, "the index lies on the tape")
    return memory.ticks[index]
  }

  /// The index of the first record received at or after an instant, ``count`` when there is none; by bisection, for
  /// receive times that never fall back, as those of one session.
  public func index(atOrAfter instant: Timestamp) -> Int {
    SegmentIndex.first(of: count) { memory.ticks[$0].receiveTime >= instant }
  }

  /// The instrument of a symbol; nil when the archive does not know it.
  public func instrument(_ symbol: Symbol) -> InstrumentID? {
    instruments.first { $0.symbol == symbol }?.id
  }

  /// The trades of one instrument as columns, which a sweep over one instrument can walk without the others'.
  public func columns(of instrument: InstrumentID) -> TickColumns {
    var columns = TickColumns()
    for tick in memory.ticks[0..<count] where tick.instrument == instrument && tick.kind == .trade {
      columns.append(tick)
    }
    return columns
  }

  /// The fingerprint of all records.
  public func hash() -> TickStreamHash {
    var hash = TickStreamHash()
    withTicks { hash.update($0) }
    return hash
  }
}

/// The trades of one instrument, a field each in an array of its own; equal indices belong together.
public struct TickColumns: Sendable {
  /// When each was received.
  public private(set) var receiveTimes: [Timestamp] = []
  /// The venue's time of each.
  public private(set) var exchangeTimes: [Timestamp] = []
  /// Last traded price.
  public private(set) var prices: [Price] = []
  /// Quantity traded since the start of the day.
  public private(set) var dayVolumes: [Int64] = []
  /// Quantity of the last trade.
  public private(set) var quantities: [UInt32] = []
  /// What is remarkable about each.
  public private(set) var flags: [TickFlags] = []

  /// How many there are.
  public var count: Int { prices.count }

  mutating func append(_ tick: Tick) {
    receiveTimes.append(tick.receiveTime)
    exchangeTimes.append(tick.exchangeTime)
    prices.append(tick.lastPrice)
    dayVolumes.append(tick.dayVolume)
    quantities.append(tick.lastQuantity)
    flags.append(tick.flags)
  }
}

/// Room for the records of a tape: address space for as many as there can be, of which the system gives memory to
/// those that come.
private struct TapeMemory: ~Copyable {
  let ticks: UnsafeMutableBufferPointer<Tick>
  private(set) var count = 0
  private let byteCount: Int

  init(capacity: Int) throws(Fault) {
    byteCount = max(1, capacity) * MemoryLayout<Tick>.stride
    let flags = MAP_PRIVATE | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
    guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
      throw Fault(
        .system,
        "cannot make room for \(capacity) records in memory: \(systemErrorText(errno)); load a shorter range")
    }
    // Large pages, where the system has them, save most of the time that touching new memory takes.
    madvise(base, byteCount, Int32(MADV_HUGEPAGE))
    ticks = UnsafeMutableBufferPointer(
      start: base.bindMemory(to: Tick.self, capacity: max(1, capacity)), count: capacity)
  }

  deinit { munmap(ticks.baseAddress, byteCount) }

  /// Takes records in. A segment that is being written may have grown since the room was measured: what is too much
  /// was not there when the tape was asked for, and is left out.
  mutating func append(_ run: UnsafeBufferPointer<Tick>) {
    guard let source = run.baseAddress, let target = ticks.baseAddress else { return }
    let fitting = min(run.count, ticks.count - count)
    (target + count).update(from: source, count: fitting)
    count += fitting
  }
}
