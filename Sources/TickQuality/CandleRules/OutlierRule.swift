import MarketData

/// Finds candles whose high or low lies far outside of what their neighbours show: a bad print.
///
/// The measure is robust: the median of the neighbours' closes, and the median of their ranges, at least one
/// two-thousandth of the price, so that neither the candle itself nor another outlier has a say.
struct OutlierRule: CandleRule {
  static let name = "outliers"
  static let purpose = "its high or low lies far from its neighbours"
  static let parameters = [
    RuleParameter("neighbours", 2...60, standard: 5), RuleParameter("ranges", 2...1000, standard: 20),
  ]

  /// Candles looked at on either side.
  let neighbours: Int
  /// A distance of more than so many median ranges from the median close is an outlier.
  let ranges: Int

  private static let smallestRangeShare: Int64 = 2000

  init(_ values: CandleRuleValues) {
    neighbours = values["neighbours"]
    ranges = values["ranges"]
  }

  func findings(in day: CandleDay) -> [CandleFinding] {
    findings(in: day.built) + findings(in: day.venue)
  }

  private func findings(in list: [Candle]) -> [CandleFinding] {
    list.indices.compactMap { index in
      let around =
        list[max(0, index - neighbours)..<index] + list[index + 1..<min(list.count, index + 1 + neighbours)]
      guard around.count >= neighbours else { return nil }
      let center = Self.median(around.map(\.close.units))
      let usual = max(
        Self.median(around.map { $0.high.units &- $0.low.units }), center / Self.smallestRangeShare, 1)
      let candle = list[index]
      let distance = max(candle.high.units &- center, center &- candle.low.units)
      guard distance / usual >= Int64(ranges) else { return nil }
      let price = candle.high.units - center >= center - candle.low.units ? candle.high : candle.low
      return CandleFinding(
        self, candle.start, candle.origin,
        "\(price) lies \(distance / usual) times the usual range from \(Price(units: center)), around which its "
          + "neighbours lie")
    }
  }

  private static func median(_ values: [Int64]) -> Int64 { values.sorted()[values.count / 2] }
}
