// Columns to rows, eight at a time, a row being two registers.
#include "arithmetic.h"
#include "reader.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AVX2 __attribute__((target("avx2,fma")))
#define INLINE __attribute__((always_inline, target("avx2,fma"))) static inline

INLINE __m256i load(const void *from) { return _mm256_loadu_si256((const __m256i *)from); }
INLINE void store(void *to, __m256i value) { _mm256_storeu_si256((__m256i *)to, value); }

INLINE __m256i unzigzag_words(__m256i codes) {
  __m256i sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(codes, _mm256_set1_epi32(1)));
  return _mm256_xor_si256(_mm256_srli_epi32(codes, 1), sign);
}

// Running sums of four values.
INLINE __m256i sum_up(__m256i values) {
  const __m256i zero = _mm256_setzero_si256();
  values = _mm256_add_epi64(values, _mm256_blend_epi32(_mm256_permute4x64_epi64(values, 0x90), zero, 0x03));
  return _mm256_add_epi64(values, _mm256_permute2x128_si256(values, values, 0x08));
}

INLINE __m256i last_of(__m256i values) { return _mm256_permute4x64_epi64(values, 0xFF); }

// Sums from `before` on: each is the one before plus its word plus `extra`.
INLINE void sum_words(const uint32_t *words, uint32_t count, uint64_t before, uint64_t extra, uint64_t *sums) {
  __m256i base = _mm256_set1_epi64x((long long)before);
  const __m256i extras = _mm256_set1_epi64x((long long)extra);
  for (uint32_t i = 0; i < count; i += 8) {
    __m256i eight = load(words + i);
    __m256i low = _mm256_add_epi64(_mm256_cvtepu32_epi64(_mm256_castsi256_si128(eight)), extras);
    __m256i high = _mm256_add_epi64(_mm256_cvtepu32_epi64(_mm256_extracti128_si256(eight, 1)), extras);
    low = sum_up(low);
    high = _mm256_add_epi64(sum_up(high), last_of(low));
    store(sums + i, _mm256_add_epi64(low, base));
    store(sums + i + 4, _mm256_add_epi64(high, base));
    base = _mm256_add_epi64(base, last_of(high));
  }
}

// Integers below 2^52 are doubles when their bits are put into the fraction of 2^52.
INLINE __m256d to_double(__m256i value) {
  const __m256d magic = _mm256_set1_pd(0x1p52);
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(value, _mm256_castpd_si256(magic))), magic);
}
INLINE __m256i from_double(__m256d value) {
  const __m256d magic = _mm256_set1_pd(0x1p52);
  return _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(value, magic)), _mm256_castpd_si256(magic));
}

// What is left of each offset, which is below 2^44, when whole units are taken away; the units go to `whole`.
INLINE __m256d remainder_of(__m256i offsets, double unit, __m256d *whole) {
  const __m256d units = _mm256_set1_pd(unit), inverse = _mm256_set1_pd(1 / unit);
  __m256d offset = to_double(offsets);
  __m256d quotient = _mm256_floor_pd(_mm256_mul_pd(offset, inverse));
  __m256d rest = _mm256_fnmadd_pd(quotient, units, offset);
  // The inverse is not exact: the quotient may be one off.
  __m256d is_below = _mm256_cmp_pd(rest, _mm256_setzero_pd(), _CMP_LT_OQ);
  rest = _mm256_add_pd(rest, _mm256_and_pd(is_below, units));
  quotient = _mm256_sub_pd(quotient, _mm256_and_pd(is_below, _mm256_set1_pd(1)));
  __m256d is_above = _mm256_cmp_pd(rest, units, _CMP_GE_OQ);
  rest = _mm256_sub_pd(rest, _mm256_and_pd(is_above, units));
  *whole = _mm256_add_pd(quotient, _mm256_and_pd(is_above, _mm256_set1_pd(1)));
  return rest;
}

