// Rows to columns.
#include "CTickCodec.h"
#include "arithmetic.h"

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

// How many exchange times are not whole seconds, milliseconds and microseconds.
typedef struct {
  uint32_t seconds;
  uint32_t milliseconds;
  uint32_t microseconds;
} odd_times;

// The finest exchange time unit that is worth its price: ticks that it does not divide cost up to four bytes of
// remainder, so one in 64 may be odd, as the bounds of a gap are.
static uint32_t choose_exchange_unit(odd_times odd, uint32_t count) {
  if (odd.seconds <= count / 64) return 1000000000;
  if (odd.milliseconds <= count / 64) return 1000000;
  return odd.microseconds <= count / 64 ? 1000 : 1;
}

// Rounds a number of magnitude below 2^51 to the nearest integer: the fraction of a double as large as this has no room
// for anything behind the point. (The builtin is a call where SSE 4.1 cannot be taken for granted.)
static inline double nearest_whole(double value) { return value + 0x1.8p52 - 0x1.8p52; }

// Doubles hold integers up to this magnitude exactly, with room for what rounding adds.
static const int64_t exact_max = INT64_C(1) << 51;
static inline bool is_exact(int64_t value) { return value >= -exact_max && value <= exact_max; }

// A quotient that is known to be whole: by multiplication where a double holds it exactly. `inverse` is that of the
// divisor, which is not 0.
static inline int64_t divide_exactly(int64_t value, uint32_t divisor, double inverse) {
  return is_exact(value) ? (int64_t)nearest_whole((double)value * inverse) : value / (int64_t)divisor;
}

// True when the value is a multiple of the divisor; of 0, whose inverse is given as 0, is nothing but 0.
static inline bool divides(uint32_t divisor, double inverse, int64_t value) {
  if (is_exact(value)) return (int64_t)nearest_whole((double)value * inverse) * (int64_t)divisor == value;
  return divisor != 0 && value % (int64_t)divisor == 0;
}

// Lots are signed words for the vector instructions. One that is 0 is open, and divides nothing but 0.
static inline void narrow_lot(tickcodec_instrument *entry, uint64_t quantity) {
  if (entry->lot == 1) return;
  uint64_t lot = narrowed(entry->lot, quantity);
  entry->lot = lot > INT32_MAX ? 1 : (uint32_t)lot;
  entry->lot_inverse = entry->lot == 0 ? 0 : 1.0 / entry->lot;
}

// Beyond these bounds a difference of volumes might not be exact in 64 bits or not fit its short coding.
static const int64_t exact_volume_max = INT64_C(1) << 62, short_volume_max = INT64_C(1) << 30;

// Takes one tick's quantity and volume into account; true when volumes must be coded plainly.
static inline bool measure_volume(tickcodec_instrument *entry, const tickcodec_tick *tick) {
  int64_t traded = (int64_t)((uint64_t)tick->day_volume - entry->previous_volume);
  entry->previous_volume = (uint64_t)tick->day_volume;
  if (traded > exact_volume_max || traded < -exact_volume_max) {
    entry->lot = 1;
    entry->lot_inverse = 1;
    return true;
  }
  int64_t surplus = traded - tick->last_quantity;
  // Almost all ticks leave the lot as it is, so this is one branch, and one that can be foreseen.
  bool is_odd_quantity = !divides(entry->lot, entry->lot_inverse, tick->last_quantity);
  bool is_odd_volume = (surplus != 0) & !divides(entry->lot, entry->lot_inverse, traded);
  if (is_odd_quantity | is_odd_volume) {
    narrow_lot(entry, tick->last_quantity);
    if (surplus != 0) narrow_lot(entry, (uint64_t)(traded < 0 ? -traded : traded));
  }
  return surplus > short_volume_max || surplus < -short_volume_max;
}

// Price units that have not been set yet.
static const uint32_t unknown_unit = UINT32_MAX;

