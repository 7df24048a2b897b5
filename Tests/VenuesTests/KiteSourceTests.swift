import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// The live source against an ordinary websocket server.
@Suite struct KiteSourceTests {
  private static func instruments(_ tokens: some Sequence<Int>) throws -> [Instrument] {
    try tokens.enumerated().map { number, token in
      Instrument(
        id: InstrumentID(rawValue: UInt32(number)), symbol: try Symbol("NSE:S\(token)"),
        venueToken: "\(token)",
        priceTick: .zero, lotSize: 1)
    }
  }

  /// Runs `body` with a source whose server first sends `messages`; returns what the server received.
  private func withSource(
    _ messages: [WSMessage], clock: FeedClock = .system,
    _ body: @escaping @Sendable (KiteSource, Log<String>) throws -> Void
  ) async throws {
    let received = Log<String>()
    try await withServer {
      await $0.appendRoute("GET /", to: .messages(messages, received: received))
    } _: { port in
      try await onThread {
        var options = KiteSource.Options()
        options.url = "ws://127.0.0.1:\(port)"
        let source = KiteSource(options: options, clock: clock) {
          KiteCredentials(apiKey: "k/1", accessToken: "t")
        }
        try body(source, received)
        source.close()
      }
    }
  }

  /// Receives until `isDone`; the server repeats every text, so there is always something to come.
  private static func receive(
    _ source: KiteSource, into ticks: inout [Tick], until isDone: ([Tick]) -> Bool
  ) throws {
    while !isDone(ticks) {
      guard try source.receive(timeoutMilliseconds: 5000, into: &ticks) == .alive else {
        throw Fault(.unavailable, "the test server is silent")
      }
    }
  }

