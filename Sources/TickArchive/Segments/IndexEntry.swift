internal import MarketData

/// One block as the footer index lists it.
struct IndexEntry: Hashable {
  /// Where the block's header starts in the file.
  var offset: Int
  /// Bytes of header and payload.
  var length: Int
  var kind: BlockHeader.Kind
  /// Ticks or definitions in the block.
  var recordCount: Int
  var earliest: Timestamp
  var latest: Timestamp
  var firstSequence: UInt64
  var lastSequence: UInt64

  /// Bytes of an entry in the index.
  static let length = 56

  init(_ header: BlockHeader, offset: Int) {
    self.offset = offset
    length = header.blockLength
    kind = header.kind
    recordCount = header.recordCount
    earliest = header.earliest
    latest = header.latest
    firstSequence = header.firstSequence
    lastSequence = header.lastSequence
  }

  private init?(_ reader: inout FieldReader) {
    guard let offset = reader.next(UInt64.self), let earliest = reader.next(UInt64.self),
      let latest = reader.next(UInt64.self), let firstSequence = reader.next(UInt64.self),
      let lastSequence = reader.next(UInt64.self), let length = reader.next(UInt32.self),
      let recordCount = reader.next(UInt32.self), let kind = reader.next(UInt64.self),
      let kind = UInt8(exactly: kind).flatMap(BlockHeader.Kind.init(rawValue:)),
      let offset = Int(exactly: offset)
    else { return nil }
    self.offset = offset
    self.length = Int(length)
    self.kind = kind
    self.recordCount = Int(recordCount)
    self.earliest = Timestamp(nanoseconds: Int64(bitPattern: earliest))
    self.latest = Timestamp(nanoseconds: Int64(bitPattern: latest))
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
  }

  /// The payload of a footer index.
  static func payload(of entries: [IndexEntry]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.count * length)
    for entry in entries {
      bytes.append(littleEndian: UInt64(entry.offset))
      bytes.append(littleEndian: entry.earliest.nanoseconds)
      bytes.append(littleEndian: entry.latest.nanoseconds)
      bytes.append(littleEndian: entry.firstSequence)
      bytes.append(littleEndian: entry.lastSequence)
      bytes.append(littleEndian: UInt32(entry.length))
      bytes.append(littleEndian: UInt32(entry.recordCount))
      bytes.append(littleEndian: UInt64(entry.kind.rawValue))
    }
    return bytes
  }

  /// Reads the payload of a footer index that lists `count` blocks and itself starts at `indexOffset`; nil unless
  /// the blocks lie one behind the other before it.
  static func entries(in payload: [UInt8], count: Int, indexOffset: Int) -> [IndexEntry]? {
    guard payload.count == count * length else { return nil }
    var reader = FieldReader(payload)
    var entries: [IndexEntry] = []
    var end = SegmentHeader.length
    for _ in 0..<count {
      guard let entry = IndexEntry(&reader), entry.offset >= end, entry.offset <= indexOffset,
        entry.length >= BlockHeader.length, entry.length <= indexOffset - entry.offset
      else { return nil }
      end = entry.offset + entry.length
      entries.append(entry)
    }
    return entries
  }
}
