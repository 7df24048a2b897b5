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

typedef union {
  word_reader words;
  packed_reader packed;
} column_reader;

struct tickcodec_reader {
  _Alignas(tickcodec_reader_alignment) instrument_state states[tickcodec_block_ticks_max];
  tick_tile tile;
  packed_scratch scratch;
  uint32_t instruments[tickcodec_block_ticks_max + tile_slack];
  column_reader columns[tickcodec_section_count];
  tickcodec_bytes sections[tickcodec_section_count];
  tickcodec_parameters parameters;
  running_values running;
  const uint8_t *readable;
  uint32_t version;
  uint32_t instrument_count;
  uint32_t count;
  uint32_t position;
  bool portable;
};

// Joins rows [first, count) of the tile; false when a sequence does not increase.
bool join_rows_portable(tickcodec_reader *reader, uint32_t first, uint32_t count, tickcodec_tick *ticks);
// The same for as many rows from the start as it can; returns how many, of which the caller joins the rest.
uint32_t join_rows_avx2(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks);
