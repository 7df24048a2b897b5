internal import GRDB
internal import GRDBSQLite
public import MarketData

extension CandleStore {
  /// Stores candles; one that is there already, by instrument, interval, start and origin, is replaced.
  ///
  /// All of them are stored or none. The last word wins, so storing the states of a candle in the order in which
  /// they came leaves the latest, and storing a day again changes nothing.
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`; of kind `badData` when a
  ///   candle does not start on a whole second, of kind `software` when an instrument was never registered.
  public func upsert(_ candles: [Candle]) throws(Fault) {
    guard !candles.isEmpty else { return }
    let path = path
    try write("store candles in") { database in
      let statement = try database.cachedStatement(sql: Self.upsertion)
      statement.setUncheckedArguments(StatementArguments())
      for candle in candles {
        guard candle.start.nanoseconds % Timestamp.nanosecondsPerSecond == 0 else {
          throw Fault(
            .badData,
            "a candle of \(candle.start.rfc3339) cannot be stored in '\(path)'; candles start on whole seconds"
          )
        }
        Self.bind(candle, to: statement)
        try statement.execute()
      }
    }
  }

  /// The candles of an instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Parameter origin: Whose candles; nil for the best there is of each interval: the venue's once it is sealed,
  ///   then ours, then an imported one, then the venue's that may still be running.
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func candles(
    of instrument: InstrumentID, interval: Interval, from: Timestamp, to: Timestamp,
    origin: CandleOrigin? = nil
  ) throws(Fault) -> [Candle] {
    // Starts are whole seconds: rounding both bounds up keeps [from, to) exact.
    try fetch(
      """
      \(Self.selection(of: origin)) AND instrument_id = ? AND interval_seconds = ? AND start >= ? AND start < ?
      ORDER BY start
      """,
      [
        Int64(instrument.rawValue), interval.seconds, Self.wholeSecond(notBefore: from),
        Self.wholeSecond(notBefore: to),
      ])
  }

  /// The last `count` candles of an instrument, ascending.
  ///
  /// - Parameter origin: As for ``candles(of:interval:from:to:origin:)``.
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func latestCandles(
    of instrument: InstrumentID, interval: Interval, count: Int, origin: CandleOrigin? = nil
  ) throws(Fault) -> [Candle] {
    try fetch(
      "\(Self.selection(of: origin)) AND instrument_id = ? AND interval_seconds = ? ORDER BY start DESC LIMIT ?",
      [Int64(instrument.rawValue), interval.seconds, max(0, count)]
    ).reversed()
  }

  /// Calls `body` with every candle in the order of instrument, interval and start, within one unchanging view of
  /// the file.
  ///
  /// - Parameter origin: As for ``candles(of:interval:from:to:origin:)``.
  /// - Throws: What `body` throws, and ``Fault`` of kind `inputOutput` or `badData`.
  public func forEachCandle(origin: CandleOrigin? = nil, _ body: (Candle) throws(Fault) -> Void) throws(Fault)
  {
    let path = path
    try read("read candles from") { database in
      let rows = try Row.fetchCursor(
        database, sql: "\(Self.selection(of: origin)) ORDER BY instrument_id, interval_seconds, start")
      while let row = try rows.next() { try body(try Self.candle(of: row, path: path)) }
    }
  }

  private func fetch(_ sql: String, _ arguments: StatementArguments) throws(Fault) -> [Candle] {
    let path = path
    return try read("read candles from") { database in
      var candles: [Candle] = []
      let rows = try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: arguments)
      while let row = try rows.next() { candles.append(try Self.candle(of: row, path: path)) }
      return candles
    }
  }

  private static func selection(of origin: CandleOrigin?) -> String {
    guard let origin else { return "SELECT \(columns) FROM best_candles WHERE true" }
    return "SELECT \(columns) FROM candles WHERE origin = \(origin.rawValue)"
  }

  private static func wholeSecond(notBefore instant: Timestamp) -> Int64 {
    let isWhole = instant.nanoseconds % Timestamp.nanosecondsPerSecond == 0
    return isWhole ? instant.seconds : instant.seconds + 1
  }

  /// Reads a row in the order of ``columns``. Every value is taken as possibly wrong: the file may be damaged.
  private static func candle(of row: Row, path: String) throws -> Candle {
    func integer(_ index: Int) throws -> Int64 { try row.decode(Int64.self, atIndex: index) }
    let number = try integer(0)
    let start = try integer(2)
    guard let instrument = UInt32(exactly: number), let intervalSeconds = Int32(exactly: try integer(1)),
      intervalSeconds > 0, let origin = UInt8(exactly: try integer(3)).flatMap(CandleOrigin.init),
      let flags = UInt16(exactly: try integer(13)),
      let state = UInt8(exactly: try integer(14)).flatMap(CandleState.init)
    else {
      throw Fault(
        .badData,
        """
        the candle of instrument \(number) at second \(start) in '\(path)' has values out of range; \
        delete that row and rebuild the day
        """)
    }
    return Candle(
      instrument: InstrumentID(rawValue: instrument), interval: Interval(seconds: Int(intervalSeconds)),
      start: Timestamp(seconds: start), open: Price(units: try integer(4)),
      high: Price(units: try integer(5)),
      low: Price(units: try integer(6)), close: Price(units: try integer(7)), volume: try integer(8),
      openInterest: try integer(9), tickCount: Int(try integer(10)), turnover: try integer(11),
      coverage: Int(try integer(12)), flags: CandleFlags(rawValue: flags), state: state,
      revision: Int(try integer(15)), origin: origin)
  }

  /// Binds a candle to the upsertion's places, in the order of ``columns``.
  ///
  /// All are integers, so SQLite is told them directly: sixteen boxed values for every row cost more than storing it.
  private static func bind(_ candle: Candle, to statement: Statement) {
    let handle = statement.sqliteStatement
    sqlite3_reset(handle)
    sqlite3_bind_int64(handle, 1, Int64(candle.instrument.rawValue))
    sqlite3_bind_int64(handle, 2, Int64(candle.interval.seconds))
    sqlite3_bind_int64(handle, 3, candle.start.seconds)
    sqlite3_bind_int64(handle, 4, Int64(candle.origin.rawValue))
    sqlite3_bind_int64(handle, 5, candle.open.units)
    sqlite3_bind_int64(handle, 6, candle.high.units)
    sqlite3_bind_int64(handle, 7, candle.low.units)
    sqlite3_bind_int64(handle, 8, candle.close.units)
    sqlite3_bind_int64(handle, 9, candle.volume)
    sqlite3_bind_int64(handle, 10, candle.openInterest)
    sqlite3_bind_int64(handle, 11, Int64(candle.tickCount))
    sqlite3_bind_int64(handle, 12, candle.turnover)
    sqlite3_bind_int64(handle, 13, Int64(candle.coverage))
    sqlite3_bind_int64(handle, 14, Int64(candle.flags.rawValue))
    sqlite3_bind_int64(handle, 15, Int64(candle.state.rawValue))
    sqlite3_bind_int64(handle, 16, Int64(candle.revision))
  }

  private static let columns = """
    instrument_id, interval_seconds, start, origin, open, high, low, close, volume, open_interest, tick_count, \
    turnover, coverage, flags, state, revision
    """

  private static let upsertion = """
    INSERT INTO candles (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (instrument_id, interval_seconds, start, origin) DO UPDATE SET
      open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
      volume = excluded.volume, open_interest = excluded.open_interest, tick_count = excluded.tick_count,
      turnover = excluded.turnover, coverage = excluded.coverage, flags = excluded.flags, state = excluded.state,
      revision = excluded.revision
    """
}
