// Rows to columns.
#include <string.h>

#include "CTickCodec.h"
#include "arithmetic.h"

uint32_t tickcodec_assign(const tickcodec_tick *ticks, uint32_t count, uint32_t *slots, uint32_t *instruments,
                          uint16_t *codes) {
  // A slot holds the instrument's number plus one, or 0 while it is free.
  memset(slots, 0, sizeof *slots * tickcodec_lookup_slots);
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t instrument = ticks[i].instrument;
    uint32_t slot = instrument * 2654435761u >> 16;
    while (slots[slot] != 0 && instruments[slots[slot] - 1] != instrument) {
      slot = (slot + 1) % tickcodec_lookup_slots;
    }
    if (slots[slot] == 0) {
      instruments[found++] = instrument;
      slots[slot] = found;
    }
    codes[i] = (uint16_t)(slots[slot] - 1);
  }
  return found;
}

// Candidate price units, each a divisor of the one before, from one rupee down to 1e-9: the steps in which venues
// quote, 0.0025 of currency derivatives among them.
static const uint32_t price_units[] = {1000000000, 500000000, 100000000, 50000000, 10000000, 5000000, 2500000,
                                       500000,     100000,    50000,     10000,    5000,     1000,    500,
                                       100,        50,        10,        5,        1};

// The greatest common divisor of a lot (0 while it is open) and a quantity, which mostly is the lot itself.
static inline uint64_t narrowed(uint64_t lot, uint64_t quantity) {
  while (lot != 0) {
    uint64_t rest = (lot | quantity) >> 32 == 0 ? (uint32_t)quantity % (uint32_t)lot : quantity % lot;
    quantity = lot;
    lot = rest;
  }
  return quantity;
}

// The finest exchange time unit that is worth its price: ticks that it does not divide cost up to four bytes of
// remainder, so one in 64 may be odd, as the bounds of a gap are.
static uint32_t choose_exchange_unit(const tickcodec_tick *ticks, uint32_t count) {
  uint32_t odd_seconds = 0, odd_milliseconds = 0, odd_microseconds = 0;
  for (uint32_t i = 0; i < count; i++) {
    int64_t time = ticks[i].exchange_time;
    if (time % nanoseconds_per_second == 0) continue;
    odd_seconds++;
    odd_milliseconds += time % 1000000 != 0;
    odd_microseconds += time % 1000 != 0;
  }
  if (odd_seconds <= count / 64) return 1000000000;
  if (odd_milliseconds <= count / 64) return 1000000;
  return odd_microseconds <= count / 64 ? 1000 : 1;
}

void tickcodec_measure(const tickcodec_tick *ticks, uint32_t count, const uint16_t *ranks, uint16_t *codes,
                       tickcodec_instrument *directory, uint32_t instrument_count,
                       tickcodec_parameters *parameters) {
  for (uint32_t k = 0; k < instrument_count; k++) {
    directory[k] = (tickcodec_instrument){.instrument = directory[k].instrument};
  }
  // Beyond these bounds a difference of volumes might not be exact in 64 bits or not fit its short coding.
  static const int64_t exact_volume_max = INT64_C(1) << 62, short_volume_max = INT64_C(1) << 30;
  int64_t earliest = ticks[0].receive_time, latest = earliest;
  bool has_plain_volume = false;
  for (uint32_t i = 0; i < count; i++) {
    const tickcodec_tick *tick = &ticks[i];
    codes[i] = ranks[codes[i]];
    tickcodec_instrument *entry = &directory[codes[i]];
    uint64_t volume = (uint64_t)tick->day_volume;
    if (!entry->is_known) {
      entry->is_known = 1;
      entry->previous_price = tick->last_price ^ 1;  // anything but the price itself
      entry->price = (uint64_t)tick->last_price;
      entry->volume = volume - tick->last_quantity;
      entry->previous_volume = entry->volume;
      entry->open_interest = tick->open_interest;
      entry->last_trade_seconds = tick->last_trade_seconds;
    }
    if (tick->last_price != entry->previous_price) {
      while (tick->last_price % price_units[entry->price_unit] != 0) entry->price_unit++;
      entry->previous_price = tick->last_price;
    }
    int64_t traded = (int64_t)(volume - entry->previous_volume);
    entry->previous_volume = volume;
    if (traded > exact_volume_max || traded < -exact_volume_max) {
      entry->lot = 1;
      has_plain_volume = true;
    } else {
      int64_t surplus = traded - tick->last_quantity;
      has_plain_volume |= surplus > short_volume_max || surplus < -short_volume_max;
      if (entry->lot != 1) {
        uint64_t lot = narrowed(entry->lot, tick->last_quantity);
        if (surplus != 0) lot = narrowed(lot, (uint64_t)(traded < 0 ? -traded : traded));
        entry->lot = lot > UINT32_MAX ? 1 : (uint32_t)lot;
      }
    }
    if (tick->receive_time < earliest) earliest = tick->receive_time;
    if (tick->receive_time > latest) latest = tick->receive_time;
  }
  for (uint32_t k = 0; k < instrument_count; k++) {
    tickcodec_instrument *entry = &directory[k];
    entry->price_unit = price_units[entry->price_unit];
    entry->previous_price = (int64_t)entry->price;
    entry->price = (uint64_t)(entry->previous_price / entry->price_unit);
    if (entry->lot == 0) entry->lot = 1;
  }
  uint32_t code_width = instrument_count > 1 ? 32 - (uint32_t)__builtin_clz(instrument_count - 1) : 0;
  *parameters = (tickcodec_parameters){.earliest = earliest,
                                       .latest = latest,
                                       .first_sequence = ticks[0].sequence,
                                       .exchange_unit = choose_exchange_unit(ticks, count),
                                       .code_width = code_width,
                                       .has_plain_volume = has_plain_volume};
}

