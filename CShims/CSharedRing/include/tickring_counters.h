// The counters in shared memory: one table gives place, name and meaning, for every language. Each is a 64-bit word
// that one thread writes and anybody may read, without touching the path of a tick.
#pragma once

#include "tickring_layout.h"

// X(index, identifier, name, meaning): word `index` at the feed segment's counters_offset. Counters that different
// threads write lie in different groups of eight, that is, on different cache lines: 0-7 the process, 8-31 the
// receive thread, 32-39 the recorder, 40-47 the repair thread, 48-55 the control thread, 56-63 the
// threads that fetch the venue's candles and that delete old ones.
#define TICKRING_FEED_COUNTERS(X)                                                                                  \
  X(0, STATE, "state", "state of the feed handler: 0 starting, 1 running, 2 ended, 3 halted")                       \
  X(1, INSTRUMENTS, "instruments", "rows in use in the instrument table")                                           \
  X(2, INSTRUMENT_VERSION, "instrument-version", "changes of the instrument table")                                 \
  X(3, EPOCH, "epoch", "starts of a feed handler on this segment")                                                  \
  X(4, HALTS, "halts", "HALTs that are latched now, those of single instruments included")                           \
  X(5, SESSION, "session", "whether a market of the feed is open: 0 closed, 1 open, 2 not known")                    \
  X(8, SEQUENCE, "sequence", "sequence of the newest record published")                                             \
  X(9, TICKS, "ticks", "ticks decoded and published since the process started")                                     \
  X(10, BYTES, "bytes", "payload bytes received")                                                                   \
  X(11, MESSAGES, "messages", "websocket messages received")                                                        \
  X(12, HEARTBEATS, "heartbeats", "heartbeats received")                                                            \
  X(13, BAD_FRAMES, "bad-frames", "frames or packets skipped because they could not be decoded")                    \
  X(14, UNKNOWN_INSTRUMENTS, "unknown-instruments", "ticks skipped because nobody knows their token")               \
  X(15, RECEIVE_TIME, "receive-time", "feed time of the latest record, ns since 1970")                              \
  X(16, CONNECTS, "connects", "connections made to the venue")                                                      \
  X(17, GAPS, "gaps", "outages recorded")                                                                           \
  X(18, STREAM_HASH, "stream-hash", "fingerprint of all records published since the process started")               \
  X(19, STREAM_HASH_FIRST, "stream-hash-first", "sequence of the first record in the fingerprint")                  \
  X(20, RECEIVE_CPU, "receive-cpu", "processor time of the receive thread, ns")                                     \
  X(21, RECORDER_WAITS, "recorder-waits", "times the receive thread waited for room in the recorder's lane")        \
  X(22, RECORDER_DROPS, "recorder-drops", "records the recorder lost because its lane stayed full")                 \
  X(23, HEARTBEAT, "heartbeat", "machine time at which the receive thread last went round, ns since 1970")          \
  X(24, CLOCK_VERSION, "clock-version", "twice the times that the feed's clock was set; odd while it is being set")   \
  X(31, TRUNCATED_LANES, "truncated-lanes", "lanes given up because a consumer had cut them short")                  \
  X(32, RECORDED, "recorded", "records taken over by the recorder")                                                 \
  X(33, SEALED, "sealed", "sequence up to which the archive file holds everything")                                 \
  X(34, BLOCKS, "blocks", "archive blocks written")                                                                 \
  X(35, ARCHIVE_BYTES, "archive-bytes", "bytes of archive written since the process started")                       \
  X(36, CANDLES, "candles", "candle rows written")                                                                  \
  X(37, REVISIONS, "revisions", "candle rows changed after sealing")                                                \
  X(38, RECORDER_CPU, "recorder-cpu", "processor time of the recorder thread, ns")                                  \
  X(39, RECORDER_HEARTBEAT, "recorder-heartbeat", "machine time at which the recorder last went round, ns")         \
  X(40, REPAIRED, "repaired", "gaps whose minutes were fetched from the venue")                                      \
  X(41, REPAIR_CANDLES, "repair-candles", "candles fetched to repair gaps")                                          \
  X(42, REPAIR_WAITING, "repair-waiting", "gaps that wait for their minutes")                                        \
  X(48, LANES, "lanes", "lanes that exist")                                                                         \
  X(49, ATTACHES, "attaches", "lanes attached since the process started")                                           \
  X(50, DETACHES, "detaches", "lanes detached since the process started")                                           \
  X(51, OBSERVED, "observed", "instruments that the venue is asked for")                                            \
  X(52, ADOPTIONS, "adoptions", "lanes taken up again whose feed handler had died while their consumers lived")      \
  X(53, TICKING, "ticking", "subscribed instruments that have ticked since the latest connection")                   \
  X(54, MUTE, "mute", "subscribed instruments without a tick for too long within their session")                  \
  X(56, RECONCILED, "reconciled", "candles of the venue fetched while the feed runs")                                \
  X(57, RECONCILE_FAULTS, "reconcile-faults", "requests for the venue's candles that failed")             \
  X(58, PRUNED, "pruned", "candles deleted because they were older than the store keeps them")

