import MarketData

/// Finds minutes whose candle, built here, differs from the venue's by more than is accepted (candle rule 18). Minutes
/// with an outage are left out: there ours cannot be whole.
struct VenueDisagreementRule: CandleRule {
  static let name = "venue-disagreement"
  static let purpose = "it differs from the venue's candle"
  static let parameters = [
    RuleParameter("price_basis_points", 0...10_000, standard: 0),
    RuleParameter("volume_percent", 0...1000, standard: 0),
  ]

  /// Accepted difference of a price, in ten-thousandths of the venue's.
  let priceBasisPoints: Int
  /// Accepted difference of the volume, in hundredths of the venue's.
  let volumePercent: Int

  init(_ values: CandleRuleValues) {
    priceBasisPoints = values["price_basis_points"]
    volumePercent = values["volume_percent"]
  }

  func findings(in day: CandleDay) -> [CandleFinding] {
    let venue = Dictionary(day.venue.map { ($0.start, $0) }, uniquingKeysWith: { _, last in last })
    return day.built.compactMap { ours in
      guard let theirs = venue[ours.start], !day.hadOutage(inMinuteFrom: ours.start) else { return nil }
      let differences = [
        difference("open", ours.open, theirs.open), difference("high", ours.high, theirs.high),
        difference("low", ours.low, theirs.low), difference("close", ours.close, theirs.close),
        volumeDifference(ours.volume, theirs.volume),
      ].compactMap(\.self)
      guard !differences.isEmpty else { return nil }
      return CandleFinding(self, ours.start, .built, differences.joined(separator: ", "))
    }
  }

  private func difference(_ name: String, _ ours: Price, _ theirs: Price) -> String? {
    let distance = (ours.units &- theirs.units).magnitude.multipliedFullWidth(by: 10_000)
    let accepted = theirs.units.magnitude.multipliedFullWidth(by: UInt64(priceBasisPoints))
    guard (distance.high, distance.low) > (accepted.high, accepted.low) else { return nil }
    return "\(name) \(ours) instead of \(theirs)"
  }

  private func volumeDifference(_ ours: Int64, _ theirs: Int64) -> String? {
    let distance = (ours &- theirs).magnitude.multipliedFullWidth(by: 100)
    let accepted = theirs.magnitude.multipliedFullWidth(by: UInt64(volumePercent))
    guard (distance.high, distance.low) > (accepted.high, accepted.low) else { return nil }
    return "volume \(ours) instead of \(theirs)"
  }
}
