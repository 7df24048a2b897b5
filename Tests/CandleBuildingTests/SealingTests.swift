import CandleBuilding
import MarketData
import Testing

/// When a candle is handed out, in which state, and what a late tick does to it (rules 13 to 15).
@Suite struct SealingTests {
  @Test func theWorkedExampleHoldsStateByState() {
    var feed = Feed()
    feed.gap(from: nil, to: "09:00:00", cause: .start)
    feed.tick("09:15:58", traded: "09:15:58", price: 99, volume: 1000)
    #expect(feed.candle("09:15:00") == nil)

    feed.tick("09:15:59", traded: "09:15:59", price: 100.00, volume: 1010)  // a
    #expect(feed.aggregator.forming(Feed.instrument)?.summary == "100 100 100 100 v10")
    #expect(feed.closed.isEmpty)

    feed.tick("09:16:00", traded: "09:15:59", price: 100.05, volume: 1012)  // b
    #expect(feed.candle("09:15:00")?.summary == "100 100.05 100 100.05 v12")
    #expect(feed.history == ["09:15:00 provisional"])
    #expect(feed.aggregator.forming(Feed.instrument) == nil)

    feed.tick("09:16:01", traded: "09:15:59", price: 100.05, volume: 1012)  // c
    #expect(feed.candle("09:15:00")?.summary == "100 100.05 100 100.05 v12")

    feed.tick("09:16:02", traded: "09:16:01", price: 99.95, volume: 1020)  // d
    #expect(feed.aggregator.forming(Feed.instrument)?.summary == "99.95 99.95 99.95 99.95 v8")

    feed.tick("09:16:02.5", traded: "09:15:58", price: 99.90, volume: 1021)  // e
    #expect(feed.candle("09:15:00")?.summary == "99.9 100.05 99.9 100.05 v13")
    #expect(feed.candle("09:15:00")?.state == .provisional)

    feed.tick("09:16:05", traded: "09:15:57", price: 100.20, volume: 1023)  // f
    #expect(feed.history == ["09:15:00 provisional", "09:15:00 final", "09:15:00 revised"])
    #expect(feed.closed[1].summary == "99.9 100.05 99.9 100.05 v13")
    #expect(feed.closed[1].revision == 0)
    #expect(feed.closed[2].summary == "100.2 100.2 99.9 100.05 v15")
    #expect(feed.closed[2].revision == 1)
    #expect(feed.closed[2].flags == .late)
    #expect(feed.closed[2].coverage == 100)
    #expect(feed.candle("09:16:00")?.summary == "99.95 99.95 99.95 99.95 v8")
  }

  /// A feed with one candle at 09:15, worth 100 and 5.
  private func feedWithACandle() -> Feed {
    var feed = Feed()
    feed.gap(from: nil, to: "09:00:00", cause: .start)
    feed.tick("09:15:10", traded: "09:15:10", price: 100, volume: 0)
    feed.tick("09:15:20", traded: "09:15:20", price: 100, volume: 5)
    return feed
  }

