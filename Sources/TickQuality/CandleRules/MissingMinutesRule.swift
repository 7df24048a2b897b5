import MarketData

/// Finds minutes of continuous trading, by the calendar, that ought to have a candle and have none: the feed was down in
/// them, or the venue has one and we do not.
///
/// A minute with a living feed and without a candle is no fault: nothing was traded (candle rule 10).
struct MissingMinutesRule: CandleRule {
  static let name = "missing-minutes"
  static let purpose = "a minute of the session has no candle although it was traded, or had no feed"

  init(_: CandleRuleValues) {}

  func findings(in day: CandleDay) -> [CandleFinding] {
    let ours = Set(day.built.map(\.start))
    let venues = Set(day.venue.map(\.start))
    return day.expectedMinutes.compactMap { minute in
      guard !ours.contains(minute) else { return nil }
      let isKnown = venues.contains(minute)
      if day.hadOutage(inMinuteFrom: minute) {
        return CandleFinding(
          self, minute, nil,
          isKnown
            ? "there was no feed; the venue's candle stands in" : "there was no feed, and nothing stands in")
      }
      return isKnown
        ? CandleFinding(self, minute, nil, "the venue has a candle, and no trade of it came through the feed")
        : nil
    }
  }
}
