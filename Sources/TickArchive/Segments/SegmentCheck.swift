internal import MarketData

/// The check of everything that one segment says.
struct SegmentCheck {
  private let contents: SegmentContents
  private let path: String
  /// The offsets of blocks that are out of place.
  private let misplaced: Set<Int>
  /// The last good block of ticks so far, that of earlier segments included.
  private(set) var previous: IndexEntry?
  /// Good blocks of ticks.
  private(set) var blocks = 0
  /// Ticks in them.
  private(set) var ticks = 0
  /// Everything that is wrong, in the order of the file.
  private(set) var damaged: [DamagedBlock]

  /// Starts from contents that were found with their payloads' checksums.
  init(_ contents: SegmentContents, path: String, previous: IndexEntry?) {
    self.contents = contents
    self.path = path
    self.previous = previous
    damaged = contents.damage
    misplaced = BlockOrder.misplaced(contents.entries, after: previous)
  }

  mutating func run(on file: borrowing InputFile, decoder: inout BlockDecoder) throws(Fault) {
    if contents.header == nil, contents.fileLength >= SegmentHeader.length {
      damaged.append(
        DamagedBlock(
          file: path, range: 0..<SegmentHeader.length,
          cause: "the segment header does not match its checksum; the blocks do not need it"))
    }
    var payload: [UInt8] = []
    for entry in contents.entries {
      let header = try file.readBlock(entry, into: &payload)
      do throws(BadBlock) {
        guard let header else { throw BadBlock("it changed while it was being read") }
        try check(header, entry, payload: payload, decoder: &decoder)
      } catch {
        damaged.append(DamagedBlock(entry, file: path, cause: error.cause))
      }
    }
    try checkIndex(of: file)
    damaged.sort { $0.offset < $1.offset }
  }

  private mutating func check(
    _ header: BlockHeader, _ entry: IndexEntry, payload: [UInt8], decoder: inout BlockDecoder
  ) throws(BadBlock) {
    guard entry.kind == .ticks else {
      let definitions = try BlockDecoder.singleSection(of: header, payload: payload)
      _ = try InstrumentDefinitions.instruments(in: definitions, count: header.recordCount)
      return
    }
    try decoder.open(header, payload: payload)
    let count = try decoder.decode()
    guard !misplaced.contains(entry.offset) else {
      throw BadBlock(BlockOrder.cause(in: contents, path: path))
    }
    previous = entry
    blocks += 1
    ticks += count
  }

  /// An index that passes its checksum but tells of other blocks would lead readers astray.
  private mutating func checkIndex(of file: borrowing InputFile) throws(Fault) {
    guard contents.isComplete else { return }
    let indexed = Set(try SegmentContents(file, depth: .index).entries)
    guard !contents.entries.allSatisfy(indexed.contains) else { return }
    damaged.append(
      DamagedBlock(
        file: path, range: contents.end..<contents.fileLength,
        cause: "the footer index does not agree with the blocks; without it the segment is readable"))
  }
}
