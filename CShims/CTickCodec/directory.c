// The instruments of a block: found among its ticks, ranked by how busy they are, written as the block's directory.
#include <string.h>

#include "CTickCodec.h"
#include "arithmetic.h"

// Where an instrument is looked for first. Instruments that are numbered one by one, as a feed does, lie side by side;
// those of other numberings are spread by their upper half.
static inline uint32_t first_slot(uint32_t instrument) {
  return (instrument + (instrument >> 16) * 40503) % tickcodec_lookup_slots;
}

uint32_t tickcodec_assign(const tickcodec_tick *ticks, uint32_t count, uint32_t *slots, uint32_t *instruments,
                          uint32_t *tick_counts, uint32_t *codes) {
  // A slot holds the instrument's number plus one, or 0 while it is free.
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t instrument = ticks[i].instrument;
    uint32_t slot = first_slot(instrument);
    while (slots[slot] != 0 && instruments[slots[slot] - 1] != instrument) {
      slot = (slot + 1) % tickcodec_lookup_slots;
    }
    if (slots[slot] == 0) {
      instruments[found] = instrument;
      tick_counts[found++] = 0;
      slots[slot] = found;
    }
    uint32_t number = slots[slot] - 1;
    tick_counts[number]++;
    codes[i] = number;
  }
  // Backwards, so that whoever came later does not hide one that has yet to be found.
  for (uint32_t number = found; number > 0; number--) {
    uint32_t slot = first_slot(instruments[number - 1]);
    while (slots[slot] != number) slot = (slot + 1) % tickcodec_lookup_slots;
    slots[slot] = 0;
  }
  return found;
}

// Sorts words that hold an instrument above its number, by instrument: one pass over each of its four bytes.
static void sort_by_instrument(uint64_t *words, uint64_t *scratch, uint32_t count) {
  for (uint32_t shift = 32; shift < 64; shift += 8) {
    uint32_t starts[256] = {0}, sum = 0;
    for (uint32_t k = 0; k < count; k++) starts[words[k] >> shift & 255]++;
    for (uint32_t value = 0; value < 256; value++) {
      uint32_t length = starts[value];
      starts[value] = sum;
      sum += length;
    }
    for (uint32_t k = 0; k < count; k++) scratch[starts[words[k] >> shift & 255]++] = words[k];
    memcpy(words, scratch, count * sizeof *words);
  }
}

static inline uint32_t bits_for(uint32_t count) { return count > 1 ? 32 - (uint32_t)__builtin_clz(count - 1) : 0; }

// Instruments with more ticks than this are counted as if they had so many.
enum { busy_max = 1023 };

// How many instruments are given the shortest codes, so that all codes take the fewest bits. Instruments with at least
// `*threshold` ticks are among them, of those with just so many ticks the first `*at_threshold`.
static uint32_t choose_frequent(const uint32_t *tick_counts, uint32_t instrument_count, uint32_t tick_count,
                                uint32_t *threshold, uint32_t *at_threshold) {
  uint32_t instruments_with[busy_max + 1] = {0}, ticks_with[busy_max + 1] = {0};
  for (uint32_t k = 0; k < instrument_count; k++) {
    uint32_t ticks = tick_counts[k] < busy_max ? tick_counts[k] : busy_max;
    instruments_with[ticks]++;
    ticks_with[ticks] += tick_counts[k];
  }
  uint32_t full = bits_for(instrument_count), best = tick_count * full, chosen = 0;
  uint32_t busy = busy_max, instruments = 0;
  uint64_t ticks = 0;
  for (uint32_t width = 0; width < full; width++) {
    uint32_t room = UINT32_C(1) << width;
    while (busy > 0 && instruments + instruments_with[busy] <= room) {
      instruments += instruments_with[busy];
      ticks += ticks_with[busy--];
    }
    uint32_t rest = room - instruments;
    uint32_t covered = (uint32_t)ticks + (rest > 0 && busy > 0 ? rest * busy : 0);
    uint32_t cost = tick_count * (width + 1) + (tick_count - covered) * (full - width);
    if (covered <= tick_count && cost < best) {
      best = cost;
      chosen = room;
      *threshold = busy;
      *at_threshold = rest;
    }
  }
  return chosen;
}

void tickcodec_rank(const uint32_t *instruments, const uint32_t *tick_counts, uint32_t instrument_count,
                    uint32_t tick_count, uint64_t *scratch, uint16_t *ranks, tickcodec_instrument *directory,
                    tickcodec_parameters *parameters) {
  uint64_t *order = scratch;
  for (uint32_t k = 0; k < instrument_count; k++) order[k] = (uint64_t)instruments[k] << 32 | k;
  sort_by_instrument(order, scratch + instrument_count, instrument_count);

  uint32_t threshold = 0, at_threshold = 0;
  uint32_t frequent = choose_frequent(tick_counts, instrument_count, tick_count, &threshold, &at_threshold);
  uint32_t next_frequent = 0, next_other = frequent, step = 0;
  uint32_t least = (uint32_t)(order[0] >> 32);
  for (uint32_t k = 0; k < instrument_count; k++) {
    uint32_t number = (uint32_t)order[k], instrument = (uint32_t)(order[k] >> 32);
    uint32_t ticks = tick_counts[number] < busy_max ? tick_counts[number] : busy_max;
    bool is_frequent = frequent > 0 && ticks > threshold;
    if (frequent > 0 && ticks == threshold && at_threshold > 0) {
      is_frequent = true;
      at_threshold--;
    }
    uint32_t rank = is_frequent ? next_frequent++ : next_other++;
    ranks[number] = (uint16_t)rank;
    directory[rank].instrument = instrument;
    for (uint32_t rest = instrument - least; rest != 0;) {
      uint32_t remainder = step % rest;
      step = rest;
      rest = remainder;
    }
  }
  parameters->frequent_count = frequent;
  parameters->instrument_least = least;
  parameters->instrument_step = step == 0 ? 1 : step;
}

void tickcodec_directory_words(const tickcodec_instrument *directory, uint32_t instrument_count,
                               const tickcodec_parameters *parameters, uint32_t stream, uint32_t *words) {
  uint32_t next = parameters->instrument_least;
  uint32_t earliest_seconds = (uint32_t)floor_divide(parameters->earliest, nanoseconds_per_second);
  for (uint32_t k = 0; k < instrument_count; k++) {
    const tickcodec_instrument *entry = &directory[k];
    switch (stream) {
      case 0:
        if (k == parameters->frequent_count) next = parameters->instrument_least;
        words[k] = (entry->instrument - next) / parameters->instrument_step;
        next = entry->instrument + parameters->instrument_step;
        break;
      case 1: words[k] = entry->price_unit; break;
      case 2: words[k] = entry->lot; break;
      case 3: words[k] = (uint32_t)zigzag(entry->price); break;
      case 4: words[k] = (uint32_t)(zigzag(entry->price) >> 32); break;
      case 5: words[k] = (uint32_t)(entry->volume / entry->lot); break;
      case 6: words[k] = (uint32_t)(entry->volume / entry->lot >> 32); break;
      case 7: words[k] = (uint32_t)(entry->volume % entry->lot); break;
      case 8: words[k] = entry->open_interest; break;
      default: words[k] = zigzag32(earliest_seconds - entry->last_trade_seconds); break;
    }
  }
}
