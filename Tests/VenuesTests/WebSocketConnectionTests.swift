import Dispatch
import MarketData
import Testing

@testable import Venues

/// The connection against servers that misbehave in every way that a script can.
@Suite struct WebSocketConnectionTests {
  /// One received message.
  enum Message: Equatable, Sendable {
    case text(String)
    case binary([UInt8])
  }

  private func connection(
    _ server: ScriptedServer, query: String = "",
    change: (inout WebSocketConnection.Options) -> Void = { _ in }
  ) -> WebSocketConnection {
    var options = WebSocketConnection.Options(url: "ws://127.0.0.1:\(server.port)/\(query)")
    options.connectTimeoutMilliseconds = 5000
    change(&options)
    return WebSocketConnection(options)
  }

  /// Receives until the connection ends.
  private func drain(_ connection: WebSocketConnection) -> ([Message], Fault?) {
    var messages: [Message] = []
    do {
      while true {
        _ = try connection.receive(timeoutMilliseconds: 5000) { opcode, payload, _ in
          let bytes = payload.withUnsafeBytes { Array($0) }
          messages.append(opcode == .text ? .text(String(decoding: bytes, as: UTF8.self)) : .binary(bytes))
        }
      }
    } catch {
      return (messages, error)
    }
  }

  /// What is received from a server that sends these bytes after the handshake, and then ends the connection.
  private func receive(
    _ frames: [UInt8], messageBytesMax: Int = 1 << 20,
    then: @escaping @Sendable (ScriptedServer.Peer) -> Void = { _ in }
  ) throws -> ([Message], Fault?) {
    let server = try ScriptedServer { peer in
      peer.upgrade()
      peer.send(frames)
      then(peer)
    }
    let connection = connection(server) { $0.messageBytesMax = messageBytesMax }
    try connection.connect()
    let result = drain(connection)
    server.finish()
    return result
  }

  // MARK: Handshakes

