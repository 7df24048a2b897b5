import MarketData

/// What one captured frame holds, for people.
public struct FrameDescription: Sendable, Equatable {
  /// One JSON object a tick, in the order of the frame.
  public var lines: [String] = []
  /// One sentence for each fault, in the order of the frame.
  public var errors: [String] = []
}

/// Bytes written down as hexadecimal digits, as captures of frames are passed around.
enum HexText {
  /// Reads the bytes; white space around and between them is allowed.
  ///
  /// - Throws: ``Fault`` of kind `badData` that names the first character that is no digit, or half a byte at the
  ///   end.
  static func bytes(_ text: some StringProtocol) throws(Fault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var highDigit: UInt8? = nil
    for (position, character) in text.utf8.enumerated() {
      if character == 0x20 || (0x09...0x0D).contains(character) { continue }
      guard let digit = digit(character) else {
        let shown =
          (0x21...0x7E).contains(character)
          ? "'\(Character(Unicode.Scalar(character)))'" : "byte \(character)"
        throw Fault(.badData, "\(shown) at column \(position + 1) is not a hexadecimal digit")
      }
      if let high = highDigit {
        bytes.append(high << 4 | digit)
        highDigit = nil
      } else {
        highDigit = digit
      }
    }
    guard highDigit == nil else {
      throw Fault(
        .badData,
        "the line ends in half a byte: \(bytes.count * 2 + 1) hexadecimal digits, where pairs are needed")
    }
    return bytes
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
