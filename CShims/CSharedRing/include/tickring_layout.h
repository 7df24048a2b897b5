// What lies where in a feed segment and in a lane. The prose is in CSharedRing.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  TICKRING_FEED_LAYOUT_VERSION = 3,  // 2 had no forming candles
  TICKRING_LANE_LAYOUT_VERSION = 2,
  TICKRING_PAGE_BYTES = 4096,
  TICKRING_SLOT_BYTES = 64,
  TICKRING_COUNTERS_MAX = 64,
  TICKRING_INSTRUMENTS_MAX = 65536,
  TICKRING_LANE_CAPACITY_MIN = 16,
  TICKRING_LANE_CAPACITY_MAX = 16777216,
  TICKRING_LANE_WRITER_OFFSET = 4096,
  TICKRING_LANE_READER_OFFSET = 8192,
  TICKRING_LANE_FILTER_OFFSET = 12288,
  TICKRING_LANE_FILTER_WORDS = TICKRING_INSTRUMENTS_MAX / 64,
  TICKRING_LANE_SLOTS_OFFSET = 20480,
  TICKRING_LOCK_PRODUCER = 0,
  TICKRING_LOCK_CONSUMER = 1,
  TICKRING_NAME_BYTES = 40,
  TICKRING_PATH_BYTES = 112,
  TICKRING_REASON_BYTES = 256,
};

// "TICKFEED" and "TICKLANE" as little-endian integers.
static const uint64_t TICKRING_FEED_MAGIC = 0x444545464b434954;
static const uint64_t TICKRING_LANE_MAGIC = 0x454e414c4b434954;

// The instrument of a record that concerns the whole feed; in a row of last values: the row is empty again.
static const uint32_t TICKRING_INSTRUMENT_ALL = 0xffffffff;

// One record; the fields as those of a trade, see tickring_record.h for the other kinds. Prices are in units of 1e-9,
// times in nanoseconds since 1970 UTC unless the name says seconds, by the feed's clock.
typedef struct {
  uint32_t stamp;               // of the slot, or version of the row
  uint32_t instrument;          // row of the instrument table, or TICKRING_INSTRUMENT_ALL
  uint64_t sequence;            // number in the feed, from 1, continued across restarts
  int64_t receive_time_ns;      // when it was read from the socket
  int64_t exchange_time_ns;     // the venue's time; 0: it sent none
  int64_t last_price;
  int64_t day_volume;           // traded since the start of the day
  uint32_t last_trade_seconds;  // 0: the venue sent none
  uint32_t last_quantity;       // of one trade: not to be summed
  uint32_t open_interest;       // 0: none
  uint16_t flags;               // TICKRING_FLAG_...
  uint8_t kind;                 // TICKRING_KIND_...
  uint8_t reserved;
} tickring_tick;

typedef struct {
  uint32_t id;
  uint32_t lot_size;                 // units in one lot
  int64_t price_tick;                // units of 1e-9; 0 = unknown
  char symbol[TICKRING_NAME_BYTES];  // UTF-8, NUL-terminated
  uint64_t ticks;                    // ticks published since the feed handler started
} tickring_instrument;

// The running minute of one instrument. Prices are in units of 1e-9.
typedef struct {
  uint32_t version;          // of the row, odd while it is being written
  uint32_t instrument;
  int64_t start_ns;          // first instant of the minute
  int64_t open;
  int64_t high;
  int64_t low;
  int64_t close;
  int64_t volume;            // traded within the minute
  int64_t turnover;          // sum of price times volume, units of 1e-4
  int64_t received_ns;       // receive time of the newest record that was taken into account
  uint64_t sequence;         // and its number: the candle is right for the feed up to there
  uint32_t open_interest;    // at the newest tick
  uint32_t tick_count;       // ticks that were trades
  uint16_t flags;            // TICKRING_CANDLE_...
  uint8_t coverage;          // percent of the whole minute with a living feed, as far as it has gone
  uint8_t reserved[5];
  uint64_t unused[4];
} tickring_forming;

