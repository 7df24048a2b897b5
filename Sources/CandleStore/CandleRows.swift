internal import GRDB
internal import GRDBSQLite
internal import MarketData

/// Steps through the candles of a statement that selects ``CandleInsertion/columns``, straight from SQLite's
/// integers. Every value is taken as possibly wrong: the file may be damaged.
struct CandleRows: ~Copyable {
  private let statement: Statement
  private let handle: SQLiteStatement
  private let database: Database
  private let path: String

  /// Prepares a query whose parameters are integers.
  init(_ database: Database, sql: String, arguments: [Int64] = [], path: String) throws {
    self.database = database
    self.path = path
    statement = try database.cachedStatement(sql: sql)
    handle = statement.sqliteStatement
    sqlite3_reset(handle)
    for (index, value) in arguments.enumerated() { sqlite3_bind_int64(handle, Int32(index + 1), value) }
  }

  deinit { sqlite3_reset(handle) }

  /// The next candle; nil at the end.
  mutating func next() throws -> Candle? {
    let code = sqlite3_step(handle)
    guard code == SQLITE_ROW else {
      if code == SQLITE_DONE { return nil }
      throw DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: String(cString: sqlite3_errmsg(database.sqliteConnection)))
    }
    let number = sqlite3_column_int64(handle, 0)
    let interval = sqlite3_column_int64(handle, 1)
    let start = sqlite3_column_int64(handle, 2)
    guard let instrument = UInt32(exactly: number), interval > 0, interval <= Int64(Int32.max),
      let origin = UInt8(exactly: sqlite3_column_int64(handle, 3)).flatMap(CandleOrigin.init),
      let flags = UInt16(exactly: sqlite3_column_int64(handle, 13)),
      let state = UInt8(exactly: sqlite3_column_int64(handle, 14)).flatMap(CandleState.init)
    else { throw outOfRange(number, start) }
    return Candle(
      instrument: InstrumentID(rawValue: instrument), interval: Interval(seconds: Int(interval)),
      start: Timestamp(seconds: start), open: Price(units: sqlite3_column_int64(handle, 4)),
      high: Price(units: sqlite3_column_int64(handle, 5)), low: Price(units: sqlite3_column_int64(handle, 6)),
      close: Price(units: sqlite3_column_int64(handle, 7)), volume: sqlite3_column_int64(handle, 8),
      openInterest: sqlite3_column_int64(handle, 9), tickCount: Int(sqlite3_column_int64(handle, 10)),
      turnover: sqlite3_column_int64(handle, 11), coverage: Int(sqlite3_column_int64(handle, 12)),
      flags: CandleFlags(rawValue: flags), state: state, revision: Int(sqlite3_column_int64(handle, 15)),
      origin: origin)
  }

  private func outOfRange(_ instrument: Int64, _ start: Int64) -> Fault {
    Fault(
      .badData,
      """
      the candle of instrument \(instrument) at second \(start) in '\(path)' has values out of range; \
      delete that row and rebuild the day
      """)
  }
}

extension Candle {
  /// True when this candle is to be trusted more than another of the same interval: the venue's once it is sealed,
  /// then ours, then an imported one, then the venue's while it may still be running; ours before all where it is
  /// preferred (candle rule 18). The view `best_candles` says the same in SQL.
  func isBetter(than other: Candle, preferring origin: CandleOrigin) -> Bool {
    rank(preferring: origin) < other.rank(preferring: origin)
  }

  private func rank(preferring preferred: CandleOrigin) -> Int {
    switch origin {
    case .venue: state.rawValue >= CandleState.final.rawValue ? 0 : 3
    case .built: preferred == .built ? -1 : 1
    case .imported: 2
    }
  }
}
