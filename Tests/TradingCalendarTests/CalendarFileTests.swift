import MarketData
import Testing
import TradingCalendar

/// A user's own calendar file, and what is said about a wrong one.
@Suite struct CalendarFileTests {
  private static let header = "record,segments,date,session,start,end,phase,group,name"
  private static let good = """
    # mine
    \(header)
    source,,,,,,,,"me, myself"
    range,cash,2026-01-01,,2026-01-31,,,,
    hours,cash,2026-01-01,,10:00,12:00,continuous,all,
    holiday,cash,2026-01-05,,,,,,"Day off"

    """

  @Test func aFileOfTheUsersOwnReplacesTheShippedOne() throws {
    let calendar = try TradingCalendar(text: Self.good, file: "mine.csv")
    #expect(calendar.source == "me, myself")
    let number = try #require(CivilTime.dayNumber(date: "2026-01-05"))
    #expect(try calendar.tradingDay(number, of: MarketGroup(.cash)).note == "Day off")
    #expect(try calendar.tradingDay(number + 1, of: MarketGroup(.cash)).continuousMinutes == 120)
    let other = try #require(throws: Fault.self) { try calendar.tradingDay(number, of: MarketGroup(.fno)) }
    #expect(other.message == "mine.csv says nothing of the segment fno")
  }

  @Test(
    arguments: [
      ("hours,cash,2026-01-01,,10:00,9:00,continuous,all,", "has '9:00' as a time of day; HH:MM is expected"),
      ("hours,cash,2026-01-01,,10:00,10:00,continuous,all,", "ends at 10:00, not after its start 10:00"),
      ("hours,cash,2026-01-01,,10:00,12:00,lunch,all,", "has the phase 'lunch'; known are pre-open"),
      ("hours,stocks,2026-01-01,,10:00,12:00,continuous,all,", "names the segment 'stocks'; known are cash"),
      ("hours,cash,2025-01-01,,10:00,12:00,continuous,all,", "goes back in time"),
      ("hours,cash,2026-01-01,,10:00,12:00,continuous,some,", "has the group 'some'; known are all"),
      ("holiday,cash,2026-02-30,,,,,,X", "has '2026-02-30' as date"),
      ("holiday,cash,2026-02-03", "has 3 values; the header names 9 columns"),
      ("holiday,cash,2026-02-03,,,,,,\"X", "has a quote that does not match"),
      ("special,cash,2026-01-01,x,10:00,12:00,continuous,all,", "has the session 'x'"),
      ("day,cash,2026-01-01,,,,,,", "begins with 'day'; it must be source, range"),
    ])
  func aWrongLineIsNamed(line: String, complaint: String) throws {
    let fault = try #require(throws: Fault.self) {
      try TradingCalendar(text: Self.good + line + "\n", file: "mine.csv")
    }
    #expect(fault.kind == .badData)
    #expect(fault.message.hasPrefix("mine.csv line 7 \(complaint)"))
  }

  @Test func linesMayEndAsSpreadsheetsEndThem() throws {
    let text = Self.good.replacing("\n", with: "\r\n")
    let calendar = try TradingCalendar(text: text, file: "mine.csv")
    let number = try #require(CivilTime.dayNumber(date: "2026-01-05"))
    #expect(try calendar.tradingDay(number, of: MarketGroup(.cash)).note == "Day off")
    let fault = try #require(throws: Fault.self) {
      try TradingCalendar(text: text + "day,cash,2026-01-01,,,,,,\r\n", file: "mine.csv")
    }
    #expect(fault.message.hasPrefix("mine.csv line 7 begins with 'day'"))
  }

  @Test func aFileWithoutHeaderRangeOrHoursIsRefused() throws {
    #expect(throws: Fault.self) { try TradingCalendar(text: "", file: "mine.csv") }
    #expect(throws: Fault.self) { try TradingCalendar(text: Self.header + "\n", file: "mine.csv") }
    let hourless = "\(Self.header)\nrange,cash,2026-01-01,,2026-01-31,,,,\n"
    let fault = try #require(throws: Fault.self) { try TradingCalendar(text: hourless, file: "mine.csv") }
    #expect(fault.message == "mine.csv has no hours of cash for its first day, 2026-01-01")
    let missing = try #require(throws: Fault.self) { try TradingCalendar.load(path: "/nowhere/mine.csv") }
    #expect(missing.kind == .missingInput)
  }
}
