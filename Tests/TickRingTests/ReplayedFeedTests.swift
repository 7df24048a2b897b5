import MarketData
import Testing
import TickRing

/// A strategy on a replayed feed: the store behind it knows what is the future there.
@Suite struct ReplayedFeedTests {
  private func move(from start: Int64, to end: Int64) -> Tick {
    Tick(
      instrument: .all, sequence: 9, receiveTime: ScriptedFeed.open + end * 1_000_000_000,
      exchangeTime: ScriptedFeed.open + start * 1_000_000_000, lastPrice: .zero, dayVolume: 0,
      lastTradeSeconds: 0,
      lastQuantity: GapCause.moved.rawValue, openInterest: 0, kind: .gap)
  }

  @Test func rule20StoredCandlesOfTheReplaysFutureAreNotSeen() throws {
    let feed = ScriptedFeed(
      mode: .live, isReplayed: true, stored: (0..<10 as Range<Int64>).map { ScriptedFeed.candle($0) })
    feed.now = ScriptedFeed.open + 183 * 1_000_000_000
    let data = DataPoller(on: feed)
    let range = (from: ScriptedFeed.open, to: ScriptedFeed.open + 600 * 1_000_000_000)
    #expect(try data.candles("NSE:RELIANCE", from: range.from, to: range.to).count == 3)
    #expect(try data.candles("NSE:RELIANCE", last: 200).count == 3)
    feed.now = ScriptedFeed.open + 182 * 1_000_000_000
    #expect(try data.candles("NSE:RELIANCE", last: 200).count == 2)
  }

  @Test func aReplayThatWentBackLeavesNothingOfItsLaterTicks() throws {
    let ticks = [
      ScriptedFeed.tick(0, 100, volume: 1), ScriptedFeed.tick(1, 101, volume: 5),
      ScriptedFeed.tick(70, 103, volume: 9),
      move(from: 71, to: 30),
    ]
    let feed = ScriptedFeed(mode: .live, isReplayed: true, ticks: ticks, last: nil)
    let data = DataPoller(on: feed)
    feed.now = ScriptedFeed.open + 71 * 1_000_000_000
    data.poll(max: 3) { _ in }
    #expect(data.forming("NSE:RELIANCE")?.close == Price(units: 103_000_000_000))
    data.poll { _ in }
    #expect(data.forming("NSE:RELIANCE") == nil)
    feed.now = ScriptedFeed.open + 30 * 1_000_000_000
    #expect(try data.candles("NSE:RELIANCE", last: 10, forming: true).candles.isEmpty)
  }

  @Test func aRejectedTickIsNoEvent() {
    var rejected = ScriptedFeed.tick(1, 101, volume: 5)
    rejected.kind = .rejected
    let feed = ScriptedFeed(mode: .live, ticks: [ScriptedFeed.tick(0, 100, volume: 1), rejected], last: nil)
    var prices: [Price] = []
    DataPoller(on: feed).poll { event in if case .tick(let tick) = event { prices.append(tick.lastPrice) } }
    #expect(prices == [Price(units: 100_000_000_000)])
  }
}
