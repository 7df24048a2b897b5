internal import CLZ4

/// Puts sections behind a header, compressing each where that pays, and seals the block with its checksums.
struct BlockBuilder {
  private(set) var header: BlockHeader
  /// Header and payload; complete after ``finish()``.
  private(set) var bytes: [UInt8]
  private var compressed: [UInt8] = []

  /// A section is compressed when that leaves at most this many hundredths of it: below, the time to unpack it is
  /// not worth the bytes.
  private static let worthwhilePercent = 97

  /// Starts a block; `header` says what it holds, its sections and checksums are filled in here.
  init(_ header: BlockHeader) {
    self.header = header
    bytes = [UInt8](repeating: 0, count: BlockHeader.length)
  }

  /// Starts another block in the same memory.
  mutating func restart(_ header: BlockHeader) {
    self.header = header
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: repeatElement(0, count: BlockHeader.length))
  }

  /// Appends a section. Sections come in the order of ``Section``; one that is left out reads as zeros.
  mutating func add(_ section: Section, _ raw: UnsafeBufferPointer<UInt8>, coding: SectionCoding = .words) {
    guard !raw.isEmpty else { return }
    let length = compress(raw)
    if length > 0, length * 100 <= raw.count * Self.worthwhilePercent {
      bytes.append(contentsOf: compressed[..<length])
      header.sections[section.rawValue] = SectionDescriptor(
        method: .lz4, coding: coding, rawLength: raw.count, storedLength: length)
    } else {
      bytes.append(contentsOf: raw)
      header.sections[section.rawValue] = SectionDescriptor(
        method: .raw, coding: coding, rawLength: raw.count, storedLength: raw.count)
    }
  }

  /// The bytes that a section would take compressed, which it then is in `compressed`.
  mutating func compress(_ raw: UnsafeBufferPointer<UInt8>) -> Int {
    let bound = Int(LZ4_compressBound(Int32(raw.count)))
    if compressed.count < bound { compressed = [UInt8](repeating: 0, count: bound) }
    return compressed.withUnsafeMutableBytes { target in
      raw.withMemoryRebound(to: CChar.self) { source in
        Int(
          LZ4_compress_default(
            source.baseAddress, target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count),
            Int32(target.count)))
      }
    }
  }

  /// Pads the payload to whole words of 8 bytes and writes the header over its place.
  mutating func finish() {
    bytes.append(contentsOf: repeatElement(0, count: (8 - bytes.count % 8) % 8))
    header.payloadLength = bytes.count - BlockHeader.length
    header.payloadChecksum = bytes.checksum(BlockHeader.length..<bytes.count)
    bytes.replaceSubrange(..<BlockHeader.length, with: header.bytes)
  }

  /// Says which segment a finished block is written for, by the checksum of that segment's header.
  mutating func assign(toSegment checksum: UInt32) {
    header.segment = checksum
    bytes.replaceSubrange(..<BlockHeader.length, with: header.bytes)
  }

  /// A whole block of one section, as definitions and index are.
  static func block(_ header: BlockHeader, payload: [UInt8]) -> BlockBuilder {
    var builder = BlockBuilder(header)
    payload.withUnsafeBufferPointer { builder.add(.directory, $0) }
    builder.finish()
    return builder
  }
}