// exchange time = receive time - (receive time mod unit) - lag * unit + remainder. If asked to, also tells the low 32
// bits of (receive time / unit - lag). Words themselves stay as they are: those of absent sections are not read again.
INLINE void join_exchange_times(tickcodec_reader *reader, uint32_t count, bool wants_units) {
  tick_tile *tile = &reader->tile;
  const int64_t unit = reader->parameters.exchange_unit;
  const int64_t whole_before = floor_divide((int64_t)reader->running.receive_time, unit);
  const __m256i start = _mm256_set1_epi64x((long long)((uint64_t)whole_before * (uint64_t)unit));
  const __m256i units = _mm256_set1_epi64x(unit);
  const uint32_t *remainders = tile->words[tickcodec_exchange_remainder];
  const uint32_t *lags = tile->words[tickcodec_exchange_time_low];
  for (uint32_t i = 0; i < count; i += 4) {
    __m256i receive_time = load(tile->receive_times + i);
    __m128i codes = _mm_loadu_si128((const __m128i *)(lags + i));
    __m128i sign = _mm_sub_epi32(_mm_setzero_si128(), _mm_and_si128(codes, _mm_set1_epi32(1)));
    __m128i lag_words = _mm_xor_si128(_mm_srli_epi32(codes, 1), sign);
    __m256i lag = _mm256_mul_epi32(_mm256_cvtepi32_epi64(lag_words), units);
    __m256i exchange_time = _mm256_sub_epi64(receive_time, lag);
    if (unit > 1) {
      __m256d whole;
      __m256d rest = remainder_of(_mm256_sub_epi64(receive_time, start), (double)unit, &whole);
      exchange_time = _mm256_sub_epi64(exchange_time, from_double(rest));
      if (wants_units) {
        __m256i low = _mm256_permutevar8x32_epi32(_mm256_castpd_si256(_mm256_add_pd(whole, _mm256_set1_pd(0x1p52))),
                                                  _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0));
        __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(low), _mm_set1_epi32((int)(uint32_t)whole_before));
        _mm_storeu_si128((__m128i *)(tile->exchange_units + i), _mm_sub_epi32(sum, lag_words));
      }
    }
    __m256i remainder = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(remainders + i)));
    store(tile->exchange_times + i, _mm256_add_epi64(exchange_time, remainder));
  }
}

// Turns last trade codes into times; an unchanged one is 0 here, and bit k of is_set[i / 8] tells that tick i + k's is not.
INLINE void join_last_trades(tickcodec_reader *reader, uint32_t count, bool has_units, uint8_t *is_set) {
  tick_tile *tile = &reader->tile;
  const bool is_steady = reader->parameters.has_steady_trade_times;
  if (!has_units) {
    for (uint32_t i = 0; i < count; i++) {
      tile->exchange_units[i] = (uint32_t)floor_divide((int64_t)tile->exchange_times[i], nanoseconds_per_second);
    }
  }
  const __m256i least = _mm256_set1_epi32(!is_steady);
  for (uint32_t i = 0; i < count; i += 8) {
    __m256i codes = load(tile->words[tickcodec_last_trade_low] + i);
    __m256i unchanged = is_steady ? _mm256_setzero_si256() : _mm256_cmpeq_epi32(codes, _mm256_setzero_si256());
    __m256i times = _mm256_sub_epi32(load(tile->exchange_units + i), unzigzag_words(_mm256_sub_epi32(codes, least)));
    store(tile->last_trades + i, _mm256_andnot_si256(unchanged, times));
    is_set[i / 8] = (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(unchanged));
  }
}

// Four rows' first halves from four columns.
INLINE void store_first_halves(__m256i sequences, __m256i receive_times, __m256i exchange_times, tickcodec_tick *ticks) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i even = _mm256_unpacklo_epi64(zero, sequences), odd = _mm256_unpackhi_epi64(zero, sequences);
  __m256i even_times = _mm256_unpacklo_epi64(receive_times, exchange_times);
  __m256i odd_times = _mm256_unpackhi_epi64(receive_times, exchange_times);
  store(ticks, _mm256_permute2x128_si256(even, even_times, 0x20));
  store(ticks + 1, _mm256_permute2x128_si256(odd, odd_times, 0x20));
  store(ticks + 2, _mm256_permute2x128_si256(even, even_times, 0x31));
  store(ticks + 3, _mm256_permute2x128_si256(odd, odd_times, 0x31));
}

// One row's second half: the words of the tick, times the factors of its instrument, go to its running values.
INLINE void join_row(instrument_state *state, __m256i words, __m256i kept, tickcodec_tick *tick) {
  __m256i factors = load(&state->price_unit);
  __m256i running = load(&state->price);
  __m256i sums = _mm256_add_epi64(running, _mm256_mul_epi32(words, factors));
  __m256i others = _mm256_add_epi32(_mm256_and_si256(running, kept), _mm256_mullo_epi32(words, factors));
  __m256i joined = _mm256_blend_epi32(sums, others, 0xF0);
  store(&state->price, joined);
  store(&tick->last_price, joined);
  tick->instrument = state->instrument;
}

// Keeps open interest, and the last trade unless it is set.
INLINE __m256i kept_words(bool keeps_last_trade) {
  return _mm256_setr_epi32(0, 0, 0, 0, keeps_last_trade ? -1 : 0, 0, -1, 0);
}

