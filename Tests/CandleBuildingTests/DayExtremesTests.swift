import CandleBuilding
import MarketData
import Testing

/// Extremes that only the venue's day high and low betray (rule 8).
@Suite struct DayExtremesTests {
  private func feed() -> Feed {
    var feed = Feed()
    feed.gap(from: nil, to: "09:00:00", cause: .start)
    feed.summary("09:14:50", high: 100, low: 95)
    feed.tick("09:14:50", traded: "09:14:50", price: 100, volume: 10)
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 11)
    return feed
  }

  @Test func rule8AnExtremeThatMovedBetweenTwoTicksOfAMinuteIsFoldedInAndFlagged() {
    var feed = feed()
    feed.summary("09:15:20", high: 104, low: 94)
    feed.tick("09:15:20", traded: "09:15:19", price: 101, volume: 15)
    #expect(feed.candle("09:15:00")?.summary == "100 104 94 101 v5")
    #expect(feed.candle("09:15:00")?.flags == .extremeFolded)
  }

  @Test func rule8AnExtremeThatTheTickItselfShowsNeedsNoFlag() {
    var feed = feed()
    feed.summary("09:15:20", high: 104, low: 95)
    feed.tick("09:15:20", traded: "09:15:20", price: 104, volume: 15)
    #expect(feed.candle("09:15:00")?.summary == "100 104 100 104 v5")
    #expect(feed.candle("09:15:00")?.flags == [])
  }

  @Test func rule8AcrossTheEdgeOfAMinuteNobodyKnowsWhoseExtremeItIs() {
    var feed = feed()
    feed.summary("09:16:20", high: 104, low: 94)
    feed.tick("09:16:20", traded: "09:16:19", price: 101, volume: 15)
    #expect(feed.candle("09:15:00")?.summary == "100 100 100 100 v1")
    #expect(feed.candle("09:16:00")?.summary == "101 101 101 101 v4")
  }

  @Test func rule8ThePreviousSnapshotsOwnTimeIsABoundAsWell() {
    var feed = feed()
    feed.tick("09:16:01", traded: "09:15:10", price: 100, volume: 11)
    feed.summary("09:16:20", high: 104, low: 95)
    feed.tick("09:16:20", traded: "09:16:19", price: 101, volume: 15)
    #expect(feed.candle("09:16:00")?.summary == "101 104 101 101 v4")
  }

  @Test func rule8ASnapshotThatIsNoTradeBringsItsExtremeToTheRunningCandle() {
    var feed = feed()
    feed.summary("09:15:20", high: 104, low: 95)
    feed.tick("09:15:20", traded: "09:15:10", price: 100, volume: 11)
    #expect(feed.candle("09:15:00")?.summary == "100 104 100 100 v1")
  }

  @Test func rule8TheFirstStatementAndANewDayFoldNothing() {
    var feed = Feed()
    feed.tick("09:14:50", traded: "09:14:50", price: 100, volume: 10)
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 11)
    feed.summary("09:15:20", high: 120, low: 80)
    feed.tick("09:15:20", traded: "09:15:19", price: 101, volume: 15)
    feed.summary("09:15:30", high: 102, low: 99)
    feed.tick("09:15:30", traded: "09:15:29", price: 101, volume: 16)
    #expect(feed.candle("09:15:00")?.summary == "100 101 100 101 v6")
  }

  @Test(arguments: [TickFlags.cachedOnSubscribe, .auction])
  func rule8ASnapshotThatEntersNoCandleFoldsNothing(flag: TickFlags) {
    var feed = feed()
    feed.summary("09:15:20", high: 104, low: 95)
    feed.tick("09:15:20", traded: "09:15:19", price: 101, volume: 15, flags: flag)
    feed.tick("09:15:30", traded: "09:15:29", price: 101, volume: 16)
    #expect(feed.candle("09:15:00")?.summary == "100 101 100 101 v2")
  }

  @Test func aDaySummaryFitsIntoARecordAndComesBack() {
    let summary = DaySummary(
      open: Price(units: 1_234_567_890_123), high: Price(units: .max), low: Price(units: -5),
      previousClose: Price(units: -7_000_000_000_001))
    let record = summary.record(of: InstrumentID(rawValue: 3), receiveTime: Feed.time("09:15:00"))
    #expect(record.kind == .daySummary)
    #expect(DaySummary(record) == summary)
  }
}
