// Reading a block: its directory, then tile after tile.
#include "reader.h"

#include <string.h>

#include "arithmetic.h"

size_t tickcodec_reader_size(void) { return sizeof(tickcodec_reader); }

const uint32_t *tickcodec_instruments(const tickcodec_reader *reader) { return reader->instruments; }

static bool is_portable(const tickcodec_reader *reader) { return reader->kernels == tickcodec_kernels_portable; }

// MARK: Directory

// What the streams of the directory are, in the order of version 2.
enum { stream_instrument, stream_price_unit, stream_lot, stream_price_low, stream_price_high, stream_volume_low,
       stream_volume_high, stream_volume_rest, stream_open_interest, stream_last_trade };

// Reads stream by stream into `directory`, of which what a section of words lacks is zero.
static bool read_streams(tickcodec_reader *reader) {
  tickcodec_bytes rest = reader->sections[tickcodec_directory];
  const bool is_packed = rest.coding == tickcodec_coding_packed;
  for (uint32_t stream = 0; stream < tickcodec_directory_streams; stream++) {
    uint32_t *words = reader->directory[stream];
    packed_reader packed = {rest.start, rest.start + rest.length};
    word_reader plain;
    packed_bound bound;
    if (!is_packed && stream == stream_volume_rest) {
      memset(words, 0, reader->instrument_count * sizeof *words);
      continue;
    }
    if (!is_packed && !word_reader_open(&plain, rest, reader->instrument_count)) return false;
    for (uint32_t first = 0; first < reader->instrument_count; first += tile_ticks) {
      uint32_t left = reader->instrument_count - first, count = left < tile_ticks ? left : tile_ticks;
      bool is_read = is_packed ? packed_read(&packed, reader->readable, words + first, count, &reader->scratch, &bound,
                                             reader->kernels)
                               : word_reader_read(&plain, words + first, count, is_portable(reader));
      if (!is_read) return false;
    }
    const uint8_t *end = is_packed ? packed.next : plain.data;
    rest.length -= (size_t)(end - rest.start);
    rest.start = end;
  }
  return rest.length == 0;
}

static bool number_instruments(tickcodec_reader *reader) {
  const tickcodec_parameters *parameters = &reader->parameters;
  const bool is_v1 = reader->version == 1;
  const uint64_t least = is_v1 ? 0 : parameters->instrument_least, step = is_v1 ? 1 : parameters->instrument_step;
  const uint32_t *words = reader->directory[stream_instrument];
  uint64_t next = least;
  for (uint32_t k = 0; k < reader->instrument_count; k++) {
    if (!is_v1 && k == parameters->frequent_count) next = least;
    uint64_t instrument = next + words[k] * step;
    if (instrument > UINT32_MAX) return false;
    reader->instruments[k] = (uint32_t)instrument;
    next = instrument + step;
  }
  return true;
}

// Each instrument's line is written once and whole; false when a factor is none.
static bool make_states(tickcodec_reader *reader) {
  const uint32_t(*streams)[tickcodec_block_ticks_max + tile_slack] = reader->directory;
  const bool is_v1 = reader->version == 1;
  // Units and lots are signed words for the vector instructions; version 1 did not restrict them.
  const uint32_t factor_max = is_v1 ? UINT32_MAX : INT32_MAX;
  const uint32_t earliest_seconds = (uint32_t)floor_divide(reader->parameters.earliest, nanoseconds_per_second);
  bool are_factors = true;
  for (uint32_t k = 0; k < reader->instrument_count; k++) {
    uint32_t price_unit = streams[stream_price_unit][k], lot = streams[stream_lot][k];
    uint64_t price = streams[stream_price_low][k] | (uint64_t)streams[stream_price_high][k] << 32;
    uint64_t volume = streams[stream_volume_low][k] | (uint64_t)streams[stream_volume_high][k] << 32;
    are_factors &= price_unit > 0 && price_unit <= factor_max && lot > 0 && lot <= factor_max;
    reader->states[k] = (instrument_state){
        .price = unzigzag(price) * price_unit,
        .volume = volume * (is_v1 ? 1 : lot) + streams[stream_volume_rest][k],
        .last_trade_seconds = earliest_seconds - unzigzag32(streams[stream_last_trade][k]),
        .open_interest = streams[stream_open_interest][k],
        .price_unit = price_unit,
        .instrument = reader->instruments[k],
        .lot = lot,
        .ones = {1, lot, 1, 1},
    };
  }
  return are_factors;
}

static bool read_directory(tickcodec_reader *reader) {
  return read_streams(reader) && number_instruments(reader) && make_states(reader);
}

// MARK: Columns

static bool open_column(tickcodec_reader *reader, int section) {
  tickcodec_bytes bytes = reader->sections[section];
  if (bytes.length == 0) return true;
  if (bytes.coding == tickcodec_coding_packed) {
    reader->columns[section].packed = (packed_reader){bytes.start, bytes.start + bytes.length};
    return true;
  }
  if (section == tickcodec_instrument_codes) {
    return bytes.length == ((size_t)reader->count * reader->parameters.code_width + 7) / 8;
  }
  return word_reader_open(&reader->columns[section].words, bytes, reader->count);
}

