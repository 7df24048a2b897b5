/// The first 64 bytes of a segment.
struct SegmentHeader: Hashable {
  /// The format version of the program that began the segment; each block tells its own.
  var version = BlockHeader.currentVersion
  var name: SegmentName
  /// Tells the segment from others of its name, which its checksum alone would not; 0 where earlier programs began it.
  private(set) var salt: UInt32 = 0
  /// The header's checksum, by which blocks tell which segment they were written for.
  private(set) var checksum: UInt32 = 0

  static let length = 64
  /// `TKARCHIV` in the file.
  private static let magic: UInt64 = 0x5649_4843_5241_4B54
  private static let nameOffset = 20
  private static let saltOffset = 56
  private static let checksumOffset = 60

  init(name: SegmentName, salt: UInt32) {
    self.name = name
    self.salt = salt
    checksum = bytes.integer(UInt32.self, at: Self.checksumOffset)
  }

  /// Reads a header; nil unless the bytes are long enough and their checksum holds.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.length, bytes.integer(UInt64.self, at: 0) == Self.magic,
      bytes.integer(UInt32.self, at: Self.checksumOffset) == bytes.checksum(0..<Self.checksumOffset)
    else { return nil }
    version = bytes.integer(UInt16.self, at: 8)
    let text = bytes[Self.nameOffset..<Self.nameOffset + ArchiveLimits.feedNameBytesMax].prefix { $0 != 0 }
    name = SegmentName(
      feed: String(decoding: text, as: UTF8.self), date: Int(bytes.integer(UInt32.self, at: 12)),
      number: Int(bytes.integer(UInt32.self, at: 16)))
    salt = bytes.integer(UInt32.self, at: Self.saltOffset)
    checksum = bytes.integer(UInt32.self, at: Self.checksumOffset)
  }

  /// The 64 bytes, checksum included.
  var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.length)
    bytes.store(Self.magic, at: 0)
    bytes.store(version, at: 8)
    bytes.store(UInt16(Self.length), at: 10)
    bytes.store(UInt32(truncatingIfNeeded: name.date), at: 12)
    bytes.store(UInt32(truncatingIfNeeded: name.number), at: 16)
    for (index, byte) in name.feed.utf8.prefix(ArchiveLimits.feedNameBytesMax).enumerated() {
      bytes[Self.nameOffset + index] = byte
    }
    bytes.store(salt, at: Self.saltOffset)
    bytes.store(bytes.checksum(0..<Self.checksumOffset), at: Self.checksumOffset)
    return bytes
  }
}

/// The last 32 bytes of a complete segment: where its footer index starts.
struct SegmentTrailer {
  var indexOffset: Int

  static let length = 32
  /// `TKAINDEX` in the file.
  private static let magic: UInt64 = 0x5845_444E_4941_4B54
  private static let checksumOffset = 28

  init(indexOffset: Int) { self.indexOffset = indexOffset }

  /// Reads a trailer; nil unless it is one.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.length, bytes.integer(UInt64.self, at: 0) == Self.magic,
      bytes.integer(UInt32.self, at: Self.checksumOffset) == bytes.checksum(0..<Self.checksumOffset),
      let offset = Int(exactly: bytes.integer(UInt64.self, at: 8))
    else { return nil }
    indexOffset = offset
  }

  /// The 32 bytes, checksum included.
  var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.length)
    bytes.store(Self.magic, at: 0)
    bytes.store(UInt64(indexOffset), at: 8)
    bytes.store(bytes.checksum(0..<Self.checksumOffset), at: Self.checksumOffset)
    return bytes
  }
}
