internal import GRDB
internal import MarketData

/// Version 3: what became of a gap after it had ended.
enum SchemaVersion3 {
  static let identifier = "3 repair of gaps"

  static func make(_ database: Database) throws {
    try database.execute(
      sql: """
        ALTER TABLE gaps ADD COLUMN repair INTEGER NOT NULL DEFAULT 0; -- 0 pending, 1 repaired, 2 given up, 3 not needed
        ALTER TABLE gaps ADD COLUMN repair_time INTEGER;               -- nanoseconds since 1970 UTC, by the feed's clock
        ALTER TABLE gaps ADD COLUMN repair_candles INTEGER NOT NULL DEFAULT 0; -- fetched from the venue
        DROP VIEW gaps_readable;
        CREATE VIEW gaps_readable AS
        SELECT coalesce(instruments.symbol, 'whole feed') AS symbol,
          \(indianTime("gaps.start")) AS start_ist, \(indianTime("gaps.\"end\"")) AS end_ist,
          CASE gaps.cause \(causes) ELSE 'cause ' || gaps.cause END AS cause,
          CASE gaps.repair WHEN 0 THEN 'pending' WHEN 1 THEN 'repaired' WHEN 2 THEN 'given up' ELSE 'not needed' END
            AS repair,
          \(indianTime("gaps.repair_time")) AS repaired_ist, gaps.repair_candles AS candles
        FROM gaps LEFT JOIN instruments ON instruments.id = gaps.instrument_id;
        """)
  }

  /// As they were named when this version was released.
  private static let causes = """
    WHEN 1 THEN 'start' WHEN 2 THEN 'disconnected' WHEN 3 THEN 'stalled' WHEN 4 THEN 'stopped' WHEN 5 THEN 'moved' \
    WHEN 6 THEN 'refused' WHEN 7 THEN 'token' WHEN 8 THEN 'lane-full' WHEN 9 THEN 'broken-protocol' \
    WHEN 10 THEN 'missed'
    """

  private static func indianTime(_ column: String) -> String {
    """
    strftime('%Y-%m-%d %H:%M:%S', \(column) / 1000000000 + 19800, 'unixepoch') \
    || printf('.%03d', \(column) / 1000000 % 1000) || '+05:30'
    """
  }
}
