internal import ArgumentParser
internal import CandleStore
internal import Foundation
internal import GRDBSQLite
internal import MarketData

/// The candles' database: written with the product's durability and read into values, beside a bare loop of the C API
/// and, with `--python`, pandas.
struct StoreBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Candles a second into SQLite and back, beside the C API and pandas.")

  @OptionGroup var size: SizeOptions
  @Option(help: "A Python that has pandas; `make bench-store` makes one.") var python: String?

  private static let instruments = 200
  private static let batch = 10_000
  private static let rangeCount = 100_000

  func run() throws { try Self.measure(size, python: python) }

  static func measure(_ size: SizeOptions, python: String? = nil) throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-store-\(UUID())"
    ).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let perInstrument = size.pick(smoke: 100, full: rangeCount / 10)
    let candles = (0..<UInt32(instruments)).flatMap { instrument in
      (0..<perInstrument).map { candle(instrument, Int64($0)) }
    }
    let runs = size.pick(smoke: 1, full: 3)
    var ours: [Double] = []
    var bare: [Double] = []
    var relaxed: [Double] = []
    for run in 0..<runs {
      bare.append(try bareLoop(candles, path: directory + "/bare-\(run).sqlite", synchronous: "FULL"))
      ours.append(try store(candles, path: directory + "/store-\(run).sqlite"))
      relaxed.append(try bareLoop(candles, path: directory + "/relaxed-\(run).sqlite", synchronous: "NORMAL"))
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let count = UInt64(candles.count)
    try report("candles stored, each batch of \(batch) synced", median(ours), median(bare), count, size)
    try report("a bare loop of the C API, each batch synced", median(bare), nil, count, size)
    try report(
      "the same, left to the system (synchronous = NORMAL)", median(relaxed), median(bare), count, size)
    try minutes(size, directory: directory)
    try reading(size, directory: directory, python: python)
  }

  private static func report(
    _ name: String, _ perSecond: Double, _ bare: Double?, _ count: UInt64, _ size: SizeOptions
  )
    throws
  {
    try Measurement(
      name: name, value: perSecond, unit: "candles/s",
      comparison: bare.map { String(format: "%.2f x the bare loop", perSecond / $0) }, checksum: count
    ).report(size)
  }

  /// A minute of the whole market at a time, into a store that holds a week of minutes: every row meets a page of its
  /// own, which goes through the log as a whole.
  private static func minutes(_ size: SizeOptions, directory: String) throws {
    let market: UInt32 = 2000
    let held = size.pick(smoke: 4, full: 5 * 375)
    let minutes = size.pick(smoke: 2, full: 30)
    let path = directory + "/minutes.sqlite"
    let before = (0..<market).flatMap { instrument in (0..<held).map { candle(instrument, Int64($0)) } }
    func batches(from first: Int) -> [[Candle]] {
      (first..<first + minutes).map { minute in (0..<market).map { candle($0, Int64(minute)) } }
    }
    let store = try open(path, instruments: Int(market))
    for first in stride(from: 0, to: before.count, by: 10 * batch) {
      try store.upsert(Array(before[first..<min(first + 10 * batch, before.count)]))
    }
    var start = Timestamp.monotonicNanoseconds()
    for batch in batches(from: held) { try store.upsert(batch) }
    let ours = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
    try store.close()
    let loop = try BareLoop(path: path, synchronous: "FULL")
    start = Timestamp.monotonicNanoseconds()
    for batch in batches(from: held + minutes) { try loop.store(batch[...]) }
    let bare = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
    let count = UInt64(minutes) * UInt64(market)
    try report(
      "the same a minute of \(market) instruments at a time, each synced", Double(count) / ours,
      Double(count) / bare, count, size)
    try report("a bare loop of the C API with the same commits", Double(count) / bare, nil, count, size)
  }

  private static func reading(_ size: SizeOptions, directory: String, python: String?) throws {
    let path = directory + "/read.sqlite"
    let count = size.pick(smoke: 1000, full: rangeCount)
    let store = try open(path, instruments: 3)
    for instrument in 0..<3 as Range<UInt32> {
      try store.upsert((0..<count).map { candle(instrument, Int64($0)) })
    }
    try store.close()
    let reader = try CandleStore(path: path, mode: .readOnly)
    let instrument = InstrumentID(rawValue: 1)
    var checksum: UInt64 = 0
    let range = try Measurement.median(runs: 7) {
      let start = Timestamp.monotonicNanoseconds()
      let candles = try reader.candles(
        of: instrument, interval: .minute, from: Timestamp(nanoseconds: .min),
        to: Timestamp(nanoseconds: .max))
      checksum = candles.reduce(0) { $0 &+ UInt64(bitPattern: $1.close.units) }
      return Double(Timestamp.monotonicNanoseconds() - start) / 1e6
    }
    let last = try Measurement.median(runs: 101) {
      let start = Timestamp.monotonicNanoseconds()
      checksum &+= UInt64(try reader.latestCandles(of: instrument, interval: .minute, count: 200).count)
      return Double(Timestamp.monotonicNanoseconds() - start) / 1e6
    }
    let bare = try Measurement.median(runs: 7) { try bareReading(path: path) }
    let pandas = try python.map { try pandasMilliseconds(python: $0, path: path) }
    try Measurement(
      name: "range of \(count) candles into values", value: range, unit: "ms",
      comparison: String(format: "the same query in a bare loop of the C API %.1f ms", bare)
        + (pandas.map { String(format: ", pandas.read_sql %.1f ms, %.1f x", $0, $0 / range) } ?? ""),
      checksum: checksum
    ).report(size)
    try Measurement(
      name: "last 200 candles", value: last, unit: "ms", comparison: nil, checksum: checksum
    ).report(size)
  }

  private static func open(_ path: String, instruments: Int) throws -> CandleStore {
    let store = try CandleStore(path: path, mode: .readWrite)
    _ = try store.instrumentIDs(
      for: (0..<instruments).map { (try Symbol("NSE:S\($0)"), "\($0)", Price(units: 50_000_000), 1) })
    return store
  }

  private static func store(_ candles: [Candle], path: String) throws -> Double {
    let store = try open(path, instruments: instruments)
    let start = Timestamp.monotonicNanoseconds()
    for first in stride(from: 0, to: candles.count, by: batch) {
      try store.upsert(Array(candles[first..<min(first + batch, candles.count)]))
    }
    let seconds = Double(Timestamp.monotonicNanoseconds() - start) / 1e9
    try store.close()
    return Double(candles.count) / seconds
  }

  private static func candle(_ instrument: UInt32, _ minute: Int64) -> Candle {
    let price = 100_000_000_000 + (minute * 7919 + Int64(instrument) * 104_729) % 4000 * 50_000_000
    return Candle(
      instrument: InstrumentID(rawValue: instrument), interval: .minute,
      start: Timestamp(seconds: 1_700_000_100 + minute * 60), open: Price(units: price),
      high: Price(units: price + 50_000_000), low: Price(units: price - 50_000_000),
      close: Price(units: price),
      volume: minute * 31 % 100_000, tickCount: Int(minute % 60), turnover: price / 100_000 * (minute % 1000),
      origin: .built)
  }

  private static func pandasMilliseconds(python: String, path: String) throws -> Double {
    let script = """
      import sqlite3, sys, time, pandas
      db = sqlite3.connect(sys.argv[1])
      times = []
      for _ in range(7):
          start = time.perf_counter()
          frame = pandas.read_sql("SELECT * FROM candles WHERE instrument_id = 1 AND interval_seconds = 60 ORDER BY start", db)
          times.append(time.perf_counter() - start)
      print(sorted(times)[3] * 1000)
      """
    return try PythonPeer.numbers(python, script, [path])[0]
  }
}

