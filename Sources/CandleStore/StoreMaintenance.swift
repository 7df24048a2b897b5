internal import GRDB
public import MarketData

/// What a look through a store found.
public struct StoreCheck: Sendable, Hashable {
  /// One sentence for each thing that is wrong, at most ``CandleStore/problemsMax`` of them.
  public var problems: [String]
  /// Candles looked at.
  public var candles: Int
  /// True when nothing is wrong.
  public var isSound: Bool { problems.isEmpty }
}

/// How much of what a store holds.
public struct StoreStatistics: Sendable, Hashable {
  /// Candles of one interval and origin.
  public struct Series: Sendable, Hashable {
    /// Their length.
    public var interval: Interval
    /// Who made them.
    public var origin: CandleOrigin
    /// How many.
    public var candles: Int
    /// How many instruments have some.
    public var instruments: Int
    /// Start of the first.
    public var first: Timestamp
    /// Start of the last.
    public var last: Timestamp
  }

  /// The series, by interval and origin.
  public var series: [Series]
  /// Rows of the other tables by name.
  public var rows: [String: Int]
  /// Bytes of the file.
  public var bytes: Int
  /// Bytes in it that hold nothing: `vacuum` gives them back.
  public var freeBytes: Int
}

extension CandleStore {
  /// Problems that ``check()`` tells at most.
  public static let problemsMax = 100

  /// Reads every page and every row: SQLite's own integrity check, then what candles promise (prices in order, known
  /// instrument, whole start). Takes time in proportion.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when the file cannot be read.
  public func check() throws(Fault) -> StoreCheck {
    do {
      return try read("check") { database in
        var check = StoreCheck(problems: [], candles: 0)
        check.problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(\(Self.problemsMax))")
          .filter { $0 != "ok" }
        check.candles = try Int.fetchOne(database, sql: "SELECT count(*) FROM candles") ?? 0
        for row in try Row.fetchAll(database, sql: Self.brokenPromises) {
          let start: Int64 = row["start"] ?? 0
          let interval: Int64 = row["interval_seconds"] ?? 0
          let number: Int64 = row["instrument_id"] ?? 0
          let problem: String = row["problem"] ?? ""
          check.problems.append(
            "candle of instrument \(number), \(interval) s from \(Timestamp(seconds: start).rfc3339): \(problem)"
          )
        }
        check.problems = Array(check.problems.prefix(Self.problemsMax))
        return check
      }
    } catch {
      // Damage that keeps SQLite from reading on is what was looked for.
      guard error.kind == .badData else { throw error }
      return StoreCheck(problems: [error.message], candles: 0)
    }
  }

  private static let brokenPromises = """
    SELECT instrument_id, interval_seconds, start, origin,
      CASE WHEN instrument_id NOT IN (SELECT id FROM instruments) THEN 'no such instrument is registered'
        WHEN low > min(open, close) OR high < max(open, close) THEN 'open and close do not lie between low and high'
        WHEN interval_seconds < 1 OR origin NOT BETWEEN 0 AND 2 OR state NOT BETWEEN 0 AND 3
          OR coverage NOT BETWEEN 0 AND 100 OR revision < 0 THEN 'values are out of range'
        WHEN volume < 0 THEN 'volume is negative' END AS problem
    FROM candles WHERE problem NOT NULL LIMIT \(problemsMax)
    """

  /// Counts what there is.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func statistics() throws(Fault) -> StoreStatistics {
    let path = path
    return try read("read") { database in
      func number(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
      let series = try Row.fetchAll(
        database,
        sql: """
          SELECT interval_seconds, origin, count(*), count(DISTINCT instrument_id), min(start), max(start)
          FROM candles GROUP BY interval_seconds, origin ORDER BY interval_seconds, origin
          """
      ).map { row in
        let seconds = try row.decode(Int.self, atIndex: 0)
        guard seconds > 0,
          let origin = UInt8(exactly: try row.decode(Int64.self, atIndex: 1)).flatMap(CandleOrigin.init)
        else { throw Fault(.badData, "'\(path)' holds candles out of range; see `tickring store check`") }
        return StoreStatistics.Series(
          interval: Interval(seconds: seconds), origin: origin, candles: try row.decode(Int.self, atIndex: 2),
          instruments: try row.decode(Int.self, atIndex: 3),
          first: Timestamp(seconds: try row.decode(Int64.self, atIndex: 4)),
          last: Timestamp(seconds: try row.decode(Int64.self, atIndex: 5)))
      }
      var rows: [String: Int] = [:]
      for table in [
        "instruments", "gaps", "candle_revisions", "quarantine", "sessions", "quality_counts",
        "withheld_volumes", "history_coverage", "listings",
      ] {
        rows[table] = try number("SELECT count(*) FROM \(table)")
      }
      let pageBytes = try number("PRAGMA page_size")
      return StoreStatistics(
        series: series, rows: rows, bytes: try number("PRAGMA page_count") * pageBytes,
        freeBytes: try number("PRAGMA freelist_count") * pageBytes)
    }
  }

  /// Writes the file anew without its holes and folds the write-ahead log into it. Needs as much free space as the
  /// file takes, and keeps other writers out meanwhile.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `held`.
  public func vacuum() throws(Fault) {
    try StoreFault.translating(path, "vacuum") {
      try pool.vacuum()
      _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }
  }
}
