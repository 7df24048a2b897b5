import Glibc
import MarketData
import Testing

@testable import Venues

/// Several connections to one server, in front of scripts.
@Suite struct SpreadSourceTests {
  private static func subscriptions(_ tokens: some Sequence<Int>) throws -> [Subscription] {
    try tokens.map { token in
      Subscription(
        Instrument(
          id: InstrumentID(rawValue: UInt32(token)), symbol: try Symbol("NSE:S\(token)"),
          venueToken: "\(token)",
          priceTick: .zero, lotSize: 1))
    }
  }

  private static func source(
    _ server: ScriptedServer, connections: Int = 3, change: (inout SpreadSource.Options) -> Void = { _ in }
  ) -> SpreadSource {
    var options = SpreadSource.Options(instrumentsPerConnection: 2, connectionsMax: connections)
    change(&options)
    return SpreadSource(name: "kite", options: options) {
      var options = KiteSource.Options()
      options.url = "ws://127.0.0.1:\(server.port)"
      return KiteSource(options: options) { KiteCredentials(apiKey: "k", accessToken: "t") }
    }
  }

  /// Answers every subscription with one packet of each of its tokens.
  private static func answerSubscriptions(_ peer: ScriptedServer.Peer, log: Log<String>) {
    peer.upgrade()
    while let frame = peer.readFrame(), frame.opcode == 1 {
      let text = String(decoding: frame.payload, as: UTF8.self)
      log.append(text)
      guard text.contains("\"subscribe\""), let start = text.lastIndex(of: "[") else { continue }
      let tokens = text[start...].split { !$0.isNumber }.compactMap { Int($0) }
      peer.send(serverFrame(2, KiteBytes.message(tokens.map { KiteBytes.ltp($0, price: 1) })))
    }
  }

  private static func receive(_ source: SpreadSource, ticks count: Int) throws -> Set<UInt32> {
    var ticks: [Tick] = []
    while ticks.count < count {
      guard try source.receive(timeoutMilliseconds: 5000, into: &ticks) == .alive else {
        throw Fault(.unavailable, "the test server is silent")
      }
    }
    return Set(ticks.map(\.instrument.rawValue))
  }

  /// Receives until connections are lost.
  private static func receiveUntilLost(_ source: SpreadSource) throws -> [LostPart] {
    var ticks: [Tick] = []
    for _ in 0..<1000 {
      _ = try source.receive(timeoutMilliseconds: 5000, into: &ticks)
      let lost = source.takeLostParts()
      if !lost.isEmpty { return lost }
    }
    throw Fault(.unavailable, "no connection was lost")
  }

