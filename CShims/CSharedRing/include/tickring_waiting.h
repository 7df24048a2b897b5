// Sleeping and waking. Linux only.
//
// The consumer announces itself in `sleeping`, then makes every processor that runs the producer pass a full barrier
// (membarrier, global expedited), then looks at the slot once more, then sleeps. The producer publishes, then looks
// at `sleeping`. Either its stamp was stored before the barrier, and the consumer's second look sees it; or its look
// at `sleeping` comes after the barrier, and sees that somebody sleeps. So the producer needs no fence of its own:
// it pays one load a batch, and a system call only when somebody sleeps. Where the kernel refuses the barrier, a
// wake can be missed; the bound on a single sleep, then much shorter, is the safety net.
#pragma once

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tickring_lane.h"

#if !defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE)
long syscall(long number, ...);  // hidden by <unistd.h> under a strict -std=c11
#endif

enum {
  TICKRING_SLEEP_NS_MAX = 50000000,            // longest single sleep
  TICKRING_SLEEP_NS_MAX_WITHOUT_BARRIER = 1000000,
};

static inline uint32_t *tickring_lane_sleeping(void *lane) {
  return &((tickring_lane_reader_page *)((char *)lane + TICKRING_LANE_READER_OFFSET))->sleeping;
}

// Registers the calling process to take part in other processes' barriers; the producer calls it once.
static inline bool tickring_register_for_barriers(void) {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

// Producer, after publishing: a sleeping consumer is woken. True when there was one. What a hostile consumer can
// make of it is one needless system call a batch.
static inline bool tickring_lane_wake(void *lane) {
  uint32_t *sleeping = tickring_lane_sleeping(lane);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);  // the compiler may not look before the stamp is stored
  if (__builtin_expect(__atomic_load_n(sleeping, __ATOMIC_RELAXED) == 0, 1)) return false;
  __atomic_store_n(sleeping, 0, __ATOMIC_RELAXED);
  syscall(SYS_futex, sleeping, FUTEX_WAKE, 1, NULL, NULL, 0);
  return true;
}

// Consumer: sleeps until the record of `position` may be there, at most `timeout_ns` and never longer than
// TICKRING_SLEEP_NS_MAX. Returns early at will: the caller looks again.
static inline void tickring_lane_sleep(void *lane, uint64_t position, int64_t timeout_ns) {
  const tickring_lane_header *header = (const tickring_lane_header *)lane;
  uint32_t *sleeping = tickring_lane_sleeping(lane);
  const char *slots = (const char *)lane + TICKRING_LANE_SLOTS_OFFSET;
  __atomic_store_n(sleeping, 1, __ATOMIC_RELAXED);  // the barrier orders it
  bool has_barrier = header->wakes_without_fence == 1 &&
                     syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
  int64_t bound = has_barrier ? TICKRING_SLEEP_NS_MAX : TICKRING_SLEEP_NS_MAX_WITHOUT_BARRIER;
  if (timeout_ns > bound) timeout_ns = bound;
  if (timeout_ns > 0 && !tickring_slot_holds(slots + (position & (header->capacity - 1)) * TICKRING_SLOT_BYTES, position)) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    syscall(SYS_futex, sleeping, FUTEX_WAIT, 1, &timeout, NULL, 0);
  }
  __atomic_store_n(sleeping, 0, __ATOMIC_RELAXED);
}
