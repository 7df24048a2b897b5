// Columns to rows, eight at a time, a row being one register.
#include "arithmetic.h"
#include "reader.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,fma")))
#define INLINE __attribute__((always_inline, target("avx512f,avx512vl,avx512dq,fma"))) static inline

INLINE __m256i load(const void *from) { return _mm256_loadu_si256((const __m256i *)from); }
INLINE void store(void *to, __m256i value) { _mm256_storeu_si256((__m256i *)to, value); }

INLINE __m256i unzigzag_words(__m256i codes) {
  __m256i sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(codes, _mm256_set1_epi32(1)));
  return _mm256_xor_si256(_mm256_srli_epi32(codes, 1), sign);
}

// Running sums of eight values.
INLINE __m512i sum_up(__m512i values) {
  const __m512i zero = _mm512_setzero_si512();
  values = _mm512_add_epi64(values, _mm512_alignr_epi64(values, zero, 7));
  values = _mm512_add_epi64(values, _mm512_alignr_epi64(values, zero, 6));
  return _mm512_add_epi64(values, _mm512_alignr_epi64(values, zero, 4));
}

INLINE __m512i last_of(__m512i values) { return _mm512_permutexvar_epi64(_mm512_set1_epi64(7), values); }
INLINE uint64_t last_word(__m512i values) {
  return (uint64_t)_mm_extract_epi64(_mm512_extracti64x2_epi64(values, 3), 1);
}

// The exchange time unit that receive times are in.
typedef struct {
  int64_t unit;
  int64_t whole;  // units since 1970
  uint64_t start;
  uint64_t end;
} unit_position;

INLINE unit_position position_at(int64_t unit, int64_t whole) {
  uint64_t start = (uint64_t)whole * (uint64_t)unit;
  return (unit_position){unit, whole, start, start + (uint64_t)unit};
}

// Where each of eight receive times' unit starts, and the low 32 bits of its number. Times are in the same unit as the
// ones before until one is not.
INLINE __m512i unit_starts(__m512i receive_times, unit_position *position, __m256i *numbers) {
  if (_mm512_cmpge_epu64_mask(receive_times, _mm512_set1_epi64((long long)position->end)) == 0) {
    *numbers = _mm256_set1_epi32((int)(uint32_t)position->whole);
    return _mm512_set1_epi64((long long)position->start);
  }
  const __m512d unit = _mm512_set1_pd((double)position->unit), inverse = _mm512_set1_pd(1 / (double)position->unit);
  __m512i base = _mm512_set1_epi64((long long)position->start);
  // Below 2^44, so exact.
  __m512d offset = _mm512_cvtepi64_pd(_mm512_sub_epi64(receive_times, base));
  __m512d quotient = _mm512_roundscale_pd(_mm512_mul_pd(offset, inverse), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512d rest = _mm512_fnmadd_pd(quotient, unit, offset);
  // The inverse is not exact: the quotient may be one off.
  const __m512d one = _mm512_set1_pd(1);
  __mmask8 is_below = _mm512_cmp_pd_mask(rest, _mm512_setzero_pd(), _CMP_LT_OQ);
  __mmask8 is_above = _mm512_cmp_pd_mask(rest, unit, _CMP_GE_OQ);
  quotient = _mm512_mask_sub_pd(quotient, is_below, quotient, one);
  quotient = _mm512_mask_add_pd(quotient, is_above, quotient, one);
  rest = _mm512_mask_add_pd(rest, is_below, rest, unit);
  rest = _mm512_mask_sub_pd(rest, is_above, rest, unit);
  __m512i passed = _mm512_cvtpd_epi64(quotient);
  *numbers = _mm256_add_epi32(_mm512_cvtepi64_epi32(passed), _mm256_set1_epi32((int)(uint32_t)position->whole));
  *position = position_at(position->unit, position->whole + (int64_t)last_word(passed));
  return _mm512_sub_epi64(receive_times, _mm512_cvtpd_epi64(rest));
}

// The whole seconds of eight times, in 32 bits.
INLINE __m256i seconds_of(__m512i times) {
  uint64_t each[8];
  uint32_t seconds[8];
  _mm512_storeu_si512(each, times);
  for (int k = 0; k < 8; k++) seconds[k] = (uint32_t)floor_divide((int64_t)each[k], nanoseconds_per_second);
  return load(seconds);
}

// Eight rows' first halves from three columns, the instrument still missing.
typedef struct {
  __m256i rows[8];
} first_halves;

INLINE first_halves first_halves_of(__m512i sequences, __m512i receive_times, __m512i exchange_times) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  __m512i even = _mm512_unpacklo_epi64(zero, sequences), odd = _mm512_unpackhi_epi64(zero, sequences);
  __m512i even_times = _mm512_unpacklo_epi64(receive_times, exchange_times);
  __m512i odd_times = _mm512_unpackhi_epi64(receive_times, exchange_times);
  __m512i rows02 = _mm512_permutex2var_epi64(even, low, even_times);
  __m512i rows46 = _mm512_permutex2var_epi64(even, high, even_times);
  __m512i rows13 = _mm512_permutex2var_epi64(odd, low, odd_times);
  __m512i rows57 = _mm512_permutex2var_epi64(odd, high, odd_times);
  return (first_halves){{_mm512_castsi512_si256(rows02), _mm512_castsi512_si256(rows13),
                         _mm512_extracti64x4_epi64(rows02, 1), _mm512_extracti64x4_epi64(rows13, 1),
                         _mm512_castsi512_si256(rows46), _mm512_castsi512_si256(rows57),
                         _mm512_extracti64x4_epi64(rows46, 1), _mm512_extracti64x4_epi64(rows57, 1)}};
}