// MARK: - The bare loop

extension StoreBenchmark {
  private static func bareLoop(_ candles: [Candle], path: String, synchronous: String) throws -> Double {
    // The product makes the table, so that both write the same one.
    try open(path, instruments: instruments).close()
    let loop = try BareLoop(path: path, synchronous: synchronous)
    let start = Timestamp.monotonicNanoseconds()
    for first in stride(from: 0, to: candles.count, by: batch) {
      try loop.store(candles[first..<min(first + batch, candles.count)])
    }
    return Double(candles.count) / (Double(Timestamp.monotonicNanoseconds() - start) / 1e9)
  }

  /// One prepared statement, one row a time, the product's table and pragmas: what SQLite itself takes.
  private final class BareLoop {
    private let database: OpaquePointer
    private var statement: OpaquePointer?

    init(path: String, synchronous: String) throws {
      var opened: OpaquePointer?
      guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else {
        throw Fault(.system, "cannot open '\(path)'")
      }
      database = opened
      try execute(
        "PRAGMA synchronous = \(synchronous); PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192")
      let places = Array(repeating: "?", count: 16).joined(separator: ",")
      guard
        sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO candles VALUES (\(places))", -1, &statement, nil)
          == SQLITE_OK
      else { throw Fault(.system, String(cString: sqlite3_errmsg(database))) }
    }

