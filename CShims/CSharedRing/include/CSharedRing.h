// TickRing's shared memory: the layout and the few atomic operations on it. C11, stands alone, for readers in any
// language on the same machine. Native byte order: a segment is rebuilt after a crash and never leaves the machine.
//
// Two kinds of POSIX shared-memory object:
//
//   /tickring.FEED        the feed segment. Written by the feed handler, mapped read-only by everybody else.
//     header       tickring_feed_header at offset 0
//     counters     uint64_t[TICKRING_COUNTERS_MAX] at counters_offset
//     instruments  tickring_instrument[instruments_max] at instruments_offset; the first
//                  counter[instrument_count] rows may be used, those without a symbol are free;
//                  but for its tick count a row never changes
//     last values  tickring_tick[instruments_max] at last_values_offset: the newest tick of each instrument, each
//                  row a sequence lock whose version is the low half of the first word (odd: being written)
//
//   /tickring.FEED.LANE   a lane: one single-producer single-consumer ring, for one consumer.
//     header       tickring_lane_header at offset 0
//     writer page  at TICKRING_LANE_WRITER_OFFSET: cursors that the producer writes
//     reader page  at TICKRING_LANE_READER_OFFSET: the cursor that the consumer writes
//     slots        tickring_tick[capacity] at TICKRING_LANE_SLOTS_OFFSET
//
// Protocol of a lane. Positions are absolute 64-bit numbers from 0; position p lives in slot p & (capacity - 1).
// The producer fills bytes 8..63 of the slot and then stores the first 8 bytes with release order: the low half is
// the stamp (uint32_t)(p + 1), the high half the instrument. The consumer at position p loads the first 8 bytes of
// slot p with acquire order; when the low half is (uint32_t)(p + 1), the record is there and stays there until the
// consumer releases it by storing a larger position into its `released` cursor. A slot is only rewritten once
// `released` has passed it, so 32 bits of stamp cannot be mistaken for an older lap. The producer's `published`
// cursor runs late, for observers and for recovery: the true end is found by following stamps from there.
//
// Roles are held by open-file-description locks on the object (byte TICKRING_LOCK_PRODUCER or
// TICKRING_LOCK_CONSUMER): the kernel drops them when the holder dies. Pids in headers only name the holder.
//
// An attaching reader checks in this order, each failure being its own answer: the object exists; it is at least a
// header long; `magic` (stored last, with release order) is there; `layout_version` is known; the sizes agree.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  TICKRING_LAYOUT_VERSION = 1,
  TICKRING_PAGE_BYTES = 4096,
  TICKRING_SLOT_BYTES = 64,
  TICKRING_COUNTERS_MAX = 64,
  TICKRING_LANE_WRITER_OFFSET = 4096,
  TICKRING_LANE_READER_OFFSET = 8192,
  TICKRING_LANE_SLOTS_OFFSET = 12288,
  TICKRING_LOCK_PRODUCER = 0,
  TICKRING_LOCK_CONSUMER = 1,
  TICKRING_NAME_BYTES = 40,
  TICKRING_PATH_BYTES = 112,
  TICKRING_REASON_BYTES = 256,
};

// "TICKFEED" and "TICKLANE" as little-endian integers.
static const uint64_t TICKRING_FEED_MAGIC = 0x444545464b434954;
static const uint64_t TICKRING_LANE_MAGIC = 0x454e414c4b434954;

// One record; what the fields mean is documented at Swift's `Tick`. Prices are in units of 1e-9, times in
// nanoseconds since 1970 UTC unless the name says seconds.
typedef struct {
  uint32_t stamp;
  uint32_t instrument;
  uint64_t sequence;
  int64_t receive_time_ns;
  int64_t exchange_time_ns;
  int64_t last_price;
  int64_t day_volume;
  uint32_t last_trade_seconds;
  uint32_t last_quantity;
  uint32_t open_interest;
  uint16_t flags;
  uint8_t kind;
  uint8_t reserved;
} tickring_tick;

typedef struct {
  uint32_t id;
  uint32_t lot_size;
  int64_t price_tick;                // units of 1e-9; 0 = unknown
  char symbol[TICKRING_NAME_BYTES];  // UTF-8, NUL-terminated
  uint64_t ticks;                    // ticks published since the feed handler started
} tickring_instrument;

typedef struct {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t instruments_max;
  uint64_t segment_bytes;
  uint64_t counters_offset;
  uint64_t instruments_offset;
  uint64_t last_values_offset;
  uint64_t epoch;  // starts of a producer on this object
  int64_t created_wall_ns;
  int64_t clock_feed_origin_ns;  // the feed's clock: feed = feed_origin + (wall - wall_origin) * speed
  int64_t clock_wall_origin_ns;
  double clock_speed;
  int32_t producer_pid;
  int32_t reserved;
  char feed[TICKRING_NAME_BYTES];
  char control_socket[TICKRING_PATH_BYTES];
  char data_directory[TICKRING_REASON_BYTES];
  char halt_reason[TICKRING_REASON_BYTES];  // valid once the state counter says halted
} tickring_feed_header;

typedef struct {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t slot_bytes;
  uint64_t segment_bytes;
  uint64_t capacity;  // slots, a power of two
  uint64_t epoch;     // starts of a producer on this object
  int32_t producer_pid;
  int32_t consumer_pid;  // as the consumer says
  char feed[TICKRING_NAME_BYTES];
  char lane[TICKRING_NAME_BYTES];
  char owner[TICKRING_REASON_BYTES];  // the recorder's lane: data directory into which its records go; else empty
} tickring_lane_header;