typedef struct {
  uint64_t magic;  // stored last, with release order
  uint32_t layout_version;
  uint32_t instruments_max;
  uint64_t segment_bytes;
  uint64_t counters_offset;
  uint64_t instruments_offset;
  uint64_t last_values_offset;
  int64_t created_wall_ns;       // machine time, ns since 1970 UTC
  int64_t clock_feed_origin_ns;  // the feed's clock: feed = feed_origin + (machine time - wall_origin) * speed
  int64_t clock_wall_origin_ns;
  double clock_speed;
  int32_t producer_pid;
  int32_t reserved;
  char feed[TICKRING_NAME_BYTES];
  char control_socket[TICKRING_PATH_BYTES];
  char data_directory[TICKRING_REASON_BYTES];
  char halt_reason[TICKRING_REASON_BYTES];  // valid once the counter `state` says halted
  uint64_t forming_offset;
} tickring_feed_header;

typedef struct {
  uint64_t magic;  // stored last, with release order
  uint32_t layout_version;
  uint32_t slot_bytes;
  uint64_t segment_bytes;
  uint64_t capacity;  // slots, a power of two
  int64_t created_wall_ns;
  int32_t producer_pid;
  int32_t consumer_pid;            // as the consumer says
  uint32_t wakes_without_fence;    // 1: the producer's process is registered for global expedited barriers
  uint32_t reserved;
  char feed[TICKRING_NAME_BYTES];
  char lane[TICKRING_NAME_BYTES];
  char owner[TICKRING_REASON_BYTES];  // the recorder's lane: data directory into which its records go; else empty
} tickring_lane_header;

// A 64-bit cursor on two cache lines of its own (adjacent lines are fetched in pairs). Over-aligned on purpose:
// Swift then sees it only as an opaque pointer and cannot touch it except through functions of tickring_lane.h.
typedef struct {
  _Alignas(128) uint64_t value;
} tickring_cursor;

typedef struct {
  tickring_cursor published;               // end of what was published, late by at most a batch
  _Alignas(128) uint64_t counters[32];     // TICKRING_LANE_COUNTERS, seldom written
} tickring_lane_writer_page;

typedef struct {
  tickring_cursor released;                // everything before this position may be overwritten
  _Alignas(128) uint32_t sleeping;         // 1: the consumer waits on this futex
  _Alignas(128) uint64_t counters[16];     // TICKRING_LANE_COUNTERS, as the consumer says
} tickring_lane_reader_page;

// What an attaching program finds, in the order in which it is checked.
typedef enum {
  TICKRING_READY = 0,
  TICKRING_ABSENT = 1,           // no such object
  TICKRING_TOO_SMALL = 2,        // too small for a header: its producer has only just created it
  TICKRING_NOT_INITIALISED = 3,  // no magic yet
  TICKRING_OTHER_VERSION = 4,    // another layout_version
  TICKRING_OTHER_LAYOUT = 5,     // sizes that do not agree with each other or with the object's
  TICKRING_STALE_PRODUCER = 6,   // whole, but nobody holds the producer's lock
} tickring_attach_result;

_Static_assert(sizeof(tickring_tick) == TICKRING_SLOT_BYTES, "a tick fills its slot");
_Static_assert(offsetof(tickring_tick, instrument) == 4, "stamp and instrument share the first word");
_Static_assert(offsetof(tickring_tick, sequence) == 8, "layout");
_Static_assert(offsetof(tickring_tick, receive_time_ns) == 16, "layout");
_Static_assert(offsetof(tickring_tick, exchange_time_ns) == 24, "layout");
_Static_assert(offsetof(tickring_tick, last_price) == 32, "layout");
_Static_assert(offsetof(tickring_tick, day_volume) == 40, "layout");
_Static_assert(offsetof(tickring_tick, last_trade_seconds) == 48, "layout");
_Static_assert(offsetof(tickring_tick, last_quantity) == 52, "layout");
_Static_assert(offsetof(tickring_tick, open_interest) == 56, "layout");
_Static_assert(offsetof(tickring_tick, flags) == 60, "layout");
_Static_assert(offsetof(tickring_tick, kind) == 62, "layout");
_Static_assert(sizeof(tickring_instrument) == 64, "an instrument row is one cache line");
_Static_assert(offsetof(tickring_instrument, ticks) == 56, "layout");
_Static_assert(sizeof(tickring_forming) == 128, "a forming candle is two cache lines");
_Static_assert(offsetof(tickring_forming, start_ns) == 8, "layout");
_Static_assert(offsetof(tickring_forming, sequence) == 72, "layout");
_Static_assert(offsetof(tickring_forming, open_interest) == 80, "layout");
_Static_assert(offsetof(tickring_forming, flags) == 88, "layout");
_Static_assert(sizeof(tickring_feed_header) <= TICKRING_PAGE_BYTES, "the header fits its page");
_Static_assert(sizeof(tickring_lane_header) <= TICKRING_PAGE_BYTES, "the header fits its page");
_Static_assert(offsetof(tickring_lane_writer_page, counters) == 128, "layout");
_Static_assert(sizeof(tickring_lane_writer_page) <= TICKRING_PAGE_BYTES, "the writer's words fit their page");
_Static_assert(offsetof(tickring_lane_reader_page, sleeping) == 128, "layout");
_Static_assert(offsetof(tickring_lane_reader_page, counters) == 256, "layout");
_Static_assert(sizeof(tickring_lane_reader_page) <= TICKRING_PAGE_BYTES, "the reader's words fit their page");
_Static_assert(
    TICKRING_LANE_FILTER_OFFSET + TICKRING_LANE_FILTER_WORDS * 8 == TICKRING_LANE_SLOTS_OFFSET, "layout");

