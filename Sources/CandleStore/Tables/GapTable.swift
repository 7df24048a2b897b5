internal import GRDB
public import MarketData

/// How much a store holds.
public struct CandleStoreCounts: Sendable, Hashable {
  /// Instruments registered.
  public var instruments: Int
  /// Candles of all origins.
  public var candles: Int
  /// Gaps recorded.
  public var gaps: Int
}

extension CandleStore {
  /// Stores a gap; one of the same instrument and start is replaced, so closing an open gap is recording it again.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`.
  public func recordGap(_ gap: FeedGap) throws(Fault) { try recordGaps([gap]) }

  /// Stores gaps, all or none, as ``recordGap(_:)`` stores one.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`.
  public func recordGaps(_ gaps: [FeedGap]) throws(Fault) {
    guard !gaps.isEmpty else { return }
    try write("record a gap in") { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO gaps (instrument_id, start, "end", cause) VALUES (?, ?, ?, ?)
          ON CONFLICT (instrument_id, start) DO UPDATE SET "end" = excluded."end", cause = excluded.cause
          """)
      for gap in gaps {
        try statement.execute(arguments: [
          Self.number(of: gap.instrument), gap.start.nanoseconds, gap.end?.nanoseconds,
          Int64(gap.cause.rawValue),
        ])
      }
    }
  }

  /// All gaps in the order of their starts.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func gaps() throws(Fault) -> [FeedGap] {
    let path = path
    return try read("read gaps from") { database in
      try Row.fetchAll(
        database, sql: #"SELECT instrument_id, start, "end", cause FROM gaps ORDER BY start, instrument_id"#
      ).map { row in
        let end = try row.decode(Int64?.self, atIndex: 2)
        guard let cause = UInt32(exactly: try row.decode(Int64.self, atIndex: 3)),
          let instrument = Self.instrument(numbered: try row.decode(Int64.self, atIndex: 0))
        else {
          throw Fault(.badData, "a gap in '\(path)' has values out of range; delete that row")
        }
        return FeedGap(
          instrument: instrument, start: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 1)),
          end: end.map(Timestamp.init(nanoseconds:)), cause: GapCause(rawValue: cause))
      }
    }
  }

  /// How much the store holds; takes time in proportion.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func counts() throws(Fault) -> CandleStoreCounts {
    try read("count the rows of") { database in
      let count = { (table: String) in
        try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0
      }
      return CandleStoreCounts(
        instruments: try count("instruments"), candles: try count("candles"), gaps: try count("gaps"))
    }
  }

  /// How many candles of one origin the store holds; takes time in proportion.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func candleCount(origin: CandleOrigin) throws(Fault) -> Int {
    try read("count the candles of") { database in
      try Int.fetchOne(
        database, sql: "SELECT count(*) FROM candles WHERE origin = ?", arguments: [Int64(origin.rawValue)])
        ?? 0
    }
  }

  /// The whole feed is -1 in the file, which reads better than 4294967295.
  static func number(of instrument: InstrumentID) -> Int64 {
    instrument == .all ? -1 : Int64(instrument.rawValue)
  }

  static func instrument(numbered number: Int64) -> InstrumentID? {
    number == -1 ? .all : UInt32(exactly: number).map(InstrumentID.init(rawValue:))
  }
}
