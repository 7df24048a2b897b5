internal import FoundationEssentials
import MarketData

/// The opening handshake of RFC 6455, section 4: what the client asks and whether the answer will do. Pure.
struct WebSocketHandshake {
  /// Longest answer up to and with the empty line; real ones have a few hundred bytes.
  static let headerBytesMax = 16 * 1024
  /// Random bytes in the key.
  static let nonceBytes = 16
  private static let acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  private let key: String

  init(nonce: [UInt8]) {
    key = Data(nonce).base64EncodedString()
  }

  /// The request's bytes; `headers` must be free of control characters.
  func request(address: WebSocketAddress, headers: [(name: String, value: String)]) -> [UInt8] {
    var lines = [
      "GET \(address.target) HTTP/1.1", "Host: \(address.hostField)", "Upgrade: websocket",
      "Connection: Upgrade", "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13",
    ]
    lines += headers.map { "\($0.name): \($0.value)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// The value of `Sec-WebSocket-Accept` that proves that the server understood the request.
  var expectedAccept: String {
    Data(Digest.sha1(Array((key + Self.acceptSuffix).utf8))).base64EncodedString()
  }

  /// Index just behind the empty line that ends the header, or nil while it is incomplete.
  static func headerEnd(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (4...bytes.count).first { end in
      bytes[end - 1] == 0x0A && bytes[end - 2] == 0x0D && bytes[end - 3] == 0x0A && bytes[end - 4] == 0x0D
    }
  }

  /// Checks the server's answer.
  ///
  /// - Throws: `Fault` of kind `refused` for 401 and 403, `unavailable` for 429 and 5xx, `protocolViolation` for
  ///   anything else that is no proper upgrade.
  func check(header: some Collection<UInt8>, body: some Collection<UInt8>) throws(Fault) {
    let lines = String(decoding: header, as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    let statusLine = lines.first ?? ""
    let fields = lines.dropFirst().prefix { !$0.isEmpty }
    let words = statusLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3,
      let status = UInt(words[1]), words[1].utf8.first != UInt8(ascii: "+")
    else {
      throw Fault(
        .protocolViolation,
        "the server answers '\(excerpt(of: statusLine.utf8))', which is no HTTP status line")
    }
    guard status == 101 else {
      let text = excerpt(of: Self.venueReason(fields) ?? Array(body))
      throw Fault(
        Self.faultKind(ofStatus: status),
        "the server answers the websocket handshake with HTTP status "
          + excerpt(of: words[1...].joined(separator: " ").utf8)
          + (text.isEmpty ? "" : ": \(text)"))
    }
    guard words[0] == "HTTP/1.1" else {
      throw Fault(
        .protocolViolation,
        "the server upgrades in \(excerpt(of: words[0].utf8)), which websockets need HTTP/1.1 for")
    }
    try checkUpgrade(fields: fields)
  }

  private func checkUpgrade(fields lines: some Collection<Substring>) throws(Fault) {
    var fields: [String: String] = [:]
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else {
        throw Fault(
          .protocolViolation,
          "the server's handshake holds the line '\(excerpt(of: line.utf8))', which is no header field")
      }
      let value = line[line.index(after: colon)...].split { $0 == " " || $0 == "\t" }.joined(separator: " ")
      let name = line[..<colon].lowercased()
      fields[name] = fields[name].map { "\($0), \(value)" } ?? value
    }
    let upgrade = fields["upgrade"]?.lowercased()
    guard upgrade == "websocket" else {
      throw Fault(
        .protocolViolation,
        "the server upgrades to '\(excerpt(of: (upgrade ?? "").utf8))', not to websocket")
    }
    let connection = (fields["connection"] ?? "").lowercased().split { $0 == "," || $0 == " " }
    guard connection.contains("upgrade") else {
      throw Fault(.protocolViolation, "the server's handshake lacks 'Connection: Upgrade'")
    }
    guard fields["sec-websocket-accept"] == expectedAccept else {
      throw Fault(.protocolViolation, "the server's Sec-WebSocket-Accept does not belong to our key")
    }
    if let offered = ["sec-websocket-extensions", "sec-websocket-protocol"].first(where: { fields[$0] != nil }
    ) {
      throw Fault(.protocolViolation, "the server's handshake sets \(offered), which nobody asked for")
    }
  }

  /// Angel One says in a header field of its own why it refuses, and leaves the body empty.
  private static func venueReason(_ lines: some Sequence<Substring>) -> [UInt8]? {
    let name = "x-error-message:"
    return lines.first { $0.lowercased().hasPrefix(name) }.map { Array($0.utf8.dropFirst(name.utf8.count)) }
  }

  private static func faultKind(ofStatus status: UInt) -> Fault.Kind {
    switch status {
    case 401, 403: .refused
    case 429, 500...599: .unavailable
    default: .protocolViolation
    }
  }
}
