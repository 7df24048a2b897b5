import Configuration
import MarketData
import Testing

/// Live, paper and back-test: one mode a file, and a back-test has its range.
@Suite struct ModeTests {
  private static let range = "  from: 2026-11-23T09:15:00+05:30\n  to: 2026-11-23T15:30:00+05:30\n"

  @Test func aBacktestHasItsRange() throws {
    let parsed = try FeedConfiguration.parse("mode: backtest\nbacktest:\n" + Self.range, file: "feed.yaml")
    #expect(parsed.mode == .backtest)
    #expect(parsed.backtest.from == Timestamp(seconds: 1_795_405_500))
    #expect(parsed.backtest.speed == 0)
  }

  @Test(
    arguments: [
      (
        "mode: [live, backtest]",
        ["feed.yaml:1: mode is a list, but must be one of live, paper, backtest"]
      ),
      (
        "mode: live\nmode: paper",
        ["feed.yaml:2: mode is given twice, first in line 1; one of the two must go"]
      ),
      (
        "mode: paper\nbacktest:\n  to: 2026-11-23T15:30:00+05:30",
        [
          "feed.yaml:3: backtest.to is given, but mode is paper; a file has one mode: set it to backtest, or remove "
            + "the range"
        ]
      ),
      (
        "mode: backtest\nbacktest:\n  to: 2026-11-23T15:30:00+05:30",
        ["feed.yaml:1: mode is backtest, which needs backtest.from, a time as in 2026-11-23T09:15:00+05:30"]
      ),
      (
        "mode: backtest\nbacktest:\n  from: 2026-11-23T09:15:00\n  to: 2026-11-23T15:30:00+05:30",
        [
          "feed.yaml:1: mode is backtest, which needs backtest.from, a time as in 2026-11-23T09:15:00+05:30",
          "feed.yaml:3: backtest.from is '2026-11-23T09:15:00', but must be a time with its zone, such as "
            + "2026-11-23T09:15:00+05:30, or empty",
        ]
      ),
      (
        "mode: backtest\nbacktest:\n  from: 2026-11-23T15:30:00+05:30\n  to: 2026-11-23T15:30:00+05:30",
        [
          "feed.yaml:4: backtest.to is 2026-11-23T15:30:00+05:30, but must be later than backtest.from, "
            + "2026-11-23T15:30:00+05:30"
        ]
      ),
      (
        "strategy:\n  events: [ticks, ticks]",
        [
          "feed.yaml:2: strategy.events[1] is 'ticks', but must be one of ticks, candles, gaps, halts, named only once"
        ]
      ),
      (
        "strategy:\n  when_full: block",
        [
          "feed.yaml:2: strategy.when_full is 'block', but must be one of suspend, drop-oldest, drop-newest, latest-only"
        ]
      ),
    ])
  func aWrongModeIsOneSentenceEach(text: String, expected: [String]) {
    #expect(sentences(text) == expected)
  }
}