  @Test func ticksOfAllConnectionsArriveAndCountTogether() throws {
    let log = Log<String>()
    let server = try ScriptedServer { Self.answerSubscriptions($0, log: log) }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...5))
    for _ in 0..<2 {
      try source.connect()
      #expect(source.connectionCount == 3)
      #expect(try Self.receive(source, ticks: 5) == [1, 2, 3, 4, 5])
    }
    source.close()
    server.finish()
    #expect(source.connectionCount == 0)
    #expect(source.statistics.ticks == 10)
    #expect(source.statistics.messages == 6)
    #expect(log.all.filter { $0.contains("\"subscribe\"") }.count == 6)
  }

  @Test func aConnectionIsOpenedWhenTheInstrumentsNeedIt() throws {
    let log = Log<String>()
    let server = try ScriptedServer { Self.answerSubscriptions($0, log: log) }
    let source = Self.source(server)
    try source.connect()
    #expect(source.connectionCount == 1)
    try source.subscribe(to: try Self.subscriptions(1...2))
    #expect(try Self.receive(source, ticks: 2) == [1, 2])
    #expect(source.connectionCount == 1)
    try source.subscribe(to: try Self.subscriptions(1...4))
    #expect(try Self.receive(source, ticks: 2) == [3, 4])
    #expect(source.connectionCount == 2)
    let fault = #expect(throws: Fault.self) { try source.subscribe(to: try Self.subscriptions(1...7)) }
    #expect(fault?.message == "NSE:S7 cannot be had: 3 connections carry 2 instruments each")
    // What was carried before still is: a difference goes out, and nothing but that.
    try source.subscribe(to: try Self.subscriptions(2...4))
    try source.subscribe(to: try Self.subscriptions(1...4))
    #expect(try Self.receive(source, ticks: 1) == [1])
    source.close()
    server.finish()
  }

  @Test func aLostConnectionIsNamedAndRestoredAlone() throws {
    let connections = Log<Bool>()
    let log = Log<String>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      // Counted before the answer, with which the client goes on to the next.
      if connections.all.count == 2 {
        peer.upgrade()
        peer.send(serverFrame(8, [0x03, 0xF4]))
        peer.waitForEnd()
      } else {
        Self.answerSubscriptions(peer, log: log)
      }
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    try source.connect()
    let lost = try #require(try Self.receiveUntilLost(source).first)
    #expect(lost.part == 1 && lost.instruments.map(\.rawValue) == [2, 5] && !lost.isStalled)
    #expect(lost.fault.kind == .unavailable)
    #expect(lost.fault.message.hasPrefix("connection 2 of 3: "), "\(lost.fault.message)")
    #expect(lost.fault.message.contains("code 1012"))
    #expect(source.connectionCount == 2 && source.lostInstruments.map(\.rawValue) == [2, 5])
    #expect(source.takeLostParts().isEmpty, "a loss is told once")

    // What is asked for meanwhile does not open it: its owner says when.
    try source.subscribe(to: try Self.subscriptions([1, 2, 3, 4, 6]))
    #expect(source.connectionCount == 2)
    #expect(try source.restore(part: 1).map(\.rawValue) == [2])
    #expect(source.connectionCount == 3 && source.lostInstruments.isEmpty)
    while source.statistics.ticks < 5 { _ = try Self.receive(source, ticks: 1) }
    #expect(connections.all.count == 4, "the others were left as they are")
    source.close()
    server.finish()
  }

  @Test func theLastLostConnectionIsTheLossOfTheSource() throws {
    let isOver = Log<Bool>()
    let server = try ScriptedServer { peer in
      peer.upgrade()
      while isOver.all.isEmpty { usleep(5000) }
    }
    let source = Self.source(server, connections: 2)
    try source.subscribe(to: try Self.subscriptions(1...4))
    try source.connect()
    isOver.append(true)
    let fault = #expect(throws: Fault.self) {
      var ticks: [Tick] = []
      for _ in 0..<1000 { _ = try source.receive(timeoutMilliseconds: 5000, into: &ticks) }
    }
    #expect(fault?.kind == .unavailable)
    source.close()
    server.finish()
  }

  @Test func aConnectionThatIsSilentBesideOthersIsDead() throws {
    let connections = Log<Bool>()
    let isOver = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      let isSilent = connections.all.count == 3
      peer.upgrade()
      while !isSilent, isOver.all.isEmpty {
        peer.send(serverFrame(2, [0]))
        usleep(20_000)
      }
      peer.waitForEnd()
    }
    let source = Self.source(server) { $0.silenceMillisecondsMax = 200 }
    try source.subscribe(to: try Self.subscriptions(1...6))
    try source.connect()
    let lost = try #require(try Self.receiveUntilLost(source).first)
    isOver.append(true)
    source.close()
    server.finish()
    #expect(lost.part == 2 && lost.isStalled)
    #expect(Timestamp.monotonicNanoseconds() - lost.lastAlive >= 200_000_000)
    #expect(
      lost.fault.message.hasPrefix("connection 3 of 3: brought nothing, not even a heartbeat, for 2"),
      "\(lost.fault.message)")
  }

  @Test func whatCannotConnectLeavesNothingOpen() throws {
    let connections = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      if connections.all.count == 2 {
        _ = peer.readRequest()
        peer.send("HTTP/1.1 429 Too Many Requests\r\n\r\n")
      } else {
        peer.upgrade()
        peer.waitForEnd()
      }
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    let fault = #expect(throws: Fault.self) { try source.connect() }
    server.finish()
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.hasPrefix("connection 2 of 3: ") == true)
    #expect(source.connectionCount == 0)
    var ticks: [Tick] = []
    #expect(throws: Fault.self) { _ = try source.receive(timeoutMilliseconds: 0, into: &ticks) }
  }
}
