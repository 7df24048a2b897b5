// Writing of packed columns; packed.c describes their layout.
#include <string.h>

#include "packed.h"

enum { has_base = 0x40, has_uppers = 0x80, level_count_max = 3 };

// What a tile can take beside four bytes a word: its header, and five pieces filled up to bytes.
enum { tile_overhead = 16 };

size_t tickcodec_packed_bound(uint32_t count) {
  size_t tiles = ((size_t)count + tile_ticks - 1) / tile_ticks;
  return tiles * tile_overhead + (size_t)count * 4;
}

// Fields are written in words of eight bytes.
enum { write_slack = 64 };

size_t tickcodec_packed_capacity(uint32_t count) { return tickcodec_packed_bound(count) + write_slack; }

// How a tile is packed.
typedef struct {
  uint32_t level_count;
  uint32_t widths[level_count_max];
} tile_plan;

// The widths that need the fewest bits, given how many words are longer than each length in bits, up to the longest.
static tile_plan plan_tile(uint32_t count, const uint32_t above[33], uint32_t most) {
  tile_plan plan = {1, {most, 0, 0}};
  uint32_t best = count * most;
  for (uint32_t low = 0; low < most; low++) {
    // Eight bits for each further level's header, and as many that filling up its pieces to bytes may take.
    uint32_t fixed = count * low + count + 16;
    if (fixed >= best) break;
    uint32_t cost = fixed + above[low] * (most - low);
    if (cost < best) {
      best = cost;
      plan = (tile_plan){2, {low, most - low, 0}};
    }
    // A third level costs at least a bit for each word of the second.
    if (fixed + 16 + 2 * above[low] >= best) continue;
    for (uint32_t middle = low + 1; middle < most; middle++) {
      cost = fixed + 16 + above[low] * (middle - low + 1) + above[middle] * (most - middle);
      if (cost < best) {
        best = cost;
        plan = (tile_plan){3, {low, middle - low, most - middle}};
      }
    }
  }
  return plan;
}

static inline uint32_t bit_length(uint32_t word) { return word == 0 ? 0 : 32 - (uint32_t)__builtin_clz(word); }

// above[length] becomes the number of words longer than `length` bits, for each length below `most`.
static void count_above_portable(const uint32_t *words, uint32_t count, uint32_t most, uint32_t above[33]) {
  uint32_t lengths[4][33] = {0}, left = count;
  for (uint32_t i = 0; i < count; i++) lengths[i % 4][bit_length(words[i])]++;
  for (uint32_t length = 0; length < most; length++) {
    left -= lengths[0][length] + lengths[1][length] + lengths[2][length] + lengths[3][length];
    above[length] = left;
  }
}

// Packs the low `width` bits of words, least significant first, and returns the end. May write 8 bytes more.
static uint8_t *pack_fields_portable(const uint32_t *words, uint32_t count, uint32_t width, uint8_t *output) {
  uint64_t mask = (UINT64_C(1) << width) - 1, pending = 0;
  uint32_t bits = 0;
  for (uint32_t i = 0; i < count; i++) {
    pending |= (words[i] & mask) << bits;
    bits += width;
    memcpy(output, &pending, 8);
    output += bits / 8;
    pending >>= bits & ~7u;
    bits %= 8;
  }
  if (bits > 0) *output++ = (uint8_t)pending;
  return output;
}

// Writes the map of the words that have an upper part above `width` bits and collects these parts; returns how many.
static uint32_t collect_uppers_portable(const uint32_t *words, uint32_t count, uint32_t width, uint8_t *map,
                                        uint32_t *uppers) {
  uint32_t found = 0;
  memset(map, 0, ((size_t)count + 7) / 8);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t upper = words[i] >> width;
    uppers[found] = upper;
    found += upper != 0;
    map[i / 8] |= (uint8_t)((upper != 0) << i % 8);
  }
  return found;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Eight words of up to 16 bits at a time: two words are brought together by one instruction, and eight fields fill
