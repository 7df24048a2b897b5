// The archive's kernels on blocks of every shape and on bytes of none, in memory that ends where it must not be passed:
// `make check-kernels` builds this with AddressSanitizer and UBSan. All sets of instructions must give the same.
//
//   kernel-trial ROUNDS [--seeded-bug]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CTickCodec.h"

static uint64_t state = 20260115;

// SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t draw(void) {
  uint64_t mixed = state += UINT64_C(0x9E3779B97F4A7C15);
  mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
  return mixed ^ mixed >> 31;
}
static uint32_t below(uint32_t bound) { return (uint32_t)(draw() % bound); }

static void require(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "kernel-trial: %s\n", what);
  exit(1);
}

// Memory that ends with its last byte, which a sanitizer watches.
static void *room(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  require(memory != NULL, "no memory");
  return memory;
}
static uint8_t *exact_copy(const uint8_t *bytes, size_t length) {
  uint8_t *copy = malloc(length + (length == 0));
  require(copy != NULL, "no memory");
  if (length > 0) memcpy(copy, bytes, length);
  return copy;
}

static const uint32_t all_kernels[] = {tickcodec_kernels_best, tickcodec_kernels_avx2, tickcodec_kernels_portable};
enum { kernel_count = 3, slack = 64 };

// A word of any length, short ones more often.
static uint32_t uneven(void) { return (uint32_t)draw() >> below(32); }

static void try_checksums(void) {
  size_t length = below(12000);
  uint8_t *bytes = malloc(length + 1);
  require(bytes != NULL, "no memory");
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)draw();
  uint8_t *copy = exact_copy(bytes, length);
  require(tickcodec_crc32c(copy, length) == tickcodec_crc32c_portable(bytes, length), "checksums differ");
  free(copy);
  free(bytes);
}

static void try_columns(void) {
  uint32_t count = below(3000), base = below(2) ? (uint32_t)draw() : 0, width = below(33), rarity = 1 + below(40);
  uint32_t *words = malloc((count + 1) * sizeof *words);
  require(words != NULL, "no memory");
  for (uint32_t i = 0; i < count; i++) {
    uint32_t length = below(rarity) == 0 ? 32 : width;
    words[i] = base + (uint32_t)(draw() & ((UINT64_C(1) << length) - 1));
  }
  size_t capacity = tickcodec_packed_capacity(count);
  uint8_t *packed[2] = {malloc(capacity), malloc(capacity)};
  size_t length = tickcodec_pack_words(words, count, false, packed[0], capacity);
  require(tickcodec_pack_words(words, count, true, packed[1], capacity) == length, "columns differ in length");
  require(memcmp(packed[0], packed[1], length) == 0, "columns differ");
  uint32_t *read = malloc((count + 1) * sizeof *read);
  for (int k = 0; k < kernel_count; k++) {
    // Whole, a byte short, and with some bytes changed.
    uint8_t *copy = exact_copy(packed[0], length);
    tickcodec_bytes column = {copy, length, tickcodec_coding_packed};
    require(tickcodec_unpack_words(column, read, count, all_kernels[k]) == length, "a column is refused");
    require(memcmp(read, words, count * sizeof *words) == 0, "a column comes back changed");
    if (length > 0) {
      for (uint32_t change = below(4); change > 0; change--) copy[below((uint32_t)length)] = (uint8_t)draw();
      column.length -= below(2);
      (void)tickcodec_unpack_words(column, read, count, all_kernels[k]);
    }
    free(copy);
  }
  free(read);
  free(packed[0]);
  free(packed[1]);
  free(words);
}

static void try_streams(void) {
  uint32_t count = below(300);
  uint32_t *words = malloc((count + 1) * sizeof *words), *read = malloc((count + 1) * sizeof *read);
  for (uint32_t i = 0; i < count; i++) words[i] = uneven();
  size_t capacity = tickcodec_words_bound(count);
  uint8_t *stream = malloc(capacity);
  size_t length = tickcodec_encode_words(words, count, stream, capacity);
  uint8_t *copy = exact_copy(stream, length);
  for (int portable = 0; portable < 2; portable++) {
    tickcodec_bytes input = {copy, length, tickcodec_coding_words};
    require(tickcodec_decode_words(input, read, count, portable) == length, "a stream is refused");
    require(memcmp(read, words, count * sizeof *words) == 0, "a stream comes back changed");
    input.length--;
    require(tickcodec_decode_words(input, read, count, portable) == 0, "a stream that is cut short is taken");
  }
  free(copy);
  free(stream);
  free(read);
  free(words);
}

// A block, split and packed, with its memory.
typedef struct {
  uint32_t count, instrument_count;
  tickcodec_tick *ticks;
  tickcodec_parameters parameters;
  tickcodec_bytes sections[tickcodec_stored_section_count];
  uint8_t *bytes;
  size_t length;
} block;

