// Forming candles: the running minute of each instrument, one sequence lock a row.
//
// The feed handler's recorder writes a row after each batch of records in which its instrument has ticks, a millisecond
// or so behind the last value; `sequence` says up to which record of the feed it is right. Nothing writes it when its
// minute ends: a row whose minute is over is the past, and a reader with a clock knows that
// (tickring_forming_is_running).
#pragma once

#include "tickring_last_value.h"

enum { TICKRING_FORMING_WORDS = 12 };
static const int64_t TICKRING_MINUTE_NS = 60000000000;

// Only the producer calls this, from one thread. `candle`'s version is replaced by the row's.
static inline void tickring_forming_store(void *row, const tickring_forming *candle) {
  uint64_t *target = (uint64_t *)row;
  uint64_t source[TICKRING_FORMING_WORDS];
  __builtin_memcpy(source, candle, sizeof source);
  tickring_words_store(target, source, TICKRING_FORMING_WORDS);
}

// Only the producer calls this: the row holds nothing any more.
static inline void tickring_forming_clear(void *row) {
  tickring_forming nothing = {.instrument = TICKRING_INSTRUMENT_ALL};
  tickring_forming_store(row, &nothing);
}

// As tickring_last_value_load, of a forming candle.
static inline bool tickring_forming_load(const void *row, tickring_forming *candle) {
  uint64_t words[TICKRING_FORMING_WORDS];
  if (!tickring_words_load(row, words, TICKRING_FORMING_WORDS)) return false;
  __builtin_memcpy(candle, words, sizeof words);
  return true;
}

// Whether the candle's minute still runs at a time of the feed's clock.
static inline bool tickring_forming_is_running(const tickring_forming *candle, int64_t now_ns) {
  return now_ns - candle->start_ns < TICKRING_MINUTE_NS;
}
