internal import GRDB
internal import MarketData

/// Version 4: what the quality rules said, day by day; which record of the feed a quarantined one was; the volume that
/// outages withheld; and where the venue's candle and ours differ.
enum SchemaVersion4 {
  static let identifier = "4 quality, withheld volume, differences"

  static func make(_ database: Database) throws {
    try database.execute(sql: tables)
    try database.execute(sql: "DROP VIEW best_candles; \(bestCandles)")
    for source in ["candles", "best_candles", "candle_revisions"] {
      try database.execute(sql: "DROP VIEW \(source)_readable;")
      try database.execute(sql: readableCandles(view: "\(source)_readable", source: source))
    }
    try database.execute(sql: views)
  }

  private static let tables = """
    CREATE TABLE quality_counts (
      day INTEGER NOT NULL,            -- days since 1970-01-01 of the exchange's date of receipt
      instrument_id INTEGER NOT NULL,  -- instruments.id
      rule TEXT NOT NULL,              -- name of the quality rule, or of the flag that several rules share
      flagged INTEGER NOT NULL,        -- records that went on with the rule's flag
      corrected INTEGER NOT NULL,      -- records that were mended
      rejected INTEGER NOT NULL,       -- records that were taken out of the stream
      PRIMARY KEY (day, instrument_id, rule)
    ) STRICT, WITHOUT ROWID;

    -- The record's sequence in the feed; NULL for a candle. Noting a record again changes nothing.
    ALTER TABLE quarantine ADD COLUMN sequence INTEGER;
    CREATE UNIQUE INDEX quarantine_by_sequence ON quarantine (sequence) WHERE sequence IS NOT NULL;

    CREATE TABLE settings (
      name TEXT PRIMARY KEY NOT NULL,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE withheld_volumes (
      instrument_id INTEGER NOT NULL,  -- instruments.id
      back INTEGER NOT NULL,           -- nanoseconds since 1970 UTC: receipt of the first snapshot behind the outage
      since INTEGER NOT NULL,          -- receipt of the last snapshot before it
      volume INTEGER NOT NULL,         -- traded in between, and in no candle (candle rule 6)
      PRIMARY KEY (instrument_id, back)
    ) STRICT, WITHOUT ROWID;
    """

  /// Of the candles of one interval, the one to trust most: the venue's once it is sealed, then ours, then an imported
  /// one, then the venue's while it may still be running; ours before all where the setting `prefer` is `built`
  /// (rule 18).
  private static let bestCandles = """
    CREATE VIEW best_candles AS
    SELECT * FROM candles AS candle
    WHERE NOT EXISTS (
      SELECT 1 FROM candles AS other
      WHERE other.instrument_id = candle.instrument_id AND other.interval_seconds = candle.interval_seconds
        AND other.start = candle.start AND \(rank("other")) < \(rank("candle"))
    );
    """

  private static func rank(_ row: String) -> String {
    """
    (CASE \(row).origin
      WHEN 0 THEN iif(EXISTS (SELECT 1 FROM settings WHERE name = 'prefer' AND value = 'built'), -1, 1)
      WHEN 2 THEN 2 ELSE iif(\(row).state >= 2, 0, 3) END)
    """
  }

  /// As in version 1, with the flags that came since.
  private static func readableCandles(view: String, source: String) -> String {
    """
    CREATE VIEW \(view) AS
    SELECT instruments.symbol, candle.interval_seconds,
      datetime(candle.start + 19800, 'unixepoch') || '+05:30' AS start_ist,
      candle.open / 1e9 AS open, candle.high / 1e9 AS high, candle.low / 1e9 AS low, candle.close / 1e9 AS close,
      candle.volume, candle.open_interest, candle.tick_count, candle.turnover / 1e4 AS turnover, candle.coverage,
      trim(
        iif(candle.flags & 1, 'partial ', '') || iif(candle.flags & 2, 'late ', '')
        || iif(candle.flags & 4, 'receive-time ', '') || iif(candle.flags & 8, 'volume-rebased ', '')
        || iif(candle.flags & 16, 'volume-in-gap ', '') || iif(candle.flags & 32, 'suspect ', '')
        || iif(candle.flags & 64, 'short ', '') || iif(candle.flags & 128, 'extreme-folded ', '')
        || iif(candle.flags & 256, 'outside-session ', '') || iif(candle.flags & 512, 'repaired ', '')) AS flags,
      CASE candle.state WHEN 0 THEN 'forming' WHEN 1 THEN 'provisional' WHEN 2 THEN 'final' WHEN 3 THEN 'revised'
        END AS state,
      candle.revision,
      CASE candle.origin WHEN 0 THEN 'built' WHEN 1 THEN 'venue' WHEN 2 THEN 'imported' END AS origin
    FROM \(source) AS candle JOIN instruments ON instruments.id = candle.instrument_id;
    """
  }

  private static let views = """
    CREATE VIEW candle_differences AS
    SELECT ours.instrument_id, ours.interval_seconds, ours.start,
      ours.open - venue.open AS open, ours.high - venue.high AS high, ours.low - venue.low AS low,
      ours.close - venue.close AS close, ours.volume - venue.volume AS volume, ours.coverage, ours.flags
    FROM candles AS ours JOIN candles AS venue
      ON venue.instrument_id = ours.instrument_id AND venue.interval_seconds = ours.interval_seconds
        AND venue.start = ours.start AND venue.origin = 1 AND venue.state >= 2
    WHERE ours.origin = 0 AND ours.state >= 2
      AND (ours.open <> venue.open OR ours.high <> venue.high OR ours.low <> venue.low OR ours.close <> venue.close
        OR ours.volume <> venue.volume);

    CREATE VIEW candle_differences_readable AS
    SELECT instruments.symbol, interval_seconds, datetime(start + 19800, 'unixepoch') || '+05:30' AS start_ist,
      open / 1e9 AS open, high / 1e9 AS high, low / 1e9 AS low, close / 1e9 AS close, volume, coverage
    FROM candle_differences JOIN instruments ON instruments.id = instrument_id;

    CREATE VIEW quality_counts_readable AS
    SELECT date(day * 86400, 'unixepoch') AS date, coalesce(instruments.symbol, 'whole feed') AS symbol, rule, flagged,
      corrected, rejected
    FROM quality_counts LEFT JOIN instruments ON instruments.id = instrument_id;

    CREATE VIEW withheld_volumes_readable AS
    SELECT instruments.symbol, datetime(since / 1000000000 + 19800, 'unixepoch') || '+05:30' AS since_ist,
      datetime(back / 1000000000 + 19800, 'unixepoch') || '+05:30' AS back_ist, volume
    FROM withheld_volumes JOIN instruments ON instruments.id = instrument_id;
    """
}
