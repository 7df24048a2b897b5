import MarketData

/// Explains captured frames of Angel One's SmartStream to people.
public enum AngelOneMessage {
  /// Texts that only say that the other side lives.
  static let heartbeats: [[UInt8]] = [Array("ping".utf8), Array("pong".utf8)]

  /// Decodes one frame written in hexadecimal digits; white space around and between bytes is allowed.
  ///
  /// It becomes a JSON object with the keys of the vendor's Python client: exact decimals in rupees, times as on
  /// the wire, only what the frame carries. Heartbeats give nothing, bad frames and the venue's own error texts a
  /// sentence.
  public static func describe(hex text: some StringProtocol) -> FrameDescription {
    do {
      return describe(try HexText.bytes(text))
    } catch {
      return FrameDescription(errors: [error.message])
    }
  }

  /// Decodes one frame, as ``describe(hex:)`` does.
  public static func describe(_ frame: [UInt8]) -> FrameDescription {
    if heartbeats.contains(frame) { return FrameDescription() }
    if frame.first == UInt8(ascii: "{"), let message = errorText(frame) {
      return FrameDescription(errors: ["the venue says: \(message)"])
    }
    guard let decoded = AngelOneFrame(frame) else {
      return FrameDescription(errors: [AngelOneFrame.flaw(of: frame.span.bytes) ?? ""])
    }
    return FrameDescription(lines: [decoded.json])
  }

  /// The code and message of `{"correlationID":…,"errorCode":…,"errorMessage":…}`; nil for any other text.
  static func errorText(_ bytes: [UInt8]) -> String? {
    var scanner = JSONScanner(bytes)
    var code: String?
    var message: String?
    do {
      try scanner.object { (key, scanner) throws(Fault) in
        let isText = scanner.peek() == UInt8(ascii: "\"")
        switch key {
        case "errorCode" where isText: code = try scanner.words()
        case "errorMessage" where isText: message = try scanner.words()
        default: try scanner.skipValue()
        }
      }
    } catch { return nil }
    guard let code else { return nil }
    let words = [code, message ?? ""].filter { !$0.isEmpty }
    return words.isEmpty ? "an error without a code" : words.joined(separator: ": ")
  }
}
