import CandleBuilding
import MarketData
import Testing

/// Outages: volume across them, coverage, and candles that are partial (rules 6, 11, 12).
@Suite struct GapAndCoverageTests {
  /// A feed that has been alive since 09:00, with volume known.
  private func runningFeed() -> Feed {
    var feed = Feed()
    feed.gap(from: nil, to: "09:00:00", cause: .start)
    feed.tick("09:14:59", traded: "09:14:59", price: 100, volume: 1000)
    return feed
  }

  @Test func rule6VolumeAcrossAnOutageIsNotBookedIntoTheFirstMinuteBack() {
    var feed = runningFeed()
    feed.gap(from: "09:16:10", to: "09:16:15", cause: .disconnected, isOpen: true)
    feed.gap(from: "09:16:10", to: "09:18:05", cause: .disconnected)
    feed.tick("09:18:06", traded: "09:18:06", price: 101, volume: 9000)
    feed.tick("09:18:07", traded: "09:18:07", price: 102, volume: 9005)
    let candle = feed.candle("09:18:00")
    #expect(candle?.summary == "101 102 101 102 v5")
    #expect(candle?.flags == [.partial, .volumeInGap])
  }

  @Test func rule6AnOutageOfOneInstrumentLeavesTheOthersAlone() {
    let other = InstrumentID(rawValue: 8)
    var feed = runningFeed()
    feed.tick("09:15:00", traded: "09:15:00", price: 50, volume: 10, instrument: other)
    feed.gap(from: "09:15:10", to: "09:15:20", cause: .stalled, instrument: other)
    feed.tick("09:15:30", traded: "09:15:30", price: 51, volume: 30, instrument: other)
    feed.tick("09:15:30", traded: "09:15:30", price: 101, volume: 1030)
    #expect(feed.candle("09:15:00", of: other)?.volume == 0)
    #expect(feed.candle("09:15:00", of: other)?.flags.contains(.volumeInGap) == true)
    #expect(feed.candle("09:15:00")?.volume == 30)
    #expect(feed.candle("09:15:00")?.flags == [])
  }

  @Test func rule6ACachedSnapshotAfterAnOutageDoesNotStandForTheFirstLiveOne() {
    var feed = runningFeed()
    feed.gap(from: "09:15:10", to: "09:17:00", cause: .disconnected)
    feed.tick("09:17:01", traded: "09:15:05", price: 100, volume: 1000, flags: .cachedOnSubscribe)
    feed.tick("09:17:02", traded: "09:17:02", price: 100, volume: 7000)
    #expect(feed.candle("09:17:00")?.volume == 0)
    #expect(feed.candle("09:17:00")?.flags.contains(.volumeInGap) == true)
  }

  @Test func rule11TheOutagesOfHundredsOfInstrumentsAreAllRemembered() {
    var feed = runningFeed()
    let carried = (100..<400).map { InstrumentID(rawValue: $0) }
    for other in carried {
      feed.tick("09:15:00", traded: "09:15:00", price: 50, volume: 10, instrument: other)
    }
    for other in carried {
      feed.gap(from: "09:15:30", to: "09:15:45", cause: .disconnected, instrument: other)
    }
    for other in carried {
      feed.tick("09:15:50", traded: "09:15:50", price: 50, volume: 12, instrument: other)
    }
    feed.tick("09:15:51", traded: "09:15:51", price: 100, volume: 1001)
    feed.advance(to: "09:16:05")
    #expect(carried.allSatisfy { feed.handedOut("09:15:00", of: $0)?.coverage == 75 })
    #expect(feed.handedOut("09:15:00")?.coverage == 100)
  }

