import MarketData
import Testing
import VenueSimulator

@Suite struct VenueFaultTests {
  @Test func refuseAnswersEverythingOfTheBrokerWith403() async throws {
    try await withVenue(try syntheticMarket(), { $0.faults = [VenueFault(.status(403))] }) { _, port in
      let answer = try TickerClient(port: port).upgrade(query: "api_key=simkey&access_token=simtoken")
      #expect(answer.hasPrefix("HTTP/1.1 403"))
      #expect(try TickerClient(port: port).get("/instruments").head.hasPrefix("HTTP/1.1 403"))
      #expect(try TickerClient(port: port).get("/simulator/report").head.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func closeAtOnceDropsTheConnectionAfterTheUpgrade() async throws {
    try await withVenue(try syntheticMarket(), { $0.faults = [VenueFault(.closeAtOnce)] }) { _, port in
      let message = try TickerClient(tickerAt: port).receive()
      #expect(message == .end)
    }
  }

  @Test func aCutComesAfterExactlySoManyTicksOnEachConnection() async throws {
    let market = try syntheticMarket(count: 20, updatesPerSecond: 100)
    let tokens = market.instruments.map(\.token)
    try await withVenue(market, { $0.faults = [VenueFault(.cutAfterTicks(57))] }) { _, port in
      for _ in 0..<2 {
        let client = try TickerClient(tickerAt: port)
        client.subscribe(tokens)
        var ticks = 0
        while case .binary(let payload) = try client.receive() {
          ticks += try TickerClient.packets(payload).count
        }
        #expect(ticks == 57)
      }
    }
  }

  @Test func garbageComesBetweenGoodFramesAndTheReportCountsOnlyGoodTicks() async throws {
    let market = try syntheticMarket(count: 20, updatesPerSecond: 50)
    let tokens = market.instruments.map(\.token)
    let venue = try makeVenue(market) {
      $0.faults = [VenueFault(.garbage)]
      $0.faultSeed = 3
    }
    let port = try await venue.start()
    async let received = onThread {
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens)
      var counts = (good: 0, bad: 0)
      while case .binary(let payload) = try client.receive() {
        if let packets = try? TickerClient.packets(payload) {
          counts.good += packets.count
        } else {
          counts.bad += 1
        }
      }
      client.sendFrame(opcode: 8, [3, 0xE9])
      return [counts.good, counts.bad]
    }
    while venue.report.ticks < 100 { try await Task.sleep(for: .milliseconds(5)) }
    await venue.stop()
    let counts = try await received
    #expect(counts[0] == venue.report.ticks)
    #expect(counts[1] > 1)
  }
}