static inline void store(uint32_t *columns, uint32_t section, uint32_t i, uint32_t word) {
  columns[(section - tickcodec_first_column) * (size_t)tickcodec_column_stride + i] = word;
}

// The high half of a 64-bit code has the section after the low half.
static inline void store_wide(uint32_t *columns, uint32_t low_section, uint32_t i, uint64_t code) {
  store(columns, low_section, i, (uint32_t)code);
  store(columns, low_section + 1, i, (uint32_t)(code >> 32));
}

static inline uint64_t volume_code(const tickcodec_instrument *entry, const tickcodec_tick *tick, bool is_plain) {
  int64_t traded = (int64_t)((uint64_t)tick->day_volume - entry->volume);
  int64_t surplus = (int64_t)((uint64_t)traded - tick->last_quantity);
  if (!is_plain && surplus == 0) return 0;
  if (!is_plain && traded == 0) return 1;
  uint64_t code = zigzag((uint64_t)(entry->lot == 1 ? surplus : surplus / (int64_t)entry->lot));
  return is_plain ? code : code + 1;
}

// Inlined once for each unit, so that the divisions are by constants.
__attribute__((always_inline)) static inline void split_by_unit(
    const int64_t unit, const tickcodec_tick *ticks, uint32_t count, const uint16_t *codes,
    tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns) {
  uint64_t receive_time = (uint64_t)parameters->earliest;
  uint64_t sequence = parameters->first_sequence - 1;
  for (uint32_t i = 0; i < count; i++) {
    const tickcodec_tick *tick = &ticks[i];
    tickcodec_instrument *entry = &directory[codes[i]];

    store_wide(columns, tickcodec_receive_time_low, i, (uint64_t)tick->receive_time - receive_time);
    receive_time = (uint64_t)tick->receive_time;

    int64_t exchange_units = floor_divide(tick->exchange_time, unit);
    uint64_t lag = (uint64_t)floor_divide(tick->receive_time, unit) - (uint64_t)exchange_units;
    store_wide(columns, tickcodec_exchange_time_low, i, zigzag(lag));
    uint64_t remainder = (uint64_t)tick->exchange_time - (uint64_t)exchange_units * (uint64_t)unit;
    store(columns, tickcodec_exchange_remainder, i, (uint32_t)remainder);

    store_wide(columns, tickcodec_sequence_low, i, tick->sequence - sequence - 1);
    sequence = tick->sequence;

    uint64_t price_step = 0;
    if (tick->last_price != entry->previous_price) {
      uint64_t price = (uint64_t)(tick->last_price / (int64_t)entry->price_unit);
      price_step = price - entry->price;
      entry->price = price;
      entry->previous_price = tick->last_price;
    }
    store_wide(columns, tickcodec_price_low, i, zigzag(price_step));

    uint32_t quantity = entry->lot == 1 ? tick->last_quantity : tick->last_quantity / entry->lot;
    store(columns, tickcodec_quantity, i, quantity);
    uint64_t volume = volume_code(entry, tick, parameters->has_plain_volume);
    store_wide(columns, tickcodec_volume_low, i, volume);
    entry->volume = (uint64_t)tick->day_volume;

    uint64_t last_trade = 0;
    if (tick->last_trade_seconds != entry->last_trade_seconds) {
      uint64_t exchange_seconds = (uint64_t)floor_divide(tick->exchange_time, nanoseconds_per_second);
      last_trade = 1 + zigzag(exchange_seconds - tick->last_trade_seconds);
      entry->last_trade_seconds = tick->last_trade_seconds;
    }
    store_wide(columns, tickcodec_last_trade_low, i, last_trade);

    store(columns, tickcodec_open_interest, i, zigzag32(tick->open_interest - entry->open_interest));
    entry->open_interest = tick->open_interest;
    store(columns, tickcodec_flags, i, tick->flags | (uint32_t)tick->kind << 16);
  }
}

void tickcodec_split(const tickcodec_tick *ticks, uint32_t count, const uint16_t *codes,
                     tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns) {
  switch (parameters->exchange_unit) {
    case 1000000000: split_by_unit(1000000000, ticks, count, codes, directory, parameters, columns); break;
    case 1000000: split_by_unit(1000000, ticks, count, codes, directory, parameters, columns); break;
    case 1000: split_by_unit(1000, ticks, count, codes, directory, parameters, columns); break;
    default: split_by_unit(1, ticks, count, codes, directory, parameters, columns); break;
  }
}

size_t tickcodec_pack(const uint16_t *codes, uint32_t count, uint32_t width, uint8_t *output, size_t capacity) {
  size_t length = ((size_t)count * width + 7) / 8;
  if (capacity < length || width > 16) return 0;
  uint64_t pending = 0;
  uint32_t bits = 0;
  size_t written = 0;
  for (uint32_t i = 0; i < count; i++) {
    pending |= (uint64_t)codes[i] << bits;
    for (bits += width; bits >= 8; bits -= 8, pending >>= 8) output[written++] = (uint8_t)pending;
  }
  if (bits > 0) output[written++] = (uint8_t)pending;
  return written;
}
