// The inner loops of the tick archive: rows to columns and back, the codings of columns, checksums.
//
// The codings are described in Sources/TickArchive/TickArchive.docc/Format.md. Every function works on memory that
// the caller owns, allocates nothing and never reads or writes beyond the lengths it is given.
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
  // Ticks that are packed and unpacked together, so that their columns stay in the nearest caches.
  tickcodec_tile_ticks = 1024,
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
  // Version 3: day summaries, which have no values of their own in the sections above.
  tickcodec_summaries = 18,
  tickcodec_stored_section_count = 19,
  tickcodec_first_column = tickcodec_receive_time_low,
  tickcodec_column_count = tickcodec_section_count - tickcodec_first_column,
};

// The kind of record that is a day summary: prices where a trade has its exchange time, price, volume, last trade and
// quantity. Among the columns they would pass for trades with enormous values, so they have a section to themselves.
enum { tickcodec_summary_kind = 2 };

// How the words of a section are coded. Where a section is left out, all its words are zero.
enum {
  // Whole bytes, as many as each word needs; instrument codes are fields of a fixed width instead.
  tickcodec_coding_words = 0,
  // Tiles of bits (packed.h).
  tickcodec_coding_packed = 1,
};

// The instructions by which columns are read; a processor that lacks some does without. All give the same.
enum {
  tickcodec_kernels_best = 0,
  tickcodec_kernels_avx2 = 1,
  tickcodec_kernels_portable = 2,
};

// The raw bytes of a section; a length of 0 stands for a section that is left out.
typedef struct {
  const uint8_t *start;
  size_t length;
  uint32_t coding;
} tickcodec_bytes;

// What the codings of a block depend on beside the directory.
typedef struct {
  int64_t earliest;  // receive time
  int64_t latest;
  uint64_t first_sequence;
  uint32_t exchange_unit;  // nanoseconds: 1, 1e3, 1e6 or 1e9
  uint32_t code_width;  // version 1: bits of one instrument code
  bool has_plain_volume;
  // Version 2: last trade times are relative to exchange times, whether they changed or not.
  bool has_steady_trade_times;
  // Version 2: the first `frequent_count` instruments of the directory and the others ascend each for itself, in
  // multiples of the step from the least.
  uint32_t frequent_count;
  uint32_t instrument_least;
  uint32_t instrument_step;
  // Version 3: how many records are day summaries, and what all of their prices are multiples of.
  uint32_t summary_count;
  uint32_t summary_unit;
} tickcodec_parameters;

// MARK: Checksum

// CRC-32C (Castagnoli, reflected, initial value and final xor all ones), by the processor's instruction if it has it.
uint32_t tickcodec_crc32c(const uint8_t *bytes, size_t length);
// The same by a table, whatever the processor.
uint32_t tickcodec_crc32c_portable(const uint8_t *bytes, size_t length);

// MARK: Columns

// The longest word stream of `count` words.
size_t tickcodec_words_bound(uint32_t count);
// Writes a word stream; `capacity` must be at least tickcodec_words_bound(count). Returns the bytes written, or 0.
size_t tickcodec_encode_words(const uint32_t *words, uint32_t count, uint8_t *output, size_t capacity);
// Reads a word stream that may be followed by other bytes; returns the bytes it took, or 0 when it is malformed.
size_t tickcodec_decode_words(tickcodec_bytes input, uint32_t *words, uint32_t count, bool portable);

// The longest packed column of `count` words, and the room that its writer needs.
size_t tickcodec_packed_bound(uint32_t count);
size_t tickcodec_packed_capacity(uint32_t count);
// Writes a packed column; `capacity` must be at least tickcodec_packed_capacity(count). Returns the bytes written, or
// 0.
size_t tickcodec_pack_words(const uint32_t *words, uint32_t count, bool portable, uint8_t *output, size_t capacity);
// Reads a packed column that may be followed by other bytes; returns the bytes it took, or 0 when it is malformed.
size_t tickcodec_unpack_words(tickcodec_bytes input, uint32_t *words, uint32_t count, uint32_t kernels);

// MARK: Writing a block

// One instrument of a block while it is written, a line of the cache: what its columns are relative to, carried along
// from tick to tick.
typedef struct {
  uint64_t price;  // in price units, two's complement; while measuring, the first in units of 1e-9
  uint64_t volume;
  uint64_t previous_volume;  // while measuring
  double price_inverse;
  double lot_inverse;
  uint32_t instrument;
  uint32_t price_unit;
  uint32_t lot;
  uint32_t open_interest;
  uint32_t last_trade_seconds;
  uint32_t previous_trade_seconds;  // while measuring
} tickcodec_instrument;
_Static_assert(sizeof(tickcodec_instrument) == 64, "one line of the cache");

