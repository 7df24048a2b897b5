// Reading of packed columns, sixteen words at a time.
#include "packed.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi,popcnt")))
#define INLINE __attribute__((always_inline, target("avx512f,avx512bw,avx512vbmi,popcnt"))) static inline

// Sixteen fields of up to 25 bits lie within 64 bytes and each within four, which are moved to a word of their own and
// shifted into place.
typedef struct {
  __m512i bytes;
  __m512i shifts;
  __m512i mask;
} field_loader;

INLINE field_loader field_loader_for(uint32_t width) {
  const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i bits = _mm512_mullo_epi32(numbers, _mm512_set1_epi32((int)width));
  __m512i first = _mm512_mullo_epi32(_mm512_srli_epi32(bits, 3), _mm512_set1_epi32(0x01010101));
  return (field_loader){_mm512_add_epi8(first, _mm512_set1_epi32(0x03020100)),
                        _mm512_and_si512(bits, _mm512_set1_epi32(7)),
                        _mm512_set1_epi32((int)((UINT64_C(1) << width) - 1))};
}

INLINE __m512i load_fields(const field_loader *loader, const uint8_t *fields) {
  __m512i spread = _mm512_permutexvar_epi8(loader->bytes, _mm512_loadu_si512(fields));
  return _mm512_and_si512(_mm512_srlv_epi32(spread, loader->shifts), loader->mask);
}

WITH_AVX512 static void join_level(const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base,
                                   const uint8_t *map, const uint32_t *uppers, uint32_t *words) {
  const field_loader loader = field_loader_for(width);
  const __m512i bases = _mm512_set1_epi32((int)base);
  if (map == NULL) {
    for (uint32_t i = 0; i < count; i += 16, fields += 2 * width) {
      _mm512_storeu_si512(words + i, _mm512_add_epi32(load_fields(&loader, fields), bases));
    }
    return;
  }
  const __m128i shift = _mm_cvtsi32_si128((int)width);
  for (uint32_t i = 0; i < count; i += 16, fields += 2 * width, map += 2) {
    __mmask16 ones = (__mmask16)(map[0] | map[1] << 8);
    // Shifted first, so that what is expanded is a register: expanding from memory takes several times as long.
    __m512i upper = _mm512_maskz_expand_epi32(ones, _mm512_sll_epi32(_mm512_loadu_si512(uppers), shift));
    uppers += _mm_popcnt_u32(ones);
    __m512i word = _mm512_or_si512(load_fields(&loader, fields), upper);
    _mm512_storeu_si512(words + i, _mm512_add_epi32(word, bases));
  }
}

bool join_level_avx512(const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base, const uint8_t *map,
                       const uint32_t *uppers, uint32_t *words) {
  enum { width_max = 25 };
  if (width > width_max || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vbmi")) {
    return false;
  }
  join_level(fields, count, width, base, map, uppers, words);
  return true;
}
#else
bool join_level_avx512(const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base, const uint8_t *map,
                       const uint32_t *uppers, uint32_t *words) {
  (void)fields, (void)count, (void)width, (void)base, (void)map, (void)uppers, (void)words;
  return false;
}
#endif