  @Test func ticksArriveStampedByTheFeedsClock() async throws {
    let message = KiteBytes.message([
      KiteBytes.full(769, price: 12_345, volume: 10, time: 1_700_000_000), KiteBytes.ltp(513, price: 1),
      KiteBytes.ltp(999, price: 1),
    ])
    let clock = FeedClock(feedOrigin: Timestamp(seconds: 1000), wallOrigin: .wallClock(), speed: 1)
    try await withSource([.data(Data([0])), .data(Data(message)), .data(Data([1, 2, 3]))], clock: clock) {
      source, _ in
      try source.subscribe(to: try Self.instruments([769, 513]))
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in source.statistics.messages >= 3 }
      #expect(ticks.map(\.kind) == [.daySummary, .trade, .trade])
      ticks.removeFirst()
      #expect(ticks.map(\.instrument.rawValue) == [0, 1])
      #expect(ticks.map(\.lastPrice.description) == ["123.45", "0.01"])
      #expect(ticks.allSatisfy { (1000...1060).contains($0.receiveTime.seconds) && $0.sequence == 0 })
      #expect(source.statistics.heartbeats == 1)
      #expect(source.statistics.ticks == 2)
      #expect(source.statistics.unknownInstruments == 1)
      #expect(source.statistics.badFrames == 1)
      #expect(source.statistics.bytes >= UInt64(message.count + 4))
    }
  }

  @Test func subscriptionsGoOutInBatchesAndOnlyAsDifferences() async throws {
    try await withSource([]) { source, received in
      try source.subscribe(to: try Self.instruments(0..<1100))
      try source.connect()
      try source.subscribe(to: try Self.instruments(1..<1102))
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 9 }
      func list(_ tokens: some Sequence<Int>) -> String { tokens.map(String.init).joined(separator: ",") }
      let batches = [list(0..<500), list(500..<1000), list(1000..<1100)]
      #expect(
        received.all == batches.map { "{\"a\":\"subscribe\",\"v\":[\($0)]}" }
          + batches.map { "{\"a\":\"mode\",\"v\":[\"full\",[\($0)]]}" } + [
            "{\"a\":\"unsubscribe\",\"v\":[0]}", "{\"a\":\"subscribe\",\"v\":[1100,1101]}",
            "{\"a\":\"mode\",\"v\":[\"full\",[1100,1101]]}",
          ])
    }
  }

  @Test func eachInstrumentIsAskedForInItsModeAndAChangeOfModeIsSentAlone() async throws {
    try await withSource([]) { source, received in
      let instruments = try Self.instruments([10, 20, 30])
      func wanted(_ modes: [FeedMode]) -> [Subscription] {
        zip(instruments, modes).map { Subscription($0, mode: $1) }
      }
      try source.subscribe(to: wanted([.ltp, .quote, .full]))
      try source.connect()
      try source.subscribe(to: wanted([.ltp, .full, .full]))
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 5 }
      #expect(
        received.all == [
          "{\"a\":\"subscribe\",\"v\":[10,20,30]}", "{\"a\":\"mode\",\"v\":[\"ltp\",[10]]}",
          "{\"a\":\"mode\",\"v\":[\"quote\",[20]]}", "{\"a\":\"mode\",\"v\":[\"full\",[30]]}",
          "{\"a\":\"mode\",\"v\":[\"full\",[20]]}",
        ])
    }
  }

  @Test func connectingAgainSubscribesToEverythingAgain() async throws {
    try await withSource([]) { source, received in
      try source.connect()
      try source.subscribe(to: try Self.instruments([5, 6]))
      source.close()
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in received.all.count >= 4 }
      #expect(received.all.suffix(2).first == "{\"a\":\"subscribe\",\"v\":[5,6]}")
    }
  }

  @Test func theVenuesErrorMessageIsKept() async throws {
    try await withSource([
      .text("{\"type\":\"order\",\"data\":{\"x\":[1]}}"),
      .text("{\"type\":\"error\",\"data\":\"Invalid \\u20b9 token\"}"),
      .text("{\"type\":\"message\",\"data\":\"hello\"}"), .text("no json"),
    ]) { source, _ in
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { _ in source.statistics.messages >= 4 }
      #expect(source.statistics.lastComplaint == "Invalid ₹ token")
      #expect(source.statistics.complaints == 1)
      #expect(source.statistics.badFrames == 1)
      #expect(ticks.isEmpty)
    }
  }

  @Test func refusedCredentialsAreAFaultOfTheirOwnAndNeverShown() throws {
    let requests = Log<String>()
    let server = try ScriptedServer { peer in
      requests.append(peer.readRequest())
      peer.send("HTTP/1.1 403 Forbidden\r\n\r\n")
    }
    var options = KiteSource.Options()
    options.url = "ws://127.0.0.1:\(server.port)"
    let source = KiteSource(options: options) { KiteCredentials(apiKey: "key 1", accessToken: "s3cr3t&") }
    let fault = #expect(throws: Fault.self) { try source.connect() }
    server.finish()
    #expect(fault?.kind == .refused)
    #expect(fault?.message.contains("s3cr3t") == false)
    #expect(
      requests.all.first?.hasPrefix("GET /?api_key=key%201&access_token=s3cr3t%26 HTTP/1.1\r\n") == true)
    #expect(requests.all.first?.contains("X-Kite-Version: 3\r\n") == true)
  }

  @Test func instrumentsThatCannotBeSubscribedChangeNothing() throws {
    let source = KiteSource { KiteCredentials(apiKey: "", accessToken: "") }
    var instruments = try Self.instruments([1])
    instruments[0].venueToken = "INFY"
    #expect(throws: Fault.self) { try source.subscribe(to: instruments) }
    let fault = #expect(throws: Fault.self) { try source.subscribe(to: try Self.instruments(0...3000)) }
    #expect(fault?.kind == .configuration)
    var ticks: [Tick] = []
    let unconnected = #expect(throws: Fault.self) {
      _ = try source.receive(timeoutMilliseconds: 0, into: &ticks)
    }
    #expect(unconnected?.kind == .unavailable)
  }
}
