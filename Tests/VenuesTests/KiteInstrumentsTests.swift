import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

@Suite struct KiteInstrumentsTests {
  private static let header =
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    + "instrument_type,segment,exchange\n"

  private func parse(_ text: String) throws(Fault) -> [KiteInstrument] {
    try KiteInstruments.parse(csv: Array(text.utf8), source: "dump")
  }

  @Test func rowsBecomeInstruments() throws {
    let rows = try parse(
      Self.header + "3861249,15083,ADANIPORTS,ADANI PORT & SEZ,0.0,,0.0,0.05,1,EQ,NSE,NSE\r\n"
        + "256265,1001,NIFTY 50,\"NIFTY, \"\"50\"\"\nof NSE\",0.0,,0.0,0,0,EQ,INDICES,NSE\n"
        + "271384835,1060097,USDINR26DECFUT,USDINR,0.0,2026-12-29,0.0,0.0025,1000,FUT,CDS-FUT,CDS")
    #expect(rows.map(\.symbol.text) == ["NSE:ADANIPORTS", "NSE:NIFTY 50", "CDS:USDINR26DECFUT"])
    #expect(rows.map(\.token) == [3_861_249, 256_265, 271_384_835])
    #expect(rows.map(\.priceTick.description) == ["0.05", "0", "0.0025"])
    #expect(rows.map(\.lotSize) == [1, 0, 1000])
    #expect(rows.map(\.name) == ["ADANI PORT & SEZ", "NIFTY, \"50\"\nof NSE", "USDINR"])
    #expect(rows.map(\.type) == ["EQ", "EQ", "FUT"])
    #expect(rows.map(\.expiryDay) == [nil, nil, CivilTime.dayNumber(date: "2026-12-29")])
    let instrument = rows[0].instrument(id: InstrumentID(rawValue: 6))
    #expect(instrument.venueToken == "3861249")
    #expect(instrument.id == InstrumentID(rawValue: 6))
  }

  @Test func anOptionHasAStrikeAndEveryListingItsScale() throws {
    let rows = try parse(
      Self.header + "12517890,48898,NIFTY26NOV26000CE,NIFTY,0.0,2026-11-26,26000.5,0.05,75,CE,NFO-OPT,NFO\n"
        + "271384835,1060097,USDINR26DECFUT,USDINR,0.0,2026-12-29,0.0,0.0025,1000,FUT,CDS-FUT,CDS")
    let listings = rows.map(\.listing)
    #expect(listings.map(\.strike) == [Price(decimal: "26000.5"), nil])
    #expect(listings.map(\.priceScale) == [100, 10_000_000])
    #expect(listings.map(\.type) == ["CE", "FUT"])
  }

  @Test func columnsAreFoundByName() throws {
    let rows = try parse(
      "new,exchange,lot_size,tick_size,tradingsymbol,instrument_token\nx,NSE,1,0.05,INFY,408065\n")
    #expect(rows.map(\.symbol.text) == ["NSE:INFY"])
  }

  @Test(
    arguments: [
      ("", "dump: the file is empty"), ("a,b\n", "dump: line 1: there is no column 'instrument_token'"),
      (header + "1,2,3\n", "dump: line 2: 3 fields, where the first line has 12"),
      (header + "\n1,2,\"A\nB\",,,,,0.05,1,,,N\n-1,2,A,,,,,0.05,1,,,N", "dump: line 3: symbol 'N:A B'"),
      (header + "-1,2,A,,,,,0.05,1,,,N", "dump: line 2: instrument_token '-1'"),
      (header + "1,2,A,,,,,x,1,,,N", "dump: line 2: tick_size 'x'"),
      (header + "1,2,A,,,,,0.05,1.5,,,N", "dump: line 2: lot_size '1.5'"),
      (header + "1,2,A,,,26-Nov,,0.05,1,,,N", "dump: line 2: expiry '26-Nov'"),
      (header + "1,2,A,,,,x,0.05,1,CE,,N", "dump: line 2: strike 'x'"),
      (header + "1,2,,,,,,0.05,1,,,N", "dump: line 2: symbol 'N:'"),
      (header + "1,2,\"A,,,,,0.05,1,,,N", "dump: line 2: a quoted field that never ends"),
      (header + "1,2,\"A\"B,,,,,0.05,1,,,N", "dump: line 2: text after the closing quote"),
      (header + "1,2,A\"B,,,,,0.05,1,,,N", "dump: line 2: a quote in the middle"),
    ])
  func malformedRowsNameTheirLine(text: String, message: String) {
    let fault = #expect(throws: Fault.self) { _ = try parse(text) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.hasPrefix(message) == true, "\(fault?.message ?? "")")
  }

  @Test func theDumpIsDownloaded() async throws {
    let body = Data((Self.header + "408065,1594,INFY,INFOSYS,0.0,,0.0,0.05,1,EQ,NSE,NSE\n").utf8)
    try await withServer {
      await $0.appendRoute("/instruments/NSE") { _ in FlyingFox.HTTPResponse(statusCode: .ok, body: body) }
    } _: { port in
      try await onThread {
        let client = try Venues.HTTPClient()
        let url = "http://127.0.0.1:\(port)"
        let rows = try KiteInstruments.download(with: client, baseURL: url, exchange: "NSE")
        #expect(rows.map(\.symbol.text) == ["NSE:INFY"])
        let fault = #expect(throws: Fault.self) {
          _ = try KiteInstruments.download(with: client, baseURL: url)
        }
        #expect(fault?.message.hasPrefix("GET \(url)/instruments: HTTP status 404") == true)
      }
    }
  }
}