// Streams of words in a directory, and in the section of day summaries: low and high word of four prices, and open
// interest.
enum { tickcodec_directory_streams = 10, tickcodec_summary_streams = 9 };

// Gives each tick the number of its instrument in the order of first appearance and counts the ticks of each; returns
// how many instruments there are. `slots` has tickcodec_lookup_slots elements, all zero, and is left so; the others have
// `count`.
uint32_t tickcodec_assign(const tickcodec_tick *ticks, uint32_t count, uint32_t *slots, uint32_t *instruments,
                          uint32_t *tick_counts, uint32_t *codes);

// Orders the instruments as the directory lists them: the most frequent ones, as many as make the codes short, then
// the others. Sets `ranks[number]`, the instruments in the directory, and the parameters about them. `scratch` has
// 2 * instrument_count elements.
void tickcodec_rank(const uint32_t *instruments, const uint32_t *tick_counts, uint32_t instrument_count,
                    uint32_t tick_count, uint64_t *scratch, uint16_t *ranks, tickcodec_instrument *directory,
                    tickcodec_parameters *parameters);

// Replaces each code by `ranks[code]`, then chooses units, lots and first values for the directory, whose entries
// hold nothing but `instrument` so far, and for the block.
void tickcodec_measure(const tickcodec_tick *ticks, uint32_t count, const uint16_t *ranks, uint32_t *codes,
                       tickcodec_instrument *directory, uint32_t instrument_count, tickcodec_parameters *parameters);

// The words of one stream of the directory.
void tickcodec_directory_words(const tickcodec_instrument *directory, uint32_t instrument_count,
                               const tickcodec_parameters *parameters, uint32_t stream, uint32_t *words);

// The running prices of one instrument's day summaries, in summary units.
typedef struct {
  uint64_t prices[4];
} tickcodec_summary;

// Takes day summaries apart, before tickcodec_split, which changes the directory: word k of stream s goes to words[s *
// parameters->summary_count + k]. `running` has an element for each instrument.
void tickcodec_split_summaries(const tickcodec_tick *ticks, uint32_t count, const uint32_t *codes,
                               const tickcodec_instrument *directory, uint32_t instrument_count,
                               const tickcodec_parameters *parameters, tickcodec_summary *running, uint32_t *words);

// Splits ticks into columns, of a day summary nothing but receive time, sequence and kind: word i of section s goes to columns[(s - tickcodec_first_column) *
// tickcodec_column_stride + i]. Bit s of the result says that section s is not all zero.
uint32_t tickcodec_split(const tickcodec_tick *ticks, uint32_t count, const uint32_t *codes,
                         tickcodec_instrument *directory, const tickcodec_parameters *parameters, uint32_t *columns);

// MARK: Reading a block

// A block that is being read: some memory of tickcodec_reader_size() bytes at a multiple of 64.
typedef struct tickcodec_reader tickcodec_reader;
size_t tickcodec_reader_size(void);
enum { tickcodec_reader_alignment = 64 };

// Starts to read a block of `count` ticks, which is one to tickcodec_block_ticks_max, and unpacks its directory.
// `sections` has tickcodec_stored_section_count elements, whose bytes stay in place until the last tick has been read; up to
// `readable` behind them may be loaded. A section whose bit is not set in `wanted_sections` is passed over as if it were
// left out, for whoever has no use for what is made of it. Returns -1, or the number of the first section found to be malformed.
int tickcodec_open(tickcodec_reader *reader, const tickcodec_bytes *sections, uint32_t version, uint32_t count,
                   uint32_t instrument_count, const tickcodec_parameters *parameters, uint32_t wanted_sections,
                   const uint8_t *readable, uint32_t kernels);

// The instruments in the directory, in the order of the codes.
const uint32_t *tickcodec_instruments(const tickcodec_reader *reader);

// Reads the next tile of up to tickcodec_tile_ticks ticks; returns how many, 0 behind the last, or -1 - s when section
// s is malformed, after which nothing more can be read.
int tickcodec_read(tickcodec_reader *reader, tickcodec_tick *ticks);

// The same for the ticks of some instruments: those for whose code `wanted` holds 1 and not 0, the same ones for all of
// a block. Returns how many of the tile's ticks these are, which may be none; `ticks` has room for a whole tile.
int tickcodec_read_wanted(tickcodec_reader *reader, const uint8_t *wanted, tickcodec_tick *ticks);

// Ticks that have not been read.
uint32_t tickcodec_left(const tickcodec_reader *reader);
// The sequence of the last tick that was read, wanted or not.
uint64_t tickcodec_last_sequence(const tickcodec_reader *reader);