// Size of a feed segment, and where its parts lie.
static inline uint64_t tickring_feed_bytes(uint32_t instruments_max) {
  return 2 * (uint64_t)TICKRING_PAGE_BYTES +
         instruments_max * (uint64_t)(sizeof(tickring_instrument) + sizeof(tickring_tick) + sizeof(tickring_forming));
}
static inline uint64_t tickring_feed_last_values_offset(uint32_t instruments_max) {
  return 2 * (uint64_t)TICKRING_PAGE_BYTES + instruments_max * (uint64_t)sizeof(tickring_instrument);
}

static inline uint64_t tickring_feed_forming_offset(uint32_t instruments_max) {
  return tickring_feed_last_values_offset(instruments_max) + instruments_max * (uint64_t)sizeof(tickring_tick);
}

// Size of a lane.
static inline uint64_t tickring_lane_bytes(uint64_t capacity) {
  return TICKRING_LANE_SLOTS_OFFSET + capacity * TICKRING_SLOT_BYTES;
}

// What a mapping of `bytes` bytes is as a feed segment; says nothing about the producer's lock.
static inline tickring_attach_result tickring_feed_check(const void *base, uint64_t bytes) {
  if (bytes < 2 * (uint64_t)TICKRING_PAGE_BYTES) return TICKRING_TOO_SMALL;
  const tickring_feed_header *header = (const tickring_feed_header *)base;
  if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != TICKRING_FEED_MAGIC) return TICKRING_NOT_INITIALISED;
  if (header->layout_version != TICKRING_FEED_LAYOUT_VERSION) return TICKRING_OTHER_VERSION;
  uint32_t rows = header->instruments_max;
  if (rows == 0 || rows > TICKRING_INSTRUMENTS_MAX || header->segment_bytes != bytes ||
      bytes != tickring_feed_bytes(rows) || header->counters_offset != TICKRING_PAGE_BYTES ||
      header->instruments_offset != 2 * TICKRING_PAGE_BYTES ||
      header->last_values_offset != tickring_feed_last_values_offset(rows) ||
      header->forming_offset != tickring_feed_forming_offset(rows))
    return TICKRING_OTHER_LAYOUT;
  return TICKRING_READY;
}

// What a mapping of `bytes` bytes is as a lane; says nothing about the producer's lock.
static inline tickring_attach_result tickring_lane_check(const void *base, uint64_t bytes) {
  if (bytes < TICKRING_LANE_SLOTS_OFFSET) return TICKRING_TOO_SMALL;
  const tickring_lane_header *header = (const tickring_lane_header *)base;
  if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != TICKRING_LANE_MAGIC) return TICKRING_NOT_INITIALISED;
  if (header->layout_version != TICKRING_LANE_LAYOUT_VERSION) return TICKRING_OTHER_VERSION;
  uint64_t capacity = header->capacity;
  if (capacity < TICKRING_LANE_CAPACITY_MIN || capacity > TICKRING_LANE_CAPACITY_MAX ||
      (capacity & (capacity - 1)) != 0 || header->slot_bytes != TICKRING_SLOT_BYTES ||
      header->segment_bytes != bytes || bytes != tickring_lane_bytes(capacity))
    return TICKRING_OTHER_LAYOUT;
  return TICKRING_READY;
}
