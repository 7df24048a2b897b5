public import MarketData

/// Reads the archive of one feed, or a single segment, also while it is being written.
///
/// Each call looks at the files anew, so a reader sees what has been sealed since. Memory does not grow with the
/// archive beyond the index of one segment.
public struct ArchiveReader: Sendable {
  /// The instruments defined in the archive when the reader was made, in the order of their identifiers. Of an
  /// instrument that was defined anew it is the latest definition.
  public let instruments: [Instrument]

  /// For tests: the processor's instructions that are used.
  package var kernels = TickKernels.best

  private enum Source {
    case directory(String, feed: String?)
    case file(String)
  }
  private let source: Source
  private let cache = SegmentCache()

  /// The directory of the archive; nil for a single segment.
  public var directory: String? {
    guard case .directory(let directory, _) = source else { return nil }
    return directory
  }

  /// The feed whose archive it is; nil for a single segment, and for a directory without any.
  public var feed: String? {
    guard case .directory(_, let feed) = source else { return nil }
    return feed
  }

  /// Opens the archive of a feed in a directory. Without a name, the directory must hold segments of at most one
  /// feed.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when directory or files cannot be read, `usage` when
  ///   no feed is named and there are several, `badData` when a segment is of a newer format version.
  public init(directory: String, feed: String?) throws(Fault) {
    var feed = feed
    if feed == nil {
      let feeds = Set(try ArchiveDirectory.segments(in: directory, feed: nil).map(\.feed))
      guard feeds.count <= 1 else {
        let names = feeds.sorted().joined(separator: ", ")
        throw Fault(.usage, "archive directory \(directory) holds the feeds \(names): name one of them")
      }
      feed = feeds.first
    }
    try self.init(.directory(directory, feed: feed))
  }

  /// Opens a single segment, whatever its file name.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when the file cannot be read, `badData` when it is
  ///   of a newer format version.
  public init(file: String) throws(Fault) {
    try self.init(.file(file))
  }

  private init(_ source: Source) throws(Fault) {
    var defined: [InstrumentID: Instrument] = [:]
    for path in try Self.paths(of: source) {
      let file = try InputFile(path)
      let contents = try cache.index(of: file).contents
      for instrument in try contents.instruments(in: file) { defined[instrument.id] = instrument }
    }
    self.source = source
    instruments = defined.values.sorted { $0.id < $1.id }
  }

  /// Calls `body` with each block's ticks, in the order in which they were appended.
  ///
  /// - Parameters:
  ///   - from: Only ticks received at or after this.
  ///   - to: Only ticks received before this.
  ///   - instruments: Only records of these; note that gaps of the whole feed are records of ``InstrumentID/all``.
  ///   - damage: What to do about a block that cannot be read.
  ///   - body: Called with at least one tick; the span is valid during the call only.
  /// - Throws: ``Fault`` of kind `badData` on damage unless it is to be skipped, `missingInput` or `inputOutput` when
  ///   files cannot be read, and whatever `body` throws.
  /// - Returns: The damaged blocks that were skipped.
  @discardableResult
  public func forEachBlock(
    from: Timestamp? = nil, to: Timestamp? = nil, instruments: Set<InstrumentID>? = nil,
    damage: DamagePolicy = .fail, _ body: (Span<Tick>) throws(Fault) -> Void
  ) throws(Fault) -> [DamagedBlock] {
    try forEachBlock(
      TickSelection(from: from, to: to, instruments: instruments, damage: damage), cores: 1, body)
  }

  /// The same for any selection, on so many cores, the caller's own included; `body` is called by the caller's thread
  /// and in order, whatever the number.
  @discardableResult
  public func forEachBlock(
    _ selection: TickSelection, cores: Int, _ body: (Span<Tick>) throws(Fault) -> Void
  ) throws(Fault) -> [DamagedBlock] {
    var scan = try scan(selection, cores: cores)
    while try scan.advance() { try scan.withTicks(body) }
    return scan.skipped
  }

