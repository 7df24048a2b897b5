internal import GRDB
internal import GRDBSQLite
internal import MarketData

/// Stores candles through SQLite's own statement calls, many rows a statement.
///
/// Three things make this fast, in the order of what they bring: a row replaces an older one of the same key in a
/// single search (no secondary index, trigger or foreign key stands in the way of SQLite's shortcut for `REPLACE` in
/// tables without rowid); sixteen rows share one run of the virtual machine; and rows come in the order of their
/// keys, so that neighbours meet the same page.
struct CandleInsertion {
  static let columns = "instrument_id, interval_seconds, \(columnsOfOne)"
  /// The columns in which the candles of one instrument and interval differ.
  static let columnsOfOne = """
    start, origin, open, high, low, close, volume, open_interest, tick_count, turnover, coverage, flags, state, revision
    """
  private static let columnCount = 16
  private static let rowsPerStatement = 16

  private let database: Database
  private let many: Statement
  private let one: Statement
  private let supersede: Statement

  init(_ database: Database) throws {
    self.database = database
    many = try database.cachedStatement(sql: Self.insertion(rows: Self.rowsPerStatement))
    one = try database.cachedStatement(sql: Self.insertion(rows: 1))
    supersede = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO candle_revisions SELECT * FROM candles
        WHERE instrument_id = ? AND interval_seconds = ? AND start = ? AND origin = ? AND revision < ? AND state >= 2
        """)
  }

  /// Stores candles that ascend by key; of equal keys the last wins, and of a revised candle the row that it
  /// supersedes is kept.
  func run(_ candles: [Candle], order: [Int32]?) throws {
    var waiting = 0
    func flush(endingAt end: Int) throws {
      // Rows that do not fill a statement go one by one.
      for position in end - waiting..<end {
        bind(candles[order.map { Int($0[position]) } ?? position], to: one.sqliteStatement, row: 0)
        try step(one.sqliteStatement)
      }
      waiting = 0
    }
    let count = order?.count ?? candles.count
    for position in 0..<count {
      let candle = candles[order.map { Int($0[position]) } ?? position]
      if candle.revision > 0 {
        try flush(endingAt: position)
        try keepSuperseded(candle)
      }
      bind(candle, to: many.sqliteStatement, row: waiting)
      waiting += 1
      if waiting == Self.rowsPerStatement {
        try step(many.sqliteStatement)
        waiting = 0
      }
    }
    try flush(endingAt: count)
  }

  private func keepSuperseded(_ candle: Candle) throws {
    let handle = supersede.sqliteStatement
    sqlite3_bind_int64(handle, 1, Int64(candle.instrument.rawValue))
    sqlite3_bind_int64(handle, 2, Int64(candle.interval.seconds))
    sqlite3_bind_int64(handle, 3, candle.start.seconds)
    sqlite3_bind_int64(handle, 4, Int64(candle.origin.rawValue))
    sqlite3_bind_int64(handle, 5, Int64(candle.revision))
    try step(handle)
  }

  private func step(_ handle: SQLiteStatement) throws {
    let code = sqlite3_step(handle)
    sqlite3_reset(handle)
    guard code == SQLITE_DONE else {
      throw DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: String(cString: sqlite3_errmsg(database.sqliteConnection)))
    }
  }

  /// All are integers, so SQLite is told them directly: sixteen boxed values for every row cost more than storing it.
  @inline(__always)
  private func bind(_ candle: Candle, to handle: SQLiteStatement, row: Int) {
    let first = Int32(truncatingIfNeeded: row &* Self.columnCount)
    sqlite3_bind_int64(handle, first &+ 1, Int64(candle.instrument.rawValue))
    sqlite3_bind_int64(handle, first &+ 2, Int64(candle.interval.seconds))
    sqlite3_bind_int64(handle, first &+ 3, candle.start.seconds)
    sqlite3_bind_int64(handle, first &+ 4, Int64(candle.origin.rawValue))
    sqlite3_bind_int64(handle, first &+ 5, candle.open.units)
    sqlite3_bind_int64(handle, first &+ 6, candle.high.units)
    sqlite3_bind_int64(handle, first &+ 7, candle.low.units)
    sqlite3_bind_int64(handle, first &+ 8, candle.close.units)
    sqlite3_bind_int64(handle, first &+ 9, candle.volume)
    sqlite3_bind_int64(handle, first &+ 10, candle.openInterest)
    sqlite3_bind_int64(handle, first &+ 11, Int64(candle.tickCount))
    sqlite3_bind_int64(handle, first &+ 12, candle.turnover)
    sqlite3_bind_int64(handle, first &+ 13, Int64(candle.coverage))
    sqlite3_bind_int64(handle, first &+ 14, Int64(candle.flags.rawValue))
    sqlite3_bind_int64(handle, first &+ 15, Int64(candle.state.rawValue))
    sqlite3_bind_int64(handle, first &+ 16, Int64(candle.revision))
  }

  private static func insertion(rows: Int) -> String {
    let row = "(" + Array(repeating: "?", count: columnCount).joined(separator: ", ") + ")"
    return "INSERT OR REPLACE INTO candles (\(columns)) VALUES "
      + Array(repeating: row, count: rows).joined(separator: ", ")
  }
}

/// The place of a candle in its table.
struct CandleKey: Comparable {
  private let high: UInt64
  private let low: Int64

  init(_ candle: Candle) {
    high =
      UInt64(candle.instrument.rawValue) << 32 | UInt64(UInt32(truncatingIfNeeded: candle.interval.seconds))
    low = candle.start.seconds << 8 | Int64(candle.origin.rawValue)
  }

  static func < (left: CandleKey, right: CandleKey) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  /// The order in which candles are stored, those of one key in the order given, and of them only the last of each
  /// revision; nil when the candles lie that way already.
  static func storingOrder(_ candles: [Candle]) -> [Int32]? {
    var isAscending = true
    var previous: CandleKey?
    for candle in candles {
      let key = CandleKey(candle)
      if let previous, key <= previous {
        isAscending = false
        break
      }
      previous = key
    }
    if isAscending { return nil }
    let keyed = candles.indices.map { (key: CandleKey(candles[$0]), index: Int32($0)) }
      .sorted { ($0.key, $0.index) < ($1.key, $1.index) }
    var order: [Int32] = []
    order.reserveCapacity(keyed.count)
    for (position, entry) in keyed.enumerated() {
      if position + 1 < keyed.count, keyed[position + 1].key == entry.key,
        candles[Int(keyed[position + 1].index)].revision == candles[Int(entry.index)].revision
      {
        continue
      }
      order.append(entry.index)
    }
    return order
  }
}
