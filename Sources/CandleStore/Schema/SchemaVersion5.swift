internal import GRDB
internal import MarketData

/// What is known of the past beyond the candles themselves: for which stretches the venue's candles were fetched, and
/// which instruments the venue listed on which day.
enum SchemaVersion5 {
  static let identifier = "5 history coverage, lists of instruments"

  static func make(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE history_coverage (
          instrument_id INTEGER NOT NULL,  -- instruments.id
          interval_seconds INTEGER NOT NULL,
          start INTEGER NOT NULL,          -- first second of a stretch whose candles were fetched
          "end" INTEGER NOT NULL,          -- first second after it; stretches neither touch nor overlap
          PRIMARY KEY (instrument_id, interval_seconds, start)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE listing_days (
          venue TEXT NOT NULL,
          day INTEGER NOT NULL,            -- days since 1970-01-01 of India's date
          fetched INTEGER NOT NULL,        -- nanoseconds since 1970 UTC
          instruments INTEGER NOT NULL,
          PRIMARY KEY (venue, day)
        ) STRICT, WITHOUT ROWID;

        -- A row for each form in which an instrument was listed: it is part of the list of each of listing_days from
        -- first_day up to, not including, until_day.
        CREATE TABLE listings (
          venue TEXT NOT NULL,
          symbol TEXT NOT NULL,
          first_day INTEGER NOT NULL,
          until_day INTEGER,               -- NULL while it is listed
          venue_token TEXT NOT NULL,
          name TEXT NOT NULL,
          type TEXT NOT NULL,
          price_tick INTEGER NOT NULL,     -- units of 1e-9
          price_scale INTEGER NOT NULL,    -- divisor of prices on the wire, 0 for decimals
          lot_size INTEGER NOT NULL,
          expiry_day INTEGER,
          strike INTEGER,                  -- units of 1e-9
          PRIMARY KEY (venue, symbol, first_day)
        ) STRICT, WITHOUT ROWID;

        CREATE VIEW history_coverage_readable AS
        SELECT instruments.symbol, history_coverage.interval_seconds,
          strftime('%Y-%m-%d %H:%M:%S', history_coverage.start + 19800, 'unixepoch') || '+05:30' AS start_ist,
          strftime('%Y-%m-%d %H:%M:%S', history_coverage."end" + 19800, 'unixepoch') || '+05:30' AS end_ist
        FROM history_coverage JOIN instruments ON instruments.id = history_coverage.instrument_id;

        CREATE VIEW listings_readable AS
        SELECT venue, symbol, date(first_day * 86400, 'unixepoch') AS first_day,
          date((until_day - 1) * 86400, 'unixepoch') AS last_day, venue_token, name, type,
          price_tick / 1e9 AS price_tick, price_scale, lot_size, date(expiry_day * 86400, 'unixepoch') AS expiry,
          strike / 1e9 AS strike
        FROM listings;
        """)
  }
}
