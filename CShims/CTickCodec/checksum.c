#include "CTickCodec.h"

#include <string.h>

// The remainders of the sixteen values of half a byte by the reflected polynomial 0x82F63B78: small enough to be
// checked by eye, and only processors without the instruction use it.
static const uint32_t half_byte_remainders[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

uint32_t tickcodec_crc32c_portable(const uint8_t *bytes, size_t length) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ half_byte_remainders[crc & 15];
    crc = crc >> 4 ^ half_byte_remainders[crc & 15];
  }
  return ~crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_CRC __attribute__((target("sse4.2,pclmul")))

static inline uint64_t word_at(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

// The instruction takes three cycles and starts anew each cycle, so three parts are taken in beside each other. A
// part's remainder moves on over the bytes behind it when it is multiplied by a power of x; the instruction itself then
// brings the product back to 32 bits.
enum { part_bytes = 1024, two_parts = 2 * part_bytes, three_parts = 3 * part_bytes };
// x^(8 n - 33) modulo the polynomial, reflected, for n = part_bytes and n = two_parts.
static const uint32_t over_one_part = 0x170076FA, over_two_parts = 0xA51B6135;

WITH_CRC static inline uint64_t move_on(uint64_t remainder, uint32_t power) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)remainder), _mm_cvtsi64_si128(power), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

WITH_CRC static uint32_t crc32c_by_instruction(const uint8_t *bytes, size_t length) {
  uint64_t crc = UINT32_MAX;
  for (; length >= three_parts; bytes += three_parts, length -= three_parts) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < part_bytes; i += 8) {
      crc = _mm_crc32_u64(crc, word_at(bytes + i));
      second = _mm_crc32_u64(second, word_at(bytes + part_bytes + i));
      third = _mm_crc32_u64(third, word_at(bytes + two_parts + i));
    }
    crc = move_on(crc, over_two_parts) ^ move_on(second, over_one_part) ^ third;
  }
  for (; length >= 8; bytes += 8, length -= 8) crc = _mm_crc32_u64(crc, word_at(bytes));
  for (; length > 0; bytes++, length--) crc = _mm_crc32_u8((uint32_t)crc, *bytes);
  return ~(uint32_t)crc;
}
#endif

uint32_t tickcodec_crc32c(const uint8_t *bytes, size_t length) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) {
    return crc32c_by_instruction(bytes, length);
  }
#endif
  return tickcodec_crc32c_portable(bytes, length);
}
