import Foundation
import MarketData
import Testing

@testable import VenueSimulator

/// Every fault on a real socket: what a client sees of it, and that it ends.
@Suite struct FaultKindTests {
  private func market() throws -> SyntheticMarket { try syntheticMarket(count: 10, updatesPerSecond: 100) }

  private func fault(_ text: String, port: UInt16) throws {
    let client = try TickerClient(port: port)
    client.post("/simulator/faults", body: text)
    // The board is looked at every few milliseconds.
    Thread.sleep(forTimeInterval: 0.05)
  }

  @Test func silenceSaysNothingNotEvenAHeartbeatAndEnds() async throws {
    try await withVenue(try market(), { $0.heartbeatMilliseconds = 20 }) { [self] _, port in
      let tokens = try market().instruments.map(\.token)
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens)
      _ = try client.receivePackets(atLeast: 50)
      try fault("silence+1", port: port)
      try client.drain(milliseconds: 100)
      #expect(!client.isReadable(withinMilliseconds: 500), "silence")
      _ = try client.receivePackets(atLeast: 50)
    }
  }

  @Test func aHalfOpenConnectionStaysOpenAndDeafWhileNewOnesWork() async throws {
    try await withVenue(try market(), { $0.heartbeatMilliseconds = 20 }) { [self] _, port in
      let tokens = try market().instruments.map(\.token)
      let old = try TickerClient(tickerAt: port)
      old.subscribe(tokens)
      _ = try old.receivePackets(atLeast: 50)
      try fault("half-open", port: port)
      try old.drain(milliseconds: 100)
      old.sendFrame(opcode: 9, [1, 2, 3])
      #expect(!old.isReadable(withinMilliseconds: 300), "not even a pong")
      let new = try TickerClient(tickerAt: port)
      new.subscribe(tokens)
      _ = try new.receivePackets(atLeast: 50)
    }
  }

  @Test func aCutMidFrameEndsTheTransportInsideAFrame() async throws {
    try await withVenue(try market()) { [self] _, port in
      let tokens = try market().instruments.map(\.token)
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens)
      _ = try client.receivePackets(atLeast: 50)
      try fault("cut-mid-frame", port: port)
      var message = TickerClient.Message.binary([])
      #expect(throws: (any Error).self) { while message != .end { message = try client.receive() } }
      #expect(message != .end, "a whole frame was announced")
    }
  }

  @Test func aCutDropsEveryConnectionOnce() async throws {
    try await withVenue(try market()) { [self] _, port in
      let clients = [try TickerClient(tickerAt: port), try TickerClient(tickerAt: port)]
      try fault("cut", port: port)
      for client in clients {
        var message = try client.receive()
        while message != .end { message = try client.receive() }
      }
      let again = try TickerClient(tickerAt: port)
      again.subscribe(try market().instruments.map(\.token))
      _ = try again.receivePackets(atLeast: 20)
    }
  }

  @Test func cuttingOneDropsTheYoungestConnectionAlone() async throws {
    try await withVenue(try market()) { [self] _, port in
      let old = try TickerClient(tickerAt: port)
      old.subscribe(try market().instruments.map(\.token))
      let young = try TickerClient(tickerAt: port)
      try fault("cut-one", port: port)
      var message = try young.receive()
      while message != .end { message = try young.receive() }
      _ = try old.receivePackets(atLeast: 20)
    }
  }

  @Test func duplicatesComeTwiceAndReorderingChangesPlaces() async throws {
    try await withVenue(try market()) { [self] _, port in
      let tokens = try market().instruments.map(\.token)
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens, mode: "full")
      _ = try client.receivePackets(atLeast: 50)
      try fault("duplicates", port: port)
      try client.drain(milliseconds: 100)
      let first = try client.receivePackets()
      let second = try client.receivePackets()
      let third = try client.receivePackets()
      #expect(first == second || second == third)
      client.delete("/simulator/faults", port: port)
      try fault("reordering", port: port)
      try client.drain(milliseconds: 200)
      // Exchange seconds go back only when frames have changed places; with 100 updates a second many share one.
      var volumes: [UInt32: UInt32] = [:]
      var steps = (up: 0, down: 0)
      while steps.down == 0, steps.up < 20_000 {
        for packet in try client.receivePackets() where packet.count == 184 {
          let token = word(packet, 0)
          let volume = word(packet, 16)
          if let last = volumes[token] { if volume < last { steps.down += 1 } else { steps.up += 1 } }
          volumes[token] = volume
        }
      }
      #expect(steps.down > 0)
    }
  }

  @Test func staleSnapshotsAndClockSkewMoveTheVenuesTimes() async throws {
    try await withVenue(try market()) { [self] venue, port in
      let tokens = try market().instruments.filter { $0.segment.isTradable }.map(\.token)
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens, mode: "full")
      _ = try client.receivePackets(atLeast: 200)
      let now = try #require(venue.clock).now().seconds
      try fault("stale-snapshot:3600", port: port)
      let late = try TickerClient(tickerAt: port)
      late.subscribe([tokens[0]], mode: "full")
      let snapshot = try #require(try late.receivePackets().first { $0.count >= 44 })
      _ = snapshot
      let full = try #require(try late.receivePackets(atLeast: 2).first { $0.count == 184 })
      #expect(abs(Int64(word(full, 60)) - now) < 3700)
      client.delete("/simulator/faults", port: port)
      try fault("clock-skew:-120", port: port)
      try client.drain(milliseconds: 200)
      let packet = try #require(try client.receivePackets(atLeast: 5).last { $0.count == 184 })
      let age = try #require(venue.clock).now().seconds - Int64(word(packet, 60))
      #expect((115...130).contains(age), "\(age) s old")
    }
  }

  @Test func muteSubscriptionsAreAcceptedAndStayWithoutATick() async throws {
    try await withVenue(try market(), { $0.faults = [VenueFault(.mute(percent: 100))] }) { [self] _, port in
      let tokens = try market().instruments.map(\.token)
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens)
      #expect(!client.isReadable(withinMilliseconds: 300))
      client.delete("/simulator/faults", port: port)
      let again = try TickerClient(tickerAt: port)
      again.subscribe(tokens)
      _ = try again.receivePackets(atLeast: 20)
    }
  }

  @Test func requestsMeetStatusesSlowBodiesPagesAndDeadTokens() async throws {
    try await withVenue(try market()) { [self] _, port in
      for (code, phrase) in [(401, "Unauthorized"), (429, "Too Many Requests"), (503, "Service Unavailable")]
      {
        try fault("status:\(code)", port: port)
        #expect(try TickerClient(port: port).get("/instruments").head.hasPrefix("HTTP/1.1 \(code) \(phrase)"))
        #expect(
          try TickerClient(port: port).upgrade(query: "api_key=simkey&access_token=simtoken").hasPrefix(
            "HTTP/1.1 \(code)"))
        try TickerClient(port: port).delete("/simulator/faults", port: port)
        Thread.sleep(forTimeInterval: 0.05)
      }
      try fault("wrong-content-type", port: port)
      let page = try TickerClient(port: port).get("/instruments")
      #expect(page.head.contains("text/html") && page.body.contains("<html>"))
      try TickerClient(port: port).delete("/simulator/faults", port: port)
      try fault("slow-body:300", port: port)
      let begin = Timestamp.monotonicNanoseconds()
      let slow = try TickerClient(port: port).get("/instruments")
      #expect(slow.body.hasPrefix("instrument_token,"))
      #expect(Timestamp.monotonicNanoseconds() - begin > 250_000_000)
      try TickerClient(port: port).delete("/simulator/faults", port: port)
      try fault("token-expiry:fresh", port: port)
      #expect(
        try TickerClient(port: port).upgrade(query: "api_key=simkey&access_token=simtoken").hasPrefix(
          "HTTP/1.1 403"))
      #expect(
        try TickerClient(port: port).upgrade(query: "api_key=simkey&access_token=fresh").hasPrefix(
          "HTTP/1.1 101"))
    }
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// Plans: text, seeds, and times that are passed in.
@Suite struct FaultPlanTests {
  @Test func aFaultIsReadAsItIsWritten() throws {
    for text in [
      "cut", "cut-one@2.0", "cut-mid-frame@1.5", "cut:300", "silence@2.0+5.0",
      "status:503@10.0+2.0", "mute:50+1.0",
    ] {
      #expect(try VenueFault(text).description == text)
    }
    #expect(try VenueFault("refuse").kind == .status(403))
    #expect(try VenueFault("token-expiry:secret").description == "token-expiry:…")
  }

