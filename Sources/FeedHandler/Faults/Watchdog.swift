internal import MarketData

/// Decides when silence means that a connection is dead. A value without a clock; times are monotonic nanoseconds.
///
/// Heartbeats count as life. While the markets of the feed are closed nothing need be said, so silence is none then;
/// at the opening it counts from the last sign of life.
struct Watchdog {
  let silenceNanosecondsMax: Int64
  private(set) var lastAlive: Int64

  init(silenceMillisecondsMax: Int, now: Int64) {
    silenceNanosecondsMax = Int64(silenceMillisecondsMax) * 1_000_000
    lastAlive = now
  }

  mutating func noteAlive(at now: Int64) { lastAlive = now }

  /// The silence in nanoseconds when it is too long; nil while all is well.
  func deadSilence(at now: Int64, isMarketOpen: Bool) -> Int64? {
    let silence = now - lastAlive
    return silence > silenceNanosecondsMax && isMarketOpen ? silence : nil
  }
}
