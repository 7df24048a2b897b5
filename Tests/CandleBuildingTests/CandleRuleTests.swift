import CandleBuilding
import MarketData
import Testing

/// One test or more for each rule of the candle semantics that concerns trades; rule numbers stand in the names.
@Suite struct CandleRuleTests {
  @Test func rule1ACandleIsLabelledByItsStartAndExcludesItsEnd() {
    var feed = Feed()
    feed.tick("09:14:59", traded: "09:14:59", price: 99, volume: 0)
    feed.tick("09:15:00", traded: "09:15:00", price: 100, volume: 5)
    feed.tick("09:15:59", traded: "09:15:59", price: 101, volume: 6)
    feed.tick("09:16:00", traded: "09:16:00", price: 102, volume: 9)
    #expect(feed.candle("09:15:00")?.summary == "100 101 100 101 v6")
    #expect(feed.candle("09:16:00")?.summary == "102 102 102 102 v3")
  }

  @Test func rule2LastTradeTimeDecidesBeforeExchangeTime() {
    var feed = Feed()
    feed.tick("09:15:58", traded: "09:15:58", price: 100, volume: 10)
    feed.tick("09:16:00", traded: "09:15:59", price: 101, volume: 11)
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v1")
    #expect(feed.candle("09:16:00") == nil)
  }

  @Test func rule2ExchangeTimeStandsInForAMissingTradeTime() {
    var feed = Feed()
    feed.tick("09:15:58", price: 100, volume: 10)
    feed.tick("09:15:59.9", price: 101, volume: 11, received: "09:16:00.4")
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v1")
    #expect(feed.candle("09:15:00")?.flags.contains(.receiveTimeUsed) == false)
  }

  @Test func rule2ReceiveTimeStandsInLastAndIsFlagged() {
    var feed = Feed()
    feed.tick("09:14:59", price: 100, volume: 10, stamped: false)
    feed.tick("09:15:20", price: 101, volume: 11, stamped: false)
    #expect(feed.candle("09:15:00")?.flags.contains(.receiveTimeUsed) == true)
  }

  @Test func aVenueTimeFarInTheFutureIsNotBelieved() {
    var feed = Feed()
    feed.tick("09:15:01", traded: "09:15:01", price: 100, volume: 10)
    feed.tick("09:15:02", traded: "23:59:59", price: 101, volume: 11)
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v1")
    #expect(feed.candle("23:59:00") == nil)
  }

  @Test func rule3ATickWithoutARiseInVolumeTouchesNothing() {
    var feed = Feed()
    feed.tick("09:15:00", traded: "09:15:00", price: 100, volume: 10)
    feed.tick("09:15:01", traded: "09:15:01", price: 101, volume: 11)
    feed.tick("09:15:02", traded: "09:15:01", price: 150, volume: 11)
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v1")
    #expect(feed.candle("09:15:00")?.tickCount == 1)
  }

  @Test func rule3AnIndexCountsEveryChangeOfPriceAndNothingElse() {
    var feed = Feed()
    feed.tick("09:15:00", price: 24000, volume: 0, flags: .withoutVolume)
    feed.tick("09:15:01", price: 24010, volume: 0, flags: .withoutVolume)
    feed.tick("09:15:02", price: 24010, volume: 0, flags: .withoutVolume)
    feed.tick("09:15:03", price: 24005, volume: 0, flags: .withoutVolume)
    #expect(feed.candle("09:15:00")?.summary == "24010 24010 24005 24005 v0")
    #expect(feed.candle("09:15:00")?.tickCount == 2)
  }

