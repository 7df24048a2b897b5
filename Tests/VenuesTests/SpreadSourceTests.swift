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
    for _ in 0..<5000 where ticks.count < count {
      _ = try source.receive(timeoutMilliseconds: 2, into: &ticks)
    }
    return Set(ticks.map(\.instrument.rawValue))
  }

  /// Receives until something becomes of a connection, which is told in a word.
  private static func receiveUntilChange(_ source: SpreadSource) throws -> (word: String, lost: LostPart?) {
    var ticks: [Tick] = []
    for _ in 0..<5000 {
      guard let change = source.takePartChanges().first else {
        _ = try source.receive(timeoutMilliseconds: 2, into: &ticks)
        continue
      }
      switch change {
      case .lost(let lost): return ("lost \(lost.part) \(lost.manner)", lost)
      case .opened(let part, let instruments): return ("opened \(part) \(instruments.map(\.rawValue))", nil)
      case .failed(let part, let fault): return ("failed \(part) \(fault.kind)", nil)
      }
    }
    throw Fault(.unavailable, "nothing became of any connection")
  }

  /// Once `gate` has an entry, answers a subscription with prices of its first instrument that count up, two a message.
  private static func count(to last: Int, _ peer: ScriptedServer.Peer, when gate: Log<Bool>) {
    peer.upgrade()
    guard let text = peer.readFrame().map({ String(decoding: $0.payload, as: UTF8.self) }),
      let start = text.lastIndex(of: "["),
      let token = text[start...].split(whereSeparator: { !$0.isNumber }).compactMap({ Int($0) }).first
    else { return }
    while gate.all.isEmpty { usleep(1000) }
    for price in stride(from: 1, through: last, by: 2) {
      let packets = [price, price + 1].map { KiteBytes.ltp(token, price: $0) }
      peer.send(serverFrame(2, KiteBytes.message(packets)))
    }
    peer.waitForEnd()
  }

  /// Takes a connection and its request, and answers only once `gate` has an entry.
  private static func hang(
    _ peer: ScriptedServer.Peer, hasBegun: Log<Bool>, until gate: Log<Bool>, then next: () -> Void = {}
  ) {
    let request = peer.readRequest()
    hasBegun.append(true)
    while gate.all.isEmpty { usleep(1000) }
    peer.answer(request)
    next()
    peer.waitForEnd()
  }

  /// Receives the prices that ``count(to:_:when:)`` sends, each once and in order, while nothing becomes of any
  /// connection.
  private static func receiveCounted(_ source: SpreadSource, to last: Int, of instruments: Set<UInt32>) throws
  {
    var prices: [UInt32: [Int64]] = [:]
    for _ in 0..<5000 where prices.values.reduce(0, { $0 + $1.count }) < last * instruments.count {
      var ticks: [Tick] = []
      _ = try source.receive(timeoutMilliseconds: 2, into: &ticks)
      for tick in ticks { prices[tick.instrument.rawValue, default: []].append(tick.lastPrice.units) }
      #expect(source.takePartChanges().isEmpty, "the third connection is still being opened")
    }
    #expect(Set(prices.keys) == instruments)
    for (instrument, found) in prices {
      let isComplete = found == (1...Int64(last)).map { $0 * (found.first ?? 0) }
      #expect(isComplete, "instrument \(instrument): \(found.count) ticks")
    }
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
    let lost = try #require(try Self.receiveUntilChange(source).lost)
    #expect(lost.part == 1 && lost.instruments.map(\.rawValue) == [2, 5] && lost.manner == .broken)
    #expect(lost.fault.kind == .unavailable)
    #expect(lost.fault.message.hasPrefix("connection 2 of 3: "), "\(lost.fault.message)")
    #expect(lost.fault.message.contains("code 1012"))
    #expect(source.connectionCount == 2 && source.lostInstruments.map(\.rawValue) == [2, 5])
    #expect(source.takePartChanges().isEmpty, "a loss is told once")

    // What is asked for meanwhile does not open it: its owner says when.
    try source.subscribe(to: try Self.subscriptions([1, 2, 3, 4, 6]))
    #expect(source.connectionCount == 2)
    source.restore(part: 1)
    #expect(try Self.receiveUntilChange(source).word == "opened 1 [2]")
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
    let lost = try #require(try Self.receiveUntilChange(source).lost)
    isOver.append(true)
    source.close()
    server.finish()
    #expect(lost.part == 2 && lost.manner == .stalled)
    #expect(Timestamp.monotonicNanoseconds() - lost.lastAlive >= 200_000_000)
    #expect(
      lost.fault.message.hasPrefix("connection 3 of 3: brought nothing, not even a heartbeat, for 2"),
      "\(lost.fault.message)")
  }

  @Test func whatCannotConnectLeavesNothingOpen() throws {
    let connections = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      // Refused credentials concern all: what the second meets the others will.
      if connections.all.count == 2 {
        _ = peer.readRequest()
        peer.send("HTTP/1.1 403 Forbidden\r\n\r\n")
      } else {
        peer.upgrade()
        peer.waitForEnd()
      }
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    let fault = #expect(throws: Fault.self) { try source.connect() }
    server.finish()
    #expect(fault?.kind == .refused)
    #expect(fault?.message.hasPrefix("connection 2 of 3: ") == true)
    #expect(source.connectionCount == 0)
    var ticks: [Tick] = []
    #expect(throws: Fault.self) { _ = try source.receive(timeoutMilliseconds: 0, into: &ticks) }
  }

  @Test func withoutAnyConnectionTheFirstReasonIsTheSources() throws {
    let connections = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      _ = peer.readRequest()
      peer.send("HTTP/1.1 50\(connections.all.count) Down\r\n\r\n")
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    let fault = #expect(throws: Fault.self) { try source.connect() }
    server.finish()
    #expect(fault?.kind == .unavailable)
    #expect(fault?.message.contains("connection 1 of 3: ") == true && fault?.message.contains("501") == true)
    #expect(connections.all.count == 3 && source.connectionCount == 0)
  }

  @Test func aConnectionThatIsRefusedAtFirstIsRestoredAlone() throws {
    let connections = Log<Bool>()
    let log = Log<String>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      if [2, 4].contains(connections.all.count) {
        _ = peer.readRequest()
        peer.send("HTTP/1.1 429 Too Many Requests\r\n\r\n")
      } else {
        Self.answerSubscriptions(peer, log: log)
      }
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    try source.connect()
    #expect(source.connectionCount == 2 && source.lostInstruments.map(\.rawValue) == [2, 5])
    #expect(try Self.receive(source, ticks: 4) == [1, 3, 4, 6])
    let lost = try #require(try Self.receiveUntilChange(source).lost)
    #expect(lost.part == 1 && lost.manner == .unopened && lost.instruments.map(\.rawValue) == [2, 5])
    #expect(lost.fault.message.hasPrefix("connection 2 of 3: ") && lost.fault.message.contains("429"))
    source.restore(part: 1)
    #expect(try Self.receiveUntilChange(source).word == "failed 1 unavailable")
    source.restore(part: 1)
    #expect(try Self.receiveUntilChange(source).word == "opened 1 [2, 5]")
    while source.statistics.ticks < 6 { _ = try Self.receive(source, ticks: 1) }
    #expect(source.connectionCount == 3 && connections.all.count == 5)
    source.close()
    server.finish()
  }

  @Test func whileOneConnectionIsRestoredTheOthersDeliver() throws {
    let connections = Log<Bool>()
    let hasBegun = Log<Bool>()
    let isOver = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      switch connections.all.count {
      case 2:
        peer.upgrade(followedBy: serverFrame(8, [0x03, 0xF4]))
        peer.waitForEnd()
      case 4: Self.hang(peer, hasBegun: hasBegun, until: isOver)
      default: Self.count(to: 2000, peer, when: hasBegun)
      }
    }
    let source = Self.source(server)
    try source.subscribe(to: try Self.subscriptions(1...6))
    try source.connect()
    #expect(try Self.receiveUntilChange(source).word == "lost 1 broken")
    source.restore(part: 1)
    source.restore(part: 1)
    try Self.receiveCounted(source, to: 2000, of: [1, 3])
    isOver.append(true)
    #expect(try Self.receiveUntilChange(source).word == "opened 1 [2, 5]")
    #expect(connections.all.count == 4, "one attempt at a time")
    source.close()
    server.finish()
  }

  @Test func aConnectionThatHangsAtFirstKeepsNobodyWaiting() throws {
    let connections = Log<Bool>()
    let hasBegun = Log<Bool>()
    let isOver = Log<Bool>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      if connections.all.count == 1 {
        Self.hang(peer, hasBegun: hasBegun, until: isOver)
      } else {
        Self.count(to: 2000, peer, when: hasBegun)
      }
    }
    let source = Self.source(server) { $0.patienceMilliseconds = 200 }
    try source.subscribe(to: try Self.subscriptions(1...6))
    try source.connect()
    let lost = try #require(try Self.receiveUntilChange(source).lost)
    #expect(lost.part == 0 && lost.manner == .unopened)
    #expect(lost.fault.message == "connection 1 of 3: is not open after 200 ms")
    try Self.receiveCounted(source, to: 2000, of: [2, 3])
    isOver.append(true)
    #expect(try Self.receiveUntilChange(source).word == "opened 0 [1, 4]")
    #expect(source.connectionCount == 3 && source.lostInstruments.isEmpty)
    source.close()
    server.finish()
  }

  @Test func anAttemptThatNobodyWaitsForAnyMoreClosesWhatItOpens() throws {
    let connections = Log<Bool>()
    let hasBegun = Log<Bool>()
    let isOver = Log<Bool>()
    let ends = Log<UInt8?>()
    let server = try ScriptedServer { peer in
      connections.append(true)
      guard connections.all.count == 1 else { return Self.count(to: 2, peer, when: hasBegun) }
      Self.hang(peer, hasBegun: hasBegun, until: isOver) { ends.append(peer.readFrame()?.opcode) }
    }
    let source = Self.source(server, connections: 2) { $0.patienceMilliseconds = 200 }
    try source.subscribe(to: try Self.subscriptions(1...4))
    try source.connect()
    source.close()
    isOver.append(true)
    server.finish()
    #expect(ends.all == [8], "a close frame, and nothing before it")
  }
}