  @Test(arguments: [
    "", "nonsense", "cut+3", "status:200", "status", "mute:0", "silence@x", "slow-body", "half-open:1",
    "cut:-1",
  ])
  func whatIsNoFaultIsRefused(_ text: String) {
    #expect(throws: Fault.self) { try VenueFault(text) }
  }

  @Test func aPlanSaysWhichLineIsWrong() throws {
    let plan = try FaultPlan(text: "# a comment\n\ncut@1\nsilence@2+1 # another\n", name: "plan")
    #expect(plan.faults.map(\.kind) == [.cut, .silence])
    let fault = #expect(throws: Fault.self) { try FaultPlan(text: "cut\nboom\n", name: "plan") }
    #expect(fault?.message.hasPrefix("plan line 2: ") == true)
  }

  @Test func aSeedAlwaysDrawsTheSamePlan() throws {
    let plan = try FaultPlan(argument: "seed:7,count=50,every=0.5,kinds=cut|silence+0.2")
    #expect(plan == (try FaultPlan(argument: "seed:7,count=50,every=0.5,kinds=cut|silence+0.2")))
    #expect(plan != (try FaultPlan(argument: "seed:8,count=50,every=0.5,kinds=cut|silence+0.2")))
    let starts = plan.faults.compactMap(\.startSeconds)
    #expect(starts.count == 50 && starts == starts.sorted())
    #expect(Set(plan.faults.map(\.kind)) == [.cut, .silence])
    for wrong in [
      "seed:x", "seed:1,count=0", "seed:1,every=0", "seed:1,kinds=boom", "/no/such/plan",
      "seed:=", "seed:1,=", "seed:1,=2", "seed:1,count=",
    ] {
      #expect(throws: Fault.self) { try FaultPlan(argument: wrong) }
    }
  }

  @Test func aScheduleBeginsAndEndsWhatItsTimesSay() throws {
    var schedule = FaultSchedule([
      try VenueFault("silence@1+2"), try VenueFault("cut@2"), try VenueFault("garbage"),
    ])
    #expect(schedule.effects.sendsGarbage && !schedule.effects.isSilent)
    let origin = Timestamp(seconds: 1000)
    #expect(schedule.advance(to: origin + 5_000_000_000) == [], "the market has not begun")
    schedule.anchor(at: origin)
    #expect(schedule.advance(to: origin + 1_000_000_000).map(\.kind) == [.silence])
    #expect(schedule.effects.isSilent)
    #expect(schedule.advance(to: origin + 2_500_000_000).map(\.kind) == [.cut])
    #expect(schedule.advance(to: origin + 3_000_000_000) == [])
    #expect(!schedule.effects.isSilent && schedule.effects.sendsGarbage && schedule.isOver)
    schedule.clear()
    #expect(schedule.effects == FaultEffects())
  }
}
