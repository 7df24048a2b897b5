// Last values: one sequence lock a row.
#pragma once

#include "tickring_lane.h"

enum { TICKRING_TICK_WORDS = 8, TICKRING_LAST_VALUE_TRIES_MAX = 1000 };

// Rewrites a row of `count` words, of which the first holds the version and the instrument.
static inline void tickring_words_store(uint64_t *target, const uint64_t *source, int count) {
  // A producer that died in mid-row left the version odd; the next even one is then still a new one.
  uint32_t version = (uint32_t)tickring_word_load_relaxed(target) & ~(uint32_t)1;
  // Version 0 means "never written", so it is passed over when 32 bits are used up.
  uint32_t next = version + 2 == 0 ? 2 : version + 2;
  uint64_t instrument = source[0] & 0xffffffff00000000;
  tickring_word_store_relaxed(target, instrument | (version + 1));
  __atomic_thread_fence(__ATOMIC_RELEASE);
  for (int i = 1; i < count; i++) tickring_word_store_relaxed(target + i, source[i]);
  tickring_word_store_release(target, instrument | next);
}

// Only the producer calls this. `tick` may be any memory of 64 bytes; its stamp is replaced by the row's version.
static inline void tickring_last_value_store(void *row, const void *tick) {
  tickring_words_store((uint64_t *)row, (const uint64_t *)tick, TICKRING_TICK_WORDS);
}

// Only the producer calls this: the row holds nothing any more.
static inline void tickring_last_value_clear(void *row) {
  tickring_tick nothing = {.instrument = TICKRING_INSTRUMENT_ALL};
  tickring_last_value_store(row, &nothing);
}

// True while the row is being rewritten: a failed load is then worth another try, after letting the writer run, which
// may have lost its processor in mid-row.
static inline bool tickring_last_value_is_busy(const void *row) { return tickring_word_load_acquire(row) & 1; }

// Copies a row of `count` words as it was at one moment.
static inline bool tickring_words_load(const void *row, uint64_t *target, int count) {
  const uint64_t *source = (const uint64_t *)row;
  for (int attempt = 0; attempt < TICKRING_LAST_VALUE_TRIES_MAX; attempt++) {
    uint64_t before = tickring_word_load_acquire(source);
    if ((uint32_t)before == 0 || (uint32_t)(before >> 32) == TICKRING_INSTRUMENT_ALL) return false;
    if (before & 1) continue;
    target[0] = before;
    for (int i = 1; i < count; i++) target[i] = tickring_word_load_relaxed(source + i);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (tickring_word_load_relaxed(source) == before) return true;
  }
  return false;
}

// False when the row holds nothing, or was being rewritten at each of many tries (a writer that died in mid-row
// leaves it so). The stamp of the copy is the row's version.
static inline bool tickring_last_value_load(const void *row, void *tick) {
  return tickring_words_load(row, (uint64_t *)tick, TICKRING_TICK_WORDS);
}
