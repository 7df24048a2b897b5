// Packed columns: unsigned 32-bit words in tiles of up to 1024, each tile in as few bits as its words need.
#pragma once
#include "CTickCodec.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are moved as they lie in memory");

enum {
  tile_ticks = tickcodec_tile_ticks,
  // Words that a reader may write behind the last one that was asked for.
  tile_slack = 32,
};

// A packed column that is being read.
typedef struct {
  const uint8_t *next;
  const uint8_t *end;
} packed_reader;

// What a reader needs beside: the upper parts of words, level by level.
typedef struct {
  uint32_t upper[tile_ticks + tile_slack];
  uint32_t uppermost[tile_ticks + tile_slack];
} packed_scratch;

// What is known of a tile's words without looking at them.
typedef struct {
  uint64_t most;  // no word is greater
} packed_bound;

// Reads the next tile, of `count` words, into `words`, which has room for tile_slack more. Bytes up to `readable`
// may be loaded, though never looked at. False when the column is malformed or ends too soon.
bool packed_read(packed_reader *reader, const uint8_t *readable, uint32_t *words, uint32_t count,
                 packed_scratch *scratch, packed_bound *bound, uint32_t kernels);
// Passes over the next tile; false when it is malformed.
bool packed_skip(packed_reader *reader, uint32_t count);

// Joins one level of a tile: base + (field | upper part << width). May load load_slack_avx512 bytes behind the fields.
// False when the processor or the width is not fit for it.
bool join_level_avx512(const uint8_t *fields, uint32_t count, uint32_t width, uint32_t base, const uint8_t *map,
                       const uint32_t *uppers, uint32_t *words);
enum { load_slack_avx512 = 64 };
