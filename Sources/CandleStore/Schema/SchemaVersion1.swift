internal import GRDB
internal import MarketData

/// The schema of the first released version, as it was released: never changed, since stores that it made are
/// migrated from exactly this. `golden-v1.sql` among the tests is such a store.
enum SchemaVersion1 {
  static let identifier = "1 instruments, candles, gaps"

  static func make(_ database: Database) throws {
    try database.execute(sql: "PRAGMA application_id = \(CandleStore.applicationID)")
    try database.execute(sql: tables)
    try database.execute(sql: bestCandles)
    try database.execute(sql: readableCandles(view: "candles_readable", source: "candles"))
    try database.execute(sql: readableCandles(view: "best_candles_readable", source: "best_candles"))
    try database.execute(sql: readableGaps)
  }

  /// The origin is part of a candle's key: the venue's candle and ours are kept side by side (candle rule 18), and
  /// within one origin the key of rule 19 stays (instrument, interval, start).
  private static let tables = """
    CREATE TABLE instruments (
      id INTEGER PRIMARY KEY NOT NULL, -- given once, from 0, never reused
      symbol TEXT NOT NULL UNIQUE,     -- EXCHANGE:SYMBOL
      venue_token TEXT NOT NULL,
      price_tick INTEGER NOT NULL,     -- units of 1e-9
      lot_size INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE candles (
      instrument_id INTEGER NOT NULL REFERENCES instruments(id),
      interval_seconds INTEGER NOT NULL,
      start INTEGER NOT NULL,          -- first second of the interval, seconds since 1970 UTC
      origin INTEGER NOT NULL,         -- 0 built, 1 venue, 2 imported
      open INTEGER NOT NULL,           -- prices in units of 1e-9
      high INTEGER NOT NULL,
      low INTEGER NOT NULL,
      close INTEGER NOT NULL,
      volume INTEGER NOT NULL,
      open_interest INTEGER NOT NULL,
      tick_count INTEGER NOT NULL,
      turnover INTEGER NOT NULL,       -- units of 1e-4
      coverage INTEGER NOT NULL,       -- percent of the interval with a living feed
      flags INTEGER NOT NULL,          -- 1 partial, 2 late, 4 receive time, 8 volume rebased, 16 volume in gap, 32 suspect
      state INTEGER NOT NULL,          -- 0 forming, 1 provisional, 2 final, 3 revised
      revision INTEGER NOT NULL,
      PRIMARY KEY (instrument_id, interval_seconds, start, origin)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE gaps (
      instrument_id INTEGER NOT NULL,  -- -1: the whole feed
      start INTEGER NOT NULL,          -- nanoseconds since 1970 UTC, by the feed's clock
      "end" INTEGER,                   -- NULL while the gap lasts
      cause INTEGER NOT NULL,          -- 1 start, 2 disconnected, 3 stalled, 4 stopped
      PRIMARY KEY (instrument_id, start)
    ) STRICT, WITHOUT ROWID;
    """

  /// Of the candles of one interval, the one to trust most: the venue's once it is sealed, then ours, then an
  /// imported one, then the venue's while it may still be running (rule 18).
  static let bestCandles = """
    CREATE VIEW best_candles AS
    SELECT * FROM candles AS candle
    WHERE NOT EXISTS (
      SELECT 1 FROM candles AS other
      WHERE other.instrument_id = candle.instrument_id AND other.interval_seconds = candle.interval_seconds
        AND other.start = candle.start AND \(rank("other")) < \(rank("candle"))
    );
    """

  private static func rank(_ row: String) -> String {
    "(CASE \(row).origin WHEN 0 THEN 1 WHEN 2 THEN 2 ELSE CASE WHEN \(row).state >= 2 THEN 0 ELSE 3 END END)"
  }

  static func readableCandles(view: String, source: String) -> String {
    """
    CREATE VIEW \(view) AS
    SELECT instruments.symbol, candle.interval_seconds,
      datetime(candle.start + 19800, 'unixepoch') || '+05:30' AS start_ist,
      candle.open / 1e9 AS open, candle.high / 1e9 AS high, candle.low / 1e9 AS low, candle.close / 1e9 AS close,
      candle.volume, candle.open_interest, candle.tick_count, candle.turnover / 1e4 AS turnover, candle.coverage,
      trim(
        iif(candle.flags & 1, 'partial ', '') || iif(candle.flags & 2, 'late ', '')
        || iif(candle.flags & 4, 'receive-time ', '') || iif(candle.flags & 8, 'volume-rebased ', '')
        || iif(candle.flags & 16, 'volume-in-gap ', '') || iif(candle.flags & 32, 'suspect ', '')) AS flags,
      CASE candle.state WHEN 0 THEN 'forming' WHEN 1 THEN 'provisional' WHEN 2 THEN 'final' WHEN 3 THEN 'revised'
        END AS state,
      candle.revision,
      CASE candle.origin WHEN 0 THEN 'built' WHEN 1 THEN 'venue' WHEN 2 THEN 'imported' END AS origin
    FROM \(source) AS candle JOIN instruments ON instruments.id = candle.instrument_id;
    """
  }

  private static let readableGaps = """
    CREATE VIEW gaps_readable AS
    SELECT coalesce(instruments.symbol, 'whole feed') AS symbol,
      strftime('%Y-%m-%d %H:%M:%S', gaps.start / 1000000000 + 19800, 'unixepoch')
        || printf('.%03d', gaps.start / 1000000 % 1000) || '+05:30' AS start_ist,
      strftime('%Y-%m-%d %H:%M:%S', gaps."end" / 1000000000 + 19800, 'unixepoch')
        || printf('.%03d', gaps."end" / 1000000 % 1000) || '+05:30' AS end_ist,
      CASE gaps.cause WHEN 1 THEN 'start' WHEN 2 THEN 'disconnected' WHEN 3 THEN 'stalled' WHEN 4 THEN 'stopped'
        ELSE 'cause ' || gaps.cause END AS cause
    FROM gaps LEFT JOIN instruments ON instruments.id = gaps.instrument_id;
    """
}
