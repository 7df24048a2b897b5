import Foundation
import MarketData
import Testing
import VenueSimulator

@Suite struct TickerTests {
  private static let indexToken: UInt32 = 1001 << 8 | 9

  @Test(arguments: ["api_key=simkey&access_token=wrong", "api_key=wrong&access_token=simtoken", ""])
  func wrongCredentialsAreRefusedWith403(query: String) async throws {
    try await withVenue(try syntheticMarket()) { _, port in
      let answer = try TickerClient(port: port).upgrade(query: query)
      #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden"))
      #expect(answer.contains(#""error_type":"TokenException""#))
      #expect(answer.contains(#""status":"error""#))
      #expect(answer.contains(#""data":null"#))
    }
  }

  @Test func theUpgradeAnswersTheKeyOfTheStandard() async throws {
    try await withVenue(try syntheticMarket()) { _, port in
      let answer = try TickerClient(port: port).upgrade(query: "api_key=simkey&access_token=simtoken")
      #expect(answer.hasPrefix("HTTP/1.1 101"))
      #expect(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    }
  }

  @Test func anIdleConnectionGetsHeartbeatsOfOneByte() async throws {
    try await withVenue(try syntheticMarket(), { $0.heartbeatMilliseconds = 20 }) { _, port in
      let client = try TickerClient(tickerAt: port)
      for _ in 0..<3 {
        guard case .binary(let payload) = try client.receive() else {
          Issue.record("a heartbeat is a binary message")
          return
        }
        #expect(payload.count == 1)
      }
    }
  }

  @Test(arguments: [
    "no json", #"{"a":"subscribe"}"#, #"{"a":"mode","v":["deep",[1]]}"#, #"{"a":"x","v":[]}"#,
  ])
  func aMessageThatCannotBeReadIsAnsweredWithAnErrorText(text: String) async throws {
    try await withVenue(try syntheticMarket()) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.send(text: text)
      guard case .text(let answer) = try client.receive() else {
        Issue.record("no text message")
        return
      }
      let object = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: String]
      #expect(object?["type"] == "error")
      #expect(object?["data"]?.isEmpty == false)
    }
  }

  @Test func instrumentsBeyondTheLimitAreRefusedAndRepetitionsCount() async throws {
    let market = try syntheticMarket()
    let tokens = market.instruments.map(\.token)
    try await withVenue(
      market,
      {
        $0.instrumentsPerConnectionMax = 3
        $0.leadMilliseconds = 3_600_000
      }
    ) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([tokens[0], tokens[0]])
      #expect(try client.receivePackets().count == 1)
      client.subscribe([tokens[1], tokens[2]])
      guard case .text(let answer) = try client.receive() else {
        Issue.record("no error text")
        return
      }
      #expect(answer.contains("at most 3 instruments"))
      client.send(text: #"{"a":"unsubscribe","v":[\#(tokens[0])]}"#)
      client.subscribe(Array(tokens[1...3]))
      #expect(try client.receivePackets().count == 3)
    }
  }

  @Test func anUnknownTokenIsNamedAndTheOthersAreSubscribed() async throws {
    try await withVenue(try syntheticMarket(), { $0.leadMilliseconds = 3_600_000 }) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([12_345, Self.indexToken])
      guard case .text(let answer) = try client.receive() else {
        Issue.record("no error text")
        return
      }
      #expect(answer.contains("12345"))
      #expect(try client.receivePackets().map(\.count) == [28])
    }
  }

  @Test func afterUnsubscribingNothingMoreComesOfAnInstrument() async throws {
    let market = try syntheticMarket(updatesPerSecond: 200)
    let tokens = market.instruments.map(\.token)
    try await withVenue(market) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([tokens[0], tokens[1]], mode: "ltp")
      _ = try client.receivePackets(atLeast: 50)
      client.send(text: #"{"a":"unsubscribe","v":[\#(tokens[0])]}"#)
      // The pong comes behind all that was queued before the unsubscription was carried out.
      client.sendFrame(opcode: 9, [1, 2, 3])
      while try client.receive() != .pong([1, 2, 3]) {}
      let later = try client.receivePackets(atLeast: 100)
      #expect(later.allSatisfy { wireNumber($0, 0) == Int(tokens[1]) })
    }
  }

  @Test func aMessageInFragmentsIsPutTogether() async throws {
    try await withVenue(try syntheticMarket(), { $0.leadMilliseconds = 3_600_000 }) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.sendFrame(opcode: 1, isFinal: false, Array(#"{"a":"subscri"#.utf8))
      client.sendFrame(opcode: 0, Array(#"be","v":[\#(Self.indexToken)]}"#.utf8))
      #expect(try client.receivePackets().count == 1)
    }
  }

  @Test func theClientsCloseIsAnsweredWithItsCode() async throws {
    try await withVenue(try syntheticMarket()) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.sendFrame(opcode: 8, [0x03, 0xE8])
      #expect(try client.receive() == .close(1000))
      #expect(try client.receive() == .end)
    }
  }

  @Test func framesHoldNoMorePacketsThanConfigured() async throws {
    let market = try syntheticMarket(count: 40)
    try await withVenue(
      market,
      {
        $0.packetsPerFrameMax = 16
        $0.leadMilliseconds = 3_600_000
      }
    ) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe(market.instruments.map(\.token))
      let sizes = try (0..<3).map { _ in try client.receivePackets().count }
      #expect(sizes == [16, 16, 8])
    }
  }

  @Test func nothingButSnapshotsIsSentBeforeTheOrigin() async throws {
    let market = try syntheticMarket(updatesPerSecond: 1000)
    try await withVenue(market, { $0.leadMilliseconds = 300 }) { venue, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([market.instruments[0].token])
      #expect(try client.receivePackets().count == 1)
      _ = try client.receivePackets()
      let clock = try #require(venue.clock)
      #expect(clock.feedOrigin == mondayMorning)
      #expect(Timestamp.wallClock() >= clock.wallOrigin)
    }
  }
}
