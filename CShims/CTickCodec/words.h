// Word streams: unsigned 32-bit words of mostly small value, two bits of length each beside their bytes.
#pragma once
#include "CTickCodec.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are moved as they lie in memory");

// A word stream that is being read.
typedef struct {
  const uint8_t *control;
  const uint8_t *data;
  const uint8_t *end;
  uint8_t table;
} word_reader;

// False when the input is too short for its control bytes or names an unknown length table.
bool word_reader_open(word_reader *reader, tickcodec_bytes input, uint32_t count);
// Reads `count` words, which must be a multiple of 4 unless they are the last; false when the input ends too soon.
bool word_reader_read(word_reader *reader, uint32_t *words, uint32_t count, bool portable);
