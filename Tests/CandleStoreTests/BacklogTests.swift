import CandleStore
import MarketData
import Testing

/// What happens when the disk is full or fails, without a disk.
@Suite struct BacklogTests {
  private let second: Int64 = 1_000_000_000
  private let full = Fault(.inputOutput, "the disk is full")

  private func flush(_ backlog: inout CandleBacklog, at time: Int64, fault: Fault? = nil) throws -> [Candle] {
    try backlog.flush(at: time, storeGaps: { _ throws(Fault) in }) { _ throws(Fault) in
      if let fault { throw fault }
    }
  }

  @Test func candlesWaitWhileTheStoreRefusesAndGoInWhenItTakesThem() throws {
    var backlog = CandleBacklog()
    var candles = [StoreFixture.candle(0), StoreFixture.candle(1)]
    backlog.take(&candles)
    #expect(candles.isEmpty)
    #expect(backlog.isDue(at: 0))
    #expect(try flush(&backlog, at: 0, fault: full).isEmpty)
    #expect(backlog.fault == full)
    #expect(!backlog.isDue(at: second - 1))
    #expect(backlog.isDue(at: second))
    #expect(try flush(&backlog, at: second, fault: full).isEmpty)
    #expect(!backlog.isDue(at: 3 * second - 1))
    #expect(try flush(&backlog, at: 3 * second).map(\.start) == [0, 1].map(StoreFixture.minute))
    #expect(backlog.fault == nil && backlog.isEmpty && backlog.dropped == 0)
  }

  @Test func aFaultThatWaitingDoesNotMendIsThrown() {
    var backlog = CandleBacklog()
    var candles = [StoreFixture.candle(0)]
    backlog.take(&candles)
    let damaged = Fault(.badData, "the file is damaged")
    #expect(throws: damaged) { _ = try flush(&backlog, at: 0, fault: damaged) }
  }

  @Test func aRefusedGapKeepsTheCandlesToo() throws {
    var backlog = CandleBacklog()
    var candles = [StoreFixture.candle(0)]
    backlog.take(&candles)
    backlog.take(FeedGap(start: StoreFixture.minute(0), end: nil, cause: .stalled))
    let refusal = full
    _ = try backlog.flush(at: 0, storeGaps: { _ throws(Fault) in throw refusal }) { _ throws(Fault) in
      Issue.record("candles were stored although the gap before them was not")
    }
    #expect(backlog.count == 1)
  }

  @Test func beyondItsRoomUnsealedStatesLeaveFirstThenTheOldestCandles() throws {
    var backlog = CandleBacklog(countMax: 100)
    var candles = (0..<90 as Range<Int64>).map { StoreFixture.candle($0) }
    candles += (90..<101 as Range<Int64>).map { StoreFixture.candle($0, state: .provisional) }
    backlog.take(&candles)
    #expect(backlog.count == 90)
    #expect(backlog.dropped == 0)
    candles = (101..<112 as Range<Int64>).map { StoreFixture.candle($0) }
    backlog.take(&candles)
    #expect(backlog.dropped == 11)
    let stored = try flush(&backlog, at: 0)
    #expect(stored.map(\.start).min() == StoreFixture.minute(11))
    #expect(stored.count == 90)
  }

  @Test func olderStatesOfACandleLeaveWithoutBeingCounted() throws {
    var backlog = CandleBacklog(countMax: 10)
    for volume in 0..<50 as Range<Int64> {
      var candles = [StoreFixture.candle(0, volume: volume)]
      backlog.take(&candles)
    }
    #expect(backlog.dropped == 0)
    #expect(try flush(&backlog, at: 0).last?.volume == 49)
  }
}
