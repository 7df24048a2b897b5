import MarketData
import Testing

@testable import FeedHandler

/// What is said about the trading calendar's end before it comes.
@Suite struct CalendarNoticeTests {
  private func hours(_ symbols: String...) throws -> MarketHours {
    let market = try MarketHours(calendarFile: nil)
    market.define(
      try symbols.enumerated().map { index, symbol in
        Instrument(
          id: InstrumentID(rawValue: UInt32(index)), symbol: try Symbol(symbol), venueToken: "\(index)",
          priceTick: Price(units: 50_000_000), lotSize: 1)
      })
    return market
  }

  private func noon(_ date: String) throws -> Timestamp {
    try #require(Timestamp(rfc3339: "\(date)T12:00:00+05:30"))
  }

  @Test func nothingIsSaidWhileTheEndIsFarAway() throws {
    #expect(try hours("NSE:INFY").notices(at: noon("2026-11-16")).isEmpty)
  }

  @Test func theEndIsToldSomeWeeksBeforeWithWhatToDo() throws {
    let notices = try hours("NSE:INFY", "NFO:NIFTY26DECFUT").notices(at: noon("2026-11-26"))
    #expect(notices.count == 1)
    let notice = try #require(notices.first)
    #expect(notice.contains("india.csv ends with 2026-12-31 for cash, fno, in 35 days"))
    #expect(notice.contains("tickring calendar --print-file"))
    #expect(notice.contains("calendar_file"))
    #expect(try hours("NSE:INFY").notices(at: noon("2026-12-31")).first?.contains("today") == true)
  }

  @Test func afterTheEndAFeedThatStillRunsSaysWhatThatMeansAndNoneStarts() throws {
    let market = try hours("NSE:INFY")
    let notice = try #require(market.notices(at: noon("2027-01-01")).first)
    #expect(notice.contains("ended with 2026-12-31 for cash"))
    #expect(notice.contains("outside-session"))
    let fault = try #require(throws: Fault.self) { try market.check(at: noon("2027-01-01")) }
    #expect(fault.kind == .configuration)
    #expect(fault.message.contains("2027-01-01 is past the end of the trading calendar"))
    #expect(fault.message.contains("calendar --print-file"))
  }

  @Test func anInstrumentWithoutACalendarHasNoEnd() throws {
    #expect(try hours("BINANCE:BTCUSDT").notices(at: noon("2031-01-01")).isEmpty)
  }
}
