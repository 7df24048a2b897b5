import MarketData

/// Finds candles that repeat the one before them in every price and in volume although something was traded: a source
/// that is stuck, or a minute delivered twice.
struct RepeatedCandleRule: CandleRule {
  static let name = "duplicates"
  static let purpose = "it repeats the candle before it, or its minute comes twice"
  static let parameters = [RuleParameter("candles", 2...100, standard: 3)]

  /// So many candles alike in a row are a fault; two may be chance.
  let candles: Int

  init(_ values: CandleRuleValues) {
    candles = values["candles"]
  }

  func findings(in day: CandleDay) -> [CandleFinding] {
    findings(in: day.built) + findings(in: day.venue)
  }

  private func findings(in list: [Candle]) -> [CandleFinding] {
    var found: [CandleFinding] = []
    var run = 1
    for (before, candle) in zip(list, list.dropFirst()) {
      if candle.start == before.start {
        found.append(CandleFinding(self, candle.start, candle.origin, "there are two candles of this minute"))
        continue
      }
      let isAlike =
        candle.volume > 0 && candle.volume == before.volume && candle.open == before.open
        && candle.high == before.high && candle.low == before.low && candle.close == before.close
      // A price that stands still repeats itself honestly while single lots are traded.
      run = isAlike && candle.high != candle.low ? run + 1 : 1
      if run >= candles {
        found.append(
          CandleFinding(
            self, candle.start, candle.origin, "it is the \(run)th in a row with the same prices and volume"))
      }
    }
    return found
  }
}
