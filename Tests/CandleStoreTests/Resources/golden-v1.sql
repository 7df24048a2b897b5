PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 instruments, candles, gaps');
CREATE TABLE instruments (
  id INTEGER PRIMARY KEY NOT NULL, -- given once, from 0, never reused
  symbol TEXT NOT NULL UNIQUE,     -- EXCHANGE:SYMBOL
  venue_token TEXT NOT NULL,
  price_tick INTEGER NOT NULL,     -- units of 1e-9
  lot_size INTEGER NOT NULL
) STRICT;
INSERT INTO instruments VALUES(0,'NSE:YESBANK','',0,1);
INSERT INTO instruments VALUES(1,'NFO:NIFTY26NOVFUT','',0,1);
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
INSERT INTO candles VALUES(0,60,1795405500,0,100050000000,101000000000,99950000000,100500000000,1201,0,17,1200600000,98,3,3,1);
INSERT INTO candles VALUES(0,60,1795405500,2,100050000000,101000000000,99950000000,100500000000,1200,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(0,60,1795405560,1,100500000000,100750000000,100250000000,100300000000,802,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(0,60,1795405560,2,100500000000,100750000000,100250000000,100300000000,800,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(0,60,1795405620,2,100300000000,100300000000,99000000001,99500000000,640,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(1,60,1795405500,2,100050000000,101000000000,99950000000,100500000000,1200,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(1,60,1795405560,2,100500000000,100750000000,100250000000,100300000000,800,0,0,0,100,0,2,0);
INSERT INTO candles VALUES(1,60,1795405620,2,100300000000,100300000000,99000000001,99500000000,640,0,0,0,100,0,2,0);
CREATE TABLE gaps (
  instrument_id INTEGER NOT NULL,  -- -1: the whole feed
  start INTEGER NOT NULL,          -- nanoseconds since 1970 UTC, by the feed's clock
  "end" INTEGER,                   -- NULL while the gap lasts
  cause INTEGER NOT NULL,          -- 1 start, 2 disconnected, 3 stalled, 4 stopped
  PRIMARY KEY (instrument_id, start)
) STRICT, WITHOUT ROWID;
INSERT INTO gaps VALUES(-1,1795405500000000000,1795405501500000000,2);
INSERT INTO gaps VALUES(1,1795405600000000000,NULL,3);
CREATE VIEW best_candles AS
SELECT * FROM candles AS candle
WHERE NOT EXISTS (
  SELECT 1 FROM candles AS other
  WHERE other.instrument_id = candle.instrument_id AND other.interval_seconds = candle.interval_seconds
    AND other.start = candle.start AND (CASE other.origin WHEN 0 THEN 1 WHEN 2 THEN 2 ELSE CASE WHEN other.state >= 2 THEN 0 ELSE 3 END END) < (CASE candle.origin WHEN 0 THEN 1 WHEN 2 THEN 2 ELSE CASE WHEN candle.state >= 2 THEN 0 ELSE 3 END END)
);
CREATE VIEW candles_readable AS
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
FROM candles AS candle JOIN instruments ON instruments.id = candle.instrument_id;
CREATE VIEW best_candles_readable AS
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
FROM best_candles AS candle JOIN instruments ON instruments.id = candle.instrument_id;
CREATE VIEW gaps_readable AS
SELECT coalesce(instruments.symbol, 'whole feed') AS symbol,
  strftime('%Y-%m-%d %H:%M:%S', gaps.start / 1000000000 + 19800, 'unixepoch')
    || printf('.%03d', gaps.start / 1000000 % 1000) || '+05:30' AS start_ist,
  strftime('%Y-%m-%d %H:%M:%S', gaps."end" / 1000000000 + 19800, 'unixepoch')
    || printf('.%03d', gaps."end" / 1000000 % 1000) || '+05:30' AS end_ist,
  CASE gaps.cause WHEN 1 THEN 'start' WHEN 2 THEN 'disconnected' WHEN 3 THEN 'stalled' WHEN 4 THEN 'stopped'
    ELSE 'cause ' || gaps.cause END AS cause
FROM gaps LEFT JOIN instruments ON instruments.id = gaps.instrument_id;
PRAGMA application_id = 1416319591;
COMMIT;
