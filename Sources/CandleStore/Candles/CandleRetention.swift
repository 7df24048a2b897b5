internal import GRDB
public import MarketData

/// How long candles are kept.
public struct CandleRetention: Sendable, Hashable {
  /// Days that 1-minute candles, revisions and quarantined records are kept; nil for ever.
  public var minuteDays: Int?
  /// Days that candles of every other interval are kept; nil for ever.
  public var longerDays: Int?
  /// Days that venues' lists of instruments are kept, beside the latest; nil for ever.
  public var listingDays: Int?

  /// Makes a retention; nothing ever leaves unless told.
  public init(minuteDays: Int? = nil, longerDays: Int? = nil, listingDays: Int? = nil) {
    self.minuteDays = minuteDays
    self.longerDays = longerDays
    self.listingDays = listingDays
  }

  /// True when nothing ever leaves.
  public var keepsEverything: Bool { minuteDays == nil && longerDays == nil && listingDays == nil }

  func days(of interval: Interval) -> Int? { interval == .minute ? minuteDays : longerDays }
}

extension CandleStore {
  /// Candles deleted in one transaction at most, so that a commit that waits for it does not wait long.
  static let candlesPerPruning = 5000

  /// The candles of one instrument and interval, as far as they are too old.
  private struct OldSeries {
    var instrument: Int64
    var interval: Int64
    /// Seconds since 1970 UTC before which candles leave.
    var cutoff: Int64
  }

  /// Deletes what is older than a retention allows, ``candlesPerPruning`` candles a transaction at most: other writes
  /// get in between. Returns how many candles went.
  ///
  /// - Parameter shouldStop: Asked before each transaction; what is left then stays until the next time.
  /// - Throws: ``Fault`` of kind `inputOutput` or `held`; what went before stays deleted.
  public func prune(
    _ retention: CandleRetention, now: Timestamp, shouldStop: () -> Bool = { false }
  ) throws(Fault) -> Int {
    var series = try oldSeries(retention, now: now)
    var deleted = 0
    while !series.isEmpty, !shouldStop() {
      deleted += try write("prune") { database in
        var left = Self.candlesPerPruning
        while left > 0, let next = series.last {
          let (count, isDone) = try Self.delete(next, limit: left, database)
          left -= count
          guard isDone else { break }
          series.removeLast()
        }
        return Self.candlesPerPruning - left
      }
    }
    if !shouldStop(), let days = retention.minuteDays {
      try pruneRecords(before: now.seconds - Int64(days) * Self.secondsPerDay)
    }
    if !shouldStop(), let days = retention.listingDays {
      try removeListings(before: CivilTime(now).dayNumber - days)
    }
    return deleted
  }

  private static let secondsPerDay: Int64 = 86_400

  /// The series that have a candle that is too old; a search or two in the key for each.
  private func oldSeries(_ retention: CandleRetention, now: Timestamp) throws(Fault) -> [OldSeries] {
    try read("prune") { database in
      let next = try database.cachedStatement(
        sql: """
          SELECT instrument_id, interval_seconds, start FROM candles
          WHERE (instrument_id, interval_seconds) > (?, ?) ORDER BY instrument_id, interval_seconds, start LIMIT 1
          """)
      var found: [OldSeries] = []
      var (instrument, interval): (Int64, Int64) = (-1, 0)
      while let row = try Row.fetchOne(next, arguments: [instrument, interval]) {
        (instrument, interval) = (row[0], row[1])
        guard let days = retention.days(of: Interval(seconds: max(1, Int(interval)))) else { continue }
        let cutoff = now.seconds - Int64(days) * Self.secondsPerDay
        let first: Int64 = row[2]
        if first < cutoff {
          found.append(OldSeries(instrument: instrument, interval: interval, cutoff: cutoff))
        }
      }
      return found
    }
  }

  /// Deletes the oldest candles of a series, `limit` of them at most, with their revisions.
  private static func delete(
    _ series: OldSeries, limit: Int, _ database: Database
  ) throws -> (count: Int, isDone: Bool) {
    let ofOne = "instrument_id = ? AND interval_seconds = ?"
    let key: [Int64] = [series.instrument, series.interval]
    let firstToStay = try Int64.fetchOne(
      database.cachedStatement(
        sql: "SELECT start FROM candles WHERE \(ofOne) AND start < ? ORDER BY start LIMIT 1 OFFSET ?"),
      arguments: StatementArguments(key + [series.cutoff, Int64(limit)]))
    let bound = firstToStay ?? series.cutoff
    try database.cachedStatement(sql: "DELETE FROM candles WHERE \(ofOne) AND start < ?")
      .execute(arguments: StatementArguments(key + [bound]))
    let count = database.changesCount
    try database.cachedStatement(sql: "DELETE FROM candle_revisions WHERE \(ofOne) AND start < ?")
      .execute(arguments: StatementArguments(key + [bound]))
    // What was deleted is not known any more.
    try database.cachedStatement(sql: "DELETE FROM history_coverage WHERE \(ofOne) AND \"end\" <= ?")
      .execute(arguments: StatementArguments(key + [bound]))
    try database.cachedStatement(
      sql: "UPDATE history_coverage SET start = ? WHERE \(ofOne) AND start < ?"
    ).execute(arguments: StatementArguments([bound] + key + [bound]))
    return (count, firstToStay == nil)
  }

  private func pruneRecords(before cutoff: Int64) throws(Fault) {
    try write("prune") { database in
      let nanoseconds = cutoff * Timestamp.nanosecondsPerSecond
      try database.execute(sql: "DELETE FROM quarantine WHERE receive_time < ?", arguments: [nanoseconds])
      try database.execute(sql: "DELETE FROM withheld_volumes WHERE back < ?", arguments: [nanoseconds])
      try database.execute(
        sql: "DELETE FROM quality_counts WHERE day < ?", arguments: [cutoff / Self.secondsPerDay])
    }
  }
}