static int64_t any_value(void) { return below(8) == 0 ? INT64_MIN + (int64_t)below(2) * INT64_MAX : (int64_t)(draw() >> below(64)); }

static void make_ticks(block *block) {
  static const uint32_t unit_choices[] = {1, 1000, 1000000, 1000000000};
  bool is_wild = below(3) == 0, is_steady = below(2), has_summaries = below(2);
  uint32_t instruments = 1 + below(below(2) ? 5 : 400), unit = unit_choices[below(4)];
  int64_t time = INT64_C(1768448700000000000);
  uint64_t sequence = below(1000);
  for (uint32_t i = 0; i < block->count; i++) {
    tickcodec_tick *tick = &block->ticks[i];
    memset(tick, 0, sizeof *tick);
    time += below(3) ? below(100) : below(50000000);
    sequence += 1 + (below(50) == 0) * below(9);
    tick->instrument = below(instruments) * (is_wild ? 2654435761u : 1);
    tick->sequence = sequence;
    tick->receive_time = is_wild && below(9) == 0 ? any_value() : time;
    tick->exchange_time = is_wild && below(9) == 0 ? any_value() : (time - below(2000000000)) / unit * unit;
    tick->last_price = is_wild && below(9) == 0 ? any_value() : INT64_C(50000000) * (2000 + below(60));
    tick->day_volume = is_wild && below(9) == 0 ? any_value() : (int64_t)i * 75;
    tick->last_trade_seconds = (uint32_t)(tick->exchange_time / 1000000000) - (is_steady ? 0 : below(900));
    tick->last_quantity = is_wild ? uneven() : 75 * below(9);
    tick->open_interest = below(5) == 0 ? uneven() : 7;
    tick->flags = (uint16_t)(below(9) == 0 ? draw() : 0);
    tick->kind = (uint8_t)(below(99) == 0);
    if (has_summaries && below(9) == 0) tick->kind = tickcodec_summary_kind;
  }
}

static void make_block(block *block) {
  uint32_t count = block->count = 1 + below(below(4) ? 300 : 5000);
  block->ticks = room(count * sizeof(tickcodec_tick));
  make_ticks(block);
  uint32_t *slots = calloc(tickcodec_lookup_slots, sizeof *slots), *instruments = malloc(count * 4),
           *tick_counts = malloc(count * 4), *codes = malloc(count * 4);
  uint16_t *ranks = malloc(count * 2);
  uint64_t *order = malloc(count * 16);
  tickcodec_instrument *directory = room(count * sizeof *directory);
  uint32_t *columns = malloc(tickcodec_column_count * (size_t)tickcodec_column_stride * 4);
  size_t room_each = tickcodec_packed_capacity(count);
  uint8_t *packed = malloc(room_each * (tickcodec_directory_streams + tickcodec_section_count + tickcodec_summary_streams));
  require(slots && instruments && tick_counts && codes && ranks && order && columns && packed, "no memory");

  tickcodec_parameters *parameters = &block->parameters;
  memset(parameters, 0, sizeof *parameters);
  uint32_t found = tickcodec_assign(block->ticks, count, slots, instruments, tick_counts, codes);
  for (uint32_t slot = 0; slot < tickcodec_lookup_slots; slot++) require(slots[slot] == 0, "a slot is left in use");
  tickcodec_rank(instruments, tick_counts, found, count, order, ranks, directory, parameters);
  tickcodec_measure(block->ticks, count, ranks, codes, directory, found, parameters);
  block->instrument_count = found;
  size_t starts[tickcodec_stored_section_count + 1] = {0}, length = 0;
  for (uint32_t stream = 0; stream < tickcodec_directory_streams; stream++) {
    tickcodec_directory_words(directory, found, parameters, stream, columns);
    length += tickcodec_pack_words(columns, found, false, packed + length, room_each);
  }
  starts[1] = length;
  if (found > 1) length += tickcodec_pack_words(codes, count, false, packed + length, room_each);
  // Day summaries are taken apart first and stored last.
  size_t summary_count = parameters->summary_count;
  uint32_t *summaries = malloc(tickcodec_summary_streams * (summary_count + 1) * 4);
  tickcodec_summary *running = malloc(found * sizeof *running);
  require(summaries && running, "no memory");
  tickcodec_split_summaries(block->ticks, count, codes, directory, found, parameters, running, summaries);
  uint32_t used = tickcodec_split(block->ticks, count, codes, directory, parameters, columns);
  for (uint32_t section = tickcodec_first_column; section < tickcodec_section_count; section++) {
    starts[section] = length;
    const uint32_t *words = columns + (section - tickcodec_first_column) * (size_t)tickcodec_column_stride;
    if (used >> section & 1) length += tickcodec_pack_words(words, count, false, packed + length, room_each);
  }
  starts[tickcodec_summaries] = length;
  for (uint32_t stream = 0; stream < tickcodec_summary_streams; stream++) {
    length += tickcodec_pack_words(summaries + stream * summary_count, (uint32_t)summary_count, false, packed + length,
                                   room_each);
  }
  starts[tickcodec_stored_section_count] = length;
  // Sections to the last byte, and what may be loaded behind them.
  block->length = length;
  block->bytes = exact_copy(packed, length + slack);
  for (uint32_t section = 0; section < tickcodec_stored_section_count; section++) {
    block->sections[section] = (tickcodec_bytes){block->bytes + starts[section], starts[section + 1] - starts[section],
                                                 tickcodec_coding_packed};
  }
  free(slots), free(instruments), free(tick_counts), free(codes), free(ranks), free(order);
  free(directory), free(columns), free(packed), free(summaries), free(running);
}

