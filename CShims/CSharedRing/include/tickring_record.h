// What the numbers in a record mean: its kind, its flags, the causes of gaps; and the flags of a candle. The archive
// and the candle store use the same numbers.
#pragma once

// tickring_tick.kind says how the fields are read. A reader passes over kinds that it does not know. Fields that a kind
// does not name hold 0.
enum {
  // A trade, or the instrument's state after one: the fields as they are called.
  TICKRING_KIND_TRADE = 0,
  // The feed, or one instrument's, was down: exchange_time_ns is the start of the gap (0: nothing came before),
  // receive_time_ns its end, or with TICKRING_FLAG_GAP_OPEN when it was noticed; last_quantity is the cause.
  TICKRING_KIND_GAP = 1,
  // The day's prices, sent before the tick with which they changed: last_price is the high, day_volume the low,
  // exchange_time_ns the open; the previous close is last_trade_seconds | (uint64_t)last_quantity << 32.
  TICKRING_KIND_DAY_SUMMARY = 2,
  // In the archive and the recorder's lane alone: a tick that a quality rule rejected, read as a trade.
  TICKRING_KIND_REJECTED = 3,
  // Likewise: a tick as it was before a quality rule corrected it.
  TICKRING_KIND_ORIGINAL = 4,
  // The prices between which the instrument may trade today: last_price is the upper limit, day_volume the lower.
  TICKRING_KIND_PRICE_LIMITS = 5,
  // A gap's minutes were fetched from the venue: exchange_time_ns is the start of the gap, day_volume its end in
  // nanoseconds since 1970 UTC, last_quantity the cause.
  TICKRING_KIND_REPAIRED = 6,
};

// tickring_tick.flags.
enum {
  TICKRING_FLAG_CACHED = 1 << 0,              // an old snapshot, sent by the venue on subscribing: no trade
  TICKRING_FLAG_GAP_BEFORE = 1 << 1,          // records before this one are missing in this lane, which was full
  TICKRING_FLAG_DUPLICATE = 1 << 2,           // equal to the instrument's previous tick
  TICKRING_FLAG_OUT_OF_ORDER = 1 << 3,        // older by exchange time than one that was seen
  TICKRING_FLAG_STALE = 1 << 4,               // received long after its exchange time
  TICKRING_FLAG_OFF_BAND = 1 << 5,            // further from the previous price than the configured band
  TICKRING_FLAG_VOLUME_RESET = 1 << 6,        // cumulative volume fell
  TICKRING_FLAG_NO_EXCHANGE_TIME = 1 << 7,    // the venue sent no exchange time
  TICKRING_FLAG_AUCTION = 1 << 8,             // traded outside continuous trading
  TICKRING_FLAG_NOT_POSITIVE = 1 << 9,        // the price is zero or negative
  TICKRING_FLAG_WITHOUT_VOLUME = 1 << 10,     // the venue sent no volume, as for an index
  TICKRING_FLAG_GAP_OPEN = 1 << 11,           // on a gap: it lasts
  TICKRING_FLAG_OUTSIDE_SESSION = 1 << 12,    // traded while the market was closed
  TICKRING_FLAG_MISSED_BEFORE = 1 << 13,      // the venue sent something before this one that never arrived
  TICKRING_FLAG_CLOCK_SKEW = 1 << 14,         // the venue's clock and this machine's disagree
  TICKRING_FLAG_USER_RULE = 1 << 15,          // a quality rule of the user's has something to say
};

// Why there is a gap.
enum {
  TICKRING_CAUSE_START = 1,            // nothing was received before this process started
  TICKRING_CAUSE_DISCONNECTED = 2,     // the connection was lost
  TICKRING_CAUSE_STALLED = 3,          // the venue was connected and silent
  TICKRING_CAUSE_STOPPED = 4,          // the feed handler was stopped
  TICKRING_CAUSE_MOVED = 5,            // a replay went on from elsewhere
  TICKRING_CAUSE_REFUSED = 6,          // the venue turned the connection away
  TICKRING_CAUSE_TOKEN = 7,            // the venue refused the credentials
  TICKRING_CAUSE_LANE_FULL = 8,        // not in shared memory: what a Swift strategy is told of GAP_BEFORE
  TICKRING_CAUSE_BROKEN_PROTOCOL = 9,  // the venue broke its protocol
  TICKRING_CAUSE_MISSED = 10,          // the venue's own numbering has a hole
};

// tickring_forming.flags.
enum {
  TICKRING_CANDLE_PARTIAL = 1 << 0,          // the feed started or came back within the minute
  TICKRING_CANDLE_LATE = 1 << 1,             // a tick came after sealing
  TICKRING_CANDLE_RECEIVE_TIME = 1 << 2,     // receive time stood in for exchange time
  TICKRING_CANDLE_VOLUME_REBASED = 1 << 3,   // cumulative volume fell within the minute
  TICKRING_CANDLE_VOLUME_IN_GAP = 1 << 4,    // volume of an outage is not counted here
  TICKRING_CANDLE_SUSPECT = 1 << 5,          // a tick in it is off band, stale or out of order
  TICKRING_CANDLE_SHORT = 1 << 6,            // ends with the session
  TICKRING_CANDLE_EXTREME_FOLDED = 1 << 7,   // an extreme comes from the venue's day high or low
  TICKRING_CANDLE_OUTSIDE_SESSION = 1 << 8,  // a trade in it happened while the market was closed
  TICKRING_CANDLE_REPAIRED = 1 << 9,         // fetched from the venue after an outage
};