// whole bytes.
__attribute__((target("bmi2"))) static uint8_t *pack_fields_bmi2(const uint32_t *words, uint32_t count, uint32_t width,
                                                                 uint8_t *output) {
  uint64_t field = (UINT64_C(1) << width) - 1, mask = field | field << 32;
  uint32_t i = 0;
  for (; width > 0 && width <= 16 && i + 8 <= count; i += 8) {
    uint64_t pairs[4];
    memcpy(pairs, words + i, sizeof pairs);
    uint64_t low = _pext_u64(pairs[0], mask) | _pext_u64(pairs[1], mask) << 2 * width;
    uint64_t high = _pext_u64(pairs[2], mask) | _pext_u64(pairs[3], mask) << 2 * width;
    uint32_t half = 4 * width;
    if (half < 64) {
      low |= high << half;
      high = high >> (63 - half) >> 1;
    }
    memcpy(output, &low, 8);
    memcpy(output + 8, &high, 8);
    output += width;
  }
  return pack_fields_portable(words + i, count - i, width, output);
}

// Four lengths at a time, as one pass over the words compares them with.
__attribute__((target("avx2"))) static void count_above_avx2(const uint32_t *words, uint32_t count, uint32_t most,
                                                            uint32_t above[33]) {
  for (uint32_t length = 0; length < most; length += 4) {
    __m256i bounds[4], counts[4];
    for (uint32_t k = 0; k < 4; k++) {
      bounds[k] = _mm256_set1_epi32((int)((UINT64_C(1) << (length + k)) - 1));
      counts[k] = _mm256_setzero_si256();
    }
    uint32_t i = 0;
    for (; i + 8 <= count; i += 8) {
      __m256i eight = _mm256_loadu_si256((const __m256i *)(words + i));
      for (uint32_t k = 0; k < 4; k++) counts[k] = _mm256_sub_epi32(counts[k], _mm256_cmpgt_epi32(eight, bounds[k]));
    }
    for (uint32_t k = 0; k < 4 && length + k < most; k++) {
      uint32_t parts[8], sum = 0;
      _mm256_storeu_si256((__m256i *)parts, counts[k]);
      for (uint32_t part = 0; part < 8; part++) sum += parts[part];
      for (uint32_t rest = i; rest < count; rest++) sum += words[rest] >> (length + k) != 0;
      above[length + k] = sum;
    }
  }
}

__attribute__((target("avx2,bmi2,popcnt"))) static uint32_t collect_uppers_avx2(const uint32_t *words, uint32_t count,
                                                                                uint32_t width, uint8_t *map,
                                                                                uint32_t *uppers) {
  const __m128i shift = _mm_cvtsi32_si128((int)width);
  uint32_t found = 0, i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i upper = _mm256_srl_epi32(_mm256_loadu_si256((const __m256i *)(words + i)), shift);
    __m256i is_zero = _mm256_cmpeq_epi32(upper, _mm256_setzero_si256());
    uint32_t ones = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is_zero)) ^ 0xFF;
    map[i / 8] = (uint8_t)ones;
    // The positions of the ones, a byte each, packed by extracting them from 7, 6, ..., 0.
    uint64_t bytes = _pdep_u64(ones, UINT64_C(0x0101010101010101)) * 0xFF;
    uint64_t positions = _pext_u64(UINT64_C(0x0706050403020100), bytes);
    __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)positions));
    _mm256_storeu_si256((__m256i *)(uppers + found), _mm256_permutevar8x32_epi32(upper, order));
    found += (uint32_t)_mm_popcnt_u32(ones);
  }
  return found + collect_uppers_portable(words + i, count - i, width, map + i / 8, uppers + found);
}
#endif

static uint8_t *pack_fields(const uint32_t *words, uint32_t count, uint32_t width, bool portable, uint8_t *output) {
  if (width == 0) return output;
#if defined(__x86_64__)
  if (!portable && __builtin_cpu_supports("bmi2")) return pack_fields_bmi2(words, count, width, output);
#else
  (void)portable;
#endif
  return pack_fields_portable(words, count, width, output);
}

