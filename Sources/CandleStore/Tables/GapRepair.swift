internal import GRDB
public import MarketData

/// What became of a gap after it had ended.
public enum GapRepairState: Int, Sendable, Hashable, CaseIterable {
  /// Its minutes are still to be fetched from the venue.
  case pending = 0
  /// Its minutes were fetched.
  case repaired = 1
  /// The venue did not give them.
  case givenUp = 2
  /// No minute of a session lies in it, or it lies too far back.
  case notNeeded = 3

  /// The state in words.
  public var name: String {
    switch self {
    case .pending: "pending"
    case .repaired: "repaired"
    case .givenUp: "given up"
    case .notNeeded: "not needed"
    }
  }
}

/// A gap as the store keeps it.
public struct StoredGap: Sendable, Hashable {
  /// The gap.
  public var gap: FeedGap
  /// What became of it.
  public var repair: GapRepairState
  /// When that was settled, by the feed's clock; nil while it is pending.
  public var repairTime: Timestamp?
  /// Candles that were fetched for it.
  public var candles: Int
}

extension CandleStore {
  /// All gaps in the order of their starts, with what became of them.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func storedGaps() throws(Fault) -> [StoredGap] {
    let path = path
    return try read("read gaps from") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT instrument_id, start, "end", cause, repair, repair_time, repair_candles FROM gaps
          ORDER BY start, instrument_id
          """
      ).map { row in
        let end = try row.decode(Int64?.self, atIndex: 2)
        let repairTime = try row.decode(Int64?.self, atIndex: 5)
        guard let cause = UInt32(exactly: try row.decode(Int64.self, atIndex: 3)),
          let instrument = Self.instrument(numbered: try row.decode(Int64.self, atIndex: 0)),
          let repair = GapRepairState(rawValue: try row.decode(Int.self, atIndex: 4))
        else {
          throw Fault(.badData, "a gap in '\(path)' has values out of range; delete that row")
        }
        return StoredGap(
          gap: FeedGap(
            instrument: instrument, start: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 1)),
            end: end.map(Timestamp.init(nanoseconds:)), cause: GapCause(rawValue: cause)),
          repair: repair, repairTime: repairTime.map(Timestamp.init(nanoseconds:)),
          candles: try row.decode(Int.self, atIndex: 6))
      }
    }
  }

  /// Notes what became of a gap.
  ///
  /// - Returns: False when the gap is not in the store (yet).
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`.
  public func noteRepair(
    of gap: FeedGap, _ state: GapRepairState, at time: Timestamp?, candles: Int
  ) throws(Fault) -> Bool {
    try noteRepairs(of: [gap], state, at: time) { _ in candles }
  }

  /// Notes what became of gaps, each with the candles that repaired it.
  ///
  /// - Returns: False when one of them is not in the store (yet).
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`.
  public func noteRepairs(
    of gaps: [FeedGap], _ state: GapRepairState, at time: Timestamp?, candles: @Sendable (InstrumentID) -> Int
  ) throws(Fault) -> Bool {
    try write("note a repair in") { database in
      let statement = try database.cachedStatement(
        sql: """
          UPDATE gaps SET repair = ?, repair_time = ?, repair_candles = ? WHERE instrument_id = ? AND start = ?
          """)
      var areAllThere = true
      for gap in gaps {
        try statement.execute(arguments: [
          Int64(state.rawValue), time?.nanoseconds, candles(gap.instrument), Self.number(of: gap.instrument),
          gap.start.nanoseconds,
        ])
        if database.changesCount == 0 { areAllThere = false }
      }
      return areAllThere
    }
  }
}
