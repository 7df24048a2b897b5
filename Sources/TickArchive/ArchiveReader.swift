public import MarketData

/// Reads the archive of one feed, or a single segment, also while it is being written.
///
/// Each call looks at the files anew, so a reader sees what has been sealed since. Memory does not grow with the
/// archive beyond the index of one segment.
public struct ArchiveReader: Sendable {
  /// The instruments defined in the archive when the reader was made, in the order of their identifiers. Of an
  /// instrument that was defined anew it is the latest definition.
  public let instruments: [Instrument]

  /// For tests: decode without the processor's vector instructions.
  package var usesPortableKernels = false

  private enum Source {
    case directory(String, feed: String?)
    case file(String)
  }
  private let source: Source

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
      let contents = try SegmentContents(file, depth: .index)
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
    var decoder = BlockDecoder(usesPortableKernels: usesPortableKernels)
    var skipped: [DamagedBlock] = []
    var previous: IndexEntry?
    let paths = try Self.paths(of: source)
    for path in paths {
      let file = try InputFile(path)
      var contents = try SegmentContents(file, depth: .index)
      contents.boundDamage(after: previous)
      var reading = SegmentReading(
        contents, isNewest: path == paths.last, policy: damage, from: from, to: to, instruments: instruments)
      try reading.forEachBlock(of: file, decoder: &decoder, body)
      skipped += reading.skipped
      previous = contents.entries.last { $0.kind == .ticks } ?? previous
    }
    return skipped
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
      infos.append(SegmentInfo(try SegmentContents(file, depth: .index), file: path))
    }
    return infos
  }

  /// Checks every checksum, decodes every block and compares the footer index with the blocks.
  ///
  /// - Parameter progress: Called after each segment with its path.
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when files cannot be read, `badData` when one is of
  ///   a newer format version. Damage is not thrown but reported.
  public func verify(progress: (String) -> Void = { _ in }) throws(Fault) -> VerifyReport {
    var decoder = BlockDecoder(usesPortableKernels: usesPortableKernels)
    var report = VerifyReport()
    var previous: IndexEntry?
    for path in try Self.paths(of: source) {
      let file = try InputFile(path)
      var contents = try SegmentContents(file, depth: .payloads)
      contents.boundDamage(after: previous)
      var check = SegmentCheck(contents, path: path, previous: previous)
      try check.run(on: file, decoder: &decoder)
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
