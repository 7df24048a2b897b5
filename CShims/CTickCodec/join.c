// Columns to rows.
#include <string.h>

#include "CTickCodec.h"
#include "arithmetic.h"
#include "words.h"

// Ticks that are decoded together, so that their columns stay in the first-level cache.
enum { tile_ticks = 512 };

typedef struct {
  uint32_t words[tickcodec_section_count][tile_ticks];
  uint16_t codes[tile_ticks];
} tile;

static inline uint64_t wide(const tile *tile, uint32_t low_section, uint32_t i) {
  return tile->words[low_section][i] | (uint64_t)tile->words[low_section + 1][i] << 32;
}

// Unpacks codes [start, start + count) of `width` bits; false when one of them is not below `limit`.
static bool unpack(tickcodec_bytes input, uint32_t start, uint32_t count, uint32_t width, uint32_t limit,
                   uint16_t *codes) {
  const uint32_t mask = (UINT32_C(1) << width) - 1;
  uint32_t largest = 0;
  for (uint32_t i = 0; i < count; i++) {
    size_t bit = (size_t)(start + i) * width;
    size_t left = input.length - bit / 8;
    uint32_t bytes = 0;
    if (left >= 4) {
      memcpy(&bytes, input.start + bit / 8, 4);
    } else {
      for (size_t k = 0; k < left; k++) bytes |= (uint32_t)input.start[bit / 8 + k] << 8 * k;
    }
    uint32_t code = bytes >> bit % 8 & mask;
    if (code > largest) largest = code;
    codes[i] = (uint16_t)code;
  }
  return largest < limit;
}

// What the columns are relative to across instruments.
typedef struct {
  uint64_t receive_time;
  uint64_t next_sequence;  // the lowest that the next tick may have
  bool is_exhausted;  // the highest sequence of all has been used
} running;

// Inlined once for each unit, so that the divisions are by constants. False when a sequence does not increase.
__attribute__((always_inline)) static inline bool join_tile(const int64_t unit, const tile *tile, uint32_t count,
                                                            bool has_plain_volume, tickcodec_instrument *directory,
                                                            running *running, tickcodec_tick *ticks) {
  bool increases = true;
  for (uint32_t i = 0; i < count; i++) {
    tickcodec_instrument *entry = &directory[tile->codes[i]];
    uint64_t receive_time = running->receive_time + wide(tile, tickcodec_receive_time_low, i);
    running->receive_time = receive_time;
    uint64_t lag = unzigzag(wide(tile, tickcodec_exchange_time_low, i));
    uint64_t exchange_time = ((uint64_t)floor_divide((int64_t)receive_time, unit) - lag) * (uint64_t)unit +
                             tile->words[tickcodec_exchange_remainder][i];

    uint64_t sequence = running->next_sequence + wide(tile, tickcodec_sequence_low, i);
    increases &= sequence >= running->next_sequence && !running->is_exhausted;
    running->is_exhausted = sequence == UINT64_MAX;
    running->next_sequence = sequence + 1;

    entry->price += unzigzag(wide(tile, tickcodec_price_low, i));
    uint32_t quantity = tile->words[tickcodec_quantity][i] * entry->lot;
    uint64_t volume_code = wide(tile, tickcodec_volume_low, i);
    uint64_t surplus = unzigzag(volume_code - !has_plain_volume) * entry->lot;
    uint64_t traded = quantity + surplus;
    if (!has_plain_volume) traded = volume_code == 0 ? quantity : volume_code == 1 ? 0 : traded;
    entry->volume += traded;

    uint64_t last_trade = wide(tile, tickcodec_last_trade_low, i);
    uint64_t exchange_seconds = (uint64_t)floor_divide((int64_t)exchange_time, nanoseconds_per_second);
    uint32_t traded_at = (uint32_t)(exchange_seconds - unzigzag(last_trade - 1));
    entry->last_trade_seconds = last_trade == 0 ? entry->last_trade_seconds : traded_at;
    entry->open_interest += unzigzag32(tile->words[tickcodec_open_interest][i]);
    uint32_t flags = tile->words[tickcodec_flags][i];

    ticks[i] = (tickcodec_tick){
        .instrument = entry->instrument,
        .sequence = sequence,
        .receive_time = (int64_t)receive_time,
        .exchange_time = (int64_t)exchange_time,
        .last_price = (int64_t)(entry->price * entry->price_unit),
        .day_volume = (int64_t)entry->volume,
        .last_trade_seconds = entry->last_trade_seconds,
        .last_quantity = quantity,
        .open_interest = entry->open_interest,
        .flags = (uint16_t)flags,
        .kind = (uint8_t)(flags >> 16),
    };
  }
  return increases;
}

int tickcodec_join(const tickcodec_bytes *sections, uint32_t count, tickcodec_instrument *directory,
                   uint32_t instrument_count, const tickcodec_parameters *parameters, bool portable,
                   tickcodec_tick *ticks) {
  uint32_t width = parameters->code_width;
  tickcodec_bytes packed = sections[tickcodec_instrument_codes];
  bool has_codes = packed.length > 0;
  if (width > 16 || instrument_count == 0) return tickcodec_instrument_codes;
  if (has_codes && packed.length != ((size_t)count * width + 7) / 8) return tickcodec_instrument_codes;

  word_reader readers[tickcodec_section_count];
  tile tile;
  memset(&tile, 0, sizeof tile);
  for (int section = tickcodec_first_column; section < tickcodec_section_count; section++) {
    if (sections[section].length == 0) continue;
    if (!word_reader_open(&readers[section], sections[section], count)) return section;
  }
  running running = {(uint64_t)parameters->earliest, parameters->first_sequence, false};
  for (uint32_t start = 0; start < count; start += tile_ticks) {
    uint32_t length = count - start < tile_ticks ? count - start : tile_ticks;
    if (has_codes && !unpack(packed, start, length, width, instrument_count, tile.codes)) {
      return tickcodec_instrument_codes;
    }
    for (int section = tickcodec_first_column; section < tickcodec_section_count; section++) {
      if (sections[section].length == 0) continue;
      if (!word_reader_read(&readers[section], tile.words[section], length, portable)) return section;
    }
    bool increases;
    bool plain = parameters->has_plain_volume;
    switch (parameters->exchange_unit) {
      case 1000000000:
        increases = join_tile(1000000000, &tile, length, plain, directory, &running, ticks + start);
        break;
      case 1000000: increases = join_tile(1000000, &tile, length, plain, directory, &running, ticks + start); break;
      case 1000: increases = join_tile(1000, &tile, length, plain, directory, &running, ticks + start); break;
      case 1: increases = join_tile(1, &tile, length, plain, directory, &running, ticks + start); break;
      default: return tickcodec_exchange_time_low;
    }
    if (!increases) return tickcodec_sequence_low;
  }
  for (int section = tickcodec_first_column; section < tickcodec_section_count; section++) {
    if (sections[section].length > 0 && readers[section].data != readers[section].end) return section;
  }
  return -1;
}
