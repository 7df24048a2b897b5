import Foundation
import MarketData
import Testing

@testable import Venues

/// The vendor's own sample files.
@Suite(
  .enabled(
    if: SharedMaterial.folder != nil, "the folder of sample data is absent; TICKRING_SHARED may name it"))
struct SharedDataTests {
  private func sample(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: #require(SharedMaterial.folder).appending(path: "data/kite/\(name)")))
  }

  @Test(arguments: [("historical_minute.json", "1704.5", 0), ("historical_oi.json", "12009.9", 13_667_775)])
  func sampleCandlesAreRead(name: String, open: String, openInterest: Int64) throws {
    let answer = try KiteCandleAnswer(
      try sample(name), instrument: InstrumentID(rawValue: 0), interval: .minute)
    #expect(answer.isSuccess)
    let first = try #require(answer.candles.first)
    #expect(first.open.description == open)
    #expect(first.openInterest == openInterest)
    for (earlier, later) in zip(answer.candles, answer.candles.dropFirst()) {
      #expect(later.start - earlier.start == Interval.minute.nanoseconds)
    }
  }

  @Test func theSampleDumpIsRead() throws {
    let rows = try KiteInstruments.parse(csv: try sample("instruments_nse.csv"), source: "dump")
    #expect(rows.count == 99)
    #expect(rows.allSatisfy { $0.symbol.exchange == "NSE" && $0.token & 0xFF == 1 })
    #expect(rows.contains { $0.symbol.text == "NSE:ADANIPORTS" && $0.priceTick.description == "0.05" })
  }
}