// One row: the words of the tick, times the factors of its instrument, go to its running values.
INLINE void join_row(instrument_state *state, __m256i first_half, __m256i words, __m256i kept, tickcodec_tick *tick) {
  __m256i factors = load(&state->price_unit);
  __m256i running = load(&state->price);
  __m256i sums = _mm256_add_epi64(running, _mm256_mul_epi32(words, factors));
  __m256i others = _mm256_add_epi32(_mm256_and_si256(running, kept), _mm256_mullo_epi32(words, factors));
  __m256i joined = _mm256_blend_epi32(sums, others, 0xF0);
  store(&state->price, joined);
  // The instrument lies among the factors where the tick has it.
  first_half = _mm256_blend_epi32(first_half, factors, 0x02);
  _mm512_storeu_si512(tick, _mm512_inserti64x4(_mm512_castsi256_si512(first_half), joined, 1));
}

// Keeps open interest, and the last trade unless it is set.
INLINE __m256i kept_words(bool keeps_last_trade) {
  return _mm256_setr_epi32(0, 0, 0, 0, keeps_last_trade ? -1 : 0, 0, -1, 0);
}

// Whether last trade times come up at all, and whether they are coded steadily.
typedef enum { no_trades, changing_trades, steady_trades } trade_coding;

// Inlined once for each coding of last trades.
INLINE void join_all(tickcodec_reader *reader, uint32_t count, const trade_coding trades, tickcodec_tick *ticks) {
  const tick_tile *tile = &reader->tile;
  instrument_state *states = reader->states;
  const uint32_t *codes = tile->words[tickcodec_instrument_codes];
  const int64_t unit = reader->parameters.exchange_unit;
  const bool has_sequences = tile->most[tickcodec_sequence_low] != 0;
  const bool has_remainders = tile->most[tickcodec_exchange_remainder] != 0;
  // With whole seconds, the unit of exchange times gives the seconds of last trades too.
  const bool has_units = unit == nanoseconds_per_second &&
                         tile->most[tickcodec_exchange_remainder] < (uint64_t)nanoseconds_per_second;
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  const __m256i kept[2] = {kept_words(true), kept_words(false)};
  const __m512i units = _mm512_set1_epi64(unit), ones = _mm512_set1_epi64(1);
  unit_position position = position_at(unit, floor_divide((int64_t)reader->running.receive_time, unit));
  __m512i receive_base = _mm512_set1_epi64((long long)reader->running.receive_time);
  __m512i sequence_base = _mm512_set1_epi64((long long)(reader->running.next_sequence - 1));
  for (uint32_t i = 0; i < count; i += 8) {
    __m512i receive_times = sum_up(_mm512_cvtepu32_epi64(load(tile->words[tickcodec_receive_time_low] + i)));
    receive_times = _mm512_add_epi64(receive_times, receive_base);
    receive_base = last_of(receive_times);
    __m512i steps = ones;
    if (has_sequences) {
      steps = _mm512_add_epi64(steps, _mm512_cvtepu32_epi64(load(tile->words[tickcodec_sequence_low] + i)));
    }
    __m512i sequences = _mm512_add_epi64(sum_up(steps), sequence_base);
    sequence_base = last_of(sequences);

    __m256i lags = unzigzag_words(load(tile->words[tickcodec_exchange_time_low] + i));
    __m512i exchange_times = receive_times;
    __m256i numbers = zero;
    if (unit > 1) exchange_times = unit_starts(receive_times, &position, &numbers);
    __m512i wide_lags = _mm512_mul_epi32(_mm512_cvtepi32_epi64(lags), units);
    exchange_times = _mm512_sub_epi64(exchange_times, wide_lags);
    if (has_remainders) {
      __m256i remainders = load(tile->words[tickcodec_exchange_remainder] + i);
      exchange_times = _mm512_add_epi64(exchange_times, _mm512_cvtepu32_epi64(remainders));
    }

    __m256i last_trades = zero;
    uint32_t is_set = trades == steady_trades ? 0xFF : 0;
    if (trades != no_trades) {
      __m256i seconds = has_units ? _mm256_sub_epi32(numbers, lags) : seconds_of(exchange_times);
      __m256i last_codes = load(tile->words[tickcodec_last_trade_low] + i);
      if (trades == changing_trades) {
        is_set = _mm256_cmpneq_epi32_mask(last_codes, zero);
        last_codes = _mm256_sub_epi32(last_codes, one);
      }
      last_trades = _mm256_maskz_sub_epi32((__mmask8)is_set, seconds, unzigzag_words(last_codes));
    }

    __m256i prices = unzigzag_words(load(tile->words[tickcodec_price_low] + i));
    __m256i quantities = load(tile->words[tickcodec_quantity] + i);
    __m256i volume_codes = load(tile->words[tickcodec_volume_low] + i);
    __mmask8 has_surplus = _mm256_cmpneq_epi32_mask(volume_codes, zero);
    __m256i surplus = _mm256_maskz_mov_epi32(has_surplus, unzigzag_words(_mm256_sub_epi32(volume_codes, one)));
    __mmask8 is_changed = _mm256_cmpneq_epi32_mask(volume_codes, one);
    __m256i volumes = _mm256_maskz_add_epi32(is_changed, quantities, surplus);
    __m256i interests = unzigzag_words(load(tile->words[tickcodec_open_interest] + i));
    __m256i flags = _mm256_and_si256(load(tile->words[tickcodec_flags] + i), _mm256_set1_epi32(0xFFFFFF));

    // Words 0 and 2 of a row are price and volume, 4 to 7 last trade, quantity, open interest and flags.
    __m256i prices_low = _mm256_unpacklo_epi32(prices, prices), prices_high = _mm256_unpackhi_epi32(prices, prices);
    __m256i volumes_low = _mm256_unpacklo_epi32(volumes, volumes);
    __m256i volumes_high = _mm256_unpackhi_epi32(volumes, volumes);
    __m256i trades_low = _mm256_unpacklo_epi32(last_trades, quantities);
    __m256i trades_high = _mm256_unpackhi_epi32(last_trades, quantities);
    __m256i interests_low = _mm256_unpacklo_epi32(interests, flags);
    __m256i interests_high = _mm256_unpackhi_epi32(interests, flags);
    __m256i sums[4] = {
        _mm256_unpacklo_epi64(prices_low, volumes_low), _mm256_unpackhi_epi64(prices_low, volumes_low),
        _mm256_unpacklo_epi64(prices_high, volumes_high), _mm256_unpackhi_epi64(prices_high, volumes_high)};
    __m256i others[4] = {
        _mm256_unpacklo_epi64(trades_low, interests_low), _mm256_unpackhi_epi64(trades_low, interests_low),
        _mm256_unpacklo_epi64(trades_high, interests_high), _mm256_unpackhi_epi64(trades_high, interests_high)};
    first_halves halves = first_halves_of(sequences, receive_times, exchange_times);
#pragma clang loop unroll(full)
    for (uint32_t k = 0; k < 8; k++) {
      __m256i words = k < 4 ? _mm256_permute2x128_si256(sums[k % 4], others[k % 4], 0x20)
                            : _mm256_permute2x128_si256(sums[k % 4], others[k % 4], 0x31);
      __m256i keep = trades == changing_trades ? kept[is_set >> k & 1] : kept[trades == steady_trades];
      join_row(&states[codes[i + k]], halves.rows[k], words, keep, ticks + i + k);
    }
  }
  reader->running.receive_time = last_word(receive_base);
  reader->running.next_sequence = last_word(sequence_base) + 1;
}

WITH_AVX512 static void join_ordinary(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  if (reader->parameters.has_steady_trade_times) {
    join_all(reader, count, steady_trades, ticks);
  } else if (reader->sections[tickcodec_last_trade_low].length > 0) {
    join_all(reader, count, changing_trades, ticks);
  } else {
    join_all(reader, count, no_trades, ticks);
  }
}

uint32_t join_rows_avx512(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  bool has_instructions = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  count &= ~7u;
  if (count == 0 || !has_instructions || !is_ordinary(reader)) return 0;
  join_ordinary(reader, count, ticks);
  return count;
}
#else
uint32_t join_rows_avx512(tickcodec_reader *reader, uint32_t count, tickcodec_tick *ticks) {
  (void)reader, (void)count, (void)ticks;
  return 0;
}
#endif
