// Words, cursors and stamps: the atomic operations on a lane, each with the order that the protocol needs.
#pragma once

#include "tickring_layout.h"

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
static inline tickring_cursor *tickring_lane_released(void *lane) {
  return &((tickring_lane_reader_page *)((char *)lane + TICKRING_LANE_READER_OFFSET))->released;
}

// ---- slots -----------------------------------------------------------------------------------------------------

// True when the record of `position` is in its slot: the consumer may then read it until it releases it.
static inline bool tickring_slot_holds(const void *slot, uint64_t position) {
  return (uint32_t)tickring_word_load_acquire(slot) == (uint32_t)(position + 1);
}
// Publishes the record of `position` whose bytes 8..63 are in the slot.
static inline void tickring_slot_publish(void *slot, uint32_t instrument, uint64_t position) {
  tickring_word_store_release(slot, (uint64_t)instrument << 32 | (uint32_t)(position + 1));
}

// ---- runs of slots, past the caches ----------------------------------------------------------------------------

// Writes the whole record of `position`, stamp included, to a slot that no reader looks at yet: one behind the first of
// the run being written. A line that the consumer has in its cache is then not fetched from there before it is
// overwritten, which takes longer than all the rest. What is written so is ordered with nothing before
// tickring_run_fence.
static inline void tickring_slot_stream(void *slot, const void *tick, uint64_t position) {
  const uint64_t *words = (const uint64_t *)tick;
  uint64_t first = (words[0] & 0xffffffff00000000) | (uint32_t)(position + 1);
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
  // Four parts of one line, which the processor gathers.
  typedef long long part __attribute__((vector_size(16)));
  part *target = (part *)slot;
  const part parts[4] = {{(long long)first, (long long)words[1]},
                         {(long long)words[2], (long long)words[3]},
                         {(long long)words[4], (long long)words[5]},
                         {(long long)words[6], (long long)words[7]}};
  for (int i = 0; i < 4; i++) {
#if defined(__clang__)
    __builtin_nontemporal_store(parts[i], target + i);
#else
    __builtin_ia32_movntdq(target + i, parts[i]);
#endif
  }
#else
  uint64_t *target = (uint64_t *)slot;
  for (int i = 1; i < 8; i++) target[i] = words[i];
  tickring_word_store_relaxed(target, first);
#endif
}
// Orders all that was streamed before what is published after it: then tickring_slot_publish of a run's first position
// publishes the whole run, since a consumer looks at none of its records before it has seen that one's stamp. One fence
// will do for several lanes; it takes as long as streaming some hundred records.
static inline void tickring_run_fence(void) {
#if defined(__SSE2__)
  // Streamed stores are the only ones of this processor that a later store may overtake.
  __builtin_ia32_sfence();
#endif
}
// Puts the stamp of the lap before into a slot that bears that of a position which was never published: a producer that
// died in mid-run left it.
static inline void tickring_slot_withdraw(void *slot, uint64_t position, uint64_t capacity) {
  uint64_t word = tickring_word_load_relaxed(slot);
  if ((uint32_t)word == (uint32_t)(position + 1)) {
    tickring_word_store_relaxed(slot, (word & 0xffffffff00000000) | (uint32_t)(position + 1 - capacity));
  }
}

// Tells the processor that this is a spinning wait.
static inline void tickring_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