    deinit {
      sqlite3_finalize(statement)
      sqlite3_close(database)
    }

    private func execute(_ sql: String) throws {
      guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
        throw Fault(.system, "\(sql): \(String(cString: sqlite3_errmsg(database)))")
      }
    }

    /// Stores candles in one transaction.
    func store(_ candles: ArraySlice<Candle>) throws {
      try execute("BEGIN IMMEDIATE")
      for candle in candles {
        let values =
          [
            Int64(candle.instrument.rawValue), Int64(candle.interval.seconds), candle.start.seconds,
            Int64(candle.origin.rawValue), candle.open.units, candle.high.units, candle.low.units,
            candle.close.units, candle.volume, candle.openInterest, Int64(candle.tickCount), candle.turnover,
            Int64(candle.coverage), Int64(candle.flags.rawValue), Int64(candle.state.rawValue),
            Int64(candle.revision),
          ] as InlineArray<16, Int64>
        for index in values.indices { sqlite3_bind_int64(statement, Int32(index + 1), values[index]) }
        guard sqlite3_step(statement) == SQLITE_DONE else {
          throw Fault(.system, String(cString: sqlite3_errmsg(database)))
        }
        sqlite3_reset(statement)
      }
      try execute("COMMIT")
    }
  }

  /// Milliseconds of the range query stepped through, every column asked for as an integer.
  private static func bareReading(path: String) throws -> Double {
    var database: OpaquePointer?
    guard sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
    else {
      throw Fault(.system, "cannot open '\(path)'")
    }
    defer { sqlite3_close(database) }
    var statement: OpaquePointer?
    let sql = "SELECT * FROM candles WHERE instrument_id = 1 AND interval_seconds = 60 ORDER BY start, origin"
    guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else {
      throw Fault(.system, String(cString: sqlite3_errmsg(database)))
    }
    defer { sqlite3_finalize(statement) }
    var sum: Int64 = 0
    let start = Timestamp.monotonicNanoseconds()
    while sqlite3_step(statement) == SQLITE_ROW {
      for column in 0..<16 as Range<Int32> { sum &+= sqlite3_column_int64(statement, column) }
    }
    guard sum != 0 else { throw Fault(.software, "the bare loop read nothing") }
    return Double(Timestamp.monotonicNanoseconds() - start) / 1e6
  }
}

/// A peer in Python: a script that prints numbers.
enum PythonPeer {
  static func numbers(
    _ python: String, _ script: String, _ arguments: [String], needs package: String = "pandas"
  ) throws
    -> [Double]
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard process.terminationStatus == 0, !numbers.isEmpty else {
      throw Fault(.unavailable, "'\(python)' could not run the peer; it needs \(package)")
    }
    return numbers
  }
}
