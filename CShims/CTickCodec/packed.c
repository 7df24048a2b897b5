#include "packed.h"

#include <string.h>

// Layout of a tile of n words; every piece starts at a byte:
//   1 byte    width, plus has_base and has_uppers
//   4 bytes   base, if has_base
//   1 byte    width of the upper parts, plus has_uppers if these have upper parts in turn; if has_uppers
//   1 byte    width of the uppermost parts; if the byte before has has_uppers
//   n fields  the low `width` bits of (word - base)
//   n bits    which words have an upper part, and those e parts, of which the same two pieces may follow once more
enum { width_mask = 0x3F, has_base = 0x40, has_uppers = 0x80, level_count_max = 3 };

typedef struct {
  uint32_t base;
  uint32_t level_count;
  uint32_t widths[level_count_max];
} tile_header;

static inline size_t bytes_for(uint32_t count, uint32_t width) { return ((size_t)count * width + 7) / 8; }

static bool read_header(packed_reader *reader, tile_header *header) {
  const uint8_t *next = reader->next, *end = reader->end;
  if (next == end) return false;
  uint8_t first = *next++;
  header->base = 0;
  header->level_count = 1;
  header->widths[0] = first & width_mask;
  if (first & has_base) {
    if (end - next < 4) return false;
    memcpy(&header->base, next, 4);
    next += 4;
  }
  uint32_t sum = header->widths[0];
  for (uint8_t flags = first; flags & has_uppers;) {
    if (header->level_count == level_count_max || next == end) return false;
    flags = *next++;
    uint32_t width = flags & width_mask;
    if (width == 0 || flags & has_base) return false;
    header->widths[header->level_count++] = width;
    sum += width;
  }
  reader->next = next;
  return sum <= 32;
}

// Takes a piece of `length` bytes; null when the column ends before it does.
static const uint8_t *take(packed_reader *reader, size_t length) {
  if ((size_t)(reader->end - reader->next) < length) return NULL;
  const uint8_t *piece = reader->next;
  reader->next += length;
  return piece;
}

