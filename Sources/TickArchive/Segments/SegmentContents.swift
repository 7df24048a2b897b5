internal import MarketData

/// The blocks of one segment, found by its footer index or by walking from header to header.
struct SegmentContents {
  /// How closely to look.
  enum Depth {
    /// Trust the footer index where there is one.
    case index
    /// Check each block's header.
    case headers
    /// Check each block's header and payload.
    case payloads
  }

  /// Nil when the first 64 bytes are damaged or not there.
  var header: SegmentHeader?
  /// The sound blocks of ticks and definitions in order.
  var entries: [IndexEntry] = []
  /// What lies between sound blocks and cannot be read.
  var damage: [DamagedBlock] = []
  /// Bytes from the start of the file to the end of the last sound block of ticks or definitions.
  var end = SegmentHeader.length
  /// Bytes in the file.
  var fileLength: Int
  /// True when the file ends with a sound footer index.
  var isComplete = false

  /// Bytes after the last sound block that are no footer: a block that was not completely written, or is just
  /// being written.
  var tornLength: Int { isComplete ? 0 : max(0, fileLength - end) }

  /// The sequence of the last tick or frame; nil when there is none.
  var lastSequence: UInt64? { entries.last { $0.kind.hasTimes }?.lastSequence }

  /// Finds the blocks of a segment.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when the file cannot be read, `badData` when it is of a newer version.
  ///   Damage is no fault.
  init(_ file: borrowing InputFile, depth: Depth) throws(Fault) {
    fileLength = try file.length()
    var bytes: [UInt8] = []
    let headerLength = try file.read(SegmentHeader.length, at: 0, into: &bytes)
    header = SegmentHeader(Array(bytes[..<headerLength]))
    if let header, !BlockHeader.versions.contains(header.version) {
      throw Fault(
        .badData,
        "\(file.path) is of format version \(header.version); this program reads versions up to "
          + "\(BlockHeader.currentVersion)")
    }
    let footer = try footer(of: file)
    isComplete = footer != nil
    if let footer, depth == .index {
      entries = footer
      end = footer.last.map { $0.offset + $0.length } ?? SegmentHeader.length
    } else {
      try walk(file, checkingPayloads: depth == .payloads)
    }
  }

  /// The entries of a sound footer index of this segment, or nil.
  private func footer(of file: borrowing InputFile) throws(Fault) -> [IndexEntry]? {
    let trailerOffset = fileLength - SegmentTrailer.length
    guard trailerOffset >= SegmentHeader.length + BlockHeader.length else { return nil }
    var bytes: [UInt8] = []
    guard try file.read(SegmentTrailer.length, at: trailerOffset, into: &bytes) == SegmentTrailer.length,
      let trailer = SegmentTrailer(bytes), trailer.indexOffset >= SegmentHeader.length,
      trailer.indexOffset <= trailerOffset - BlockHeader.length,
      try file.read(BlockHeader.length, at: trailer.indexOffset, into: &bytes) == BlockHeader.length,
      let header = BlockHeader(bytes, at: 0), header.kind == .index, belongs(header),
      trailer.indexOffset + header.blockLength == trailerOffset
    else { return nil }
    guard try file.readPayload(of: header, at: trailer.indexOffset, into: &bytes),
      let index = try? BlockDecoder.singleSection(of: header, payload: bytes)
    else { return nil }
    return IndexEntry.entries(in: index, count: header.recordCount, indexOffset: trailer.indexOffset)
  }

  private mutating func walk(_ file: borrowing InputFile, checkingPayloads: Bool) throws(Fault) {
    var bytes: [UInt8] = []
    var offset = SegmentHeader.length
    // Damage counts only once a sound block follows it; until then it may be the torn end.
    var suspects: [DamagedBlock] = []
    while offset + BlockHeader.length <= fileLength {
      guard try file.read(BlockHeader.length, at: offset, into: &bytes) == BlockHeader.length else { break }
      let found = BlockHeader(bytes, at: 0)
      guard let header = found, belongs(header) else {
        guard let next = try Self.nextHeader(in: file, from: offset + 8, fileLength: fileLength) else {
          break
        }
        let cause = found == nil ? "its header does not match its checksum" : "it is of another segment"
        suspects.append(DamagedBlock(file: file.path, range: offset..<next, cause: cause))
        offset = next
        continue
      }
      guard header.blockLength <= fileLength - offset else { break }
      let entry = IndexEntry(header, offset: offset)
      offset += header.blockLength
      if header.kind == .index { continue }
      if checkingPayloads, try !Self.isIntact(header, at: entry.offset, in: file, using: &bytes) {
        suspects.append(
          DamagedBlock(entry, file: file.path, cause: "its payload does not match its checksum"))
        continue
      }
      damage += suspects
      suspects.removeAll()
      entries.append(entry)
      end = offset
    }
    // A footer says that nothing was torn off: what is bad before it is damage too.
    if isComplete { damage += suspects }
    boundDamage(after: nil)
  }

  /// False for a block that was written for another segment, however sound. Earlier writers did not say.
  private func belongs(_ block: BlockHeader) -> Bool {
    guard let header, block.segment != 0 else { return true }
    return block.segment == header.checksum
  }

  /// Bounds what is lost with unreadable headers by the sound ticks on either side; `previous` are those at the end
  /// of the segment before.
  mutating func boundDamage(after previous: IndexEntry?) {
    let ticks = entries.filter { $0.kind == .ticks }
    for index in damage.indices where !damage[index].hasSoundHeader {
      let offset = damage[index].offset
      damage[index].bound(
        after: ticks.last { $0.offset < offset } ?? previous, before: ticks.first { $0.offset > offset })
    }
  }

  /// The definitions in the segment, in order; blocks that are damaged are left out.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when the file cannot be read.
  func instruments(in file: borrowing InputFile) throws(Fault) -> [Instrument] {
    var instruments: [Instrument] = []
    var bytes: [UInt8] = []
    for entry in entries where entry.kind == .instruments {
      guard let header = try file.readBlock(entry, into: &bytes),
        let payload = try? BlockDecoder.singleSection(of: header, payload: bytes),
        let defined = try? InstrumentDefinitions.instruments(in: payload, count: header.recordCount)
      else { continue }
      instruments += defined
    }
    return instruments
  }

  private static func isIntact(
    _ header: BlockHeader, at offset: Int, in file: borrowing InputFile, using bytes: inout [UInt8]
  ) throws(Fault) -> Bool {
    try file.readPayload(of: header, at: offset, into: &bytes)
      && bytes.checksum(0..<header.payloadLength) == header.payloadChecksum
  }

  /// The offset of the next sound block header; blocks start at multiples of 8.
  private static func nextHeader(
    in file: borrowing InputFile, from start: Int, fileLength: Int
  ) throws(Fault) -> Int? {
    let chunkLength = 1 << 20
    var bytes: [UInt8] = []
    var chunk = start
    while chunk + BlockHeader.length <= fileLength {
      let count = try file.read(chunkLength, at: chunk, into: &bytes)
      var offset = 0
      while offset + BlockHeader.length <= count {
        if bytes.integer(UInt64.self, at: offset) == BlockHeader.magic,
          let header = BlockHeader(bytes, at: offset), header.blockLength <= fileLength - chunk - offset
        {
          return chunk + offset
        }
        offset += 8
      }
      if offset == 0 { break }
      chunk += offset
    }
    return nil
  }
}