INLINE void join_all(tickcodec_reader *reader, uint32_t count, const bool has_trades, const uint8_t *is_set,
                     tickcodec_tick *ticks) {
  const tick_tile *tile = &reader->tile;
  instrument_state *states = reader->states;
  const uint32_t *codes = tile->words[tickcodec_instrument_codes];
  const __m256i one = _mm256_set1_epi32(1), kept[2] = {kept_words(true), kept_words(false)};
  for (uint32_t i = 0; i < count; i += 8) {
    for (uint32_t k = 0; k < 8; k += 4) {
      store_first_halves(load(tile->sequences + i + k), load(tile->receive_times + i + k),
                         load(tile->exchange_times + i + k), ticks + i + k);
    }
    __m256i prices = unzigzag_words(load(tile->words[tickcodec_price_low] + i));
    __m256i quantities = load(tile->words[tickcodec_quantity] + i);
    __m256i volume_codes = load(tile->words[tickcodec_volume_low] + i);
    __m256i surplus = unzigzag_words(_mm256_sub_epi32(volume_codes, one));
    surplus = _mm256_andnot_si256(_mm256_cmpeq_epi32(volume_codes, _mm256_setzero_si256()), surplus);
    __m256i volumes = _mm256_add_epi32(quantities, surplus);
    volumes = _mm256_andnot_si256(_mm256_cmpeq_epi32(volume_codes, one), volumes);
    __m256i trades = has_trades ? load(tile->last_trades + i) : _mm256_setzero_si256();
    __m256i interests = unzigzag_words(load(tile->words[tickcodec_open_interest] + i));
    __m256i flags = _mm256_and_si256(load(tile->words[tickcodec_flags] + i), _mm256_set1_epi32(0xFFFFFF));

    // Words 0 and 2 of a row are price and volume, 4 to 7 last trade, quantity, open interest and flags.
    __m256i prices_low = _mm256_unpacklo_epi32(prices, prices), prices_high = _mm256_unpackhi_epi32(prices, prices);
    __m256i volumes_low = _mm256_unpacklo_epi32(volumes, volumes);
    __m256i volumes_high = _mm256_unpackhi_epi32(volumes, volumes);
    __m256i trades_low = _mm256_unpacklo_epi32(trades, quantities);
    __m256i trades_high = _mm256_unpackhi_epi32(trades, quantities);
    __m256i interests_low = _mm256_unpacklo_epi32(interests, flags);
    __m256i interests_high = _mm256_unpackhi_epi32(interests, flags);
    __m256i sums[4] = {
        _mm256_unpacklo_epi64(prices_low, volumes_low), _mm256_unpackhi_epi64(prices_low, volumes_low),
        _mm256_unpacklo_epi64(prices_high, volumes_high), _mm256_unpackhi_epi64(prices_high, volumes_high)};
    __m256i others[4] = {
        _mm256_unpacklo_epi64(trades_low, interests_low), _mm256_unpackhi_epi64(trades_low, interests_low),
        _mm256_unpacklo_epi64(trades_high, interests_high), _mm256_unpackhi_epi64(trades_high, interests_high)};
#pragma clang loop unroll(full)
    for (uint32_t k = 0; k < 8; k++) {
      __m256i words = k < 4 ? _mm256_permute2x128_si256(sums[k % 4], others[k % 4], 0x20)
                            : _mm256_permute2x128_si256(sums[k % 4], others[k % 4], 0x31);
      __m256i keep = has_trades ? kept[is_set[i / 8] >> k & 1] : kept[0];
      join_row(&states[codes[i + k]], words, keep, ticks + i + k);
    }
  }
}

WITH_AVX2 static uint32_t join_ordinary(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  tick_tile *tile = &reader->tile;
  count &= ~7u;
  if (count == 0) return 0;
  const bool has_trades = reader->parameters.has_steady_trade_times ||
                          reader->sections[tickcodec_last_trade_low].length > 0;
  // With whole seconds, the division that exchange times take gives the seconds of last trades too.
  const bool has_units = has_trades && reader->parameters.exchange_unit == nanoseconds_per_second &&
                         tile->most[tickcodec_exchange_remainder] < (uint64_t)nanoseconds_per_second;
  uint8_t is_set[tile_ticks / 8];
  sum_words(tile->words[tickcodec_receive_time_low], count, reader->running.receive_time, 0, tile->receive_times);
  sum_words(tile->words[tickcodec_sequence_low], count, reader->running.next_sequence - 1, 1, tile->sequences);
  join_exchange_times(reader, count, has_units);
  if (has_trades) {
    join_last_trades(reader, count, has_units, is_set);
    join_all(reader, count, true, is_set, ticks);
  } else {
    join_all(reader, count, false, is_set, ticks);
  }
  reader->running.receive_time = tile->receive_times[count - 1];
  reader->running.next_sequence = tile->sequences[count - 1] + 1;
  return count;
}

uint32_t join_rows_avx2(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  bool has_instructions = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has_instructions && is_ordinary(reader) ? join_ordinary(reader, count, ticks) : 0;
}
#else
uint32_t join_rows_avx2(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  (void)reader, (void)count, (void)ticks;
  return 0;
}
#endif