// Reads all of a block; returns how many ticks, or -1 when it is refused.
static int read_block(const block *block, tickcodec_reader *reader, uint32_t kernels, tickcodec_tick *ticks) {
  int malformed = tickcodec_open(reader, block->sections, 3, block->count, block->instrument_count, &block->parameters,
                                 UINT32_MAX, block->bytes + block->length + slack, kernels);
  if (malformed >= 0) return -1;
  int done = 0;
  while (tickcodec_left(reader) > 0) {
    int read = tickcodec_read(reader, ticks + done);
    if (read < 0) return -1;
    done += read;
  }
  return done;
}

static void try_wanted(const block *block, tickcodec_reader *reader, uint32_t kernels, tickcodec_tick *ticks) {
  require(tickcodec_open(reader, block->sections, 3, block->count, block->instrument_count, &block->parameters,
                         UINT32_MAX, block->bytes + block->length + slack, kernels) < 0,
          "a block is refused");
  uint8_t *wanted = malloc(block->instrument_count);
  uint32_t rarity = 1 + below(12), found = 0, next = 0;
  const uint32_t *instruments = tickcodec_instruments(reader);
  for (uint32_t code = 0; code < block->instrument_count; code++) wanted[code] = below(rarity) == 0;
  while (tickcodec_left(reader) > 0) {
    int read = tickcodec_read_wanted(reader, wanted, ticks + found);
    require(read >= 0, "a block is refused");
    found += (uint32_t)read;
  }
  for (uint32_t i = 0; i < block->count; i++) {
    uint32_t code = 0;
    while (instruments[code] != block->ticks[i].instrument) code++;
    if (!wanted[code]) continue;
    require(next < found && memcmp(&ticks[next], &block->ticks[i], sizeof *ticks) == 0, "a wanted tick differs");
    next++;
  }
  require(next == found, "an unwanted tick comes along");
  free(wanted);
}

static void try_block(bool has_seeded_bug) {
  block block;
  make_block(&block);
  tickcodec_reader *reader = room(tickcodec_reader_size());
  tickcodec_tick *ticks = room(block.count * sizeof *ticks), *others = room(block.count * sizeof *others);
  for (int k = 0; k < kernel_count; k++) {
    require(read_block(&block, reader, all_kernels[k], ticks) == (int)block.count, "a block is refused");
    require(memcmp(ticks, block.ticks, block.count * sizeof *ticks) == 0, "a block comes back changed");
    // The tick buffer of a whole tile is the reader's to use.
    tickcodec_tick *some = room((block.count + tickcodec_tile_ticks) * sizeof *some);
    try_wanted(&block, reader, all_kernels[k], some);
    free(some);
  }
  if (has_seeded_bug) printf("%d\n", block.bytes[block.length + slack]);
  // Changed bytes: refused alike, or read alike.
  for (uint32_t change = 1 + below(4); change > 0 && block.length > 0; change--) {
    block.bytes[below((uint32_t)block.length)] = (uint8_t)draw();
  }
  int first = read_block(&block, reader, tickcodec_kernels_portable, ticks);
  for (int k = 0; k < kernel_count; k++) {
    int read = read_block(&block, reader, all_kernels[k], others);
    require(read == first, "a damaged block is read by some and refused by others");
    require(read < 0 || memcmp(ticks, others, (size_t)read * sizeof *ticks) == 0, "a damaged block is read unalike");
  }
  free(others);
  free(ticks);
  free(reader);
  free(block.bytes);
  free(block.ticks);
}

int main(int count, char **arguments) {
  long rounds = count > 1 ? strtol(arguments[1], NULL, 10) : 0;
  if (rounds <= 0 || (count > 2 && strcmp(arguments[2], "--seeded-bug") != 0)) {
    fprintf(stderr, "kernel-trial: say how many rounds, as in: kernel-trial 100 [--seeded-bug]\n");
    return 64;
  }
  for (long round = 0; round < rounds; round++) {
    try_checksums();
    try_streams();
    try_columns();
    try_block(count > 2);
  }
  printf("%ld rounds: all kernels alike, nothing out of bounds\n", rounds);
  return 0;
}
