public import MarketData

/// One frame of a capture.
public struct CapturedFrame: Sendable, Hashable {
  /// Number within the captures of the feed, from 1. A hole is a frame for which there was no room.
  public var number: UInt64
  /// When it was read from the socket.
  public var receiveTime: Timestamp
  /// True for a text message, false for a binary one.
  public var isText: Bool
  /// Its payload.
  public var bytes: [UInt8]

  /// Makes a frame from its fields.
  public init(number: UInt64, receiveTime: Timestamp, isText: Bool, bytes: [UInt8]) {
    self.number = number
    self.receiveTime = receiveTime
    self.isText = isText
    self.bytes = bytes
  }
}

/// The frames of one block: each as receive time, length and kind in 16 bytes, and its payload.
struct CapturedFrames {
  private(set) var payload: [UInt8] = []
  private(set) var count = 0
  private(set) var earliest = Timestamp.unknown
  private(set) var latest = Timestamp.unknown

  private static let headerLength = 16
  private static let textKind: UInt32 = 1
  private static let binaryKind: UInt32 = 2
  /// A block is full with so many bytes; LZ4 sees no farther than 64 KiB back anyway.
  private static let fullBytes = 1 << 20

  static let frameBytesMax = ArchiveLimits.frameBytesMax - headerLength

  func hasRoom(for byteCount: Int) -> Bool {
    payload.count + Self.headerLength + byteCount <= ArchiveLimits.frameBytesMax
  }

  var isFull: Bool { payload.count >= Self.fullBytes || count == ArchiveLimits.blockFramesMax }

  mutating func append(_ frame: RawSpan, isText: Bool, receiveTime: Timestamp) {
    earliest = count == 0 ? receiveTime : min(earliest, receiveTime)
    latest = count == 0 ? receiveTime : max(latest, receiveTime)
    count += 1
    payload.append(littleEndian: receiveTime.nanoseconds)
    payload.append(littleEndian: UInt32(frame.byteCount))
    payload.append(littleEndian: isText ? Self.textKind : Self.binaryKind)
    frame.withUnsafeBytes { payload.append(contentsOf: $0) }
  }

  mutating func removeAll() {
    payload.removeAll(keepingCapacity: true)
    count = 0
  }

  /// Reads the unpacked payload of a block.
  ///
  /// - Throws: ``BadBlock`` when it is not just the frames that the header announces.
  static func frames(in payload: [UInt8], of header: BlockHeader) throws(BadBlock) -> [CapturedFrame] {
    var reader = FieldReader(payload)
    var frames: [CapturedFrame] = []
    for index in 0..<header.recordCount {
      guard let time = reader.next(UInt64.self), let length = reader.next(UInt32.self),
        let kind = reader.next(UInt32.self), kind == textKind || kind == binaryKind,
        let bytes = reader.nextBytes(count: Int(length))
      else { throw BadBlock("one of its frames is malformed") }
      let receiveTime = Timestamp(nanoseconds: Int64(bitPattern: time))
      guard header.earliest <= receiveTime, receiveTime <= header.latest else {
        throw BadBlock("one of its frames lies outside the block's time")
      }
      frames.append(
        CapturedFrame(
          number: header.firstSequence &+ UInt64(index), receiveTime: receiveTime, isText: kind == textKind,
          bytes: Array(bytes)))
    }
    guard reader.isAtEnd else { throw BadBlock("bytes follow its last frame") }
    return frames
  }
}
