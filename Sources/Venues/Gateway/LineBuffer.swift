internal import Glibc
import MarketData

/// Cuts what a pipe brings into lines, in one buffer that is used again and again.
struct LineBuffer {
  enum ReadResult {
    case bytes
    case nothing
    case ended
    case failed(Int32)
  }

  /// The memory in which the ranges of ``nextLine()`` lie, until the next ``read(from:)``.
  private(set) var bytes: [UInt8]
  /// What was read and not yet handed out as lines.
  private var unread = 0..<0
  /// Bytes at the start of ``unread`` that are known to hold no line end.
  private var scannedCount = 0
  private let lineBytesMax: Int
  private let readBytesMax: Int

  /// Makes a buffer for lines of at most `lineBytesMax` bytes.
  init(lineBytesMax: Int, readBytesMax: Int) {
    self.lineBytesMax = lineBytesMax
    self.readBytesMax = readBytesMax
    bytes = [UInt8](repeating: 0, count: readBytesMax)
  }

  /// True when a line is longer than allowed, whose rest was not even looked at.
  var isOverlong: Bool { unread.count > lineBytesMax }

  /// Bytes that belong to a line that has not ended.
  var partialLine: ArraySlice<UInt8> { bytes[unread] }

  /// Reads once from a pipe that does not block; all whole lines read before must have been taken.
  mutating func read(from descriptor: Int32) -> ReadResult {
    if unread.lowerBound > 0 {
      let count = unread.count
      let start = unread.lowerBound
      bytes.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        memmove(base, base + start, count)
      }
      unread = 0..<count
    }
    if bytes.count < unread.count + readBytesMax {
      bytes.append(contentsOf: repeatElement(0, count: unread.count + readBytesMax - bytes.count))
    }
    while true {
      let filled = unread.upperBound
      let limit = readBytesMax
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, limit)
      }
      if count > 0 {
        unread = unread.lowerBound..<filled + count
        return .bytes
      }
      if count == 0 { return .ended }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .nothing
      case let reason: return .failed(reason)
      }
    }
  }

  /// The place of the next whole line without its end, be that a line feed or a carriage return and a line feed.
  mutating func nextLine() -> Range<Int>? {
    let first = unread.lowerBound + scannedCount
    let rest = unread.upperBound - first
    let found = bytes.withUnsafeBytes { buffer -> Int? in
      guard rest > 0, let base = buffer.baseAddress else { return nil }
      return memchr(base + first, Int32(UInt8(ascii: "\n")), rest).map { UnsafeRawPointer($0) - base }
    }
    guard let found else {
      scannedCount = unread.count
      return nil
    }
    scannedCount = 0
    let line = unread.lowerBound..<found
    unread = found + 1..<unread.upperBound
    let hasReturn = !line.isEmpty && bytes[found - 1] == UInt8(ascii: "\r")
    return hasReturn ? line.lowerBound..<found - 1 : line
  }
}
