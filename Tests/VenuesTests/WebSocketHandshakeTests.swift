import MarketData
import Testing

@testable import Venues

/// The pure part of the handshake.
@Suite struct WebSocketHandshakeTests {
  /// RFC 6455, section 1.3, has this nonce and its answer.
  private static let handshake = WebSocketHandshake(nonce: Array("the sample nonce".utf8))
  private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

  @Test func theRFCsExampleIsAccepted() throws {
    #expect(Self.handshake.expectedAccept == Self.accept)
    try check("HTTP/1.1 101 Switching Protocols", ["Sec-WebSocket-Accept: \(Self.accept)"])
    try check("HTTP/1.1 101", ["sec-websocket-accept:\(Self.accept)"])
  }

  private func check(
    _ status: String, _ fields: [String],
    upgrade: [String] = ["Upgrade: WebSocket", "Connection: keep-alive, Upgrade"],
    body: String = ""
  ) throws {
    let header = ([status] + upgrade + fields).joined(separator: "\r\n") + "\r\n\r\n"
    try Self.handshake.check(header: Array(header.utf8), body: Array(body.utf8))
  }

  @Test(
    arguments: [
      ("HTTP/1.1 401 Unauthorized", Fault.Kind.refused), ("HTTP/1.1 403 Forbidden", .refused),
      ("HTTP/1.1 429 Too Many Requests", .unavailable), ("HTTP/1.1 502 Bad Gateway", .unavailable),
      ("HTTP/1.1 200 OK", .protocolViolation), ("HTTP/1.1 404 Not Found", .protocolViolation),
      ("HTTP/1.1 301 Moved", .protocolViolation),
    ])
  func aStatusOtherThan101IsAFaultOfItsKind(status: String, kind: Fault.Kind) throws {
    let fault = #expect(throws: Fault.self) { try check(status, [], body: "because\r\n of this") }
    #expect(fault?.kind == kind)
    #expect(
      fault?.message
        == "the server answers the websocket handshake with HTTP status \(status.dropFirst(9)): because of this"
    )
  }

  @Test(
    arguments: [
      ("SSH-2.0-OpenSSH_9.2", []), ("HTTP/1.1", []), ("HTTP/1.1 1O1 x", []), ("HTTP/2 101", [Self.accept]),
      ("HTTP/1.1 101 x", []), ("HTTP/1.1 101 x", ["Sec-WebSocket-Accept: AAAA"]),
      ("HTTP/1.1 101 x", ["no field"]),
      (
        "HTTP/1.1 101 x",
        ["Sec-WebSocket-Accept: \(Self.accept)", "Sec-WebSocket-Extensions: permessage-deflate"]
      ),
    ] as [(String, [String])])
  func nonsenseIsAProtocolViolation(status: String, fields: [String]) {
    let fault = #expect(throws: Fault.self) { try check(status, fields) }
    #expect(fault?.kind == .protocolViolation)
  }

  /// Found by the fuzzer: what stands before the status line, and what only resembles a status, is refused.
  @Test(arguments: [
    "\r\nHTTP/1.1 101 x", " HTTP/1.1 101 x", "HTTP/1.1  101 x", "\u{FEFF}HTTP/1.1 101 x", "HTTP/1.1 +01 x",
  ])
  func anAnswerBeginsWithItsStatusLine(status: String) {
    let fault = #expect(throws: Fault.self) { try check(status, ["Sec-WebSocket-Accept: \(Self.accept)"]) }
    #expect(fault?.kind == .protocolViolation)
    #expect(fault?.message.hasSuffix("which is no HTTP status line") == true)
  }

  /// Found by the fuzzer: a server must not write lines of its own into a log.
  @Test(arguments: ["HTTP/1.1 105 x\rs\ny", "HTTP/1.1\n 101 x", "HTTP/1.0\u{7} 101 x"])
  func whatAServerWritesStaysOnOneLine(status: String) {
    let fault = #expect(throws: Fault.self) { try check(status, []) }
    #expect(fault?.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } == true)
  }

  @Test(arguments: [
    ["Upgrade: h2c", "Connection: upgrade"], ["Upgrade: websocket", "Connection: close"], [],
  ])
  func anUpgradeToSomethingElseIsAProtocolViolation(upgrade: [String]) {
    let fault = #expect(throws: Fault.self) {
      try check("HTTP/1.1 101 x", ["Sec-WebSocket-Accept: \(Self.accept)"], upgrade: upgrade)
    }
    #expect(fault?.kind == .protocolViolation)
  }

  @Test func theAddressIsTakenApart() throws {
    let address = try WebSocketAddress("wss://ws.kite.trade?api_key=K&access_token=T", shownAs: "")
    #expect(address.dialURL == "https://ws.kite.trade?api_key=K&access_token=T")
    #expect(address.hostField == "ws.kite.trade")
    #expect(address.target == "/?api_key=K&access_token=T")
    let local = try WebSocketAddress("WS://127.0.0.1:8080/a/b", shownAs: "")
    #expect(local.hostField == "127.0.0.1:8080")
    #expect(local.target == "/a/b")
  }

  @Test(arguments: ["https://x", "ws://", "ws://a b", "ws://h:99999", ""])
  func whatIsNoWebsocketAddressIsAFault(text: String) {
    let fault = #expect(throws: Fault.self) { _ = try WebSocketAddress(text, shownAs: "it") }
    #expect(fault?.kind == .configuration)
  }
}