// The prices of a day summary, where a trade has other things.
static inline void summary_prices(const tickcodec_tick *tick, uint64_t prices[4]) {
  prices[0] = (uint64_t)tick->last_price;
  prices[1] = (uint64_t)tick->day_volume;
  prices[2] = (uint64_t)tick->exchange_time;
  prices[3] = tick->last_trade_seconds | (uint64_t)tick->last_quantity << 32;
}

// Brings the unit, a number in price_units, down to one that divides a summary's prices.
static inline void measure_summary(const tickcodec_tick *tick, uint32_t *unit) {
  uint64_t prices[4];
  summary_prices(tick, prices);
  for (int k = 0; k < 4; k++) {
    while ((int64_t)prices[k] % price_units[*unit] != 0) ++*unit;
  }
}

// Takes the first tick of an instrument as what the others are relative to.
static inline void begin(tickcodec_instrument *entry, const tickcodec_tick *tick) {
  entry->price = (uint64_t)tick->last_price;
  entry->price_unit = 0;
  entry->price_inverse = 1.0 / price_units[0];
  entry->volume = (uint64_t)tick->day_volume - tick->last_quantity;
  entry->previous_volume = entry->volume;
  entry->open_interest = tick->open_interest;
  entry->last_trade_seconds = tick->last_trade_seconds;
  entry->previous_trade_seconds = tick->last_trade_seconds;
}

void tickcodec_measure(const tickcodec_tick *ticks, uint32_t count, const uint16_t *ranks, uint32_t *codes,
                       tickcodec_instrument *directory, uint32_t instrument_count,
                       tickcodec_parameters *parameters) {
  for (uint32_t k = 0; k < instrument_count; k++) {
    directory[k] = (tickcodec_instrument){.instrument = directory[k].instrument, .price_unit = unknown_unit};
  }
  int64_t earliest = ticks[0].receive_time, latest = earliest;
  bool has_plain_volume = false;
  uint32_t unchanged_trades = 0, steady_trades = 0, summaries = 0, summary_unit = 0;
  odd_times odd = {0, 0, 0};
  for (uint32_t i = 0; i < count; i++) {
    const tickcodec_tick *tick = &ticks[i];
    codes[i] = ranks[codes[i]];
    if (tick->receive_time < earliest) earliest = tick->receive_time;
    if (tick->receive_time > latest) latest = tick->receive_time;
    if (tick->kind == tickcodec_summary_kind) {
      measure_summary(tick, &summary_unit);
      summaries++;
      continue;
    }
    tickcodec_instrument *entry = &directory[codes[i]];
    if (entry->price_unit == unknown_unit) begin(entry, tick);
    if (!divides(price_units[entry->price_unit], entry->price_inverse, tick->last_price)) {
      while (tick->last_price % price_units[entry->price_unit] != 0) entry->price_unit++;
      entry->price_inverse = 1.0 / price_units[entry->price_unit];
    }
    has_plain_volume |= measure_volume(entry, tick);
    unchanged_trades += tick->last_trade_seconds == entry->previous_trade_seconds;
    entry->previous_trade_seconds = tick->last_trade_seconds;
    int64_t exchange_seconds = floor_divide(tick->exchange_time, nanoseconds_per_second);
    steady_trades += (int64_t)tick->last_trade_seconds == exchange_seconds;
    if ((uint64_t)exchange_seconds * (uint64_t)nanoseconds_per_second != (uint64_t)tick->exchange_time) {
      odd.seconds++;
      odd.milliseconds += tick->exchange_time % 1000000 != 0;
      odd.microseconds += tick->exchange_time % 1000 != 0;
    }
  }
  for (uint32_t k = 0; k < instrument_count; k++) {
    tickcodec_instrument *entry = &directory[k];
    // An instrument may have nothing but summaries.
    entry->price_unit = price_units[entry->price_unit == unknown_unit ? 0 : entry->price_unit];
    entry->price = (uint64_t)((int64_t)entry->price / entry->price_unit);
    if (entry->lot == 0) entry->lot = 1;
    entry->lot_inverse = 1.0 / entry->lot;
  }
  parameters->earliest = earliest;
  parameters->latest = latest;
  parameters->first_sequence = ticks[0].sequence;
  parameters->exchange_unit = choose_exchange_unit(odd, count);
  parameters->code_width = 0;
  parameters->has_plain_volume = has_plain_volume;
  parameters->has_steady_trade_times = steady_trades > unchanged_trades;
  parameters->summary_count = summaries;
  parameters->summary_unit = price_units[summary_unit];
}