  @Test func rule11CoverageIsTheShareOfTheIntervalWithFeed() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.gap(from: "09:15:30", to: "09:15:45", cause: .disconnected)
    feed.tick("09:16:05", traded: "09:16:05", price: 100, volume: 1002)
    feed.advance(to: "09:17:05")
    #expect(feed.handedOut("09:15:00")?.coverage == 75)
    #expect(feed.handedOut("09:16:00")?.coverage == 100)
  }

  @Test func rule11AnOutageOfANanosecondIsNotFullCoverage() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.gap(from: "09:15:30", to: "09:15:30.000000001", cause: .disconnected)
    feed.advance(to: "09:17:05")
    #expect(feed.handedOut("09:15:00")?.coverage == 99)
  }

  @Test func rule11OverlappingOutagesOfFeedAndInstrumentAreCountedOnce() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.gap(from: "09:15:10", to: "09:15:40", cause: .stalled, instrument: Feed.instrument)
    feed.gap(from: "09:15:20", to: "09:15:46", cause: .disconnected)
    feed.tick("09:15:50", traded: "09:15:50", price: 100, volume: 1002)
    feed.advance(to: "09:17:05")
    #expect(feed.handedOut("09:15:00")?.coverage == 40)
  }

  @Test func rule11AnOpenGapTakesTheRestOfTheIntervalUntilItCloses() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.gap(from: "09:15:30", to: "09:15:35", cause: .stalled, isOpen: true)
    feed.advance(to: "09:16:05")
    #expect(feed.handedOut("09:15:00")?.coverage == 50)
    feed.gap(from: "09:15:30", to: "09:15:36", cause: .stalled)
    #expect(feed.handedOut("09:15:00")?.coverage == 90)
  }

  @Test func rule11AStallNoticedAfterSealingAmendsTheCoverageWithoutARevision() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.advance(to: "09:16:04")
    #expect(feed.closed.last?.coverage == 100)
    feed.gap(from: "09:15:30", to: "09:16:30", cause: .stalled, isOpen: true)
    #expect(feed.closed.last?.coverage == 50)
    #expect(feed.closed.last?.state == .final)
    #expect(feed.closed.last?.revision == 0)
  }

  @Test func rule11WithoutAGapRecordTheFeedIsAliveFromItsFirstRecord() {
    var feed = Feed()
    feed.tick("09:15:15", traded: "09:15:15", price: 100, volume: 1)
    feed.tick("09:15:16", traded: "09:15:16", price: 100, volume: 2)
    feed.advance(to: "09:17:00")
    #expect(feed.handedOut("09:15:00")?.coverage == 75)
    #expect(feed.handedOut("09:15:00")?.flags == .partial)
  }

  @Test func rule11AGapOfUnknownBeginBeganAfterTheLastRecord() {
    var feed = runningFeed()
    feed.tick("09:15:05", traded: "09:15:05", price: 100, volume: 1001)
    feed.tick("09:15:30", traded: "09:15:30", price: 100, volume: 1002)
    feed.gap(from: nil, to: "09:20:00", cause: .start)
    #expect(feed.candle("09:15:00")?.coverage == 50)
  }

  @Test func rule12TheFirstCandleAfterAStartInMidIntervalIsPartial() {
    var feed = Feed()
    feed.gap(from: nil, to: "09:15:30", cause: .start)
    feed.tick("09:15:31", traded: "09:15:31", price: 100, volume: 1)
    feed.tick("09:15:32", traded: "09:15:32", price: 100, volume: 2)
    feed.tick("09:16:32", traded: "09:16:32", price: 100, volume: 3)
    feed.advance(to: "09:18:00")
    #expect(feed.handedOut("09:15:00")?.flags == .partial)
    #expect(feed.handedOut("09:15:00")?.coverage == 50)
    #expect(feed.handedOut("09:16:00")?.flags == [])
    #expect(feed.handedOut("09:16:00")?.coverage == 100)
  }

  @Test func rule12AFeedThatComesBackOnTheMinuteLeavesNoPartialCandle() {
    var feed = runningFeed()
    feed.gap(from: "09:15:00", to: "09:16:00", cause: .disconnected)
    feed.tick("09:16:01", traded: "09:16:01", price: 100, volume: 1001)
    feed.tick("09:16:02", traded: "09:16:02", price: 100, volume: 1002)
    feed.advance(to: "09:17:10")
    #expect(feed.handedOut("09:16:00")?.flags == .volumeInGap)
    #expect(feed.handedOut("09:16:00")?.coverage == 100)
  }

  @Test func theEndOfTheDataLeavesTheRunningCandleProvisionalAndCoveredSoFar() {
    var feed = runningFeed()
    feed.tick("09:15:15", traded: "09:15:15", price: 100, volume: 1001)
    feed.tick("09:15:30", traded: "09:15:30", price: 101, volume: 1002)
    let candle = feed.candle("09:15:00")
    #expect(candle?.state == .provisional)
    #expect(candle?.coverage == 50)
  }
}