  /// Begins a pass that the caller drives.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when the directory cannot be read.
  public func scan(_ selection: TickSelection = .init(), cores: Int = 1) throws(Fault) -> ArchiveScan {
    let filter = TickFilter(selection)
    return ArchiveScan(
      plan: BlockPlan(paths: try Self.paths(of: source), cache: cache, filter: filter), filter: filter,
      cores: cores, kernels: kernels)
  }

  /// The first selected record; nil when there is none.
  ///
  /// - Throws: ``Fault`` as ``ArchiveScan/advance()``.
  public func firstTick(_ selection: TickSelection) throws(Fault) -> Tick? {
    var scan = try scan(selection)
    return try scan.advance() ? scan.ticks.first : nil
  }

  /// Ticks in the blocks that may hold what is selected: at least as many as a scan will find.
  ///
  /// - Throws: ``Fault`` as ``scan(_:cores:)`` and ``ArchiveScan/advance()``.
  public func ticksAtMost(_ selection: TickSelection) throws(Fault) -> Int {
    var plan = BlockPlan(paths: try Self.paths(of: source), cache: cache, filter: TickFilter(selection))
    var count = 0
    while let step = try plan.next() {
      if case .block(let task) = step { count += task.entry.recordCount }
    }
    return count
  }

  /// Calls `body` with each tick; otherwise as ``forEachBlock(from:to:instruments:damage:_:)``, which is faster.
  @discardableResult
  public func forEachTick(
    from: Timestamp? = nil, to: Timestamp? = nil, instruments: Set<InstrumentID>? = nil,
    damage: DamagePolicy = .fail, _ body: (Tick) throws(Fault) -> Void
  ) throws(Fault) -> [DamagedBlock] {
    try forEachBlock(from: from, to: to, instruments: instruments, damage: damage) { ticks throws(Fault) in
      for index in ticks.indices { try body(ticks[index]) }
    }
  }

  /// Describes each segment in order, without reading the ticks.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when files cannot be read, `badData` when one is of
  ///   a newer format version.
  public func info() throws(Fault) -> [SegmentInfo] {
    var infos: [SegmentInfo] = []
    for path in try Self.paths(of: source) {
      let file = try InputFile(path)
      infos.append(SegmentInfo(try cache.index(of: file).contents, file: path))
    }
    return infos
  }

  /// Checks every checksum, decodes every block and compares the footer index with the blocks.
  ///
  /// - Parameter progress: Called after each segment with its path.
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when files cannot be read, `badData` when one is of
  ///   a newer format version. Damage is not thrown but reported.
  public func verify(progress: (String) -> Void = { _ in }) throws(Fault) -> VerifyReport {
    let workspace = BlockWorkspace.take(kernels: kernels)
    defer { workspace.giveBack() }
    var report = VerifyReport()
    var previous: IndexEntry?
    for path in try Self.paths(of: source) {
      let file = try InputFile(path)
      var contents = try SegmentContents(file, depth: .payloads)
      contents.boundDamage(after: previous)
      var check = SegmentCheck(contents, path: path, previous: previous)
      try check.run(on: file, decoder: &workspace.decoder)
      previous = check.previous
      report.segments += 1
      report.blocks += check.blocks
      report.ticks += check.ticks
      report.bytes += contents.fileLength
      report.damaged += check.damaged
      if contents.tornLength > 0 {
        report.tornEnds.append(.init(file: path, offset: contents.end, length: contents.tornLength))
      }
      progress(path)
    }
    return report
  }

  private static func paths(of source: Source) throws(Fault) -> [String] {
    switch source {
    case .file(let path): return [path]
    case .directory(let directory, let feed):
      guard let feed else { return [] }
      return try ArchiveDirectory.segments(in: directory, feed: feed).map {
        ArchiveDirectory.path(directory, $0.fileName)
      }
    }
  }
}