  @Test func rule4VolumeIsMeasuredFromTheLastTickBeforeAcrossTheEdgeOfTheMinute() {
    var feed = Feed()
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 1000)
    feed.tick("09:15:50", traded: "09:15:50", price: 100, volume: 1100)
    feed.tick("09:16:10", traded: "09:16:10", price: 101, volume: 1130)
    feed.tick("09:16:20", traded: "09:16:20", price: 101, volume: 1140)
    #expect(feed.candle("09:15:00")?.volume == 100)
    #expect(feed.candle("09:16:00")?.volume == 40)
  }

  @Test func theFirstTickOfAnInstrumentOnlySetsTheBaseline() {
    var feed = Feed()
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 1000)
    #expect(feed.candle("09:15:00") == nil)
  }

  @Test func rule5AFallOfCumulativeVolumeRebasesAndIsFlagged() {
    var feed = Feed()
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 1000)
    feed.tick("09:15:11", traded: "09:15:11", price: 100, volume: 1010)
    feed.tick("09:15:12", traded: "09:15:12", price: 300, volume: 20)
    feed.tick("09:15:13", traded: "09:15:13", price: 101, volume: 25)
    #expect(feed.candle("09:15:00")?.summary == "100 101 100 101 v15")
    #expect(feed.candle("09:15:00")?.flags == [.partial, .volumeRebased])
  }

  @Test func rule5ARebaseBeforeTheFirstTradeOfTheMinuteIsFlaggedToo() {
    var feed = Feed()
    feed.tick("09:14:10", traded: "09:14:10", price: 100, volume: 1000)
    feed.gap(from: nil, to: "09:14:10", cause: .start)
    feed.tick("09:15:02", traded: "09:14:10", price: 100, volume: 20)
    feed.tick("09:15:03", traded: "09:15:03", price: 101, volume: 25)
    feed.tick("09:16:03", traded: "09:16:03", price: 101, volume: 30)
    #expect(feed.candle("09:15:00")?.flags == .volumeRebased)
    #expect(feed.candle("09:16:00")?.flags == [])
  }

  @Test func anOutOfOrderSnapshotNeverLowersTheBaseline() {
    var feed = Feed()
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 1000)
    feed.tick("09:15:12", traded: "09:15:12", price: 100, volume: 1010)
    feed.tick(
      "09:15:11", traded: "09:15:11", price: 90, volume: 1005, received: "09:15:12", flags: .outOfOrder)
    feed.tick("09:15:13", traded: "09:15:13", price: 101, volume: 1020)
    #expect(feed.candle("09:15:00")?.summary == "100 101 100 101 v20")
  }

  @Test func rule7OpenAndCloseFollowEventTimeAndTiesFollowArrival() {
    var feed = Feed()
    feed.tick("09:15:05", traded: "09:15:05", price: 1, volume: 0)
    feed.tick("09:15:20", traded: "09:15:20", price: 20, volume: 1)
    feed.tick("09:15:21", traded: "09:15:10", price: 10, volume: 2)
    feed.tick("09:15:22", traded: "09:15:10", price: 11, volume: 3)
    feed.tick("09:15:23", traded: "09:15:20", price: 21, volume: 4)
    feed.tick("09:15:24", traded: "09:15:15", price: 15, volume: 5)
    #expect(feed.candle("09:15:00")?.summary == "10 21 10 21 v5")
  }

  @Test func rule7TheOpenIsNeverThePreviousClose() {
    var feed = Feed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 0)
    feed.tick("09:15:06", traded: "09:15:06", price: 100, volume: 1)
    feed.tick("09:16:06", traded: "09:16:06", price: 105, volume: 2)
    #expect(feed.candle("09:16:00")?.summary == "105 105 105 105 v1")
  }

  @Test func rule9ACachedSnapshotSetsTheBaselineAndEntersNoCandle() {
    var feed = Feed()
    feed.tick("09:15:05", traded: "09:14:05", price: 100, volume: 500, flags: .cachedOnSubscribe)
    feed.tick("09:15:06", traded: "09:15:06", price: 101, volume: 510)
    feed.tick("09:15:07", traded: "09:15:06", price: 50, volume: 600, flags: .cachedOnSubscribe)
    feed.tick("09:15:08", traded: "09:15:08", price: 102, volume: 601)
    #expect(feed.candle("09:15:00")?.summary == "101 102 101 102 v11")
  }

  @Test func rule10AMinuteWithoutATradeHasNoCandle() {
    var feed = Feed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 0)
    feed.tick("09:15:06", traded: "09:15:06", price: 100, volume: 1)
    feed.tick("09:16:30", traded: "09:15:06", price: 100, volume: 1)
    feed.tick("09:17:30", traded: "09:17:30", price: 101, volume: 2)
    feed.advance(to: "09:30:00")
    #expect(Set(feed.closed.map(\.start)) == [Feed.time("09:15:00"), Feed.time("09:17:00")])
  }

  @Test func rule16AnAuctionPrintCountsForTheDayOnly() {
    var feed = Feed()
    feed.tick("09:07:59", traded: "09:07:59", price: 100, volume: 0)
    feed.tick("09:08:00", traded: "09:08:00", price: 90, volume: 5000, flags: .auction)
    feed.tick("09:15:01", traded: "09:15:01", price: 101, volume: 5010)
    #expect(feed.candle("09:08:00") == nil)
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v10")
  }

  @Test func aSnapshotWithoutAPositivePriceLeavesItsVolumeForTheNext() {
    var feed = Feed()
    feed.tick("09:15:01", traded: "09:15:01", price: 100, volume: 10)
    feed.tick("09:15:02", traded: "09:15:02", price: 0, volume: 15, flags: .notPositive)
    feed.tick("09:15:03", traded: "09:15:03", price: 101, volume: 18)
    #expect(feed.candle("09:15:00")?.summary == "101 101 101 101 v8")
  }

  @Test(arguments: [TickFlags.offBand, .stale, .outOfOrder])
  func aDoubtfulTickMakesItsCandleSuspect(flag: TickFlags) {
    var feed = Feed()
    feed.tick("09:15:01", traded: "09:15:01", price: 100, volume: 10)
    feed.tick("09:15:03", traded: "09:15:03", price: 101, volume: 18, flags: flag)
    #expect(feed.candle("09:15:00")?.flags == [.partial, .suspect])
  }

  @Test func rule21PricesAndTurnoverAreExactIntegers() {
    var feed = Feed()
    feed.tick("09:15:01", traded: "09:15:01", price: 100, volume: 0)
    // 0.1 + 0.2 in a thousand small steps: floating point would drift, fixed point does not.
    for step in 1...1000 {
      feed.tick("09:15:02", traded: "09:15:02", price: 0.3, volume: Int64(step))
    }
    feed.tick("09:15:03", traded: "09:15:03", price: 83.1275, volume: 1003)
    let candle = feed.candle("09:15:00")
    #expect(candle?.low == Price(units: 300_000_000))
    #expect(candle?.close == Price(units: 83_127_500_000))
    let turnover: Int64 = 3_000_000 + 3 * 831_275
    #expect(candle?.turnover == turnover)
  }

  @Test func openInterestIsThatOfTheNewestTrade() {
    var feed = Feed()
    feed.tick("09:15:01", traded: "09:15:01", price: 100, volume: 0, openInterest: 10)
    feed.tick("09:15:03", traded: "09:15:03", price: 100, volume: 1, openInterest: 30)
    feed.tick("09:15:04", traded: "09:15:02", price: 100, volume: 2, openInterest: 20)
    #expect(feed.candle("09:15:00")?.openInterest == 30)
  }
}