int tickcodec_open(tickcodec_reader *reader, const tickcodec_bytes *sections, uint32_t version, uint32_t count,
                   uint32_t instrument_count, const tickcodec_parameters *parameters, uint32_t wanted_sections,
                   const uint8_t *readable, uint32_t kernels) {
  reader->count = 0;
  reader->position = 0;
  reader->instrument_count = 0;
  if (count == 0 || count > tickcodec_block_ticks_max) return tickcodec_instrument_codes;
  if (instrument_count == 0 || instrument_count > count) return tickcodec_directory;
  if (parameters->code_width > 16) return tickcodec_instrument_codes;
  memcpy(reader->sections, sections, sizeof reader->sections);
  reader->parameters = *parameters;
  reader->running = (running_values){(uint64_t)parameters->earliest, parameters->first_sequence, false};
  reader->readable = readable;
  reader->version = version;
  reader->instrument_count = instrument_count;
  reader->kernels = kernels;
  if (!read_directory(reader)) return tickcodec_directory;
  reader->count = count;
  if (!open_summaries(reader)) {
    reader->count = 0;
    return tickcodec_summaries;
  }
  for (int section = tickcodec_instrument_codes; section < tickcodec_section_count; section++) {
    if ((wanted_sections >> section & 1) == 0) reader->sections[section].length = 0;
    if (!open_column(reader, section)) {
      reader->count = 0;
      return section;
    }
    if (reader->sections[section].length == 0) {
      memset(reader->tile.words[section], 0, sizeof reader->tile.words[section]);
      reader->tile.most[section] = 0;
    }
  }
  return -1;
}

// Unpacks codes of a fixed width, from tick `start` of the block on.
static void read_plain_codes(tickcodec_reader *reader, uint32_t start, uint32_t count, uint32_t *codes) {
  tickcodec_bytes input = reader->sections[tickcodec_instrument_codes];
  const uint32_t width = reader->parameters.code_width, mask = (UINT32_C(1) << width) - 1;
  for (uint32_t i = 0; i < count; i++) {
    size_t bit = (size_t)(start + i) * width;
    uint32_t bytes = 0;
    for (size_t k = bit / 8; k < input.length && k < bit / 8 + 3; k++) {
      bytes |= (uint32_t)input.start[k] << 8 * (k - bit / 8);
    }
    codes[i] = bytes >> bit % 8 & mask;
  }
}

// Reads one section's words of the tile; false when it is malformed.
static bool read_column(tickcodec_reader *reader, int section, uint32_t count) {
  tickcodec_bytes bytes = reader->sections[section];
  if (bytes.length == 0) return true;
  uint32_t *words = reader->tile.words[section];
  packed_bound bound = {UINT32_MAX};
  bool is_read = true;
  if (bytes.coding == tickcodec_coding_packed) {
    is_read = packed_read(&reader->columns[section].packed, reader->readable, words, count, &reader->scratch, &bound,
                          reader->kernels);
  } else if (section == tickcodec_instrument_codes) {
    read_plain_codes(reader, reader->position, count, words);
  } else {
    is_read = word_reader_read(&reader->columns[section].words, words, count, is_portable(reader));
    uint32_t any = 0;
    for (uint32_t i = 0; i < count; i++) any |= words[i];
    bound.most = any;
  }
  reader->tile.most[section] = bound.most;
  return is_read;
}

__attribute__((always_inline)) static inline uint32_t greatest(const uint32_t *words, uint32_t count) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < count; i++) most = words[i] > most ? words[i] : most;
  return most;
}

#if defined(__x86_64__)
// The loop is the same; without AVX2 the compiler has no unsigned maximum to make it of.
__attribute__((target("avx2"))) static uint32_t greatest_avx2(const uint32_t *words, uint32_t count) {
  return greatest(words, count);
}
#endif

static uint32_t greatest_word(const uint32_t *words, uint32_t count, bool portable) {
#if defined(__x86_64__)
  if (!portable && __builtin_cpu_supports("avx2")) return greatest_avx2(words, count);
#else
  (void)portable;
#endif
  return greatest(words, count);
}

// True when every code of the tile is that of an instrument.
static bool read_codes(tickcodec_reader *reader, uint32_t count) {
  if (!read_column(reader, tickcodec_instrument_codes, count)) return false;
  if (reader->tile.most[tickcodec_instrument_codes] < reader->instrument_count) return true;
  const uint32_t *codes = reader->tile.words[tickcodec_instrument_codes];
  return greatest_word(codes, count, is_portable(reader)) < reader->instrument_count;
}

static bool is_at_end(const tickcodec_reader *reader, int section) {
  tickcodec_bytes bytes = reader->sections[section];
  if (bytes.length == 0) return true;
  const column_reader *column = &reader->columns[section];
  if (bytes.coding == tickcodec_coding_packed) return column->packed.next == column->packed.end;
  return section == tickcodec_instrument_codes || column->words.data == column->words.end;
}

