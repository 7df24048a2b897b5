internal import GRDB
internal import MarketData

/// Version 2: revisions, quarantine and sessions; and candles without a foreign key.
///
/// With a foreign key SQLite looks for the instrument and for an older row before it stores a candle; without it, a
/// candle is one search in one tree. That instruments exist is checked once a batch instead (see
/// ``CandleStore/upsert(_:)``).
enum SchemaVersion2 {
  static let identifier = "2 revisions, quarantine, sessions"

  static func make(_ database: Database) throws {
    try database.execute(
      sql: """
        DROP VIEW best_candles_readable;
        DROP VIEW candles_readable;
        DROP VIEW best_candles;
        \(candleTable(named: "candles_2", key: "instrument_id, interval_seconds, start, origin"))
        INSERT INTO candles_2 SELECT * FROM candles
          ORDER BY instrument_id, interval_seconds, start, origin;
        DROP TABLE candles;
        ALTER TABLE candles_2 RENAME TO candles;
        \(candleTable(
          named: "candle_revisions", key: "instrument_id, interval_seconds, start, origin, revision"))
        \(tables)
        """)
    try database.execute(sql: SchemaVersion1.bestCandles)
    for source in ["candles", "best_candles", "candle_revisions"] {
      try database.execute(
        sql: SchemaVersion1.readableCandles(view: "\(source)_readable", source: source))
    }
    try database.execute(sql: views)
  }

  private static func candleTable(named name: String, key: String) -> String {
    """
    CREATE TABLE \(name) (
      instrument_id INTEGER NOT NULL,  -- instruments.id
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
      PRIMARY KEY (\(key))
    ) STRICT, WITHOUT ROWID;
    """
  }

  private static let tables = """
    CREATE TABLE quarantine (
      id INTEGER PRIMARY KEY,
      instrument_id INTEGER NOT NULL,  -- instruments.id
      record INTEGER NOT NULL,         -- 0 tick, 1 candle
      rule TEXT NOT NULL,              -- name of the quality rule that rejected it
      reason TEXT NOT NULL,            -- one sentence
      receive_time INTEGER NOT NULL,   -- nanoseconds since 1970 UTC; of a candle, when it was rejected
      exchange_time INTEGER NOT NULL,  -- nanoseconds since 1970 UTC, 0 unknown; of a candle, its start
      price INTEGER NOT NULL,          -- units of 1e-9; of a candle, its close
      volume INTEGER NOT NULL,         -- cumulative day volume; of a candle, its volume
      detail TEXT NOT NULL             -- the rest of the record as JSON, or empty
    ) STRICT;
    CREATE INDEX quarantine_by_time ON quarantine (receive_time);

    CREATE TABLE sessions (
      segment TEXT NOT NULL,           -- as in the trading calendar
      day INTEGER NOT NULL,            -- days since 1970-01-01 of the exchange's date
      number INTEGER NOT NULL,         -- 0, 1: a day may have two sessions
      start INTEGER NOT NULL,          -- nanoseconds since 1970 UTC
      "end" INTEGER NOT NULL,
      source TEXT NOT NULL,            -- calendar that said so
      PRIMARY KEY (segment, day, number)
    ) STRICT, WITHOUT ROWID;
    """

  private static let views = """
    CREATE VIEW quarantine_readable AS
    SELECT quarantine.id, coalesce(instruments.symbol, 'whole feed') AS symbol,
      CASE quarantine.record WHEN 0 THEN 'tick' WHEN 1 THEN 'candle' END AS record, quarantine.rule, quarantine.reason,
      strftime('%Y-%m-%d %H:%M:%S', quarantine.receive_time / 1000000000 + 19800, 'unixepoch')
        || printf('.%03d', quarantine.receive_time / 1000000 % 1000) || '+05:30' AS received_ist,
      iif(quarantine.exchange_time = 0, NULL,
        strftime('%Y-%m-%d %H:%M:%S', quarantine.exchange_time / 1000000000 + 19800, 'unixepoch')
        || printf('.%03d', quarantine.exchange_time / 1000000 % 1000) || '+05:30') AS exchange_ist,
      quarantine.price / 1e9 AS price, quarantine.volume, quarantine.detail
    FROM quarantine LEFT JOIN instruments ON instruments.id = quarantine.instrument_id;

    CREATE VIEW sessions_readable AS
    SELECT segment, date(day * 86400, 'unixepoch') AS date, number,
      strftime('%H:%M:%S', start / 1000000000 + 19800, 'unixepoch') || '+05:30' AS start_ist,
      strftime('%H:%M:%S', "end" / 1000000000 + 19800, 'unixepoch') || '+05:30' AS end_ist, source
    FROM sessions;
    """
}
