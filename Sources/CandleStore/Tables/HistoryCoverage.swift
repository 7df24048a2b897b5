internal import GRDB
public import MarketData

/// Candles as a venue's history gave them, with the stretch for which they are all there are.
public struct HistoryPart: Sendable {
  /// Whose candles.
  public var instrument: InstrumentID
  /// Their length.
  public var interval: Interval
  /// The stretch that is known now; candles are missing in it only where nothing was traded.
  public var range: Range<Timestamp>
  /// The candles, all of them inside the stretch.
  public var candles: [Candle]

  /// Makes a part.
  public init(instrument: InstrumentID, interval: Interval, range: Range<Timestamp>, candles: [Candle]) {
    self.instrument = instrument
    self.interval = interval
    self.range = range
    self.candles = candles
  }
}

extension CandleStore {
  /// Stores parts of a venue's history together with what they cover: both or neither, in one transaction.
  ///
  /// - Throws: as ``upsert(_:)``.
  public func storeHistory(_ parts: [HistoryPart]) throws(Fault) {
    guard !parts.isEmpty else { return }
    try upsert(parts.count == 1 ? parts[0].candles : parts.flatMap(\.candles)) { database in
      for part in parts where !part.range.isEmpty { try Self.cover(part, database) }
    }
  }

  /// The stretches of an instrument for which the venue's candles were fetched, ascending and apart.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func historyCoverage(of instrument: InstrumentID, interval: Interval) throws(Fault) -> [Range<
    Timestamp
  >] {
    try read("read the coverage of history from") { database in
      try Row.fetchCursor(
        database.cachedStatement(
          sql: """
            SELECT start, "end" FROM history_coverage WHERE instrument_id = ? AND interval_seconds = ? AND "end" > start
            ORDER BY start
            """), arguments: [Int64(instrument.rawValue), Int64(interval.seconds)]
      ).reduce(into: []) { ranges, row in
        ranges.append(
          Timestamp(
            seconds: try row.decode(Int64.self, atIndex: 0))..<Timestamp(
              seconds: try row.decode(Int64.self, atIndex: 1)))
      }
    }
  }

  /// The stretches of whole minutes in a range for which a sealed candle without a hole is stored, whoever made it.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func wholeMinutes(of instrument: InstrumentID, in range: Range<Timestamp>) throws(Fault)
    -> [Range<Timestamp>]
  {
    let flawed = CandleFlags([.partial, .volumeInGap]).rawValue
    return try read("read candles from") { database in
      try Row.fetchCursor(
        database.cachedStatement(
          sql: """
            SELECT DISTINCT start FROM candles
            WHERE instrument_id = ? AND interval_seconds = 60 AND start >= ? AND start < ?
              AND state >= 2 AND (origin <> 0 OR coverage = 100 AND flags & \(flawed) = 0)
            ORDER BY start
            """),
        arguments: [
          Int64(instrument.rawValue), Self.wholeSecond(notBefore: range.lowerBound),
          Self.wholeSecond(notBefore: range.upperBound),
        ]
      ).reduce(into: []) { ranges, row in
        let start = Timestamp(seconds: try row.decode(Int64.self, atIndex: 0))
        let end = start + Interval.minute.nanoseconds
        if let last = ranges.last, last.upperBound == start {
          ranges[ranges.count - 1] = last.lowerBound..<end
        } else {
          ranges.append(start..<end)
        }
      }
    }
  }

  /// Joins a stretch with those that it touches.
  private static func cover(_ part: HistoryPart, _ database: Database) throws {
    let instrument = Int64(part.instrument.rawValue)
    let interval = Int64(part.interval.seconds)
    // What is not whole in it is not covered.
    var start = wholeSecond(notBefore: part.range.lowerBound)
    var end = part.range.upperBound.seconds
    guard start < end else { return }
    let touching = try Row.fetchAll(
      database.cachedStatement(
        sql: """
          SELECT start, "end" FROM history_coverage
          WHERE instrument_id = ? AND interval_seconds = ? AND start <= ? AND "end" >= ?
          """), arguments: [instrument, interval, end, start])
    for row in touching {
      start = min(start, try row.decode(Int64.self, atIndex: 0))
      end = max(end, try row.decode(Int64.self, atIndex: 1))
    }
    try database.cachedStatement(
      sql: """
        DELETE FROM history_coverage
        WHERE instrument_id = ? AND interval_seconds = ? AND start <= ? AND "end" >= ?
        """
    ).execute(arguments: [instrument, interval, end, start])
    try database.cachedStatement(
      sql:
        #"INSERT INTO history_coverage (instrument_id, interval_seconds, start, "end") VALUES (?, ?, ?, ?)"#
    ).execute(arguments: [instrument, interval, start, end])
  }
}