void tickcodec_split_summaries(const tickcodec_tick *ticks, uint32_t count, const uint32_t *codes,
                               const tickcodec_instrument *directory, uint32_t instrument_count,
                               const tickcodec_parameters *parameters, tickcodec_summary *running, uint32_t *words) {
  const int64_t unit = parameters->summary_unit;
  const size_t stride = parameters->summary_count;
  for (uint32_t k = 0; k < instrument_count; k++) {
    uint64_t price = (uint64_t)floor_divide((int64_t)(directory[k].price * directory[k].price_unit), unit);
    running[k] = (tickcodec_summary){{price, price, price, price}};
  }
  for (uint32_t i = 0; i < count; i++) {
    if (ticks[i].kind != tickcodec_summary_kind) continue;
    uint64_t *former = running[codes[i]].prices, prices[4];
    summary_prices(&ticks[i], prices);
    for (uint32_t p = 0; p < 4; p++) {
      uint64_t price = (uint64_t)((int64_t)prices[p] / unit), code = zigzag(price - former[p]);
      words[2 * p * stride] = (uint32_t)code;
      words[(2 * p + 1) * stride] = (uint32_t)(code >> 32);
      former[p] = price;
    }
    words[8 * stride] = ticks[i].open_interest;
    words++;
  }
}

static inline void store(uint32_t *columns, uint32_t section, uint32_t i, uint32_t word) {
  columns[(section - tickcodec_first_column) * (size_t)tickcodec_column_stride + i] = word;
}

// The high half of a 64-bit code has the section after the low half.
static inline void store_wide(uint32_t *columns, uint32_t low_section, uint32_t i, uint64_t code) {
  store(columns, low_section, i, (uint32_t)code);
  store(columns, low_section + 1, i, (uint32_t)(code >> 32));
}

// Leaves everything as it is but for time, sequence and kind.
static inline void store_nothing(uint32_t *columns, uint32_t i) {
  static const uint8_t wide_sections[] = {tickcodec_exchange_time_low, tickcodec_price_low, tickcodec_volume_low,
                                          tickcodec_last_trade_low};
  for (size_t k = 0; k < sizeof wide_sections; k++) store_wide(columns, wide_sections[k], i, 0);
  store(columns, tickcodec_exchange_remainder, i, 0);
  store(columns, tickcodec_quantity, i, 0);
  store(columns, tickcodec_open_interest, i, 0);
}

// What follows is free of branches that depend on a tick's values: which of them changed cannot be foreseen.

static inline uint64_t volume_code(const tickcodec_instrument *entry, const tickcodec_tick *tick, bool is_plain) {
  int64_t traded = (int64_t)((uint64_t)tick->day_volume - entry->volume);
  int64_t surplus = (int64_t)((uint64_t)traded - tick->last_quantity);
  uint64_t code = zigzag((uint64_t)divide_exactly(surplus, entry->lot, entry->lot_inverse));
  if (is_plain) return code;
  code = traded == 0 ? 1 : code + 1;
  return surplus == 0 ? 0 : code;
}

static inline uint64_t last_trade_code(tickcodec_instrument *entry, const tickcodec_tick *tick,
                                       uint64_t exchange_seconds, bool is_steady) {
  bool is_unchanged = !is_steady && tick->last_trade_seconds == entry->last_trade_seconds;
  entry->last_trade_seconds = tick->last_trade_seconds;
  uint64_t code = zigzag(exchange_seconds - tick->last_trade_seconds) + !is_steady;
  return is_unchanged ? 0 : code;
}

