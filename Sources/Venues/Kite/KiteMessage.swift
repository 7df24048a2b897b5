import MarketData

/// Explains captured messages of the Kite ticker to people.
public enum KiteMessage {
  /// What one message holds.
  public struct Description: Sendable, Equatable {
    /// One JSON object a packet, in the order of the message.
    public var lines: [String] = []
    /// One sentence for each fault, in the order of the message.
    public var errors: [String] = []
  }

  /// Decodes one binary message written in hexadecimal digits; white space around and between bytes is allowed.
  ///
  /// Each packet becomes a JSON object with the keys of the vendor's Python client: exact decimals, Unix seconds,
  /// only what the packet carries. After a fault it goes on with what can still be trusted.
  public static func describe(hex text: some StringProtocol) -> Description {
    do {
      return describe(try bytes(hex: text))
    } catch {
      return Description(errors: [error.message])
    }
  }

  /// Decodes one binary message, as ``describe(hex:)`` does.
  public static func describe(_ message: [UInt8]) -> Description {
    var description = Description()
    let span = message.span.bytes
    guard span.byteCount > KiteLayout.heartbeatBytesMax else { return description }
    var cursor = KitePacketCursor(span)
    while true {
      switch cursor.next(in: span) {
      case .packet(let offset, let length):
        if let packet = KitePacket(Array(message[offset..<offset + length])) {
          description.lines.append(packet.json)
        } else {
          description.errors.append(cursor.unknownLengthDescription(length: length))
        }
      case .end:
        return description
      case .broken:
        description.errors.append(cursor.breakDescription(in: span))
        return description
      }
    }
  }

  private static func bytes(hex text: some StringProtocol) throws(Fault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var highDigit: UInt8? = nil
    for (position, character) in text.utf8.enumerated() {
      if character == 0x20 || (0x09...0x0D).contains(character) { continue }
      guard let digit = hexDigit(character) else {
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

  private static func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
