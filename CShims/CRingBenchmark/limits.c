// What the machine itself can do, measured with the same clock and between the same two processes.

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

static uint64_t load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static void store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

// The first process makes the line odd, the second even.
static void echo(uint64_t *line, uint64_t rounds) {
  for (uint64_t round = 1; round <= rounds; round++) {
    while (load(line) != 2 * round - 1) {}
    store(line, 2 * round);
  }
}

static uint64_t round_trip(uint64_t *line, uint64_t round) {
  uint64_t start = ring_bench_ticks();
  store(line, 2 * round - 1);
  while (load(line) != 2 * round) {}
  return ring_bench_ticks_after_loads() - start;
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

void ring_bench_probe(ring_bench_control *control, bool is_first) {
  ring_bench_meet(control);  // the other one may still be looking at the line
  if (is_first) store(&control->there.value, 0);
  ring_bench_meet(control);
  if (is_first) {
    for (uint64_t round = 1; round <= PROBE_ROUNDS; round++)
      control->probe_ticks[round - 1] = (uint32_t)round_trip(&control->there.value, round);
    qsort(control->probe_ticks, PROBE_ROUNDS, sizeof control->probe_ticks[0], by_size);
    if (control->probes < 2)
      control->probe_ns[control->probes++] = control->probe_ticks[PROBE_ROUNDS / 2] * ring_bench_tick_ns();
  } else {
    echo(&control->there.value, PROBE_ROUNDS);
  }
  ring_bench_meet(control);
}

void ring_bench_limit_round_trip(ring_bench_control *control, bool is_first, uint64_t rounds) {
  if (is_first) store(&control->there.value, 0);
  ring_bench_meet(control);
  if (!is_first) return echo(&control->there.value, rounds);
  for (uint64_t round = 1; round <= rounds; round++)
    ring_bench_add_latency(control, round_trip(&control->there.value, round));
  ring_bench_found(control, rounds, load(&control->there.value) != 2 * rounds);
}

// Each round on the next line there and the next one back, which the other side has not touched for a lap.
void ring_bench_limit_lines(ring_bench_control *control, bool is_first, uint64_t rounds) {
  ring_bench_record *there = control->records, *back = control->records + HAND_OFF_RECORDS;
  if (is_first) memset(control->records, 0, sizeof control->records);
  ring_bench_meet(control);
  for (uint64_t round = 1; round <= rounds; round++) {
    uint64_t *out = there[round % HAND_OFF_RECORDS].words, *in = back[round % HAND_OFF_RECORDS].words;
    if (!is_first) {
      while (load(out) != round) {}
      store(in, round);
      continue;
    }
    uint64_t start = ring_bench_ticks();
    store(out, round);
    while (load(in) != round) {}
    ring_bench_add_latency(control, ring_bench_ticks_after_loads() - start);
  }
  if (is_first) ring_bench_found(control, rounds, load(back[rounds % HAND_OFF_RECORDS].words) != rounds);
}

void ring_bench_limit_paced(ring_bench_control *control, bool is_first, uint64_t records, double per_second) {
  if (is_first) store(&control->there.value, 0);
  ring_bench_meet(control);
  if (is_first) {
    double step = 1e9 / per_second / ring_bench_tick_ns(), due = (double)ring_bench_ticks();
    for (uint64_t record = 0; record < records; record++) {
      due += step;
      while (ring_bench_ticks() < (uint64_t)due) {}
      store(&control->there.value, ring_bench_ticks());
    }
    store(&control->there.value, 1);
    return;
  }
  uint64_t seen = 0, count = 0;
  for (;;) {
    uint64_t sent = load(&control->there.value);
    if (sent == seen) continue;
    if (sent == 1) break;
    ring_bench_add_latency(control, ring_bench_ticks_after_loads() - sent);
    seen = sent;
    count++;
  }
  ring_bench_found(control, count, 0);
}

static void fill(ring_bench_record *record, uint64_t number) {
  for (int word = 0; word < 8; word++) record->words[word] = number + (uint64_t)word;
}

static uint64_t sum(const ring_bench_record *record) {
  uint64_t total = 0;
  for (int word = 0; word < 8; word++) total += record->words[word];
  return total;
}

void ring_bench_limit_hand_off(ring_bench_control *control, bool is_first, uint64_t records) {
  if (is_first) {
    store(&control->there.value, 0);
    store(&control->back.value, 0);
  }
  ring_bench_meet(control);
  uint64_t rounds = records / HAND_OFF_RECORDS;
  if (is_first) {
    ring_bench_set_start(control, ring_bench_ticks());
    for (uint64_t round = 1; round <= rounds; round++) {
      while (round > 2 && load(&control->back.value) < round - 2) {}
      ring_bench_record *half = control->records + (round & 1) * HAND_OFF_RECORDS;
      for (int i = 0; i < HAND_OFF_RECORDS; i++) fill(half + i, round + (uint64_t)i);
      store(&control->there.value, round);
    }
    return;
  }
  uint64_t checksum = 0;
  for (uint64_t round = 1; round <= rounds; round++) {
    while (load(&control->there.value) < round) {}
    const ring_bench_record *half = control->records + (round & 1) * HAND_OFF_RECORDS;
    for (int i = 0; i < HAND_OFF_RECORDS; i++) checksum += sum(half + i);
    store(&control->back.value, round);
  }
  ring_bench_set_end(control, ring_bench_ticks());
  ring_bench_found(control, checksum, 0);
}

void ring_bench_limit_copy(ring_bench_control *control, uint64_t records) {
  ring_bench_record *source = control->records, *target = control->records + COPY_RECORDS;
  for (int i = 0; i < COPY_RECORDS; i++) fill(source + i, (uint64_t)i);
  memset(target, 0, COPY_RECORDS * sizeof *target);
  uint64_t rounds = records / COPY_RECORDS + 1;
  ring_bench_set_start(control, ring_bench_ticks());
  for (uint64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < COPY_RECORDS; i++) memcpy(target + i, source + i, sizeof *target);
    __asm__ volatile("" ::: "memory");
  }
  uint64_t elapsed = ring_bench_ticks() - control->start;
  // The caller divides by `records`; a whole number of rounds was copied.
  control->end = control->start + (uint64_t)((double)elapsed * (double)records / (double)(rounds * COPY_RECORDS));
  ring_bench_found(control, sum(target + COPY_RECORDS - 1), 0);
}

static void sleep_ns(uint64_t duration) {
  struct timespec time = {.tv_sec = 0, .tv_nsec = (long)duration};
  nanosleep(&time, NULL);
}

void ring_bench_limit_wake(ring_bench_control *control, bool is_first, uint64_t wakes, uint64_t pause_ns) {
  ring_bench_meet(control);
  for (uint32_t wake = 1; wake <= wakes; wake++) {
    if (is_first) {
      sleep_ns(pause_ns);
      store(&control->there.value, ring_bench_ticks());
      __atomic_store_n(&control->futex, wake, __ATOMIC_RELEASE);
      syscall(SYS_futex, &control->futex, FUTEX_WAKE, 1, NULL, NULL, 0);
    } else {
      // The waker does not wait: a sleeper that was held up finds a later number, and must not sleep for an older one.
      uint32_t seen;
      while ((seen = __atomic_load_n(&control->futex, __ATOMIC_ACQUIRE)) < wake)
        syscall(SYS_futex, &control->futex, FUTEX_WAIT, seen, NULL, NULL, 0);
      ring_bench_add_latency(control, ring_bench_ticks_after_loads() - load(&control->there.value));
    }
  }
  if (!is_first) ring_bench_found(control, wakes, 0);
}
