// Arithmetic that both directions of the codec must agree on. All of it is modulo 2^64.
#pragma once
#include <stdint.h>

static const int64_t nanoseconds_per_second = 1000000000;

// Maps small magnitudes of either sign to small numbers: 0, -1, 1, -2, ... to 0, 1, 2, 3, ...
static inline uint64_t zigzag(uint64_t value) { return value << 1 ^ (uint64_t)((int64_t)value >> 63); }
static inline uint64_t unzigzag(uint64_t code) { return code >> 1 ^ (0 - (code & 1)); }
static inline uint32_t zigzag32(uint32_t value) { return value << 1 ^ (uint32_t)((int32_t)value >> 31); }
static inline uint32_t unzigzag32(uint32_t code) { return code >> 1 ^ (0 - (code & 1)); }

// Division rounded towards negative infinity, by a positive divisor.
static inline int64_t floor_divide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0);
}
