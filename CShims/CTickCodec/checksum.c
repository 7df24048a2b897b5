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
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(const uint8_t *bytes, size_t length) {
  uint64_t crc = UINT32_MAX;
  for (; length >= 8; bytes += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; length > 0; bytes++, length--) crc = _mm_crc32_u8((uint32_t)crc, *bytes);
  return ~(uint32_t)crc;
}
#endif

uint32_t tickcodec_crc32c(const uint8_t *bytes, size_t length) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(bytes, length);
#endif
  return tickcodec_crc32c_portable(bytes, length);
}
