internal import GRDB
public import MarketData

/// How often a quality rule had something to say about one instrument on one day.
public struct QualityCount: Sendable, Hashable {
  /// Days since 1970-01-01 of the exchange's date on which the records were received.
  public var day: Int
  /// The instrument, or ``InstrumentID/all``.
  public var instrument: InstrumentID
  /// Name of the rule, or of the flag where several rules share one.
  public var rule: String
  /// Records that went on with the rule's flag.
  public var flagged: Int
  /// Records that were mended.
  public var corrected: Int
  /// Records that were taken out of the stream.
  public var rejected: Int

  /// Makes a count.
  public init(
    day: Int, instrument: InstrumentID, rule: String, flagged: Int = 0, corrected: Int = 0, rejected: Int = 0
  ) {
    self.day = day
    self.instrument = instrument
    self.rule = rule
    self.flagged = flagged
    self.corrected = corrected
    self.rejected = rejected
  }
}

extension CandleStore {
  /// Keeps counts. They are those of the whole day so far, so that storing them again, or after a restart that counted
  /// the day anew, changes nothing; a smaller count than the one kept is passed over.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func recordQuality(_ counts: [QualityCount]) throws(Fault) {
    guard !counts.isEmpty else { return }
    try write("record quality in") { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO quality_counts (day, instrument_id, rule, flagged, corrected, rejected)
          VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (day, instrument_id, rule) DO UPDATE SET
            flagged = max(flagged, excluded.flagged), corrected = max(corrected, excluded.corrected),
            rejected = max(rejected, excluded.rejected)
          """)
      for count in counts {
        try statement.execute(arguments: [
          count.day, Self.number(of: count.instrument), count.rule, count.flagged, count.corrected,
          count.rejected,
        ])
      }
    }
  }

  /// The counts of a day by instrument and rule.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func qualityCounts(day: Int) throws(Fault) -> [QualityCount] {
    let path = path
    return try read("read quality from") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT instrument_id, rule, flagged, corrected, rejected FROM quality_counts WHERE day = ?
          ORDER BY instrument_id, rule
          """, arguments: [day]
      ).map { row in
        guard let instrument = Self.instrument(numbered: try row.decode(Int64.self, atIndex: 0)) else {
          throw Fault(.badData, "a quality count in '\(path)' has values out of range; delete that row")
        }
        return QualityCount(
          day: day, instrument: instrument, rule: try row.decode(String.self, atIndex: 1),
          flagged: try row.decode(Int.self, atIndex: 2), corrected: try row.decode(Int.self, atIndex: 3),
          rejected: try row.decode(Int.self, atIndex: 4))
      }
    }
  }
}