  @Test func aRefusalShowsTheStatusAndTheBodyButNoCredentials() throws {
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 21\r\n\r\nbad token s3cr3t-token")
    }
    let connection = connection(server, query: "?api_key=k3y&access_token=s3cr3t-token")
    let fault = #expect(throws: Fault.self) { try connection.connect() }
    #expect(fault?.kind == .refused)
    #expect(
      fault?.message
        == "ws://127.0.0.1:\(server.port)/?api_key=***&access_token=***: the server answers the websocket "
        + "handshake with HTTP status 403 Forbidden: bad token ***")
    #expect(!connection.isOpen)
    server.finish()
  }

  @Test(
    arguments: [
      ("", Fault.Kind.unavailable), ("HTTP/1.1 503 Busy\r\n\r\n", .unavailable),
      ("220 mail.example.com ESMTP\r\n\r\n", .protocolViolation),
      (
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
        .protocolViolation
      ), (String(repeating: "x", count: 100_000), .protocolViolation),
      ("HTTP/1.1 101 x\r\nUpg", .unavailable),
    ])
  func otherAnswersAreFaultsOfTheirKind(answer: String, kind: Fault.Kind) throws {
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.send(answer)
    }
    let fault = #expect(throws: Fault.self) { try connection(server).connect() }
    server.finish()
    #expect(fault?.kind == kind)
  }

  @Test func aSilentServerIsGivenUp() throws {
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.waitForEnd()
    }
    let fault = #expect(throws: Fault.self) {
      try connection(server) { $0.connectTimeoutMilliseconds = 50 }.connect()
    }
    server.finish()
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.contains("does not answer the handshake in 50 ms") == true)
  }

  @Test func aPortWithoutServerIsUnavailable() throws {
    let port = try ScriptedServer { _ in }.port
    let connection = WebSocketConnection(.init(url: "ws://127.0.0.1:\(port)"))
    let fault = #expect(throws: Fault.self) { try connection.connect() }
    #expect(fault?.kind == .unavailable)
  }

  @Test func theRequestIsAProperHandshakeWithOurHeaders() throws {
    let requests = Log<String>()
    let server = try ScriptedServer { peer in requests.append(peer.upgrade()) }
    let connection = connection(server, query: "path?a=1") {
      $0.headers = [(name: "X-Kite-Version", value: "3")]
    }
    try connection.connect()
    connection.close()
    server.finish()
    let lines = try #require(requests.all.first).split(separator: "\r\n").map(String.init)
    #expect(lines.first == "GET /path?a=1 HTTP/1.1")
    for line in [
      "Host: 127.0.0.1:\(server.port)", "Upgrade: websocket", "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "X-Kite-Version: 3",
    ] { #expect(lines.contains(line)) }
  }

  @Test func framesThatComeWithTheHandshakesAnswerAreNotLost() throws {
    let server = try ScriptedServer { peer in
      peer.upgrade(followedBy: serverFrame(2, [1, 2, 3]))
      peer.waitForEnd()
    }
    let connection = connection(server)
    try connection.connect()
    var times: [Timestamp] = []
    var payloads: [[UInt8]] = []
    while payloads.isEmpty {
      _ = try connection.receive(timeoutMilliseconds: 5000) { _, payload, time in
        payloads.append(payload.withUnsafeBytes { Array($0) })
        times.append(time)
      }
    }
    #expect(payloads == [[1, 2, 3]])
    #expect(times.allSatisfy { $0.isKnown && $0 <= .wallClock() })
  }

  // MARK: Frames

  @Test func fragmentsAreJoinedAndPingsBetweenThemAnswered() throws {
    let pongs = Log<[UInt8]>()
    let frames =
      serverFrame(2, [1, 2], isFinal: false) + serverFrame(9, [0xAB]) + serverFrame(0, [3], isFinal: false)
      + serverFrame(0, [4]) + serverFrame(1, Array("next".utf8))
    let (messages, fault) = try receive(frames) { peer in
      if let frame = peer.readFrame(), frame.opcode == 10 { pongs.append(frame.payload) }
    }
    #expect(messages == [.binary([1, 2, 3, 4]), .text("next")])
    #expect(pongs.all == [[0xAB]])
    #expect(fault?.kind == .unavailable)
  }

  @Test func messagesOfEverySizeArriveWhole() throws {
    var generator = SeededGenerator(seed: 3)
    let sizes = [0, 1, 125, 126, 127, 4095, 4096, 4097, 65_535, 65_536, 300_000, 0, 558_002]
    let payloads = sizes.map { size in
      (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
    let (messages, _) = try receive(payloads.reduce(into: []) { $0 += serverFrame(2, $1) })
    #expect(messages == payloads.map(Message.binary))
  }

  @Test func thousandsOfSmallAndEmptyMessagesInOneReadArriveInOrder() throws {
    let payloads = (0..<40_000).map { [UInt8](repeating: UInt8($0 % 251), count: $0 % 3) }
    let (messages, _) = try receive(payloads.reduce(into: []) { $0 += serverFrame(2, $1) })
    #expect(messages == payloads.map(Message.binary))
  }

  @Test func aCloseFrameIsAnsweredAndItsReasonShown() throws {
    let answers = Log<[UInt8]>()
    let (messages, fault) = try receive(
      serverFrame(2, [9]) + serverFrame(8, [0x03, 0xE9] + Array("maintenance".utf8))
    ) { peer in
      if let frame = peer.readFrame(), frame.opcode == 8 { answers.append(frame.payload) }
    }
    #expect(messages == [.binary([9])])
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.hasSuffix("the server closed the connection with code 1001: maintenance") == true)
    #expect(answers.all.first?.prefix(2) == [0x03, 0xE9])
  }

  @Test func aMessageBeyondTheLimitEndsTheConnection() throws {
    let (messages, fault) = try receive(
      serverFrame(2, [1]) + serverFrame(2, [UInt8](repeating: 0, count: 1001)), messageBytesMax: 1000)
    #expect(messages == [.binary([1])])
    #expect(fault?.message.hasSuffix("a message is longer than the 1000 bytes allowed") == true)
    #expect(fault?.kind == .protocolViolation)
    let fragments = (0..<200).flatMap { serverFrame($0 == 0 ? 2 : 0, [1, 2, 3, 4, 5, 6], isFinal: false) }
    let (none, sum) = try receive(fragments, messageBytesMax: 1000)
    #expect(none.isEmpty)
    #expect(sum?.message.hasSuffix("a message is longer than the 1000 bytes allowed") == true)
  }

  @Test(
    arguments: [
      ("cut within the header", [0x82], "without a close frame"),
      ("cut within the payload", [0x82, 5, 1, 2], "in the middle of a message"),
      ("cut between fragments", [0x02, 1, 1], "in the middle of a message"),
    ] as [(String, [UInt8], String)])
  func aCutConnectionIsUnavailable(name: String, bytes: [UInt8], place: String) throws {
    let (messages, fault) = try receive(serverFrame(2, [7]) + bytes)
    #expect(messages == [.binary([7])])
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.contains(place) == true, "\(fault?.message ?? "")")
  }

  @Test(
    arguments: [
      ("reserved bits", [0xF2, 0]), ("unknown opcode", [0x83, 0]),
      ("masked by the server", [0x82, 0x80, 1, 2, 3, 4]),
      ("continuation of nothing", [0x80, 1, 1]), ("a second start", [0x02, 1, 1, 0x82, 1, 1]),
      ("fragmented ping", [0x09, 0]), ("long ping", [0x89, 126, 0, 126] + [UInt8](repeating: 0, count: 126)),
      ("text that is no UTF-8", [0x81, 2, 0xC3, 0x28]),
      ("text that ends within a character", [0x81, 1, 0xC3]),
      ("length with its top bit set", [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
      ("length not in its shortest form", [0x82, 126, 0, 1, 9]), ("random", [0x17, 0x03, 0x03, 0x40, 0x11]),
    ] as [(String, [UInt8])])
  func brokenFramesAreAProtocolViolationAfterWhatCameBefore(name: String, bytes: [UInt8]) throws {
    let (messages, fault) = try receive(serverFrame(2, [7]) + bytes)
    #expect(messages == [.binary([7])])
    #expect(fault?.kind == .protocolViolation, "\(fault?.message ?? "")")
  }

  @Test func randomBytesNeverTrap() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<40 {
      let bytes = (0..<2000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      let (_, fault) = try receive(bytes)
      #expect(fault != nil)
    }
  }

  // MARK: Sending, waiting, ending

  @Test func textsAreMaskedAndArrive() throws {
    let received = Log<String>()
    let server = try ScriptedServer { peer in
      peer.upgrade()
      for _ in 0..<2 {
        if let frame = peer.readFrame(), frame.opcode == 1 {
          received.append(String(decoding: frame.payload, as: UTF8.self))
        }
      }
      peer.send(serverFrame(1, Array("done".utf8)))
    }
    let connection = connection(server)
    try connection.connect()
    try connection.sendText("{\"a\":\"subscribe\"}")
    try connection.sendText(String(repeating: "x", count: 5000))
    let (messages, _) = drain(connection)
    server.finish()
    #expect(messages == [.text("done")])
    #expect(received.all == ["{\"a\":\"subscribe\"}", String(repeating: "x", count: 5000)])
  }

  @Test func aServerThatTakesNothingFillsTheQueueAndNoMore() throws {
    let isDone = DispatchSemaphore(value: 0)
    defer { isDone.signal() }
    let server = try ScriptedServer { peer in
      peer.upgrade()
      isDone.wait()
    }
    let connection = connection(server)
    try connection.connect()
    let text = String(repeating: "x", count: 200_000)
    let fault = #expect(throws: Fault.self) {
      for _ in 0..<1000 { try connection.sendText(text) }
    }
    #expect(fault?.kind == .unavailable)
  }

  /// Only the latest ping needs an answer (RFC 6455, section 5.5.3), so answers cannot pile up without end.
  @Test func answersToPingsThatAreNotTakenDoNotPileUp() throws {
    let isDone = DispatchSemaphore(value: 0)
    let answers = Log<[UInt8]>()
    let pings = (0..<1000).flatMap { _ in serverFrame(9, [UInt8](repeating: 1, count: 125)) }
    let server = try ScriptedServer { peer in
      peer.upgrade()
      for _ in 0..<200 { peer.send(pings) }
      peer.send(serverFrame(9, [7]) + serverFrame(2, [1]))
      isDone.wait()
      while let frame = peer.readFrame(), frame.opcode == 10 { answers.append(frame.payload) }
    }
    let connection = connection(server)
    try connection.connect()
    var messages = 0
    while messages == 0 {
      _ = try connection.receive(timeoutMilliseconds: 5000) { _, _, _ in messages += 1 }
    }
    #expect(connection.unsentBytes <= FrameCodec.unsentBytesMaxForPongs + 131)
    isDone.signal()
    #expect(try connection.sendQueue(downTo: 0, timeoutMilliseconds: 5000))
    _ = try connection.receive(timeoutMilliseconds: 100) { _, _, _ in }
    connection.close()
    server.finish()
    #expect(answers.all.last == [7])
    #expect(answers.all.count < 200_001)
  }

  @Test func anIPv6AddressIsDialledAndNamedInBrackets() throws {
    let requests = Log<String>()
    let server: ScriptedServer
    do {
      server = try ScriptedServer(isIPv6: true) { peer in
        requests.append(peer.upgrade(followedBy: serverFrame(2, [6])))
        peer.waitForEnd()
      }
    } catch { try Test.cancel("this machine has no IPv6 loopback") }
    let connection = WebSocketConnection(.init(url: "ws://[::1]:\(server.port)/x"))
    try connection.connect()
    var payloads: [[UInt8]] = []
    while payloads.isEmpty {
      _ = try connection.receive(timeoutMilliseconds: 5000) { _, payload, _ in
        payloads.append(payload.withUnsafeBytes { Array($0) })
      }
    }
    connection.close()
    server.finish()
    #expect(payloads == [[6]])
    #expect(requests.all.first?.contains("Host: [::1]:\(server.port)\r\n") == true, "\(requests.all)")
  }

  @Test func nothingInTimeIsNotAnError() throws {
    let server = try ScriptedServer { peer in
      peer.upgrade()
      peer.waitForEnd()
    }
    let connection = connection(server)
    try connection.connect()
    for timeout in [0, 1, 20] {
      let isAlive = try connection.receive(timeoutMilliseconds: timeout) { _, _, _ in }
      #expect(!isAlive)
    }
    #expect(connection.isOpen)
    connection.close()
    server.finish()
  }

  @Test func closeShakesHandsAndTheConnectionCanBeUsedAgain() throws {
    let codes = Log<[UInt8]>()
    let server = try ScriptedServer { peer in
      peer.upgrade()
      if let frame = peer.readFrame(), frame.opcode == 8 {
        codes.append(frame.payload)
        peer.send(serverFrame(8, frame.payload))
      }
    }
    let connection = connection(server)
    for _ in 0..<2 {
      try connection.connect()
      connection.close()
      connection.close()
      #expect(!connection.isOpen)
    }
    server.finish()
    #expect(codes.all == [[0x03, 0xE8], [0x03, 0xE8]])
    let fault = #expect(throws: Fault.self) {
      _ = try connection.receive(timeoutMilliseconds: 0) { _, _, _ in }
    }
    #expect(fault?.kind == .unavailable)
  }

  @Test func whatTheReceiverThrowsComesOut() throws {
    let server = try ScriptedServer { peer in
      peer.upgrade(followedBy: serverFrame(2, [1]) + serverFrame(2, [2]))
      peer.waitForEnd()
    }
    let connection = connection(server)
    try connection.connect()
    let fault = #expect(throws: Fault.self) {
      while true {
        _ = try connection.receive(timeoutMilliseconds: 5000) { (_, _, _) throws(Fault) in
          throw Fault(.badData, "stop")
        }
      }
    }
    #expect(fault == Fault(.badData, "stop"))
    // What came behind the message that was refused is not lost.
    var rest: [[UInt8]] = []
    _ = try connection.receive(timeoutMilliseconds: 5000) { _, payload, _ in
      rest.append(payload.withUnsafeBytes { Array($0) })
    }
    #expect(rest == [[2]])
  }
}
