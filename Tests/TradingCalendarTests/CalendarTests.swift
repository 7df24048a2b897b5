import MarketData
import Testing
import TradingCalendar

/// What the shipped calendar says of days that are known for something.
@Suite struct CalendarTests {
  private func day(_ date: String, _ segment: MarketSegment = .cash, auction: Bool = false) throws
    -> TradingDay
  {
    try TradingCalendar.shipped.tradingDay(
      #require(CivilTime.dayNumber(date: date)), of: MarketGroup(segment, hasClosingAuction: auction))
  }

  /// `pre-open 09:00-09:15` and so on, sessions separated by a bar.
  private func hours(_ date: String, _ segment: MarketSegment = .cash, auction: Bool = false) throws -> String
  {
    try day(date, segment, auction: auction).sessions.map { session in
      session.phases.map {
        "\($0.phase.rawValue) \(CivilTime($0.start).timeText.prefix(5))-\(CivilTime($0.end).timeText.prefix(5))"
      }.joined(separator: ", ")
    }.joined(separator: " | ")
  }

  @Test func anOrdinaryDayBeforeTheClosingAuctionCame() throws {
    let expected = "pre-open 09:00-09:15, continuous 09:15-15:30, post-close 15:40-16:00"
    #expect(try hours("2026-07-31") == expected)
    #expect(try hours("2026-07-31", auction: true) == expected)
    #expect(try hours("2025-12-05", .fno) == "continuous 09:15-15:30")
  }

  @Test func theClosingAuctionIsInForceFromItsDateForTheInstrumentsThatTakePart() throws {
    #expect(
      try hours("2026-08-03", auction: true)
        == "pre-open 09:00-09:15, continuous 09:15-15:15, closing-auction 15:15-15:35, post-close 15:50-16:00"
    )
    #expect(
      try hours("2026-08-03") == "pre-open 09:00-09:15, continuous 09:15-15:30, post-close 15:40-16:00")
    #expect(try hours("2026-08-03", .fno) == "pre-open 09:00-09:15, continuous 09:15-15:40")
    #expect(try hours("2025-12-08", .fno) == "pre-open 09:00-09:15, continuous 09:15-15:30")
  }

  @Test func aDayMayHoldTwoSessions() throws {
    #expect(try hours("2024-03-02", .fno) == "continuous 09:15-10:00 | continuous 11:30-12:30")
    #expect(try hours("2024-05-18", .fno) == "continuous 09:15-10:00 | continuous 11:45-12:40")
    #expect(try hours("2021-02-24", .fno) == "continuous 09:15-11:40 | continuous 15:45-17:00")
    #expect(try day("2024-03-02").continuousMinutes == 105)
  }

  @Test func holidaysHaveNamesAndSpecialSessionsOverrideThemAndWeekends() throws {
    #expect(try day("2026-01-26").note == "Republic Day")
    #expect(try !day("2026-01-26").isOpen)
    #expect(try day("2026-11-21").note == "Saturday")
    #expect(try hours("2025-10-21", .fno) == "continuous 13:45-14:45")
    #expect(try day("2025-10-21").sessions.first?.name == "Muhurat")
    #expect(try hours("2025-02-01", .fno) == "continuous 09:15-15:30")
    #expect(try hours("2024-01-20").hasPrefix("pre-open 09:00-09:15, continuous 09:15-15:30"))
  }

  @Test func theCommodityMarketFollowsDaylightSavingTimeOfTheUnitedStates() throws {
    #expect(try hours("2026-03-06", .commodity) == "continuous 09:00-23:55")
    #expect(try hours("2026-03-09", .commodity) == "continuous 09:00-23:30")
    #expect(try hours("2026-10-30", .commodity) == "continuous 09:00-23:30")
    #expect(try hours("2026-11-02", .commodity) == "continuous 09:00-23:55")
    #expect(try hours("2026-11-24", .commodity) == "continuous 17:00-23:55")
    #expect(try !day("2026-12-25", .commodity).isOpen)
  }

  @Test func thePhaseAtAnInstantBelongsToItsStartAndNotToItsEnd() throws {
    let today = try day("2026-11-23", auction: true)
    func phase(_ clock: String) -> SessionPhase? {
      Timestamp(rfc3339: "2026-11-23T\(clock)+05:30").flatMap { today.phase(at: $0) }
    }
    #expect(phase("08:59:59.999") == nil)
    #expect(phase("09:00:00") == .preOpen)
    #expect(phase("09:15:00") == .continuous)
    #expect(phase("15:14:59.999") == .continuous)
    #expect(phase("15:15:00") == .closingAuction)
    #expect(phase("15:40:00") == nil)
  }

  @Test func aDateOutsideTheFileIsAnErrorThatNamesTheFile() throws {
    let past = try #require(throws: Fault.self) { try day("2027-01-01") }
    #expect(past.kind == .configuration)
    #expect(past.message.contains("the shipped calendar india.csv ends with 2026-12-31 for cash"))
    let before = try #require(throws: Fault.self) { try day("2014-12-31") }
    #expect(before.message.contains("begins with 2015-01-01"))
    let nothing = try #require(throws: Fault.self) {
      try TradingCalendar.shipped.nextTradingDay(
        after: #require(CivilTime.dayNumber(date: "2026-12-31")), of: MarketGroup(.cash))
    }
    #expect(nothing.message.contains("india.csv"))
  }

  @Test func theNextTradingDaySkipsWeekendsAndHolidays() throws {
    func next(_ date: String) throws -> String {
      let number = try #require(CivilTime.dayNumber(date: date))
      let day = try TradingCalendar.shipped.nextTradingDay(after: number, of: MarketGroup(.cash))
      return CivilTime(dayNumber: day.dayNumber).dateText
    }
    #expect(try next("2026-11-20") == "2026-11-23")
    #expect(try next("2026-11-23") == "2026-11-25")
    #expect(try next("2026-11-06") == "2026-11-08")
  }

  @Test func everyDayOfTheShippedRangeHasAnAnswer() throws {
    for segment in MarketSegment.allCases {
      for number in try #require(TradingCalendar.shipped.range(of: segment)) {
        for auction in [false, true] {
          let day = try TradingCalendar.shipped.tradingDay(
            number, of: MarketGroup(segment, hasClosingAuction: auction))
          let spans = day.sessions.flatMap(\.phases)
          for (earlier, later) in zip(spans, spans.dropFirst()) { #expect(earlier.end <= later.start) }
          #expect(day.isOpen || day.note != nil)
        }
      }
    }
  }
}
