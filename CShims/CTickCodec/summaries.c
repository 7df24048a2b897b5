// Reading of day summaries, which are put into the rows that the columns leave without values.
#include "arithmetic.h"
#include "reader.h"

bool open_summaries(tickcodec_reader *reader) {
  summary_tile *tile = &reader->summary_tile;
  tickcodec_bytes bytes = reader->sections[tickcodec_summaries];
  tile->next = tile->count = 0;
  tile->left = reader->parameters.summary_count;
  if (tile->left == 0) return bytes.length == 0;
  if (tile->left > reader->count || bytes.coding != tickcodec_coding_packed || reader->parameters.summary_unit == 0) {
    return false;
  }
  // Where a stream begins is known once the one before has been walked through.
  packed_reader stream = {bytes.start, bytes.start + bytes.length};
  for (uint32_t s = 0; s < tickcodec_summary_streams; s++) {
    tile->streams[s] = stream;
    for (uint32_t first = 0; first < tile->left; first += tile_ticks) {
      uint32_t left = tile->left - first;
      if (!packed_skip(&stream, left < tile_ticks ? left : tile_ticks)) return false;
    }
  }
  if (stream.next != stream.end) return false;
  for (uint32_t k = 0; k < reader->instrument_count; k++) {
    uint64_t price = (uint64_t)floor_divide((int64_t)reader->states[k].price, reader->parameters.summary_unit);
    reader->summaries[k] = (tickcodec_summary){{price, price, price, price}};
  }
  return true;
}

static bool read_tile(tickcodec_reader *reader) {
  summary_tile *tile = &reader->summary_tile;
  if (tile->left == 0) return false;
  tile->next = 0;
  tile->count = tile->left < tile_ticks ? tile->left : tile_ticks;
  tile->left -= tile->count;
  for (uint32_t s = 0; s < tickcodec_summary_streams; s++) {
    packed_bound bound;
    if (!packed_read(&tile->streams[s], reader->readable, tile->words[s], tile->count, &reader->scratch, &bound,
                     reader->kernels)) {
      return false;
    }
  }
  return true;
}

bool put_summaries(tickcodec_reader *reader, uint32_t count, const uint32_t *positions, uint32_t found,
                   tickcodec_tick *ticks) {
  if (reader->parameters.summary_count == 0) return true;
  summary_tile *tile = &reader->summary_tile;
  const uint32_t *flags = reader->tile.words[tickcodec_flags];
  const uint64_t unit = reader->parameters.summary_unit;
  uint32_t k = 0;
  for (uint32_t i = 0; i < count; i++) {
    if ((flags[i] >> 16 & 0xFF) != tickcodec_summary_kind) continue;
    if (tile->next == tile->count && !read_tile(reader)) return false;
    uint64_t *prices = reader->summaries[reader->tile.words[tickcodec_instrument_codes][i]].prices;
    for (uint32_t p = 0; p < 4; p++) {
      uint64_t code = tile->words[2 * p][tile->next] | (uint64_t)tile->words[2 * p + 1][tile->next] << 32;
      prices[p] += unzigzag(code);
    }
    uint32_t open_interest = tile->words[8][tile->next++];
    if (positions != NULL) {
      while (k < found && positions[k] < i) k++;
      if (k == found || positions[k] != i) continue;
    } else {
      k = i;
    }
    uint64_t close = prices[3] * unit;
    ticks[k].last_price = (int64_t)(prices[0] * unit);
    ticks[k].day_volume = (int64_t)(prices[1] * unit);
    ticks[k].exchange_time = (int64_t)(prices[2] * unit);
    ticks[k].last_trade_seconds = (uint32_t)close;
    ticks[k].last_quantity = (uint32_t)(close >> 32);
    ticks[k].open_interest = open_interest;
  }
  return true;
}

bool summaries_are_at_end(const tickcodec_reader *reader) {
  const summary_tile *tile = &reader->summary_tile;
  return tile->left == 0 && tile->next == tile->count;
}
