import MarketData
import Testing

@testable import Venues

/// The vendor's list of instruments: scales, symbols, and rows that cannot be used.
@Suite struct AngelOneInstrumentsTests {
  private static func row(
    _ token: String, _ symbol: String, _ segment: String, kind: String = "", name: String = "N",
    expiry: String = "", strike: String = "-1.000000", lot: String = "1", tick: String = "5.000000"
  ) -> String {
    #"{"token":"\#(token)","symbol":"\#(symbol)","name":"\#(name)","expiry":"\#(expiry)","strike":"\#(strike)","#
      + #""lotsize":"\#(lot)","instrumenttype":"\#(kind)","exch_seg":"\#(segment)","tick_size":"\#(tick)","new":1}"#
  }

  private static func list(_ rows: [String]) throws -> AngelOneInstruments {
    try AngelOneInstruments(json: Array("[\(rows.joined(separator: ",\n"))]".utf8), source: "list")
  }

  @Test func everySegmentIsReadExactly() throws {
    let list = try Self.list([
      Self.row("2885", "RELIANCE-EQ", "NSE", name: "RELIANCE"),
      Self.row("757", "OLD-BE", "NSE"),
      Self.row("500325", "RELIANCE", "BSE", strike: "0.000000"),
      Self.row("99926000", "Nifty 50", "NSE", kind: "AMXIDX", name: "NIFTY", lot: "1", tick: "0.000000"),
      Self.row(
        "45829", "NIFTY04APR2423000CE", "NFO", kind: "OPTIDX", name: "NIFTY", expiry: "04Apr2024",
        strike: "2300000.000000", lot: "50"),
      Self.row("1234", "USDINR26DECFUT", "CDS", kind: "FUTCUR", expiry: "29DEC2026", tick: "0.250000"),
      Self.row("12", "MF-EQ", "BFO", kind: "OPTSTK", expiry: "31Dec2026", lot: ""),
    ])
    #expect(list.skippedCount == 0)
    #expect(
      list.rows.map(\.symbol.text) == [
        "NSE:RELIANCE", "NSE:OLD-BE", "BSE:RELIANCE", "NSE:NIFTY 50", "NFO:NIFTY04APR2423000CE",
        "CDS:USDINR26DECFUT", "BFO:MF-EQ",
      ])
    #expect(
      list.rows.map(\.venueToken) == [
        "1/2885", "1/757", "3/500325", "1/99926000", "2/45829", "13/1234", "4/12",
      ])
    #expect(
      list.rows.map(\.priceTick.description) == ["0.05", "0.05", "0.05", "0", "0.05", "0.0025", "0.05"])
    #expect(list.rows.map(\.priceScale) == [100, 100, 100, 100, 100, 10_000_000, 100])
    #expect(list.rows.map(\.lotSize) == [1, 1, 1, 1, 50, 1, 0])
    #expect(list.rows.map(\.strike) == [nil, nil, nil, nil, Price(decimal: "23000"), nil, nil])
    #expect(list.rows[4].expiryDay == CivilTime.dayNumber(date: "2024-04-04"))
    #expect(list.rows[5].expiryDay == CivilTime.dayNumber(date: "2026-12-29"))
    #expect(list.rows[0].expiryDay == nil && list.rows[0].name == "RELIANCE" && list.rows[3].type == "AMXIDX")
  }

  @Test(
    arguments: [
      (row("2885", "A", "NCO"), "NCO:A: exch_seg 'NCO' is not on the stream"),
      (row("x", "A", "NSE"), "NSE:A: token 'x' is no number up to 268435455"),
      (row("1", "A", "NSE", tick: "five"), "NSE:A: tick_size 'five' is no number of hundredths from 0"),
      (row("1", "A", "NSE", tick: "-5"), "NSE:A: tick_size '-5' is no number of hundredths from 0"),
      (row("1", "A", "NSE", lot: "1.5"), "NSE:A: lotsize '1.5' is no whole number from 0"),
      (row("1", "A", "NFO", expiry: "31Feb2026"), "NFO:A: expiry '31Feb2026' is no date such as 04Apr2024"),
      ("{}", ":: exch_seg '' is not on the stream"),
    ])
  func aRowThatCannotBeUsedIsPassedOverAndNamed(row: String, reason: String) throws {
    let list = try Self.list([row, Self.row("5", "GOOD-EQ", "NSE"), row])
    #expect(list.rows.map(\.symbol.text) == ["NSE:GOOD"])
    #expect(list.skippedCount == 2 && list.firstSkipped == reason)
  }

  @Test(arguments: ["", "[", "{}", "[1]", "<html>", "[]", "[{}]", "[{}] x", #"[{"token":"1"]"#])
  func whatIsNoListIsAFaultThatNamesTheSource(text: String) {
    let fault = #expect(throws: Fault.self) {
      try AngelOneInstruments(json: Array(text.utf8), source: "the list")
    }
    #expect(fault?.kind == .badData && fault?.message.hasPrefix("the list: ") == true)
  }
}