static uint32_t collect_uppers(const uint32_t *words, uint32_t count, uint32_t width, bool portable, uint8_t *map,
                               uint32_t *uppers) {
#if defined(__x86_64__)
  if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    return collect_uppers_avx2(words, count, width, map, uppers);
  }
#else
  (void)portable;
#endif
  return collect_uppers_portable(words, count, width, map, uppers);
}

static void count_above(const uint32_t *words, uint32_t count, uint32_t most, bool portable, uint32_t above[33]) {
#if defined(__x86_64__)
  // The comparison is of signed words.
  enum { signed_length_max = 31 };
  if (!portable && most <= signed_length_max && __builtin_cpu_supports("avx2")) {
    return count_above_avx2(words, count, most, above);
  }
#else
  (void)portable;
#endif
  count_above_portable(words, count, most, above);
}

// A base pays for its four bytes only where enough words become shorter by it.
enum { base_worthwhile_count = 64 };

static uint8_t *pack_tile(const uint32_t *words, uint32_t count, bool portable, uint8_t *output) {
  uint32_t least = UINT32_MAX, any = 0;
  for (uint32_t i = 0; i < count; i++) {
    least = words[i] < least ? words[i] : least;
    any |= words[i];
  }
  if (any == 0) {
    *output++ = 0;
    return output;
  }
  uint32_t base = count >= base_worthwhile_count ? least : 0;
  uint32_t levels[2][tile_ticks + tile_slack];
  any = 0;
  for (uint32_t i = 0; i < count; i++) {
    levels[0][i] = words[i] - base;
    any |= levels[0][i];
  }
  uint32_t above[33], most = bit_length(any);
  count_above(levels[0], count, most, portable, above);
  tile_plan plan = plan_tile(count, above, most);

  *output++ = (uint8_t)(plan.widths[0] | (base > 0 ? has_base : 0) | (plan.level_count > 1 ? has_uppers : 0));
  if (base > 0) {
    memcpy(output, &base, 4);
    output += 4;
  }
  for (uint32_t level = 1; level < plan.level_count; level++) {
    *output++ = (uint8_t)(plan.widths[level] | (plan.level_count > level + 1 ? has_uppers : 0));
  }
  for (uint32_t level = 0;; level++) {
    const uint32_t *from = levels[level % 2];
    output = pack_fields(from, count, plan.widths[level], portable, output);
    if (level + 1 == plan.level_count) return output;
    uint8_t *map = output;
    output += (count + 7) / 8;
    count = collect_uppers(from, count, plan.widths[level], portable, map, levels[(level + 1) % 2]);
  }
}

size_t tickcodec_pack_words(const uint32_t *words, uint32_t count, bool portable, uint8_t *output, size_t capacity) {
  if (capacity < tickcodec_packed_capacity(count)) return 0;
  uint8_t *next = output;
  for (uint32_t start = 0; start < count; start += tile_ticks) {
    uint32_t length = count - start < tile_ticks ? count - start : tile_ticks;
    next = pack_tile(words + start, length, portable, next);
  }
  return (size_t)(next - output);
}

size_t tickcodec_unpack_words(tickcodec_bytes input, uint32_t *words, uint32_t count, uint32_t kernels) {
  packed_reader reader = {input.start, input.start + input.length};
  packed_scratch scratch;
  packed_bound bound;
  uint32_t tile[tile_ticks + tile_slack];
  for (uint32_t start = 0; start < count; start += tile_ticks) {
    uint32_t length = count - start < tile_ticks ? count - start : tile_ticks;
    if (!packed_read(&reader, reader.end, tile, length, &scratch, &bound, kernels)) return 0;
    memcpy(words + start, tile, length * sizeof *words);
  }
  return (size_t)(reader.next - input.start);
}
