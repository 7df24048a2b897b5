import MarketData
import Testing
import TickRing

/// Candles of several minutes as events.
@Suite struct LongerCandleTests {
  /// Over twenty minutes a tick a second of one instrument, and of another ticks in the minutes 0, 1 and 12 alone.
  private static let ticks: [Tick] = (0..<1200).flatMap { second in
    let busy = ScriptedFeed.tick(Double(second), 100, volume: Int64(second) + 1)
    guard second < 120 || second / 60 == 12 else { return [busy] }
    return [busy, ScriptedFeed.tick(Double(second), 50, volume: Int64(second) + 1, instrument: 1)]
  }

  private static func events(_ mode: DataMode, pollMax: Int) -> [(event: MarketEvent, now: Timestamp)] {
    let data = DataPoller(
      on: ScriptedFeed(mode: mode, isReplayed: true, ticks: ticks),
      wanted: [.ticks, .candles(.minute), .candles(.minutes(5)), .candles(.minutes(15))])
    var events: [(MarketEvent, Timestamp)] = []
    while data.isOpen { data.poll(max: pollMax) { events.append(($0, data.now)) } }
    return events
  }

  @Test func oneWhoseLastMinutesHadNoTradeComesAtItsSealing() {
    var known: [Int64: Timestamp] = [:]
    for (event, now) in Self.events(.backtest, pollMax: 1) {
      guard case .candle(let candle) = event, candle.instrument.rawValue == 1,
        candle.interval == .minutes(5)
      else { continue }
      #expect(candle.state == .final)
      known[(candle.start - ScriptedFeed.open) / 60_000_000_000] = now
    }
    #expect(known.keys.sorted() == [0, 10])
    for (minute, now) in known {
      #expect(now == ScriptedFeed.open + (minute + 5) * 60_000_000_000 + 3_000_000_000)
    }
  }

  /// However late the records are read: each candle closes at its own time, before the records behind that.
  @Test(arguments: [1, 100, 5000]) func liveDataGiveTheEventsOfABacktestInTheSameOrder(pollMax: Int) {
    let past = Self.events(.backtest, pollMax: 1).map(\.event)
    let live = Self.events(.live, pollMax: pollMax).map(\.event)
    // What is sealed behind the last tick a live feed would tell by the machine's clock.
    #expect(live.filter { $0 != .ended } == Array(past.prefix(live.count - 1)))
    #expect(live.count > 1200 + 2 * 20)
  }
}