  @Test func rule13ACandleGoesThroughItsStatesInOrder() {
    var feed = feedWithACandle()
    #expect(feed.aggregator.forming(Feed.instrument)?.state == .forming)
    feed.advance(to: "09:16:00")
    feed.advance(to: "09:16:03")
    feed.tick("09:16:10", traded: "09:15:30", price: 101, volume: 6)
    feed.tick("09:16:11", traded: "09:15:31", price: 102, volume: 7)
    #expect(
      feed.history == [
        "09:15:00 provisional", "09:15:00 final", "09:15:00 revised", "09:15:00 revised",
      ])
    #expect(feed.closed.map(\.revision) == [0, 0, 1, 2])
  }

  @Test func rule14SealingNeedsNoFurtherTick() {
    var feed = feedWithACandle()
    feed.advance(to: "09:15:59.999999999")
    #expect(feed.closed.isEmpty)
    feed.advance(to: "09:16:00")
    #expect(feed.closed.map(\.state) == [.provisional])
    feed.advance(to: "09:16:02.999999999")
    #expect(feed.closed.count == 1)
    feed.advance(to: "09:16:03")
    #expect(feed.closed.map(\.state) == [.provisional, .final])
    feed.advance(to: "09:20:00")
    #expect(feed.closed.count == 2)
  }

  @Test func rule14ATickOfAnotherInstrumentShowsThatTimeHasPassed() {
    var feed = feedWithACandle()
    feed.tick("09:16:30", price: 1, volume: 1, instrument: InstrumentID(rawValue: 3))
    #expect(feed.history == ["09:15:00 final"])
  }

  @Test func rule15InsideTheGraceATickUpdatesEvenWhenTheTimerWasHasty() {
    var feed = feedWithACandle()
    feed.advance(to: "09:16:10")
    feed.tick("09:16:02.9", traded: "09:15:40", price: 101, volume: 9)
    #expect(feed.history == ["09:15:00 final", "09:15:00 final"])
    #expect(feed.closed[1].summary == "100 101 100 101 v9")
    #expect(feed.closed[1].revision == 0)
    #expect(feed.closed[1].flags == [])
  }

  @Test func rule15AfterSealingTheCloseChangesOnlyForTheNewestTrade() {
    var feed = feedWithACandle()
    feed.tick("09:16:05", traded: "09:15:19", price: 90, volume: 6)
    #expect(feed.closed.last?.summary == "90 100 90 100 v6")
    feed.tick("09:16:06", traded: "09:15:21", price: 95, volume: 7)
    #expect(feed.closed.last?.summary == "90 100 90 95 v7")
    #expect(feed.closed.last?.revision == 2)
  }

  @Test func rule15ALateTickNeverLeaksIntoTheNextCandle() {
    var feed = feedWithACandle()
    feed.tick("09:16:04", traded: "09:16:04", price: 200, volume: 10)
    feed.tick("09:16:05", traded: "09:15:50", price: 300, volume: 50)
    #expect(feed.candle("09:16:00")?.summary == "200 200 200 200 v5")
    #expect(feed.candle("09:15:00")?.summary == "100 300 100 300 v45")
  }

  @Test func rule15ALateTickOfAnEmptyMinuteMakesItsCandleARevision() {
    var feed = feedWithACandle()
    feed.tick("09:18:00", traded: "09:16:30", price: 101, volume: 8)
    let candle = feed.candle("09:16:00")
    #expect(candle?.state == .revised)
    #expect(candle?.revision == 1)
    #expect(candle?.flags == .late)
  }

  @Test func aTickOlderThanAllCandlesKeptIsDroppedAndCounted() {
    var feed = feedWithACandle()
    for minute in 16..<16 + CandleAggregator.keptCandlesPerInstrument {
      feed.tick("09:\(minute):30", traded: "09:\(minute):30", price: 101, volume: Int64(minute))
    }
    let before = feed.closed.count
    feed.tick("09:20:00", traded: "09:15:30", price: 500, volume: 100)
    #expect(feed.aggregator.droppedLateTicks == 1)
    #expect(feed.closed[before...].allSatisfy { $0.start != Feed.time("09:15:00") })
  }

  @Test func aTickFromAnotherAgeIsDroppedAndCounted() {
    var feed = feedWithACandle()
    var stray = feed.records[2]
    stray.lastTradeSeconds = 86_400
    stray.dayVolume = 6
    feed.apply(stray)
    #expect(feed.aggregator.droppedLateTicks == 1)
    #expect(feed.candle("09:15:00")?.volume == 5)
  }

  @Test func candlesThatComeDueTogetherAreInOrderOfTimeAndInstrument() {
    var feed = Feed()
    for instrument in [9, 2, 5] as [UInt32] {
      let id = InstrumentID(rawValue: instrument)
      feed.tick("09:15:00", traded: "09:15:00", price: 1, volume: 0, instrument: id)
      feed.tick("09:15:01", traded: "09:16:01", price: 1, volume: 1, instrument: id)
      feed.tick("09:15:02", traded: "09:15:02", price: 1, volume: 2, instrument: id)
    }
    feed.advance(to: "09:30:00")
    #expect(feed.closed.map(\.instrument.rawValue) == [2, 5, 9, 2, 5, 9])
    #expect(Set(feed.closed[..<3].map(\.start)) == [Feed.time("09:15:00")])
  }

  @Test func theOrdinaryDayOfAnotherIntervalIsCutByIt() {
    var feed = Feed(interval: Interval(seconds: 5))
    feed.tick("09:15:00", traded: "09:15:00", price: 1, volume: 0)
    feed.tick("09:15:04", traded: "09:15:04", price: 2, volume: 1)
    feed.tick("09:15:05", traded: "09:15:05", price: 3, volume: 2)
    #expect(feed.candle("09:15:00")?.summary == "2 2 2 2 v1")
    #expect(feed.candle("09:15:05")?.summary == "3 3 3 3 v1")
    #expect(feed.candle("09:15:05")?.interval == Interval(seconds: 5))
  }
}
