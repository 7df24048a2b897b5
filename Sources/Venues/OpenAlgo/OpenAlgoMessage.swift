import MarketData

/// Explains captured messages of an OpenAlgo server to people.
public enum OpenAlgoMessage {
  /// Decodes one message, written as the JSON text that it is or in hexadecimal digits.
  ///
  /// A tick becomes a JSON object with the keys of the wire: numbers as exact decimals, rounded to 1e-9, times as on
  /// the wire. What only answers a request gives nothing; bad messages and the server's own errors give a sentence.
  public static func describe(line: some StringProtocol) -> FrameDescription {
    do {
      return describe(try FrameLine.bytes(line))
    } catch {
      return FrameDescription(errors: [error.message])
    }
  }

  /// Decodes one message, as ``describe(line:)`` does; an empty one gives nothing.
  public static func describe(_ message: [UInt8]) -> FrameDescription {
    var scanner = JSONScanner(message)
    guard scanner.peek() != nil else { return FrameDescription() }
    do {
      let frame = try OpenAlgoFrame(&scanner)
      switch frame.kind {
      case .marketData:
        scanner.index = scanner.start
        return FrameDescription(lines: [try scanner.normalizedValue()])
      case .error: return FrameDescription(errors: ["the server says: \(errorText(of: frame, in: scanner))"])
      case .authentication, .subscription, .unsubscription:
        guard let status = frame.status, !scanner.isText(status, "success") else { return FrameDescription() }
        return FrameDescription(errors: ["the server says: \(errorText(of: frame, in: scanner))"])
      case .pong: return FrameDescription()
      case .other:
        let type = frame.type.map { "of the unknown type '\(scanner.words(of: $0))'" } ?? "without a type"
        return FrameDescription(errors: ["a message \(type); ticks are of the type market_data"])
      }
    } catch {
      return FrameDescription(errors: [error.message])
    }
  }

  /// `CODE: message` of a server's refusal, as far as it has them.
  static func errorText(of frame: OpenAlgoFrame, in scanner: JSONScanner) -> String {
    let words = [frame.code, frame.message].compactMap { $0.map(scanner.words(of:)) }.filter { !$0.isEmpty }
    if !words.isEmpty { return words.joined(separator: ": ") }
    return frame.status.map { "status \(scanner.words(of: $0))" } ?? "an error without a message"
  }
}

/// A line that holds a text message of a venue.
enum FrameLine {
  /// The message's bytes: the line's own when it looks like JSON, else what its hexadecimal digits say.
  static func bytes(_ line: some StringProtocol) throws(Fault) -> [UInt8] {
    let bytes = Array(line.utf8)
    let first = bytes.first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
    guard let first, isHexDigit(first) else { return bytes }
    return try HexText.bytes(line)
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
