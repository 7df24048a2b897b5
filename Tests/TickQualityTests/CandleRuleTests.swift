import MarketData
import Testing
import TickQuality

/// Each candle rule on a small day.
@Suite struct CandleRuleTests {
  private let start = Timestamp(seconds: sessionStartSeconds)

  private func minute(_ index: Int) -> Timestamp { start + Int64(index) * Interval.minute.nanoseconds }

  private func candle(
    _ index: Int, _ prices: (Int64, Int64, Int64, Int64) = (100, 101, 99, 100), volume: Int64 = 10,
    origin: CandleOrigin = .built
  ) -> Candle {
    func price(_ rupees: Int64) -> Price { Price(units: rupees * Price.unitsPerOne) }
    return Candle(
      instrument: InstrumentID(rawValue: 0), interval: .minute, start: minute(index), open: price(prices.0),
      high: price(prices.1), low: price(prices.2), close: price(prices.3), volume: volume, origin: origin)
  }

  private func findings(_ rule: String, _ day: CandleDay, values: [String: Int] = [:]) throws
    -> [CandleFinding]
  {
    try CandleRuleCatalogue.make([RuleSetting(rule, values: values)]).findings(in: day)
  }

  @Test func contradictionsAreFoundOneByOne() throws {
    let day = CandleDay(built: [
      candle(0), candle(1, (100, 101, 101, 100)), candle(2, (100, 99, 98, 100)), candle(3, (1, 1, 0, 1)),
      candle(4, volume: -1),
    ])
    let found = try findings("invariants", day)
    #expect(found.map(\.start) == [minute(1), minute(2), minute(3), minute(4)])
    #expect(found[0].sentence == "the low 101 lies above 100, the lower of open and close")
    #expect(found[1].sentence == "the high 99 lies below 100, the higher of open and close")
  }

  @Test func rule10AMinuteWithFeedAndWithoutTradeIsNotMissing() throws {
    let day = CandleDay(
      built: [candle(0), candle(4)], venue: [candle(1, origin: .venue)], sessions: [minute(0)..<minute(5)],
      outages: [minute(2) + 5..<minute(2) + 6])
    let found = try findings("missing-minutes", day)
    #expect(found.map(\.start) == [minute(1), minute(2)])
    #expect(found[0].sentence.hasPrefix("the venue has a candle"))
    #expect(found[1].sentence == "there was no feed, and nothing stands in")
  }

  @Test func aCandleThatRepeatsItselfAgainAndAgainIsADuplicate() throws {
    let day = CandleDay(built: (0..<4).map { candle($0) } + [candle(4, volume: 11), candle(4, volume: 12)])
    let found = try findings("duplicates", day)
    #expect(found.map(\.start) == [minute(2), minute(3), minute(4)])
    #expect(found[2].sentence == "there are two candles of this minute")
    let still = CandleDay(built: (0..<9).map { candle($0, (5, 5, 5, 5)) })
    #expect(try findings("duplicates", still).isEmpty)
  }

  @Test func anOutlierIsFoundAndItsNeighboursAreNot() throws {
    var candles = (0..<11).map { candle($0, (100, 101, 99, 100)) }
    candles[5] = candle(5, (100, 150, 99, 100))
    let found = try findings("outliers", CandleDay(built: candles))
    #expect(found.map(\.start) == [minute(5)])
    #expect(found[0].sentence.hasPrefix("150 lies 25 times the usual range from 100"))
    #expect(try findings("outliers", CandleDay(built: candles), values: ["ranges": 26]).isEmpty)
  }

  @Test func rule18DifferencesFromTheVenueAreSaidWithinWhatIsAccepted() throws {
    let day = CandleDay(
      built: [candle(0), candle(1, (100, 102, 99, 100), volume: 11), candle(2, volume: 12)],
      venue: (0..<3).map { candle($0, origin: .venue) }, outages: [minute(2)..<minute(2) + 1])
    #expect(
      try findings("venue-disagreement", day).map(\.sentence) == [
        "high 102 instead of 101, volume 11 instead of 10"
      ])
    #expect(
      try findings("venue-disagreement", day, values: ["price_basis_points": 100, "volume_percent": 10])
        .isEmpty)
  }

  @Test func aCandleOfTheVenueThatCannotBeOneIsRejectedAndAnOutlierMarked() throws {
    var venue = (0..<11).map { candle($0, origin: .venue) }
    venue[3] = candle(3, (100, 99, 98, 100), origin: .venue)
    venue[7] = candle(7, (100, 150, 99, 100), origin: .venue)
    let rules = try CandleRuleCatalogue.make(CandleRuleCatalogue.standard)
    let (accepted, rejected) = rules.sift(CandleDay(built: [], venue: venue))
    #expect(rejected.map(\.candle.start) == [minute(3)])
    #expect(rejected.map(\.finding.rule) == ["invariants"])
    #expect(accepted.count == 10)
    #expect(accepted.filter { $0.flags.contains(.suspect) }.map(\.start) == [minute(7)])
  }

  /// A rule as a user writes it.
  private struct RoundRule: CandleRule {
    static let name = "round"
    static let purpose = "its close is a whole number"
    init(_: CandleRuleValues) {}
    func findings(in day: CandleDay) -> [CandleFinding] {
      day.built.filter { $0.close.units % Price.unitsPerOne == 0 }.map {
        CandleFinding(self, $0.start, $0.origin, "the close \($0.close) is whole")
      }
    }
  }

  @Test func aRuleOfTheUsersOwnIsOneTypeAndOneRegistration() throws {
    CandleRuleCatalogue.register(RoundRule.self)
    #expect(
      try findings("round", CandleDay(built: [candle(0)])).map(\.sentence) == ["the close 100 is whole"])
  }

  @Test func wrongChoicesAreRefused() {
    for settings in [
      [RuleSetting("nonsense")], [RuleSetting("outliers", .correct)],
      [RuleSetting("outliers", values: ["x": 1])],
    ] {
      #expect(throws: Fault.self) { try CandleRuleCatalogue.make(settings) }
    }
  }
}
