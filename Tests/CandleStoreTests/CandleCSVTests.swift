import CandleStore
import Foundation
import MarketData
import Testing

@Suite struct CandleCSVTests {
  private let instrument = InstrumentID(rawValue: 0)

  private func read(_ text: String, interval: Interval = .minute) throws -> [Candle] {
    let directory = try TemporaryDirectory()
    let path = directory.file("day.csv")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try CandleCSV.read(path: path, instrument: instrument, interval: interval)
  }

  @Test func valuesAreTakenExactlyWhateverTheOrderOfColumns() throws {
    let candles = try read(
      "\u{FEFF}oi,close,low,high,open,timestamp,volume\r\n"
        + "500,100.10,99.999999999,101,100.05,2026-11-23T09:15:00+0530,7\r\n")
    #expect(
      candles == [
        Candle(
          instrument: instrument, interval: .minute, start: StoreFixture.minute(0),
          open: Price(units: 100_050_000_000), high: Price(units: 101_000_000_000),
          low: Price(units: 99_999_999_999), close: Price(units: 100_100_000_000), volume: 7,
          openInterest: 500,
          origin: .imported)
      ])
  }

  @Test func aLineThatRepeatsTheOneBeforeIsSkipped() throws {
    let line = "2026-11-23T09:15:00+05:30,1,2,1,2,5\n"
    #expect(try read("timestamp,open,high,low,close,volume\n" + line + line + "\n").count == 1)
  }

  @Test func aFileWithoutCandlesIsEmptyNotWrong() throws {
    #expect(try read("timestamp,open,high,low,close,volume").isEmpty)
  }

  @Test(arguments: [
    ("2026-11-23T09:15:00+05:30,1,2,1,2", "has 5 values"),
    ("2026-11-23T09:15:00+05:30,1,2,1,2,5,6", "has 7 values"),
    ("2026-11-23T09:15:00,1,2,1,2,5", "as timestamp"),
    ("2026-11-23T09:15:30+05:30,1,2,1,2,5", "whole minute"),
    ("2026-11-23T09:15:00+05:30,x,2,1,2,5", "'x' as open"),
    ("2026-11-23T09:15:00+05:30,1,2.0000000001,1,2,5", "as high"),
    ("2026-11-23T09:15:00+05:30,1,99999999999,1,2,5", "as high"),
    ("2026-11-23T09:15:00+05:30,1,2,1,2,5.5", "as volume"),
    ("2026-11-23T09:15:00+05:30,1,2,1,2,-5", "as volume"),
    ("2026-11-23T09:15:00+05:30,1,2,1.5,2,5", "between low and high"),
    ("2026-11-23T09:15:00+05:30,1,2,1,3,5", "between low and high"),
    ("2026-11-23T09:14:00+05:30,1,2,1,2,6", "contradicts"),
    ("2026-11-23T09:13:00+05:30,1,2,1,2,5", "must ascend"),
  ])
  func aBadLineIsNamedByFileAndNumber(line: String, reason: String) throws {
    let text = "timestamp,open,high,low,close,volume\n2026-11-23T09:14:00+05:30,1,2,1,2,5\n" + line + "\n"
    let fault = thrownFault { _ = try read(text) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains("day.csv' line 3 ") == true)
    #expect(fault?.message.contains(reason) == true, "\(fault?.message ?? "no fault")")
  }

  @Test(arguments: [
    ("timestamp,open,high,low,close", "lacks the column 'volume'"),
    ("timestamp,open,high,low,close,volume,open", "twice"),
    ("timestamp,open,high,low,close,volume,vwap", "unknown column 'vwap'"),
    ("", "unknown column ''"),
  ])
  func aBadHeaderIsNamed(header: String, reason: String) {
    let fault = thrownFault { _ = try read(header + "\n") }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains(reason) == true, "\(fault?.message ?? "no fault")")
  }

  @Test func aMinuteFileIsNotReadAsFiveMinutes() {
    let fault = thrownFault {
      _ = try read(
        "timestamp,open,high,low,close,volume\n2026-11-23T09:15:00+05:30,1,2,1,2,5\n"
          + "2026-11-23T09:16:00+05:30,1,2,1,2,5\n", interval: .minutes(5))
    }
    #expect(fault?.message.contains("inside the candle of 5m") == true)
  }

  @Test func aMissingFileIsNamed() {
    let fault = thrownFault {
      _ = try CandleCSV.read(path: "/absent/day.csv", instrument: instrument, interval: .minute)
    }
    #expect(fault?.kind == .missingInput)
    #expect(fault?.message.contains("/absent/day.csv") == true)
  }

  @Test func aDirectoryIsNotReadAsAFile() throws {
    let directory = try TemporaryDirectory()
    let fault = thrownFault {
      _ = try CandleCSV.read(path: directory.path, instrument: instrument, interval: .minute)
    }
    #expect(fault?.kind == .inputOutput)
  }

  @Test(
    .enabled(if: RecordedData.isPresent, "no recorded data beside the package"),
    arguments: [
      ("nse_minute_yesbank_20190709.csv", 377), ("nse_minute_yesbank_20190710.csv", 376),
      ("nse_minute_juniorbees_20190101.csv", 217),
    ])
  func recordedDaysAreReadAndStoredTwiceWithoutChange(name: String, count: Int) throws {
    let candles = try CandleCSV.read(path: RecordedData.path(name), instrument: instrument, interval: .minute)
    #expect(candles.count == count)
    let fixture = try StoreFixture()
    try fixture.store.upsert(candles)
    try fixture.store.upsert(candles)
    #expect(try fixture.all() == candles)
  }
}
