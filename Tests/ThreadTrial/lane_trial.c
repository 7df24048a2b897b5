// A lane between two threads under ThreadSanitizer: the producer fills slots with plain stores and the consumer reads
// them with plain loads, so any order of memory that CSharedRing.h lacks is a data race, which the sanitizer reports.
//
//   lane-trial stamps|cursor|sleep RECORDS [MUTANT]        built and run by `make check-threads`
//
// The consumer goes by the stamp of each slot, by the producer's cursor, or by stamps with sleeping in between. Each
// mutant weakens one order of the protocol, and must be reported. Rows of last values are not tried: all their words
// are atomic, so a lost fence is no data race there but a torn row, which the Relacy models look for.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CSharedRing.h"

enum { CAPACITY = 64, BATCH = 5, SLEEP_NS = 1000000 };
typedef enum {
  NONE,
  STAMP_STORE,      // a stamp is stored without release order
  RUN_STORE,        // likewise that of the first slot, which publishes a run
  PUBLISHED_STORE,  // the producer's cursor
  RELEASED_STORE,   // the consumer's cursor
  STAMP_LOAD,       // a stamp is loaded without acquire order
  PUBLISHED_LOAD,
  RELEASED_LOAD,
  MUTANTS,
} mutant;
static const char *const mutants[MUTANTS] = {
  "none", "stamp-store", "run-store", "published-store", "released-store", "stamp-load",
  "published-load", "released-load",
};
typedef enum { STAMPS, CURSOR, SLEEP, WAYS } way;
static const char *const ways[WAYS] = {"stamps", "cursor", "sleep"};

static char *lane;
static mutant seeded;
static way chosen;
static uint64_t records;

static tickring_tick *slot(uint64_t position) {
  return (tickring_tick *)(lane + TICKRING_LANE_SLOTS_OFFSET) + (position & (CAPACITY - 1));
}

// ---- the protocol, each step as the header has it or weakened ----------------------------------------------------

static void publish(uint64_t position, uint32_t instrument) {
  if (seeded == STAMP_STORE) {
    tickring_word_store_relaxed(slot(position), (uint64_t)instrument << 32 | (uint32_t)(position + 1));
  } else {
    tickring_slot_publish(slot(position), instrument, position);
  }
}
static void publish_run(uint64_t position, uint32_t instrument) {
  if (seeded == RUN_STORE) {
    tickring_word_store_relaxed(slot(position), (uint64_t)instrument << 32 | (uint32_t)(position + 1));
  } else {
    tickring_run_fence();
    tickring_slot_publish(slot(position), instrument, position);
  }
}
static bool holds(uint64_t position) {
  return seeded == STAMP_LOAD ? (uint32_t)tickring_word_load_relaxed(slot(position)) == (uint32_t)(position + 1)
                              : tickring_slot_holds(slot(position), position);
}
static void store(tickring_cursor *cursor, uint64_t value, mutant weak) {
  if (seeded == weak) {
    tickring_word_store_relaxed(&cursor->value, value);
  } else {
    tickring_cursor_store(cursor, value);
  }
}
static uint64_t load(const tickring_cursor *cursor, mutant weak) {
  return seeded == weak ? tickring_word_load_relaxed(&cursor->value) : tickring_cursor_load(cursor);
}

// ---- the two threads --------------------------------------------------------------------------------------------

static tickring_tick record(uint64_t position) {
  return (tickring_tick){.instrument = (uint32_t)position,
                         .sequence = position,
                         .last_price = (int64_t)(position * 3),
                         .day_volume = (int64_t)~position};
}

// Bytes 8 to 63 of a record; the first 8 are the stamp's word.
static void fill(uint64_t position) {
  tickring_tick tick = record(position);
  memcpy((char *)slot(position) + 8, (const char *)&tick + 8, sizeof tick - 8);
}

static void *produce(void *unused) {
  uint64_t end = 0, limit = CAPACITY;
  while (end < records) {
    if (end + BATCH > limit) {
      limit = load(tickring_lane_released(lane), RELEASED_LOAD) + CAPACITY;
      if (end + BATCH > limit) {
        tickring_pause();
        continue;
      }
    }
    if (end / BATCH % 2 == 0) {
      for (int i = 0; i < BATCH; i++, end++) {
        fill(end);
        publish(end, (uint32_t)end);
      }
    } else {
      for (uint64_t i = 1; i < BATCH; i++) {
        tickring_tick tick = record(end + i);
        tickring_slot_stream(slot(end + i), &tick, end + i);
      }
      fill(end);
      publish_run(end, (uint32_t)end);
      end += BATCH;
    }
    store(tickring_lane_published(lane), end, PUBLISHED_STORE);
    tickring_lane_wake(lane);
  }
  return unused;
}

static void *consume(void *wrong) {
  uint64_t position = 0;
  while (position < records) {
    uint64_t end = position;
    if (chosen == CURSOR) {
      end = load(tickring_lane_published(lane), PUBLISHED_LOAD);
    } else {
      while (end < position + BATCH && holds(end)) end++;
    }
    if (end == position) {
      if (chosen == SLEEP) tickring_lane_sleep(lane, position, SLEEP_NS);
      tickring_pause();
    }
    for (; position < end; position++) {
      tickring_tick tick;
      memcpy((char *)&tick + 8, (const char *)slot(position) + 8, sizeof tick - 8);
      bool is_right = tick.sequence == position && tick.last_price == (int64_t)(position * 3) &&
                      tick.day_volume == (int64_t)~position;
      if (!is_right) ++*(uint64_t *)wrong;
    }
    store(tickring_lane_released(lane), position, RELEASED_STORE);
  }
  return NULL;
}

static int named(const char *const *names, int count, const char *name) {
  for (int i = 0; i < count; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  fprintf(stderr, "lane-trial: there is no '%s'; one of", name);
  for (int i = 0; i < count; i++) fprintf(stderr, " %s", names[i]);
  fprintf(stderr, " is expected\n");
  exit(64);
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "lane-trial: expected stamps|cursor|sleep RECORDS [MUTANT]\n");
    return 64;
  }
  chosen = (way)named(ways, WAYS, arguments[1]);
  records = strtoull(arguments[2], NULL, 10) / BATCH * BATCH;
  if (count > 3) seeded = (mutant)named(mutants, MUTANTS, arguments[3]);
  size_t bytes = TICKRING_LANE_SLOTS_OFFSET + CAPACITY * TICKRING_SLOT_BYTES;
  lane = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (lane == NULL) return 71;
  memset(lane, 0, bytes);
  tickring_lane_header *header = (tickring_lane_header *)lane;
  header->capacity = CAPACITY;
  header->wakes_without_fence = tickring_register_for_barriers() ? 1 : 0;
  uint64_t wrong = 0;
  pthread_t producer, consumer;
  if (pthread_create(&consumer, NULL, consume, &wrong) != 0 || pthread_create(&producer, NULL, produce, NULL) != 0) {
    return 71;
  }
  pthread_join(producer, NULL);
  pthread_join(consumer, NULL);
  printf("%s, mutant %s: %llu records, %llu wrong\n", ways[chosen], mutants[seeded], (unsigned long long)records,
         (unsigned long long)wrong);
  return wrong == 0 ? 0 : 1;
}