// A 64-bit cursor on two cache lines of its own (adjacent lines are fetched in pairs). Over-aligned on purpose:
// Swift then sees it only as an opaque pointer and cannot touch it except through the functions below.
typedef struct {
  _Alignas(128) uint64_t value;
} tickring_cursor;

typedef struct {
  tickring_cursor published;   // end of what was published, late
  tickring_cursor dropped;     // records that found the lane full
  tickring_cursor high_water;  // most records ever waiting, as seen when the producer looked
  tickring_cursor full_events; // times the lane became full
} tickring_lane_writer_page;

typedef struct {
  tickring_cursor released;  // everything before this position may be overwritten
} tickring_lane_reader_page;

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
_Static_assert(sizeof(tickring_feed_header) <= TICKRING_PAGE_BYTES, "the header fits its page");
_Static_assert(sizeof(tickring_lane_header) <= TICKRING_PAGE_BYTES, "the header fits its page");
_Static_assert(sizeof(tickring_lane_writer_page) <= TICKRING_PAGE_BYTES, "the cursors fit their page");

// ---- words: 64-bit values shared between processes -------------------------------------------------------------

static inline uint64_t tickring_word_load_relaxed(const void *word) {
  return __atomic_load_n((const uint64_t *)word, __ATOMIC_RELAXED);
}
static inline uint64_t tickring_word_load_acquire(const void *word) {
  return __atomic_load_n((const uint64_t *)word, __ATOMIC_ACQUIRE);
}
static inline void tickring_word_store_relaxed(void *word, uint64_t value) {
  __atomic_store_n((uint64_t *)word, value, __ATOMIC_RELAXED);
}
static inline void tickring_word_store_release(void *word, uint64_t value) {
  __atomic_store_n((uint64_t *)word, value, __ATOMIC_RELEASE);
}

// ---- cursors ---------------------------------------------------------------------------------------------------

static inline uint64_t tickring_cursor_load(const tickring_cursor *cursor) {
  return __atomic_load_n(&cursor->value, __ATOMIC_ACQUIRE);
}
static inline void tickring_cursor_store(tickring_cursor *cursor, uint64_t value) {
  __atomic_store_n(&cursor->value, value, __ATOMIC_RELEASE);
}
static inline tickring_cursor *tickring_lane_published(void *lane) {
  return &((tickring_lane_writer_page *)((char *)lane + TICKRING_LANE_WRITER_OFFSET))->published;
}
static inline tickring_cursor *tickring_lane_dropped(void *lane) {
  return &((tickring_lane_writer_page *)((char *)lane + TICKRING_LANE_WRITER_OFFSET))->dropped;
}
static inline tickring_cursor *tickring_lane_high_water(void *lane) {
  return &((tickring_lane_writer_page *)((char *)lane + TICKRING_LANE_WRITER_OFFSET))->high_water;
}
static inline tickring_cursor *tickring_lane_full_events(void *lane) {
  return &((tickring_lane_writer_page *)((char *)lane + TICKRING_LANE_WRITER_OFFSET))->full_events;
}
static inline tickring_cursor *tickring_lane_released(void *lane) {
  return &((tickring_lane_reader_page *)((char *)lane + TICKRING_LANE_READER_OFFSET))->released;
}

// ---- last values: one sequence lock a row ------------------------------------------------------------------------

enum { TICKRING_TICK_WORDS = 8, TICKRING_LAST_VALUE_TRIES_MAX = 1000 };

// Only the producer calls this. `tick` may be any memory of 64 bytes; its stamp is replaced by the row's version.
static inline void tickring_last_value_store(void *row, const void *tick) {
  uint64_t *target = (uint64_t *)row;
  const uint64_t *source = (const uint64_t *)tick;
  uint32_t version = (uint32_t)tickring_word_load_relaxed(target);
  uint64_t instrument = source[0] & 0xffffffff00000000;
  tickring_word_store_relaxed(target, instrument | (uint32_t)(version + 1));
  __atomic_thread_fence(__ATOMIC_RELEASE);
  for (int i = 1; i < TICKRING_TICK_WORDS; i++) tickring_word_store_relaxed(target + i, source[i]);
  tickring_word_store_release(target, instrument | (uint32_t)(version + 2));
}

// False when the row was never written, or was being rewritten at each of many tries (a writer that died in
// mid-row leaves it so). The stamp of the copy is the row's version.
static inline bool tickring_last_value_load(const void *row, void *tick) {
  const uint64_t *source = (const uint64_t *)row;
  uint64_t *target = (uint64_t *)tick;
  for (int attempt = 0; attempt < TICKRING_LAST_VALUE_TRIES_MAX; attempt++) {
    uint64_t before = tickring_word_load_acquire(source);
    if ((uint32_t)before == 0) return false;
    if (before & 1) continue;
    target[0] = before;
    for (int i = 1; i < TICKRING_TICK_WORDS; i++) target[i] = tickring_word_load_relaxed(source + i);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (tickring_word_load_relaxed(source) == before) return true;
  }
  return false;
}

// Tells the processor that this is a spinning wait.
static inline void tickring_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
