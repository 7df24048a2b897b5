// The control block's layout, which only the two C files see: callers hold a pointer to it.
#pragma once

#include <sys/types.h>

#include "CRingBenchmark.h"

enum {
  LATENCY_LINEAR_BITS = 16,  // latencies below 2^16 ticks are counted exactly
  LATENCY_LINEAR = 1 << LATENCY_LINEAR_BITS,
  LATENCY_SUB_BITS = 5,      // above, a bucket is 3 % wide
  LATENCY_SUB_BUCKETS = 1 << LATENCY_SUB_BITS,
  PROBE_ROUNDS = 10000,
  HAND_OFF_RECORDS = 4096,   // half of the hand-off buffer: 256 KiB
  COPY_RECORDS = 4096,
};

typedef struct {
  _Alignas(RING_BENCH_LINE_PAIR_BYTES) uint64_t value;
} control_word;

struct ring_bench_control {
  control_word arrivals, flag, there, back;
  _Alignas(RING_BENCH_LINE_PAIR_BYTES) uint32_t futex;
  _Alignas(RING_BENCH_LINE_PAIR_BYTES) uint64_t start;
  uint64_t end, checksum, errors, latency_count, latency_max;
  int probes;
  double probe_ns[2];
  pid_t second;
  uint32_t linear[LATENCY_LINEAR];
  uint32_t logarithmic[64][LATENCY_SUB_BUCKETS];
  uint32_t probe_ticks[PROBE_ROUNDS];
  _Alignas(4096) ring_bench_record records[2 * HAND_OFF_RECORDS];
};
