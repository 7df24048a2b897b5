import MarketData
import Testing
import VenueSimulator

@Suite struct SyntheticMarketTests {
  /// The tokens and prices of the first updates, taken in steps of `stepMilliseconds`.
  private func updates(_ market: SyntheticMarket, count: Int, stepMilliseconds: Int64) -> [[Int]] {
    var market = market
    var updates: [[Int]] = []
    var time = market.start
    while updates.count < count {
      time = time + stepMilliseconds * 1_000_000
      while updates.count < count, let index = market.nextUpdate(until: time) {
        let quote = market.quote(of: index)
        updates.append([index, Int(quote.lastPrice), Int(quote.volume), Int(quote.exchangeSeconds)])
      }
    }
    return updates
  }

  @Test func theSameSeedGivesTheSameUpdatesHoweverTimeIsCut() throws {
    let market = try syntheticMarket(seed: 11)
    let inSmallSteps = updates(market, count: 2000, stepMilliseconds: 3)
    #expect(inSmallSteps == updates(try syntheticMarket(seed: 11), count: 2000, stepMilliseconds: 900))
    #expect(inSmallSteps != updates(try syntheticMarket(seed: 12), count: 2000, stepMilliseconds: 3))
  }

  @Test func everyDivisorAndAnIndexOccurAndTokensAreUnique() throws {
    let instruments = try syntheticMarket(count: 200).instruments
    #expect(Set(instruments.map(\.token)).count == 200)
    #expect(Set(instruments.map(\.segment.priceDivisor)) == [100, 10_000, 10_000_000])
    #expect(instruments.contains { !$0.segment.isTradable })
    #expect(instruments.allSatisfy { $0.openingPrice % $0.priceTick == 0 && $0.openingPrice > 0 })
    for instrument in instruments { #expect(throws: Never.self) { try Symbol(instrument.symbolText) } }
  }

  @Test func quotesStayConsistentWhileTrading() throws {
    var market = try syntheticMarket(count: 40)
    let end = market.start + 300 * Timestamp.nanosecondsPerSecond
    var volumes = Array(repeating: UInt32(0), count: 40)
    var updateCount = 0
    while let index = market.nextUpdate(until: end) {
      updateCount += 1
      let quote = market.quote(of: index)
      let instrument = market.instruments[index]
      #expect(quote.low <= quote.lastPrice && quote.lastPrice <= quote.high)
      #expect(quote.low <= quote.open && quote.open <= quote.high)
      #expect(quote.low <= quote.averagePrice && quote.averagePrice <= quote.high)
      #expect(quote.lastTradeSeconds <= quote.exchangeSeconds)
      #expect(quote.exchangeSeconds <= UInt32(end.seconds))
      #expect(quote.volume >= volumes[index])
      volumes[index] = quote.volume
      guard instrument.segment.isTradable else { continue }
      #expect(quote.lastPrice % instrument.priceTick == 0)
      #expect(quote.bids[0].price < quote.asks[0].price)
      for level in 1..<5 {
        #expect(quote.bids[level].price < quote.bids[level - 1].price)
        #expect(quote.asks[level].price > quote.asks[level - 1].price)
      }
    }
    // 40 instruments, one update a second each, for 300 seconds; the seed is fixed.
    #expect((11_000...13_000).contains(updateCount))
  }

  @Test(arguments: [1e-300, 1e-20, 1e300]) func anyRateAboveZeroWillDo(rate: Double) throws {
    var market = try syntheticMarket(count: 3, updatesPerSecond: rate)
    let updates = (0..<100).count { _ in market.nextUpdate(until: mondayMorning + 1_000_000_000) != nil }
    #expect(updates == (rate < 1 ? 0 : 100))
  }

  @Test func aCountOutsideTheRangeIsRefused() {
    for count in [0, 9001] {
      let fault = #expect(throws: Fault.self) { try syntheticMarket(count: count) }
      #expect(fault?.kind == .usage)
    }
  }
}