__attribute__((always_inline)) static inline uint32_t count_whole_words(const uint8_t *map, uint32_t count) {
  uint32_t ones = 0;
  for (uint32_t i = 0; i + 64 <= count; i += 64) {
    uint64_t bits;
    memcpy(&bits, map + i / 8, 8);
    ones += (uint32_t)__builtin_popcountll(bits);
  }
  return ones;
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t count_whole_words_popcnt(const uint8_t *map, uint32_t count) {
  return count_whole_words(map, count);
}
#endif

// The number of ones in a map of `count` bits, or UINT32_MAX when bits behind them are set.
static uint32_t count_ones(const uint8_t *map, uint32_t count) {
  uint32_t ones, i = count & ~63u;
#if defined(__x86_64__)
  ones = __builtin_cpu_supports("popcnt") ? count_whole_words_popcnt(map, count) : count_whole_words(map, count);
#else
  ones = count_whole_words(map, count);
#endif
  for (; i < count; i += 8) ones += (uint32_t)__builtin_popcount(map[i / 8]);
  if (count % 8 != 0 && map[count / 8] >> count % 8 != 0) return UINT32_MAX;
  return ones;
}

// The pieces of a tile.
typedef struct {
  tile_header header;
  uint32_t counts[level_count_max];
  const uint8_t *fields[level_count_max];
  const uint8_t *maps[level_count_max];  // which words of a level have an upper part
} tile_pieces;

static bool read_pieces(packed_reader *reader, uint32_t count, tile_pieces *pieces) {
  if (!read_header(reader, &pieces->header)) return false;
  for (uint32_t level = 0; level < pieces->header.level_count; level++) {
    pieces->counts[level] = count;
    pieces->fields[level] = take(reader, bytes_for(count, pieces->header.widths[level]));
    if (pieces->fields[level] == NULL) return false;
    if (level + 1 == pieces->header.level_count) break;
    pieces->maps[level] = take(reader, bytes_for(count, 1));
    if (pieces->maps[level] == NULL) return false;
    count = count_ones(pieces->maps[level], count);
    if (count == UINT32_MAX) return false;
  }
  return true;
}

// Field i of a level: bits [i * width, (i + 1) * width), least significant first.
static inline uint32_t field(const uint8_t *fields, uint32_t i, uint32_t width) {
  size_t bit = (size_t)i * width;
  uint32_t shift = bit % 8, bytes = (shift + width + 7) / 8;
  uint64_t value = 0;
  for (uint32_t k = 0; k < bytes; k++) value |= (uint64_t)fields[bit / 8 + k] << 8 * k;
  return (uint32_t)(value >> shift & ((UINT64_C(1) << width) - 1));
}

// A level's words: base + (field | upper part << width).
static void join_level_portable(const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base,
                                const uint8_t *map, const uint32_t *uppers, uint32_t *words) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t word = field(fields, i, width);
    if (map != NULL && map[i / 8] >> i % 8 & 1) word |= (uint64_t)*uppers++ << width;
    words[i] = (uint32_t)word + base;
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

// For each byte the positions of its ones, in ascending order, which is how packed values are spread: the k-th goes to
// the k-th one. Entry [byte][i] is the number of ones below bit i.
#define ONES_BELOW(b, i) \
  (((i) > 0 ? (b) & 1 : 0) + ((i) > 1 ? (b) >> 1 & 1 : 0) + ((i) > 2 ? (b) >> 2 & 1 : 0) + \
   ((i) > 3 ? (b) >> 3 & 1 : 0) + ((i) > 4 ? (b) >> 4 & 1 : 0) + ((i) > 5 ? (b) >> 5 & 1 : 0) + \
   ((i) > 6 ? (b) >> 6 & 1 : 0))
#define RANKS(b) \
  {ONES_BELOW(b, 0), ONES_BELOW(b, 1), ONES_BELOW(b, 2), ONES_BELOW(b, 3), \
   ONES_BELOW(b, 4), ONES_BELOW(b, 5), ONES_BELOW(b, 6), ONES_BELOW(b, 7)}
#define RANKS4(b) RANKS(b), RANKS((b) + 1), RANKS((b) + 2), RANKS((b) + 3)
#define RANKS16(b) RANKS4(b), RANKS4((b) + 4), RANKS4((b) + 8), RANKS4((b) + 12)
#define RANKS64(b) RANKS16(b), RANKS16((b) + 16), RANKS16((b) + 32), RANKS16((b) + 48)
static const uint8_t ranks[256][8] = {RANKS64(0), RANKS64(64), RANKS64(128), RANKS64(192)};

// Loads eight fields of up to 25 bits, which start at a byte. A lane of 16 bytes holds four of them, the upper lane
// starting at the byte that the fifth begins in; each is moved to a word of its own and shifted into place.
typedef struct {
  __m256i bytes;
  __m256i shifts;
  __m256i mask;
  uint32_t upper_lane;
} field_loader;

__attribute__((target("avx2"))) static inline field_loader field_loader_for(uint32_t width) {
  uint8_t bytes[32];
  uint32_t shifts[8];
  uint32_t upper_lane = width * 4 / 8;
  for (uint32_t i = 0; i < 8; i++) {
    uint32_t bit = i * width - (i < 4 ? 0 : 8 * upper_lane);
    shifts[i] = bit % 8;
    for (uint32_t k = 0; k < 4; k++) bytes[4 * i + k] = (uint8_t)(bit / 8 + k);
  }
  return (field_loader){_mm256_loadu_si256((const __m256i *)bytes), _mm256_loadu_si256((const __m256i *)shifts),
                        _mm256_set1_epi32((int)((UINT64_C(1) << width) - 1)), upper_lane};
}

__attribute__((target("avx2"))) static inline __m256i load_fields(const field_loader *loader, const uint8_t *fields) {
  __m256i lanes = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)fields)),
                                          _mm_loadu_si128((const __m128i *)(fields + loader->upper_lane)), 1);
  __m256i spread = _mm256_shuffle_epi8(lanes, loader->bytes);
  return _mm256_and_si256(_mm256_srlv_epi32(spread, loader->shifts), loader->mask);
}

enum { loaded_width_max = 25, load_slack = 32 };

