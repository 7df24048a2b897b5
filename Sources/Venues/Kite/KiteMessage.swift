import MarketData

/// Explains captured messages of the Kite ticker to people.
public enum KiteMessage {
  /// Decodes one binary message written in hexadecimal digits; white space around and between bytes is allowed.
  ///
  /// Each packet becomes a JSON object with the keys of the vendor's Python client: exact decimals, Unix seconds,
  /// only what the packet carries. After a fault it goes on with what can still be trusted.
  public static func describe(hex text: some StringProtocol) -> FrameDescription {
    do {
      return describe(try HexText.bytes(text))
    } catch {
      return FrameDescription(errors: [error.message])
    }
  }

  /// Decodes one binary message, as ``describe(hex:)`` does.
  public static func describe(_ message: [UInt8]) -> FrameDescription {
    var description = FrameDescription()
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
}
