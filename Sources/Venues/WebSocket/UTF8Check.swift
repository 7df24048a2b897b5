/// Checks that bytes which come piece by piece are UTF-8 (Unicode 15, table 3-7), and says so at the first that is not.
///
/// The standard library validates whole strings only; a websocket must refuse a text before it is complete.
struct UTF8Check {
  /// Bytes that the current character still needs.
  private var missing = 0
  /// What the next of them may be; only the second byte of some characters has other bounds than these.
  private var next = continuation

  private static let continuation: ClosedRange<UInt8> = 0x80...0xBF
  private static let asciiMask: UInt64 = 0x8080_8080_8080_8080

  /// True when no character is begun and unfinished.
  var isComplete: Bool { missing == 0 }

  /// Takes the next bytes; false as soon as no continuation could make a text of them.
  mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      if missing == 0, index + 8 <= bytes.count,
        bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & Self.asciiMask == 0
      {
        index += 8
        continue
      }
      guard take(bytes[index]) else { return false }
      index += 1
    }
    return true
  }

  @inline(__always)
  private mutating func take(_ byte: UInt8) -> Bool {
    guard missing == 0 else {
      guard next.contains(byte) else { return false }
      missing -= 1
      next = Self.continuation
      return true
    }
    switch byte {
    case 0x00...0x7F: return true
    case 0xC2...0xDF: expect(1)
    case 0xE0: expect(2, from: 0xA0)
    case 0xED: expect(2, to: 0x9F)
    case 0xE1...0xEF: expect(2)
    case 0xF0: expect(3, from: 0x90)
    case 0xF4: expect(3, to: 0x8F)
    case 0xF1...0xF3: expect(3)
    default: return false
    }
    return true
  }

  private mutating func expect(_ count: Int, from first: UInt8 = 0x80, to last: UInt8 = 0xBF) {
    missing = count
    next = first...last
  }
}