// For widths above 25 bits: eight bytes hold any field.
__attribute__((target("avx2"))) static void load_wide_fields(const uint8_t *fields, uint32_t count, uint32_t width,
                                                            uint32_t *words) {
  uint64_t mask = (UINT64_C(1) << width) - 1;
  for (uint32_t i = 0; i < count; i++) {
    size_t bit = (size_t)i * width;
    uint64_t bytes;
    memcpy(&bytes, fields + bit / 8, 8);
    words[i] = (uint32_t)(bytes >> bit % 8 & mask);
  }
}

__attribute__((target("avx2,popcnt"))) static void join_level_avx2(const uint8_t *fields, uint32_t count,
                                                                  uint32_t width, uint32_t base, const uint8_t *map,
                                                                  const uint32_t *uppers, uint32_t *words) {
  const __m256i bases = _mm256_set1_epi32((int)base);
  bool is_wide = width > loaded_width_max;
  if (is_wide) load_wide_fields(fields, count, width, words);
  field_loader loader = field_loader_for(is_wide ? 0 : width);
  if (map == NULL) {
    if (is_wide) {
      if (base == 0) return;
      for (uint32_t i = 0; i < count; i += 8) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(words + i));
        _mm256_storeu_si256((__m256i *)(words + i), _mm256_add_epi32(low, bases));
      }
    } else if (width == 0) {
      for (uint32_t i = 0; i < count; i += 8) _mm256_storeu_si256((__m256i *)(words + i), bases);
    } else {
      for (uint32_t i = 0; i < count; i += 8, fields += width) {
        _mm256_storeu_si256((__m256i *)(words + i), _mm256_add_epi32(load_fields(&loader, fields), bases));
      }
    }
    return;
  }
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m128i shift = _mm_cvtsi32_si128((int)width);
  for (uint32_t i = 0; i < count; i += 8, fields += width) {
    __m256i low = is_wide ? _mm256_loadu_si256((const __m256i *)(words + i)) : load_fields(&loader, fields);
    uint32_t ones = *map++;
    __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)ranks[ones]));
    __m256i upper = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)uppers), order);
    uppers += _mm_popcnt_u32(ones);
    __m256i has_upper = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)ones), bits), bits);
    upper = _mm256_sll_epi32(_mm256_and_si256(upper, has_upper), shift);
    _mm256_storeu_si256((__m256i *)(words + i), _mm256_add_epi32(_mm256_or_si256(low, upper), bases));
  }
}
#endif

static void join_level(const uint8_t *readable, const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base,
                       const uint8_t *map, const uint32_t *uppers, uint32_t *words, uint32_t kernels) {
  // Bytes of the piece and behind it.
  const ptrdiff_t slack = readable - (fields + bytes_for(count, width));
  if (kernels == tickcodec_kernels_best && slack >= load_slack_avx512 &&
      join_level_avx512(fields, count, width, base, map, uppers, words)) {
    return;
  }
#if defined(__x86_64__)
  if (kernels != tickcodec_kernels_portable && slack >= load_slack && __builtin_cpu_supports("avx2")) {
    join_level_avx2(fields, count, width, base, map, uppers, words);
    return;
  }
#endif
  join_level_portable(fields, count, width, base, map, uppers, words);
}

bool packed_read(packed_reader *reader, const uint8_t *readable, uint32_t *words, uint32_t count,
                 packed_scratch *scratch, packed_bound *bound, uint32_t kernels) {
  tile_pieces pieces;
  if (!read_pieces(reader, count, &pieces)) return false;
  uint32_t width_sum = 0;
  uint32_t *targets[level_count_max] = {words, scratch->upper, scratch->uppermost};
  for (uint32_t level = pieces.header.level_count; level-- > 0;) {
    bool is_top = level + 1 == pieces.header.level_count;
    join_level(readable, pieces.fields[level], pieces.counts[level], pieces.header.widths[level],
               level == 0 ? pieces.header.base : 0, is_top ? NULL : pieces.maps[level],
               is_top ? NULL : targets[level + 1], targets[level], kernels);
    width_sum += pieces.header.widths[level];
  }
  bound->most = pieces.header.base + ((UINT64_C(1) << width_sum) - 1);
  return true;
}

bool packed_skip(packed_reader *reader, uint32_t count) {
  tile_pieces pieces;
  return read_pieces(reader, count, &pieces);
}
