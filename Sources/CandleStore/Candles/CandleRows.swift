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
    guard let instrument = UInt32(exactly: number), interval > 0, interval <= Int64(Int32.max),
      let candle = Candle(
        instrument: InstrumentID(rawValue: instrument), interval: Interval(seconds: Int(interval)),
        stored: { sqlite3_column_int64(handle, $0 &+ 2) })
    else { throw Fault.outOfRange(instrument: number, start: sqlite3_column_int64(handle, 2), path: path) }
    return candle
  }
}

extension Fault {
  /// A row that cannot be a candle.
  static func outOfRange(instrument: Int64, start: Int64, path: String) -> Fault {
    Fault(
      .badData,
      """
      the candle of instrument \(instrument) at second \(start) in '\(path)' has values out of range; \
      delete that row and rebuild the day
      """)
  }
}

extension Candle {
  /// Makes a candle of what a row says after instrument and interval, in the order of ``CandleInsertion/columns``; nil
  /// when that cannot be.
  @inline(__always)
  init?(instrument: InstrumentID, interval: Interval, stored column: (Int32) -> Int64) {
    guard let origin = UInt8(exactly: column(1)).flatMap(CandleOrigin.init),
      let flags = UInt16(exactly: column(11)),
      let state = UInt8(exactly: column(12)).flatMap(CandleState.init)
    else { return nil }
    self.init(
      instrument: instrument, interval: interval, start: Timestamp(seconds: column(0)),
      open: Price(units: column(2)), high: Price(units: column(3)), low: Price(units: column(4)),
      close: Price(units: column(5)), volume: column(6), openInterest: column(7), tickCount: Int(column(8)),
      turnover: column(9), coverage: Int(column(10)), flags: CandleFlags(rawValue: flags), state: state,
      revision: Int(column(13)), origin: origin)
  }

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
