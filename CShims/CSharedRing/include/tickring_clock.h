// The feed's clock in the header of a feed segment: a sequence lock, since a replay is paused, moved and set to another
// speed while strategies read it. A live feed sets it once.
#pragma once

#include <string.h>

#include "tickring_lane.h"

typedef struct {
  int64_t feed_origin_ns;
  int64_t wall_origin_ns;
  double speed;  // 0 while the feed's time stands still
} tickring_clock;

enum { TICKRING_CLOCK_TRIES_MAX = 1000 };

// Only the producer calls this, from one thread at a time. `version` is the counter "clock-version".
static inline void tickring_clock_store(tickring_feed_header *header, void *version, tickring_clock clock) {
  uint64_t next = tickring_word_load_relaxed(version) + 1;
  uint64_t speed;
  memcpy(&speed, &clock.speed, sizeof speed);
  tickring_word_store_relaxed(version, next);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  tickring_word_store_relaxed(&header->clock_feed_origin_ns, (uint64_t)clock.feed_origin_ns);
  tickring_word_store_relaxed(&header->clock_wall_origin_ns, (uint64_t)clock.wall_origin_ns);
  tickring_word_store_relaxed(&header->clock_speed, speed);
  tickring_word_store_release(version, next + 1);
}

// After many tries in vain, which only a producer that died in between leaves, the words are taken as they are.
static inline tickring_clock tickring_clock_load(const tickring_feed_header *header, const void *version) {
  tickring_clock clock;
  for (int attempt = 0; attempt < TICKRING_CLOCK_TRIES_MAX; attempt++) {
    uint64_t before = tickring_word_load_acquire(version);
    uint64_t speed = tickring_word_load_relaxed(&header->clock_speed);
    clock.feed_origin_ns = (int64_t)tickring_word_load_relaxed(&header->clock_feed_origin_ns);
    clock.wall_origin_ns = (int64_t)tickring_word_load_relaxed(&header->clock_wall_origin_ns);
    memcpy(&clock.speed, &speed, sizeof speed);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if ((before & 1) == 0 && tickring_word_load_relaxed(version) == before) break;
  }
  return clock;
}
