// The state of a block that is being read, and the loops that turn its columns into rows.
#pragma once
#include "packed.h"
#include "words.h"

// One instrument, laid out so that eight words of a tick are one multiplication and one addition: running values as in
// the second half of a tick, then the factors of what is added to them.
typedef struct {
  uint64_t price;
  uint64_t volume;
  uint32_t last_trade_seconds;
  uint32_t quantity;  // of the last tick, of no use
  uint32_t open_interest;
  uint32_t flags;  // the same
  uint32_t price_unit;
  uint32_t instrument;
  uint32_t lot;
  uint32_t reserved;
  uint32_t ones[4];  // 1, lot, 1, 1
} instrument_state;
_Static_assert(sizeof(instrument_state) == 64, "one line of the cache");

// What a tile's times and sequences are relative to.
typedef struct {
  uint64_t receive_time;
  uint64_t next_sequence;  // the lowest that the next tick may have
  bool is_exhausted;  // the highest sequence of all has been used
} running_values;

// The words of one tile, and what follows from them tick by tick.
typedef struct {
  uint32_t words[tickcodec_section_count][tile_ticks + tile_slack];
  uint64_t most[tickcodec_section_count];  // no word of the section is greater
  uint64_t receive_times[tile_ticks + tile_slack];
  uint64_t exchange_times[tile_ticks + tile_slack];
  uint64_t sequences[tile_ticks + tile_slack];
  uint32_t exchange_units[tile_ticks + tile_slack];
  uint32_t last_trades[tile_ticks + tile_slack];
} tick_tile;

// Day summaries, tile by tile of their own.
typedef struct {
  packed_reader streams[tickcodec_summary_streams];
  uint32_t words[tickcodec_summary_streams][tile_ticks + tile_slack];
  uint32_t next;  // in the tile
  uint32_t count;  // of the tile
  uint32_t left;  // behind the tile
} summary_tile;

typedef union {
  word_reader words;
  packed_reader packed;
} column_reader;

struct tickcodec_reader {
  _Alignas(tickcodec_reader_alignment) instrument_state states[tickcodec_block_ticks_max];
  tick_tile tile;
  packed_scratch scratch;
  uint32_t directory[tickcodec_directory_streams][tickcodec_block_ticks_max + tile_slack];  // as it is stored
  uint32_t instruments[tickcodec_block_ticks_max + tile_slack];
  tickcodec_summary summaries[tickcodec_block_ticks_max];
  summary_tile summary_tile;
  column_reader columns[tickcodec_section_count];
  tickcodec_bytes sections[tickcodec_stored_section_count];
  tickcodec_parameters parameters;
  running_values running;
  const uint8_t *readable;
  uint32_t version;
  uint32_t instrument_count;
  uint32_t count;
  uint32_t position;
  uint32_t kernels;
};

// Times and sequences of a tile stay this far from where they wrap around: a tile's differences of 32 bits each add
// up to less.
static const uint64_t room_in_64_bits = UINT64_C(1) << 43;
// Quantities and changes of volume below this many lots add up in 32 bits, signed.
static const uint64_t lots_max = UINT64_C(1) << 30;

// True when the tile's words are as those of real feeds are, which vector instructions join. All others are joined
// one by one.
static inline bool is_ordinary(const tickcodec_reader *reader) {
  static const uint8_t high_sections[] = {tickcodec_receive_time_high, tickcodec_exchange_time_high,
                                          tickcodec_sequence_high,     tickcodec_price_high,
                                          tickcodec_volume_high,       tickcodec_last_trade_high};
  for (size_t k = 0; k < sizeof high_sections; k++) {
    if (reader->tile.most[high_sections[k]] != 0) return false;
  }
  return reader->version >= 2 && !reader->parameters.has_plain_volume &&
         reader->tile.most[tickcodec_quantity] < lots_max && reader->tile.most[tickcodec_volume_low] < lots_max &&
         (int64_t)reader->running.receive_time < INT64_MAX - (int64_t)room_in_64_bits &&
         !reader->running.is_exhausted && reader->running.next_sequence < UINT64_MAX - room_in_64_bits;
}

// Starts on the section of day summaries, behind the directory; false when it is malformed.
bool open_summaries(tickcodec_reader *reader);
// Puts day summaries in where the tile has one: tick k belongs into row positions[k], or into row k where `positions` is
// NULL. False when the section is malformed or ends too soon.
bool put_summaries(tickcodec_reader *reader, uint32_t count, const uint32_t *positions, uint32_t found,
                   tickcodec_tick *ticks);
// True when there is no day summary left.
bool summaries_are_at_end(const tickcodec_reader *reader);

// Joins rows [first, count) of the tile; false when a sequence does not increase.
bool join_rows_portable(tickcodec_reader *reader, uint32_t first, uint32_t count, tickcodec_tick *ticks);
// Takes all the tile's times and sequences in, without joining rows; false when a sequence does not increase.
bool run_through(tickcodec_reader *reader, uint32_t count);
// Joins the rows at these positions, behind run_through. An instrument's rows must be all joined or all left out.
void join_some(tickcodec_reader *reader, const uint32_t *positions, uint32_t count, tickcodec_tick *ticks);
// As join_rows_portable for as many rows from the start as it can; returns how many, of which the caller joins the rest.
uint32_t join_rows_avx2(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks);
uint32_t join_rows_avx512(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks);
