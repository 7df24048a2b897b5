import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// The live source against an ordinary websocket server, with logins answered by a script.
@Suite struct AngelOneSourceTests {
  private static func instruments(_ tokens: [String]) throws -> [Instrument] {
    try tokens.enumerated().map { number, token in
      Instrument(
        id: InstrumentID(rawValue: UInt32(number)),
        symbol: try Symbol("NSE:S\(token.replacing("/", with: "-"))"), venueToken: token, priceTick: .zero,
        lotSize: 1)
    }
  }

  /// A session whose logins give `jwt-1`, `jwt-2`, …
  private static func session() throws -> (session: AngelOneSession, logins: Log<Int>) {
    let logins = Log<Int>()
    let credentials = try AngelOneCredentials(
      apiKey: "key-1234", clientCode: "C1234", pin: "98765", totpSecret: "GEZDGNBVGY3TQOJQ")
    let session = AngelOneSession(
      credentials: { credentials },
      baseURL: "https://venue.example", budget: RequestBudget([])
    ) { (_) throws(Fault) in
      logins.append(1)
      let number = logins.all.count
      return HTTPResponse(
        status: 200,
        body: Array(
          #"{"status":true,"message":"SUCCESS","errorcode":"","data":{"jwtToken":"jwt-\#(number)","refreshToken":"r","feedToken":"feed-\#(number)"}}"#
            .utf8))
    }
    return (session, logins)
  }

  /// Runs `body` with a source whose server first sends `messages` and then repeats what it receives.
  private func withSource(
    _ messages: [WSMessage], clock: FeedClock = .system,
    _ configure: @escaping @Sendable (inout AngelOneSource.Options) -> Void = { _ in },
    _ body: @escaping @Sendable (AngelOneSource, Log<String>) throws -> Void
  ) async throws {
    let received = Log<String>()
    try await withServer {
      await $0.appendRoute("GET /smart-stream", to: .messages(messages, received: received))
    } _: { port in
      try await onThread {
        var options = AngelOneSource.Options()
        options.url = "ws://127.0.0.1:\(port)/smart-stream"
        options.messageSpacingMilliseconds = 1
        configure(&options)
        let source = AngelOneSource(options: options, clock: clock, session: try Self.session().session)
        try body(source, received)
        source.close()
      }
    }
  }

  private static func receive(
    _ source: AngelOneSource, into ticks: inout [Tick], until isDone: ([Tick]) -> Bool
  ) throws {
    let deadline = Deadline(afterMilliseconds: 20_000)
    while !isDone(ticks) {
      _ = try source.receive(timeoutMilliseconds: 20, into: &ticks)
      if deadline.isPast { throw Fault(.unavailable, "the test server is silent") }
    }
  }

  private static func frame(_ token: String, price: Int64, sequence: Int64, mode: UInt8 = 3) -> WSMessage {
    var bytes = [UInt8](repeating: 0, count: [1: 51, 2: 123, 3: 379, 4: 443][mode] ?? 0)
    bytes[0] = mode
    bytes[1] = 1
    bytes.replaceSubrange(2..<2 + token.utf8.count, with: token.utf8)
    func put(_ value: Int64, at offset: Int) {
      for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    put(sequence, at: 27)
    put(1_700_000_000_123, at: 35)
    put(price, at: 43)
    return .data(Data(bytes))
  }

  @Test func ticksArriveStampedByTheFeedsClockAndHolesAreFlagged() async throws {
    let numbers: [Int64] = [1, 2, 3, 4, 5, 9]
    let messages = numbers.map { Self.frame("2885", price: 250_000 + $0, sequence: $0) }
    let clock = FeedClock(feedOrigin: Timestamp(seconds: 1000), wallOrigin: .wallClock(), speed: 1)
    try await withSource(messages + [Self.frame("41", price: 1, sequence: 1)], clock: clock) { source, _ in
      try source.subscribe(to: try Self.instruments(["1/2885"]))
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in source.statistics.messages >= 7 }
      #expect(ticks.map(\.lastPrice.description).last == "2500.09")
      #expect(ticks.map { $0.flags.contains(.missedBefore) } == numbers.map { $0 == 9 })
      #expect(ticks.allSatisfy { (1000...1060).contains($0.receiveTime.seconds) && $0.sequence == 0 })
      #expect(source.statistics.sequenceHoles == 1 && source.statistics.missedMessages == 3)
      #expect(source.statistics.unknownInstruments == 1 && source.statistics.ticks == 6)
    }
  }

  @Test func textsAreHeartbeatsComplaintsOrNonsense() async throws {
    try await withSource([
      .text("pong"), .text(#"{"correlationID":"tickring","errorCode":"E1002","errorMessage":"limit"}"#),
      .text("hello"), .data(Data([9])),
    ]) { source, _ in
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in source.statistics.messages >= 4 }
      #expect(source.statistics.heartbeats == 1)
      #expect(source.statistics.complaints == 1)
      #expect(source.statistics.lastComplaint == "E1002: limit")
      #expect(source.statistics.badFrames == 2)
      #expect(ticks.isEmpty)
    }
  }

