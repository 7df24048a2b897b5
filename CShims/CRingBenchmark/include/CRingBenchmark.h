// What every ring benchmark shares, ours in Swift and the peers' in C++: two pinned processes, one clock, one way of
// counting latencies and one line of JSON at the end, so that no peer is measured with another yardstick.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  RING_BENCH_LINE_PAIR_BYTES = 128,  // adjacent lines are fetched in pairs
  RING_BENCH_BATCH = 32,             // records a batch, for every peer
  RING_BENCH_RUN_SECONDS_MAX = 30,   // a run that takes longer is killed by its alarm
};

// A 64-byte record as the peers move it; TickRing moves its own `Tick` of the same size.
typedef struct {
  uint64_t words[8];
} ring_bench_record;

// Memory that both processes see. Made before the fork; its lines are far enough apart.
typedef struct ring_bench_control ring_bench_control;

// ---- the two processes ----------------------------------------------------------------------------------------

// Maps the shared memory and calibrates the clock; ends the program when it cannot.
ring_bench_control *ring_bench_open(void);
// Forks. The first process (true) is pinned to `first_cpu`, the second (false) to `second_cpu`. With `realtime`
// both ask for the lowest real-time priority; without the right to it they go on as they are.
bool ring_bench_fork(ring_bench_control *control, int first_cpu, int second_cpu, bool realtime);
// Both processes wait here for each other.
void ring_bench_meet(ring_bench_control *control);
// One line bounced between the processes: both call it, and the median round trip is kept as the next probe of
// where the hypervisor has put the two processors.
void ring_bench_probe(ring_bench_control *control, bool is_first);
// The second process ends here, after telling the first one what it found.
void ring_bench_end_second(ring_bench_control *control) __attribute__((noreturn));
// The first process waits for the second to end; false when that failed.
bool ring_bench_wait_for_second(ring_bench_control *control);

// ---- what was measured ----------------------------------------------------------------------------------------

// Counts a latency, in ticks of the clock. One process counts.
void ring_bench_add_latency(ring_bench_control *control, uint64_t ticks);
// Start and end of a timed stretch; whoever sees them sets them.
void ring_bench_set_start(ring_bench_control *control, uint64_t ticks);
void ring_bench_set_end(ring_bench_control *control, uint64_t ticks);
// Adds to what was found: records moved, their checksum, and those that were wrong.
void ring_bench_found(ring_bench_control *control, uint64_t checksum, uint64_t errors);
// A flag between the processes.
void ring_bench_set_flag(ring_bench_control *control, uint64_t value);
uint64_t ring_bench_flag(const ring_bench_control *control);

// Prints the one line. `operations` divides the timed stretch into nanoseconds a record; 0 when only latencies
// were counted.
void ring_bench_print(const ring_bench_control *control, const char *peer, const char *measure, uint64_t operations);

// ---- physical limits ------------------------------------------------------------------------------------------

// One atomic cache line there and back.
void ring_bench_limit_round_trip(ring_bench_control *control, bool is_first, uint64_t rounds);
// The same over lines in turn, as records lie in a ring: none is in the writer's cache when it is written again.
void ring_bench_limit_lines(ring_bench_control *control, bool is_first, uint64_t rounds);
// One atomic cache line, one way, at a paced rate.
void ring_bench_limit_paced(ring_bench_control *control, bool is_first, uint64_t records, double per_second);
// Records written by one core and read by the other, half a buffer at a time: the cores' bandwidth.
void ring_bench_limit_hand_off(ring_bench_control *control, bool is_first, uint64_t records);
// Records copied in memory one after the other, from one cached buffer into another.
void ring_bench_limit_copy(ring_bench_control *control, uint64_t records);
// A sleeping process woken by a bare futex call.
void ring_bench_limit_wake(ring_bench_control *control, bool is_first, uint64_t wakes, uint64_t pause_ns);

// ---- clock ----------------------------------------------------------------------------------------------------

// Nanoseconds a tick.
double ring_bench_tick_ns(void);

static inline uint64_t ring_bench_ticks(void) {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
}

// After the loads before it: the counter alone may be read ahead of them.
static inline uint64_t ring_bench_ticks_after_loads(void) {
#if defined(__x86_64__)
  _mm_lfence();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
  return ring_bench_ticks();
}

#ifdef __cplusplus
}
#endif
