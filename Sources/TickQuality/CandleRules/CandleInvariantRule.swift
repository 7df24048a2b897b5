import MarketData

/// Finds candles that cannot be any: a low above open or close, a high below them, a price that is not positive, or a
/// volume below zero.
struct CandleInvariantRule: CandleRule {
  static let name = "invariants"
  static let purpose = "open, high, low, close and volume contradict each other"

  init(_: CandleRuleValues) {}

  func findings(in day: CandleDay) -> [CandleFinding] {
    day.all.compactMap { candle in
      Self.contradiction(in: candle).map { CandleFinding(self, candle.start, candle.origin, $0) }
    }
  }

  /// What is wrong with one candle; nil when nothing is.
  static func contradiction(in candle: Candle) -> String? {
    if candle.low.units <= 0 { return "the low \(candle.low) is not positive" }
    let inner = (min(candle.open, candle.close), max(candle.open, candle.close))
    if candle.low > inner.0 {
      return "the low \(candle.low) lies above \(inner.0), the lower of open and close"
    }
    if candle.high < inner.1 {
      return "the high \(candle.high) lies below \(inner.1), the higher of open and close"
    }
    if candle.volume < 0 { return "the volume \(candle.volume) is negative" }
    return nil
  }
}