// Ends the reading, with what tickcodec_read returns then.
static int fail(tickcodec_reader *reader, int section) {
  reader->position = reader->count;
  return -1 - section;
}

static uint32_t tile_count(const tickcodec_reader *reader) {
  uint32_t left = reader->count - reader->position;
  return left < tile_ticks ? left : tile_ticks;
}

// Accounts for a tile that has been read.
static int finish_tile(tickcodec_reader *reader, uint32_t count, uint32_t result) {
  reader->position += count;
  if (reader->position < reader->count) return (int)result;
  for (int section = tickcodec_instrument_codes; section < tickcodec_section_count; section++) {
    if (!is_at_end(reader, section)) return fail(reader, section);
  }
  if (!summaries_are_at_end(reader)) return fail(reader, tickcodec_summaries);
  return (int)result;
}

static bool read_columns(tickcodec_reader *reader, uint32_t count, int *malformed) {
  for (int section = tickcodec_first_column; section < tickcodec_section_count; section++) {
    *malformed = section;
    if (!read_column(reader, section, count)) return false;
  }
  return true;
}

// Joins all rows of a tile whose columns have been read.
static bool join_tile(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  uint32_t done = 0;
  if (reader->kernels == tickcodec_kernels_best) done = join_rows_avx512(reader, count, ticks);
  if (done == 0 && !is_portable(reader)) done = join_rows_avx2(reader, count, ticks);
  return join_rows_portable(reader, done, count, ticks);
}

int tickcodec_read(tickcodec_reader *reader, tickcodec_tick *ticks) {
  uint32_t count = tile_count(reader);
  int malformed = tickcodec_instrument_codes;
  if (count == 0) return 0;
  if (!read_codes(reader, count) || !read_columns(reader, count, &malformed)) return fail(reader, malformed);
  if (!join_tile(reader, count, ticks)) return fail(reader, tickcodec_sequence_low);
  if (!put_summaries(reader, count, NULL, count, ticks)) return fail(reader, tickcodec_summaries);
  return finish_tile(reader, count, count);
}

// Passes over one section's words of the tile.
static bool skip_column(tickcodec_reader *reader, int section, uint32_t count) {
  if (reader->sections[section].coding != tickcodec_coding_packed) return read_column(reader, section, count);
  return reader->sections[section].length == 0 || packed_skip(&reader->columns[section].packed, count);
}

// The positions of wanted ticks in the tile; returns how many.
static uint32_t find_wanted(const tickcodec_reader *reader, uint32_t count, const uint8_t *wanted,
                            uint32_t *positions) {
  const uint32_t *codes = reader->tile.words[tickcodec_instrument_codes];
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    positions[found] = i;
    found += wanted[codes[i]];
  }
  return found;
}

int tickcodec_read_wanted(tickcodec_reader *reader, const uint8_t *wanted, tickcodec_tick *ticks) {
  uint32_t count = tile_count(reader), positions[tile_ticks];
  int malformed = tickcodec_instrument_codes;
  if (count == 0) return 0;
  if (!read_codes(reader, count)) return fail(reader, malformed);
  uint32_t found = find_wanted(reader, count, wanted, positions);
  if (found > 0) {
    if (!read_columns(reader, count, &malformed)) return fail(reader, malformed);
  } else {
    // Times and sequences go on, and so do day summaries; nothing else of a tile does that holds no wanted tick.
    for (int section = tickcodec_first_column; section < tickcodec_section_count; section++) {
      bool goes_on = section == tickcodec_receive_time_low || section == tickcodec_receive_time_high ||
                     section == tickcodec_sequence_low || section == tickcodec_sequence_high ||
                     (section == tickcodec_flags && reader->parameters.summary_count > 0);
      bool is_read = goes_on ? read_column(reader, section, count) : skip_column(reader, section, count);
      if (!is_read) return fail(reader, section);
    }
  }
  // Joining a row by itself takes about as long as four rows of a whole tile.
  if (found > count / 4) {
    if (!join_tile(reader, count, ticks)) return fail(reader, tickcodec_sequence_low);
    if (!put_summaries(reader, count, NULL, count, ticks)) return fail(reader, tickcodec_summaries);
    for (uint32_t k = 0; k < found; k++) ticks[k] = ticks[positions[k]];
  } else {
    if (!run_through(reader, count)) return fail(reader, tickcodec_sequence_low);
    join_some(reader, positions, found, ticks);
    if (!put_summaries(reader, count, positions, found, ticks)) return fail(reader, tickcodec_summaries);
  }
  return finish_tile(reader, count, found);
}

uint32_t tickcodec_left(const tickcodec_reader *reader) { return reader->count - reader->position; }

uint64_t tickcodec_last_sequence(const tickcodec_reader *reader) { return reader->running.next_sequence - 1; }
