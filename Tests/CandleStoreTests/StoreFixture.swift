import CandleStore
import Foundation
import MarketData

/// A directory of its own for one test, removed afterwards.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("candles-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

/// A store in a directory of its own with some instruments registered, numbered from 0.
struct StoreFixture {
  let directory: TemporaryDirectory
  let store: CandleStore

  static let names = ["NSE:YESBANK", "NSE:JUNIORBEES", "NFO:NIFTY26NOVFUT"]

  init() throws {
    directory = try TemporaryDirectory()
    store = try CandleStore(path: directory.file("candles.sqlite"), mode: .readWrite)
    _ = try store.instrumentIDs(for: Self.names.map { try Self.entry($0) })
  }

  var path: String { store.path }

  static func entry(_ name: String, token: String = "1", lot: Int64 = 1) throws -> CandleStore.InstrumentEntry
  {
    (symbol: try Symbol(name), venueToken: token, priceTick: Price(units: 50_000_000), lotSize: lot)
  }

  /// 09:15 on the 23rd of November 2026, and so many minutes later.
  static func minute(_ number: Int64) -> Timestamp {
    Timestamp(seconds: 1_795_405_500 + number * 60)
  }

  static func candle(
    _ number: Int64, instrument: UInt32 = 0, volume: Int64 = 10, state: CandleState = .final,
    origin: CandleOrigin = .built
  ) -> Candle {
    Candle(
      instrument: InstrumentID(rawValue: instrument), interval: .minute, start: minute(number),
      open: Price(units: 100_000_000_000), high: Price(units: 101_050_000_000),
      low: Price(units: 99_950_000_000), close: Price(units: 100_500_000_000), volume: volume, state: state,
      origin: origin)
  }

  func all(origin: CandleOrigin? = nil) throws -> [Candle] {
    var candles: [Candle] = []
    try store.forEachCandle(origin: origin) { candle in candles.append(candle) }
    return candles
  }
}

/// The fault that `body` throws; nil when it succeeds or throws something else.
func thrownFault(_ body: () throws -> Void) -> Fault? {
  do {
    try body()
    return nil
  } catch {
    return error as? Fault
  }
}

/// Recorded market data beside the package, where there is any.
enum RecordedData {
  static func path(_ name: String) -> String {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared/data/\(name)").path
  }

  static let isPresent = FileManager.default.fileExists(atPath: path("nse_minute_yesbank_20190709.csv"))
}
