// The inner loops of the tick archive: rows to columns and back, word streams, checksums.
//
// The coding itself is described in Sources/TickArchive/TickArchive.docc/Format.md. Every function works on memory
// that the caller owns, allocates nothing and never reads or writes beyond the lengths it is given.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Mirror of MarketData.Tick; a test pins the two layouts to each other.
typedef struct {
  uint32_t stamp;
  uint32_t instrument;
  uint64_t sequence;
  int64_t receive_time;
  int64_t exchange_time;
  int64_t last_price;
  int64_t day_volume;
  uint32_t last_trade_seconds;
  uint32_t last_quantity;
  uint32_t open_interest;
  uint16_t flags;
  uint8_t kind;
  uint8_t reserved;
} tickcodec_tick;
_Static_assert(sizeof(tickcodec_tick) == 64, "a tick is one cache line");

enum {
  // Ticks that one block holds at most.
  tickcodec_block_ticks_max = 32768,
  // Words from the start of one column to the next in tickcodec_split. A power of two would map all columns to the
  // same few lines of the cache.
  tickcodec_column_stride = tickcodec_block_ticks_max + 80,
  // Slots of the table that tickcodec_assign looks instruments up in; twice the ticks, so that it never fills up.
  tickcodec_lookup_slots = 65536,
};

// The sections of a block of ticks. Those from `tickcodec_first_column` on are columns of one word per tick.
enum {
  tickcodec_directory = 0,
  tickcodec_instrument_codes = 1,
  tickcodec_receive_time_low = 2,
  tickcodec_receive_time_high = 3,
  tickcodec_exchange_time_low = 4,
  tickcodec_exchange_time_high = 5,
  tickcodec_exchange_remainder = 6,
  tickcodec_sequence_low = 7,
  tickcodec_sequence_high = 8,
  tickcodec_price_low = 9,
  tickcodec_price_high = 10,
  tickcodec_quantity = 11,
  tickcodec_volume_low = 12,
  tickcodec_volume_high = 13,
  tickcodec_last_trade_low = 14,
  tickcodec_last_trade_high = 15,
  tickcodec_open_interest = 16,
  tickcodec_flags = 17,
  tickcodec_section_count = 18,
  tickcodec_first_column = tickcodec_receive_time_low,
  tickcodec_column_count = tickcodec_section_count - tickcodec_first_column,
};

// One instrument of a block: what its columns are relative to, carried along from tick to tick.
typedef struct {
  uint64_t price;  // in price units, two's complement
  uint64_t volume;
  int64_t previous_price;  // encoder only: in units of 1e-9
  uint64_t previous_volume;  // encoder only, while measuring
  uint32_t instrument;
  uint32_t price_unit;
  uint32_t lot;
  uint32_t open_interest;
  uint32_t last_trade_seconds;
  uint32_t is_known;  // encoder only: the first tick of this instrument has been seen
} tickcodec_instrument;

// What the codings of a block depend on beside the directory.
typedef struct {
  int64_t earliest;  // receive time
  int64_t latest;
  uint64_t first_sequence;
  uint32_t exchange_unit;  // nanoseconds: 1, 1e3, 1e6 or 1e9
  uint32_t code_width;  // bits of one instrument code
  bool has_plain_volume;
} tickcodec_parameters;

// The raw bytes of a section; a length of 0 stands for a section of method `zero`.
typedef struct {
  const uint8_t *start;
  size_t length;
} tickcodec_bytes;

// CRC-32C (Castagnoli, reflected, initial value and final xor all ones), by the processor's instruction if it has it.
uint32_t tickcodec_crc32c(const uint8_t *bytes, size_t length);
// The same by a table, whatever the processor.
uint32_t tickcodec_crc32c_portable(const uint8_t *bytes, size_t length);

// Gives each tick the number of its instrument in the order of first appearance; returns how many there are.
// `slots` has tickcodec_lookup_slots elements, `instruments` and `codes` have `count`.
uint32_t tickcodec_assign(const tickcodec_tick *ticks, uint32_t count, uint32_t *slots, uint32_t *instruments,
                          uint16_t *codes);

// Replaces each code by `ranks[code]`, then chooses units, lots and first values for the directory, whose entries
// hold nothing but `instrument` so far, and for the block.
void tickcodec_measure(const tickcodec_tick *ticks, uint32_t count, const uint16_t *ranks, uint16_t *codes,
                       tickcodec_instrument *directory, uint32_t instrument_count, tickcodec_parameters *parameters);

// Splits ticks into columns: word i of section s goes to columns[(s - tickcodec_first_column) *
// tickcodec_column_stride + i].
void tickcodec_split(const tickcodec_tick *ticks, uint32_t count, const uint16_t *codes,
                     tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns);

// Packs codes of `width` bits, least significant first; returns the bytes written, or 0 if they do not fit.
size_t tickcodec_pack(const uint16_t *codes, uint32_t count, uint32_t width, uint8_t *output, size_t capacity);

// True when all words are zero, so that their section can be left out.
bool tickcodec_is_zero(const uint32_t *words, uint32_t count);
// The longest word stream of `count` words.
size_t tickcodec_words_bound(uint32_t count);
// Writes a word stream; `capacity` must be at least tickcodec_words_bound(count). Returns the bytes written, or 0.
size_t tickcodec_encode_words(const uint32_t *words, uint32_t count, uint8_t *output, size_t capacity);
// Reads a word stream that may be followed by other bytes; returns the bytes it took, or 0 when it is malformed.
size_t tickcodec_decode_words(tickcodec_bytes input, uint32_t *words, uint32_t count, bool portable);

// Joins the sections of a block into ticks; `directory` is the decoded directory and is used up. Returns -1, or
// the number of the first section found to be malformed.
int tickcodec_join(const tickcodec_bytes *sections, uint32_t count, tickcodec_instrument *directory,
                   uint32_t instrument_count, const tickcodec_parameters *parameters, bool portable,
                   tickcodec_tick *ticks);
