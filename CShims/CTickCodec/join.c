// Columns to rows, whatever the processor.
#include "arithmetic.h"
#include "reader.h"

static inline uint64_t wide(const tick_tile *tile, uint32_t low_section, uint32_t i) {
  return tile->words[low_section][i] | (uint64_t)tile->words[low_section + 1][i] << 32;
}

// Joins the rest of row i, whose receive time and sequence are known.
__attribute__((always_inline)) static inline tickcodec_tick join_row(const int64_t unit, tickcodec_reader *reader,
                                                                     uint32_t i, uint64_t receive_time,
                                                                     uint64_t sequence) {
  const tick_tile *tile = &reader->tile;
  const bool has_plain_volume = reader->parameters.has_plain_volume;
  const bool has_steady_trade_times = reader->parameters.has_steady_trade_times;
  // Version 1 told the change of the volume from the quantity as it is stored, in 32 bits.
  const uint64_t quantity_mask = reader->version == 1 ? UINT32_MAX : UINT64_MAX;
  instrument_state *state = &reader->states[tile->words[tickcodec_instrument_codes][i]];

  uint64_t lag = unzigzag(wide(tile, tickcodec_exchange_time_low, i));
  uint64_t exchange_time = ((uint64_t)floor_divide((int64_t)receive_time, unit) - lag) * (uint64_t)unit +
                           tile->words[tickcodec_exchange_remainder][i];

  state->price += unzigzag(wide(tile, tickcodec_price_low, i)) * state->price_unit;
  uint64_t quantity = ((uint64_t)tile->words[tickcodec_quantity][i] * state->lot) & quantity_mask;
  uint64_t volume_code = wide(tile, tickcodec_volume_low, i);
  uint64_t surplus = unzigzag(volume_code - !has_plain_volume) * state->lot;
  uint64_t traded = quantity + surplus;
  if (!has_plain_volume) traded = volume_code == 0 ? quantity : volume_code == 1 ? 0 : traded;
  state->volume += traded;

  uint64_t last_trade = wide(tile, tickcodec_last_trade_low, i);
  uint64_t exchange_seconds = (uint64_t)floor_divide((int64_t)exchange_time, nanoseconds_per_second);
  uint32_t traded_at = (uint32_t)(exchange_seconds - unzigzag(last_trade - !has_steady_trade_times));
  bool is_unchanged = last_trade == 0 && !has_steady_trade_times;
  state->last_trade_seconds = is_unchanged ? state->last_trade_seconds : traded_at;
  state->open_interest += unzigzag32(tile->words[tickcodec_open_interest][i]);
  uint32_t flags = tile->words[tickcodec_flags][i];

  return (tickcodec_tick){
      .instrument = state->instrument,
      .sequence = sequence,
      .receive_time = (int64_t)receive_time,
      .exchange_time = (int64_t)exchange_time,
      .last_price = (int64_t)state->price,
      .day_volume = (int64_t)state->volume,
      .last_trade_seconds = state->last_trade_seconds,
      .last_quantity = (uint32_t)quantity,
      .open_interest = state->open_interest,
      .flags = (uint16_t)flags,
      .kind = (uint8_t)(flags >> 16),
  };
}

// Goes on by one tick; false when the sequence does not increase.
static inline bool step(running_values *running, const tick_tile *tile, uint32_t i) {
  running->receive_time += wide(tile, tickcodec_receive_time_low, i);
  uint64_t sequence = running->next_sequence + wide(tile, tickcodec_sequence_low, i);
  bool increases = sequence >= running->next_sequence && !running->is_exhausted;
  running->is_exhausted = sequence == UINT64_MAX;
  running->next_sequence = sequence + 1;
  return increases;
}

// Inlined once for each unit, so that the divisions are by constants.
__attribute__((always_inline)) static inline bool join_rows(const int64_t unit, tickcodec_reader *reader,
                                                            uint32_t first, uint32_t count, tickcodec_tick *ticks) {
  running_values *running = &reader->running;
  bool increases = true;
  for (uint32_t i = first; i < count; i++) {
    increases &= step(running, &reader->tile, i);
    ticks[i] = join_row(unit, reader, i, running->receive_time, running->next_sequence - 1);
  }
  return increases;
}

bool join_rows_portable(tickcodec_reader *reader, uint32_t first, uint32_t count, tickcodec_tick *ticks) {
  switch (reader->parameters.exchange_unit) {
    case 1000000000: return join_rows(1000000000, reader, first, count, ticks);
    case 1000000: return join_rows(1000000, reader, first, count, ticks);
    case 1000: return join_rows(1000, reader, first, count, ticks);
    default: return join_rows(1, reader, first, count, ticks);
  }
}

bool run_through(tickcodec_reader *reader, uint32_t count) {
  tick_tile *tile = &reader->tile;
  // A copy, which stays in registers.
  running_values running = reader->running;
  bool increases = true;
  if (is_ordinary(reader)) {
    for (uint32_t i = 0; i < count; i++) {
      running.receive_time += tile->words[tickcodec_receive_time_low][i];
      tile->receive_times[i] = running.receive_time;
      running.next_sequence += tile->words[tickcodec_sequence_low][i] + UINT64_C(1);
      tile->sequences[i] = running.next_sequence - 1;
    }
  } else {
    for (uint32_t i = 0; i < count; i++) {
      increases &= step(&running, tile, i);
      tile->receive_times[i] = running.receive_time;
      tile->sequences[i] = running.next_sequence - 1;
    }
  }
  reader->running = running;
  return increases;
}

__attribute__((always_inline)) static inline void join_positions(const int64_t unit, tickcodec_reader *reader,
                                                                 const uint32_t *positions, uint32_t count,
                                                                 tickcodec_tick *ticks) {
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = positions[k];
    ticks[k] = join_row(unit, reader, i, reader->tile.receive_times[i], reader->tile.sequences[i]);
  }
}

void join_some(tickcodec_reader *reader, const uint32_t *positions, uint32_t count, tickcodec_tick *ticks) {
  switch (reader->parameters.exchange_unit) {
    case 1000000000: join_positions(1000000000, reader, positions, count, ticks); break;
    case 1000000: join_positions(1000000, reader, positions, count, ticks); break;
    case 1000: join_positions(1000, reader, positions, count, ticks); break;
    default: join_positions(1, reader, positions, count, ticks); break;
  }
}
