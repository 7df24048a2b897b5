#include "CRingBenchmark.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

static double tick_ns;

static uint64_t raw_clock_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

double ring_bench_tick_ns(void) {
  if (tick_ns == 0) {
    uint64_t clock = raw_clock_ns(), ticks = ring_bench_ticks(), now;
    do now = raw_clock_ns();
    while (now - clock < 20000000);
    tick_ns = (double)(now - clock) / (double)(ring_bench_ticks() - ticks);
  }
  return tick_ns;
}

ring_bench_control *ring_bench_open(void) {
  void *memory = mmap(NULL, sizeof(ring_bench_control), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    perror("ring benchmark: cannot map shared memory");
    exit(1);
  }
  ring_bench_tick_ns();
  return memory;
}

static void settle(int cpu, bool realtime) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set)) {
    fprintf(stderr, "ring benchmark: cannot run on processor %d: %s\n", cpu, strerror(errno));
    exit(1);
  }
  struct sched_param parameter = {.sched_priority = 1};
  // Refused without the privilege; the run is then only more disturbed.
  if (realtime) (void)sched_setscheduler(0, SCHED_FIFO, &parameter);
  alarm(RING_BENCH_RUN_SECONDS_MAX);
}

bool ring_bench_fork(ring_bench_control *control, int first_cpu, int second_cpu, bool realtime) {
  pid_t parent = getpid();
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) {
    perror("ring benchmark: cannot fork");
    exit(1);
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    settle(second_cpu, realtime);
    return false;
  }
  control->second = child;
  settle(first_cpu, realtime);
  return true;
}

void ring_bench_meet(ring_bench_control *control) {
  uint64_t ticket = __atomic_fetch_add(&control->arrivals.value, 1, __ATOMIC_ACQ_REL);
  uint64_t all = (ticket / 2 + 1) * 2;
  for (uint64_t spins = 1; __atomic_load_n(&control->arrivals.value, __ATOMIC_ACQUIRE) < all; spins++) {
    if (spins % 1024 != 0) continue;
    sched_yield();
    // The other process may have failed: it says why itself.
    int status;
    if (getpid() != control->second && waitpid(control->second, &status, WNOHANG) == control->second) exit(1);
  }
}

void ring_bench_end_second(ring_bench_control *control) {
  __atomic_thread_fence(__ATOMIC_RELEASE);
  (void)control;
  fflush(stdout);
  _exit(0);
}

bool ring_bench_wait_for_second(ring_bench_control *control) {
  int status;
  if (waitpid(control->second, &status, 0) != control->second) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ---- what was measured ----

void ring_bench_add_latency(ring_bench_control *control, uint64_t ticks) {
  control->latency_count++;
  if (ticks > control->latency_max) control->latency_max = ticks;
  if (ticks < LATENCY_LINEAR) {
    control->linear[ticks]++;
  } else {
    int exponent = 63 - __builtin_clzll(ticks);
    control->logarithmic[exponent][(ticks >> (exponent - LATENCY_SUB_BITS)) % LATENCY_SUB_BUCKETS]++;
  }
}

void ring_bench_set_start(ring_bench_control *control, uint64_t ticks) { control->start = ticks; }
void ring_bench_set_end(ring_bench_control *control, uint64_t ticks) { control->end = ticks; }

void ring_bench_found(ring_bench_control *control, uint64_t checksum, uint64_t errors) {
  control->checksum += checksum;
  control->errors += errors;
}

void ring_bench_set_flag(ring_bench_control *control, uint64_t value) {
  __atomic_store_n(&control->flag.value, value, __ATOMIC_RELEASE);
}
uint64_t ring_bench_flag(const ring_bench_control *control) {
  return __atomic_load_n(&control->flag.value, __ATOMIC_ACQUIRE);
}

static uint64_t bucket_ticks(int exponent, int sub) {
  return (uint64_t)(LATENCY_SUB_BUCKETS + sub) << (exponent - LATENCY_SUB_BITS);
}

static double latency_ns(const ring_bench_control *control, double quantile) {
  uint64_t wanted = (uint64_t)(quantile * (double)control->latency_count), seen = 0;
  for (uint64_t ticks = 0; ticks < LATENCY_LINEAR; ticks++) {
    seen += control->linear[ticks];
    if (seen > wanted) return (double)ticks * tick_ns;
  }
  for (int exponent = LATENCY_LINEAR_BITS; exponent < 64; exponent++)
    for (int sub = 0; sub < LATENCY_SUB_BUCKETS; sub++) {
      seen += control->logarithmic[exponent][sub];
      if (seen > wanted) return (double)bucket_ticks(exponent, sub) * tick_ns;
    }
  return (double)control->latency_max * tick_ns;
}

// Neighbouring ticks are merged until a bucket is 2 % wide: enough for a drawing, and a short line.
static void print_histogram(const ring_bench_control *control) {
  printf(",\"histogram\":[");
  const char *comma = "";
  for (uint64_t ticks = 0; ticks < LATENCY_LINEAR;) {
    uint64_t width = ticks / 50 + 1, count = 0, end = ticks + width;
    if (end > LATENCY_LINEAR) end = LATENCY_LINEAR;
    for (uint64_t i = ticks; i < end; i++) count += control->linear[i];
    if (count) {
      printf("%s[%.1f,%lu]", comma, (double)(ticks + end - 1) / 2 * tick_ns, (unsigned long)count);
      comma = ",";
    }
    ticks = end;
  }
  for (int exponent = LATENCY_LINEAR_BITS; exponent < 64; exponent++)
    for (int sub = 0; sub < LATENCY_SUB_BUCKETS; sub++)
      if (control->logarithmic[exponent][sub]) {
        printf("%s[%.0f,%lu]", comma, (double)bucket_ticks(exponent, sub) * tick_ns,
               (unsigned long)control->logarithmic[exponent][sub]);
        comma = ",";
      }
  printf("]");
}

void ring_bench_print(const ring_bench_control *control, const char *peer, const char *measure,
                      uint64_t operations) {
  printf("{\"peer\":\"%s\",\"measure\":\"%s\",\"probes\":[%.1f,%.1f],\"checksum\":%lu,\"errors\":%lu", peer, measure,
         control->probe_ns[0], control->probe_ns[1], (unsigned long)control->checksum,
         (unsigned long)control->errors);
  if (operations)
    printf(",\"nanoseconds\":%.4f", (double)(control->end - control->start) * tick_ns / (double)operations);
  if (control->latency_count) {
    printf(",\"count\":%lu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.0f",
           (unsigned long)control->latency_count, latency_ns(control, 0.5), latency_ns(control, 0.99),
           latency_ns(control, 0.999), (double)control->latency_max * tick_ns);
    print_histogram(control);
  }
  printf("}\n");
  fflush(stdout);
}
