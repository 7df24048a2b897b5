internal import GRDB
internal import GRDBSQLite
internal import MarketData

/// Takes the candles of one instrument and interval over inside SQLite.
///
/// Stepping through a statement costs, for each row, a way out of SQLite's virtual machine and back in, and for each
/// column a look-up. An aggregate function of our own is handed each row's values where they lie, and the statement is
/// stepped once: a range of 100 000 candles takes two thirds of the time. What is the same in all rows is not asked for.
struct CandleCollector {
  /// What was taken over, ascending by start; of one start only the best.
  private(set) var candles: [Candle] = []
  private let instrument: InstrumentID
  private let interval: Interval
  private let preference: CandleOrigin
  /// Start of the row that made SQLite stop, because it cannot be a candle.
  private var badStart: Int64?

  private static let function = "take_candle"
  /// Tells SQLite that a pointer is one to a collector: it hands it to no function that asks for another kind.
  private static let pointerType: StaticString = "CandleCollector"
  private static let rowColumns = 14

  init(instrument: InstrumentID, interval: Interval, preferring preference: CandleOrigin) {
    self.instrument = instrument
    self.interval = interval
    self.preference = preference
  }

  /// Makes the aggregate function known to a connection.
  static func prepare(_ database: Database) throws {
    let code = sqlite3_create_function_v2(
      database.sqliteConnection, function, Int32(1 + rowColumns), SQLITE_UTF8 | SQLITE_DIRECTONLY, nil, nil,
      { context, _, values in
        guard let values, let pointer = sqlite3_value_pointer(values[0], CandleCollector.pointerTypeName)
        else {
          sqlite3_result_error(context, "the first argument is no collector", -1)
          return
        }
        // The statement is stepped by `collect` alone, which has lent the collector for so long.
        pointer.assumingMemoryBound(to: CandleCollector.self).pointee.take(values + 1, context)
      }, { _ in }, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  /// Takes over what starts in a range of seconds.
  mutating func collect(_ database: Database, seconds: Range<Int64>, origin: CandleOrigin?, path: String)
    throws
  {
    let ofOrigin = origin.map { " AND origin = \($0.rawValue)" } ?? ""
    let statement = try database.cachedStatement(
      sql: """
        SELECT \(Self.function)(?1, \(CandleInsertion.columnsOfOne)) FROM candles
        WHERE instrument_id = ?2 AND interval_seconds = ?3 AND start >= ?4 AND start < ?5\(ofOrigin)
        """)
    let handle = statement.sqliteStatement
    sqlite3_reset(handle)
    sqlite3_bind_int64(handle, 2, Int64(instrument.rawValue))
    sqlite3_bind_int64(handle, 3, Int64(interval.seconds))
    sqlite3_bind_int64(handle, 4, seconds.lowerBound)
    sqlite3_bind_int64(handle, 5, seconds.upperBound)
    badStart = nil
    let code = withUnsafeMutablePointer(to: &self) { collector in
      sqlite3_bind_pointer(handle, 1, collector, Self.pointerTypeName, nil)
      defer {
        sqlite3_reset(handle)
        sqlite3_bind_null(handle, 1)
      }
      return sqlite3_step(handle)
    }
    if let badStart {
      throw Fault.outOfRange(instrument: Int64(instrument.rawValue), start: badStart, path: path)
    }
    guard code == SQLITE_ROW else {
      throw DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: String(cString: sqlite3_errmsg(database.sqliteConnection)))
    }
  }

  @inline(__always)
  private mutating func take(_ values: UnsafeMutablePointer<OpaquePointer?>, _ context: OpaquePointer?) {
    guard
      let candle = Candle(
        instrument: instrument, interval: interval, stored: { sqlite3_value_int64(values[Int($0)]) })
    else {
      badStart = sqlite3_value_int64(values[0])
      sqlite3_result_error(context, "values out of range", -1)
      return
    }
    CandleStore.append(candle, to: &candles, preferring: preference)
  }

  private static var pointerTypeName: UnsafePointer<CChar> {
    UnsafeRawPointer(pointerType.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