// Inlined once for each unit, so that the divisions are by constants.
__attribute__((always_inline)) static inline void split_by_unit(
    const int64_t unit, const tickcodec_tick *ticks, uint32_t count, const uint32_t *codes,
    tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns) {
  const bool has_plain_volume = parameters->has_plain_volume;
  const bool is_steady = parameters->has_steady_trade_times;
  uint64_t receive_time = (uint64_t)parameters->earliest;
  uint64_t sequence = parameters->first_sequence - 1;
  for (uint32_t i = 0; i < count; i++) {
    const tickcodec_tick *tick = &ticks[i];
    tickcodec_instrument *entry = &directory[codes[i]];

    store_wide(columns, tickcodec_receive_time_low, i, (uint64_t)tick->receive_time - receive_time);
    receive_time = (uint64_t)tick->receive_time;
    store_wide(columns, tickcodec_sequence_low, i, tick->sequence - sequence - 1);
    sequence = tick->sequence;
    store(columns, tickcodec_flags, i, tick->flags | (uint32_t)tick->kind << 16);
    if (tick->kind == tickcodec_summary_kind) {
      store_nothing(columns, i);
      continue;
    }

    int64_t exchange_units = floor_divide(tick->exchange_time, unit);
    uint64_t lag = (uint64_t)floor_divide(tick->receive_time, unit) - (uint64_t)exchange_units;
    store_wide(columns, tickcodec_exchange_time_low, i, zigzag(lag));
    uint64_t remainder = (uint64_t)tick->exchange_time - (uint64_t)exchange_units * (uint64_t)unit;
    store(columns, tickcodec_exchange_remainder, i, (uint32_t)remainder);

    uint64_t price = (uint64_t)divide_exactly(tick->last_price, entry->price_unit, entry->price_inverse);
    store_wide(columns, tickcodec_price_low, i, zigzag(price - entry->price));
    entry->price = price;

    uint32_t quantity = (uint32_t)divide_exactly(tick->last_quantity, entry->lot, entry->lot_inverse);
    store(columns, tickcodec_quantity, i, quantity);
    store_wide(columns, tickcodec_volume_low, i, volume_code(entry, tick, has_plain_volume));
    entry->volume = (uint64_t)tick->day_volume;
    uint64_t exchange_seconds = (uint64_t)floor_divide(tick->exchange_time, nanoseconds_per_second);
    store_wide(columns, tickcodec_last_trade_low, i, last_trade_code(entry, tick, exchange_seconds, is_steady));
    store(columns, tickcodec_open_interest, i, zigzag32(tick->open_interest - entry->open_interest));
    entry->open_interest = tick->open_interest;
  }
}

static bool is_all_zero(const uint32_t *words, uint32_t count) {
  // A stretch at a time: most columns that are not all zero show it at once.
  enum { stretch = 1024 };
  for (uint32_t start = 0; start < count; start += stretch) {
    uint32_t end = count - start < stretch ? count : start + stretch, any = 0;
    for (uint32_t i = start; i < end; i++) any |= words[i];
    if (any != 0) return false;
  }
  return true;
}

uint32_t tickcodec_split(const tickcodec_tick *ticks, uint32_t count, const uint32_t *codes,
                         tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns) {
  switch (parameters->exchange_unit) {
    case 1000000000: split_by_unit(1000000000, ticks, count, codes, directory, parameters, columns); break;
    case 1000000: split_by_unit(1000000, ticks, count, codes, directory, parameters, columns); break;
    case 1000: split_by_unit(1000, ticks, count, codes, directory, parameters, columns); break;
    default: split_by_unit(1, ticks, count, codes, directory, parameters, columns); break;
  }
  uint32_t used = 0;
  for (uint32_t section = tickcodec_first_column; section < tickcodec_section_count; section++) {
    const uint32_t *words = columns + (section - tickcodec_first_column) * (size_t)tickcodec_column_stride;
    used |= (uint32_t)!is_all_zero(words, count) << section;
  }
  return used;
}