// X(index, identifier, offset, name, meaning): word at `offset` of the lane. Those at the reader page are what the
// consumer says.
#define TICKRING_LANE_COUNTERS(X)                                                                                  \
  X(0, PUBLISHED, TICKRING_LANE_WRITER_OFFSET, "published", "records published, late by at most a batch")           \
  X(1, RELEASED, TICKRING_LANE_READER_OFFSET, "released", "records given back by the consumer, late")               \
  X(2, EPOCH, TICKRING_LANE_WRITER_OFFSET + 128, "epoch", "starts of a producer on this lane")                      \
  X(3, DROPPED, TICKRING_LANE_WRITER_OFFSET + 136, "dropped", "records that found the lane full")                   \
  X(4, FULL_EVENTS, TICKRING_LANE_WRITER_OFFSET + 144, "full-events", "times the lane became full")                 \
  X(5, HIGH_WATER, TICKRING_LANE_WRITER_OFFSET + 152, "high-water", "most records waiting when the producer looked") \
  X(6, LAPS, TICKRING_LANE_WRITER_OFFSET + 160, "laps", "times round the ring, late by at most one")                \
  X(7, WAKES, TICKRING_LANE_WRITER_OFFSET + 168, "wakes", "times the producer woke a sleeping consumer")            \
  X(8, FILTER_VERSION, TICKRING_LANE_WRITER_OFFSET + 176, "filter-version", "changes of the filter in force")       \
  X(9, FILTER_SEQUENCE, TICKRING_LANE_WRITER_OFFSET + 184, "filter-sequence",                                       \
    "feed sequence behind which the filter is in force")                                                            \
  X(10, ATTACHES, TICKRING_LANE_READER_OFFSET + 256, "attaches", "consumers that attached, as they say")            \
  X(11, SLEEPS, TICKRING_LANE_READER_OFFSET + 264, "sleeps", "times the consumer went to sleep, as it says")        \
  X(12, SKIPPED, TICKRING_LANE_READER_OFFSET + 272, "skipped", "records the consumer jumped over, as it says")

#define TICKRING_FEED_COUNTER_INDEX(index, identifier, name, meaning) TICKRING_FEED_COUNTER_##identifier = index,
enum { TICKRING_FEED_COUNTERS(TICKRING_FEED_COUNTER_INDEX) };
#undef TICKRING_FEED_COUNTER_INDEX

#define TICKRING_LANE_COUNTER_INDEX(index, identifier, offset, name, meaning) TICKRING_LANE_COUNTER_##identifier = index,
enum { TICKRING_LANE_COUNTERS(TICKRING_LANE_COUNTER_INDEX) TICKRING_LANE_COUNTER_COUNT };
#undef TICKRING_LANE_COUNTER_INDEX

typedef struct {
  uint32_t offset;  // of the word in its segment
  const char *name;  // short and stable, for machines; NULL: there is no such counter
  const char *meaning;
} tickring_counter;

// The feed's counter `index`, from 0 to TICKRING_COUNTERS_MAX - 1; some numbers are free.
static inline tickring_counter tickring_feed_counter(int index) {
#define TICKRING_ROW(index, identifier, name, meaning) \
  case index: return (tickring_counter){TICKRING_PAGE_BYTES + index * 8, name, meaning};
  switch (index) { TICKRING_FEED_COUNTERS(TICKRING_ROW) }
#undef TICKRING_ROW
  return (tickring_counter){0, NULL, NULL};
}

// A lane's counter `index`, from 0 to TICKRING_LANE_COUNTER_COUNT - 1.
static inline tickring_counter tickring_lane_counter(int index) {
#define TICKRING_ROW(index, identifier, offset, name, meaning) \
  case index: return (tickring_counter){offset, name, meaning};
  switch (index) { TICKRING_LANE_COUNTERS(TICKRING_ROW) }
#undef TICKRING_ROW
  return (tickring_counter){0, NULL, NULL};
}
