import MarketData
import Testing

/// How a request for candles is cut where a venue or a store limits the days of one.
@Suite struct CandleRequestTests {
  private static func instant(_ day: Int, _ hour: Int, _ minute: Int = 0) -> Timestamp {
    CivilTime(year: 2026, month: 11, day: day, hour: hour, minute: minute).timestamp()
  }

  private static func parts(_ from: Timestamp, _ to: Timestamp, days: Int) throws -> [[Timestamp]] {
    let instrument = Instrument(
      id: InstrumentID(rawValue: 0), symbol: try Symbol("NSE:INFY"), venueToken: "1", priceTick: .zero,
      lotSize: 1)
    return CandleRequest(instrument, from: from, to: to).parts(ofAtMost: days).map { [$0.from, $0.to] }
  }

  /// A store that is asked by dates is asked for no more days than it allows, and one that is asked for the first day
  /// alone is asked for every day.
  @Test func aPartTouchesNoMoreDaysOfTheCalendarThanAllowed() throws {
    let start = Self.instant(23, 11)
    let end = Self.instant(25, 15, 30)
    let second = Self.instant(24, 0)
    let third = Self.instant(25, 0)
    #expect(try Self.parts(start, end, days: 1) == [[start, second], [second, third], [third, end]])
    #expect(try Self.parts(start, end, days: 2) == [[start, third], [third, end]])
    #expect(try Self.parts(start, end, days: 3) == [[start, end]])
    #expect(try Self.parts(start, end, days: .max) == [[start, end]])
  }

  @Test func anEmptyRangeHasNoParts() throws {
    #expect(try Self.parts(Self.instant(23, 11), Self.instant(23, 11), days: 1).isEmpty)
  }
}
