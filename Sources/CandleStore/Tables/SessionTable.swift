internal import GRDB
public import MarketData

/// One trading session as the calendar had it when the day was recorded.
public struct StoredSession: Sendable, Hashable {
  /// The segment's name in the calendar.
  public var segment: String
  /// Days since 1970-01-01 of the exchange's date.
  public var day: Int
  /// 0 for the day's first session, 1 for its second.
  public var number: Int
  /// When it begins.
  public var start: Timestamp
  /// When it ends, exclusive.
  public var end: Timestamp
  /// Which calendar said so.
  public var source: String

  /// Makes a session from its fields.
  public init(segment: String, day: Int, number: Int, start: Timestamp, end: Timestamp, source: String) {
    self.segment = segment
    self.day = day
    self.number = number
    self.start = start
    self.end = end
    self.source = source
  }
}

extension CandleStore {
  /// Keeps the sessions of a recorded day, in place of what was kept of them: a calendar that is replaced later does
  /// not change what the day's candles were built by.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func recordSessions(_ sessions: [StoredSession]) throws(Fault) {
    guard !sessions.isEmpty else { return }
    try write("record sessions in") { database in
      let statement = try database.cachedStatement(
        sql:
          #"INSERT OR REPLACE INTO sessions (segment, day, number, start, "end", source) VALUES (?, ?, ?, ?, ?, ?)"#
      )
      for session in sessions {
        try statement.execute(arguments: [
          session.segment, session.day, session.number, session.start.nanoseconds, session.end.nanoseconds,
          session.source,
        ])
      }
    }
  }

  /// The recorded sessions of the days in a range, ascending.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func sessions(days: ClosedRange<Int>) throws(Fault) -> [StoredSession] {
    try read("read sessions from") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT segment, day, number, start, "end", source FROM sessions WHERE day BETWEEN ? AND ?
          ORDER BY day, segment, number
          """, arguments: [days.lowerBound, days.upperBound]
      ).map { row in
        StoredSession(
          segment: try row.decode(String.self, atIndex: 0), day: try row.decode(Int.self, atIndex: 1),
          number: try row.decode(Int.self, atIndex: 2),
          start: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 3)),
          end: Timestamp(nanoseconds: try row.decode(Int64.self, atIndex: 4)),
          source: try row.decode(String.self, atIndex: 5))
      }
    }
  }
}
