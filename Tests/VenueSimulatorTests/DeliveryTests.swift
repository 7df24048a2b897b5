import Foundation
import MarketData
import Testing
import VenueSimulator

/// What the report counts is what clients receive.
@Suite struct DeliveryTests {
  /// Everything a client received until the connection ended.
  private struct Received: Sendable {
    var ticksByToken: [Int: Int] = [:]
    var ticks = 0
    var closeCode: UInt16?

    mutating func take(_ packets: [[UInt8]]) {
      ticks += packets.count
      for packet in packets { ticksByToken[wireNumber(packet, 0), default: 0] += 1 }
    }
  }

  /// Subscribes and reads to the end; slowly, if asked to, so that the venue has to wait.
  private func readToTheEnd(
    port: UInt16, tokens: [UInt32], pauseMicroseconds: UInt32 = 0, onStart: @Sendable () -> Void = {}
  ) throws -> Received {
    let client = try TickerClient(tickerAt: port)
    client.subscribe(tokens, mode: "full")
    var received = Received()
    while true {
      switch try client.receive() {
      case .binary(let payload):
        if payload.count > 1 { received.take(try TickerClient.packets(payload)) }
        onStart()
        if pauseMicroseconds > 0 { usleep(pauseMicroseconds) }
      case .close(let code):
        received.closeCode = code
        client.sendFrame(opcode: 8, [UInt8(code >> 8), UInt8(code & 0xFF)])
      case .end: return received
      case let other: throw TickerClient.Failure(what: "unexpected \(other)")
      }
    }
  }

  @Test(arguments: [(false, UInt32(0)), (false, 3000), (true, 0), (true, 3000)])
  func aClientThatReadsToTheCloseFrameHasGotExactlyWhatTheReportCounts(
    isUnpaced: Bool, pauseMicroseconds: UInt32
  ) async throws {
    let market = try syntheticMarket(count: 200, updatesPerSecond: 100)
    let tokens = market.instruments.map(\.token)
    let venue = try makeVenue(market) { $0.isUnpaced = isUnpaced }
    let port = try await venue.start()
    async let first = onThread {
      try readToTheEnd(port: port, tokens: tokens, pauseMicroseconds: pauseMicroseconds)
    }
    async let second = onThread { try readToTheEnd(port: port, tokens: Array(tokens.prefix(50))) }
    while venue.report.ticks < 4000 { try await Task.sleep(for: .milliseconds(5)) }
    await venue.stop()
    let (one, other) = try await (first, second)
    let report = venue.report
    #expect(one.closeCode == 1001)
    #expect(other.closeCode == 1001)
    #expect(report.ticks == one.ticks + other.ticks)
    #expect(report.ticksByToken == one.ticksByToken.merging(other.ticksByToken, uniquingKeysWith: +))
    #expect(report.connections == 2)
    #expect(report.snapshotTicks == 500)
    #expect(report.ticksDropped == 0)
  }

  @Test func aClientThatDoesNotReadLosesUpdatesAndTheReportCountsThem() async throws {
    let market = try syntheticMarket(count: 200, updatesPerSecond: 1000)
    let tokens = market.instruments.map(\.token)
    let venue = try makeVenue(market) {
      $0.queuedBytesMax = 100_000
      $0.drainTimeoutMilliseconds = 50
    }
    let port = try await venue.start()
    let client = try await onThread { SendableBox(try TickerClient(tickerAt: port)) }
    client.value.subscribe(tokens, mode: "full")
    while venue.report.ticksDropped == 0 { try await Task.sleep(for: .milliseconds(5)) }
    await venue.stop()
    #expect(venue.report.ticksDropped > 0)
  }

  @Test func clientsThatVanishWhileBeingWrittenToLeaveTheVenueServing() async throws {
    let market = try syntheticMarket(count: 200)
    let tokens = market.instruments.map(\.token)
    try await withVenue(market, { $0.isUnpaced = true }) { _, port in
      for _ in 0..<60 {
        let client = try TickerClient(tickerAt: port)
        client.subscribe(tokens, mode: "full")
        _ = try client.receivePackets(atLeast: 1000)
        client.resetOnClose()
      }
    }
  }

  @Test func theReportIsServedAsJSON() async throws {
    let market = try syntheticMarket()
    let token = market.instruments[0].token
    try await withVenue(market, { $0.leadMilliseconds = 3_600_000 }) { venue, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([token])
      _ = try client.receivePackets()
      // The frame counts as sent when the next one is asked for, which a ping brings about.
      client.sendFrame(opcode: 9, [])
      #expect(try client.receive() == .pong([]))
      let answer = try TickerClient(port: port).get("/simulator/report")
      let report = try JSONDecoder().decode(SimulationReport.self, from: Data(answer.body.utf8))
      #expect(report == venue.report)
      #expect(report.ticksByToken == [Int(token): 1])
      #expect(report.snapshotTicks == 1)
    }
  }

  @Test func theClockIsFixedByTheFirstWhoAsks() async throws {
    try await withVenue(
      try syntheticMarket(),
      {
        $0.speed = 20
        $0.leadMilliseconds = 5000
      }
    ) { venue, port in
      #expect(venue.clock == nil)
      let client = try TickerClient(port: port)
      let first = try client.get("/simulator/clock").body
      #expect(try client.get("/simulator/clock").body == first)
      let object = try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any]
      #expect(object?["feed_origin_ns"] as? Int64 == mondayMorning.nanoseconds)
      #expect(object?["wall_origin_ns"] as? Int64 == venue.clock?.wallOrigin.nanoseconds)
      #expect(object?["speed"] as? Double == 20)
    }
  }

  @Test func theLimitOnTicksIsKeptAndFinishesTheVenue() async throws {
    let market = try syntheticMarket(count: 10)
    let tokens = market.instruments.map(\.token)
    let venue = try makeVenue(market) {
      $0.isUnpaced = true
      $0.ticksMax = 1234
    }
    let port = try await venue.start()
    async let received = onThread { try readToTheEnd(port: port, tokens: tokens) }
    await venue.waitUntilFinished()
    await venue.stop()
    let total = try await received.ticks
    #expect(total == 1234 + venue.report.snapshotTicks)
  }

  @Test func aPortInUseIsAClearFault() async throws {
    let first = try makeVenue(try syntheticMarket())
    let port = try await first.start()
    let second = try makeVenue(try syntheticMarket()) { $0.port = port }
    let fault = await #expect(throws: Fault.self) { try await second.start() }
    #expect(fault?.kind == .cannotCreate)
    #expect(fault?.message.contains("\(port)") == true)
    #expect(fault?.message.contains("in use") == true)
    await first.stop()
  }

  @Test func settingsOutOfBoundsAreRefused() throws {
    let fault = #expect(throws: Fault.self) {
      try makeVenue(try syntheticMarket()) { $0.packetsPerFrameMax = 0 }
    }
    #expect(fault?.kind == .usage)
  }
}

/// Carries a client from the thread that made it to a test; only one of them uses it at a time.
struct SendableBox<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}