  @Test func thePingIsATextAndComesByItself() async throws {
    try await withSource([]) {
      $0.pingMilliseconds = 30
    } _: { source, received in
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 3 }
      #expect(received.all.allSatisfy { $0 == "ping" })
    }
  }

  @Test func subscriptionsGoOutInBatchesByExchangeAndModeAndOnlyAsDifferences() async throws {
    try await withSource([]) { source, received in
      var wanted = try Self.instruments((1...260).map { "1/\($0)" } + ["13/9"]).map { Subscription($0) }
      wanted[6].mode = .ltp
      try source.subscribe(to: wanted)
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 3 }
      try source.subscribe(to: try Self.instruments(["1/7", "1/300"]))
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 7 }
      func message(_ action: Int, _ mode: Int, _ lists: [(exchange: Int, tokens: [Int])]) -> String {
        let texts = lists.map { list in
          let tokens = list.tokens.map { "\"\($0)\"" }.joined(separator: ",")
          return "{\"exchangeType\":\(list.exchange),\"tokens\":[\(tokens)]}"
        }
        return
          "{\"correlationID\":\"tickring\",\"action\":\(action),\"params\":{\"mode\":\(mode),\"tokenList\":["
          + texts.joined(separator: ",") + "]}}"
      }
      let all = (1...260).filter { $0 != 7 }
      #expect(
        received.all.prefix(7).elementsEqual([
          message(1, 1, [(1, [7])]), message(1, 3, [(1, Array(all[..<250]))]),
          message(1, 3, [(1, Array(all[250...])), (13, [9])]),
          message(0, 1, [(1, [7])]), message(0, 3, [(1, Array(all[..<250]))]),
          message(0, 3, [(1, Array(all[250...])), (13, [9])]),
          message(1, 3, [(1, [7, 300])]),
        ]))
    }
  }

  @Test func aChangeOfModeLeavesTheOldOneFirst() {
    let token = AngelOneToken(exchange: 1, number: 5)!
    let messages = AngelOneSubscription(modes: [token: .quote]).messages(
      since: AngelOneSubscription(modes: [token: .full]))
    #expect(messages.map { $0.contains(#""action":0,"params":{"mode":3"#) } == [true, false])
    #expect(messages.last?.contains(#""action":1,"params":{"mode":2"#) == true)
  }

  @Test func theHandshakeCarriesTheSessionAndADeadTokenLeadsToOneNewLogin() throws {
    let requests = Log<String>()
    let server = try ScriptedServer { peer in
      if requests.all.isEmpty {
        requests.append(peer.readRequest())
        peer.send("HTTP/1.1 401 Unauthorized\r\nx-error-message: Invalid jwt-1 Feed Token\r\n\r\n")
      } else {
        requests.append(peer.upgrade())
        peer.waitForEnd()
      }
    }
    var options = AngelOneSource.Options()
    options.url = "ws://127.0.0.1:\(server.port)/smart-stream"
    let (session, logins) = try Self.session()
    let source = AngelOneSource(options: options, session: session)
    try source.connect()
    source.close()
    server.finish()
    #expect(logins.all.count == 2 && requests.all.count == 2)
    for line in [
      "GET /smart-stream HTTP/1.1", "Authorization: Bearer jwt-2", "x-api-key: key-1234",
      "x-client-code: C1234",
      "x-feed-token: feed-2",
    ] { #expect(requests.all.last?.contains(line + "\r\n") == true) }
    #expect(requests.all.first?.contains("Authorization: Bearer jwt-1\r\n") == true)
  }

  @Test func tokensRefusedTwiceAreAFaultThatTellsTheVenuesReasonAndNoSecret() throws {
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 401 Unauthorized\r\nX-Error-Message: Feed Token feed-2 is bad\r\n\r\n")
    }
    var options = AngelOneSource.Options()
    options.url = "ws://127.0.0.1:\(server.port)/smart-stream"
    let (session, logins) = try Self.session()
    let fault = #expect(throws: Fault.self) {
      try AngelOneSource(options: options, session: session).connect()
    }
    server.finish()
    #expect(logins.all.count == 2)
    #expect(fault?.kind == .refused)
    #expect(fault?.message.contains("Feed Token *** is bad") == true, "\(fault?.message ?? "")")
  }

  @Test func instrumentsThatCannotBeSubscribedChangeNothing() throws {
    let source = AngelOneSource(session: try Self.session().session)
    let foreign = #expect(throws: Fault.self) { try source.subscribe(to: try Self.instruments(["738561"])) }
    #expect(foreign?.message.hasPrefix("NSE:S738561: ") == true)
    let fault = #expect(throws: Fault.self) {
      try source.subscribe(to: try Self.instruments((0...1000).map { "1/\($0)" }))
    }
    #expect(fault?.kind == .configuration)
    var ticks: [Tick] = []
    let unconnected = #expect(throws: Fault.self) {
      _ = try source.receive(timeoutMilliseconds: 0, into: &ticks)
    }
    #expect(unconnected?.kind == .unavailable)
  }
}
