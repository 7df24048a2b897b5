#include "words.h"

#include <string.h>

// Bytes of a word by length code, for the two length tables.
static const uint8_t word_lengths[2][4] = {{0, 1, 2, 4}, {1, 2, 3, 4}};

// The code of a word is the number of these that it exceeds.
static const uint32_t word_thresholds[2][3] = {{0, 0xFF, 0xFFFF}, {0xFF, 0xFFFF, 0xFFFFFF}};

size_t tickcodec_words_bound(uint32_t count) { return 1 + ((size_t)count + 3) / 4 + (size_t)count * 4; }

// The table by which the words take fewer bytes.
static uint8_t choose_table(const uint32_t *words, uint32_t count) {
  uint32_t above_zero = 0, above_one_byte = 0, above_two = 0, above_three = 0;
  for (uint32_t i = 0; i < count; i++) {
    above_zero += words[i] > 0;
    above_one_byte += words[i] > 0xFF;
    above_two += words[i] > 0xFFFF;
    above_three += words[i] > 0xFFFFFF;
  }
  uint32_t first = above_zero + above_one_byte + 2 * above_two;
  uint32_t second = count + above_one_byte + above_two + above_three;
  return second < first;
}

// Writes up to four words and returns their control byte. Each is stored in a constant four bytes, which is far
// cheaper than just as many as it needs: the next word overwrites what is too much, and the room is there because
// no word before took more than four.
static inline uint8_t encode_group(const uint32_t *words, uint32_t count, uint8_t table, uint8_t **data) {
  const uint32_t *thresholds = word_thresholds[table];
  uint8_t control = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t word = words[i];
    uint32_t code = (word > thresholds[0]) + (word > thresholds[1]) + (word > thresholds[2]);
    memcpy(*data, &word, 4);
    *data += word_lengths[table][code];
    control |= (uint8_t)(code << 2 * i);
  }
  return control;
}

size_t tickcodec_encode_words(const uint32_t *words, uint32_t count, uint8_t *output, size_t capacity) {
  if (capacity < tickcodec_words_bound(count)) return 0;
  uint8_t table = choose_table(words, count);
  uint8_t *control = output, *data = output + 1 + (count + 3) / 4;
  *control++ = table;
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) *control++ = encode_group(words + i, 4, table, &data);
  if (i < count) *control = encode_group(words + i, count - i, table, &data);
  return (size_t)(data - output);
}

bool word_reader_open(word_reader *reader, tickcodec_bytes input, uint32_t count) {
  size_t control_length = ((size_t)count + 3) / 4;
  if (input.length < 1 + control_length || input.start[0] > 1) return false;
  reader->table = input.start[0];
  reader->control = input.start + 1;
  reader->data = reader->control + control_length;
  reader->end = input.start + input.length;
  return true;
}

static bool read_portable(word_reader *reader, uint32_t *words, uint32_t count) {
  const uint8_t *lengths = word_lengths[reader->table];
  for (uint32_t i = 0; i < count; i++) {
    size_t length = lengths[reader->control[i / 4] >> 2 * (i % 4) & 3];
    if ((size_t)(reader->end - reader->data) < length) return false;
    uint32_t word = 0;
    for (size_t k = 0; k < length; k++) word |= (uint32_t)reader->data[k] << 8 * k;
    words[i] = word;
    reader->data += length;
  }
  reader->control += (count + 3) / 4;
  return true;
}

#if defined(__x86_64__)
#include <tmmintrin.h>

// For each control byte the byte shuffle that spreads its four words, and the bytes that they take.
#define CODE(control, i) ((control) >> 2 * (i) & 3)
#define LENGTH0(code) ((code) == 3 ? 4 : (code))
#define LENGTH1(code) ((code) + 1)
#define START(L, c, i) \
  (((i) > 0 ? L(CODE(c, 0)) : 0) + ((i) > 1 ? L(CODE(c, 1)) : 0) + ((i) > 2 ? L(CODE(c, 2)) : 0))
#define BYTE(L, c, i, k) ((k) < L(CODE(c, i)) ? START(L, c, i) + (k) : 0x80)
#define WORD(L, c, i) BYTE(L, c, i, 0), BYTE(L, c, i, 1), BYTE(L, c, i, 2), BYTE(L, c, i, 3)
#define SHUFFLE(L, c) {WORD(L, c, 0), WORD(L, c, 1), WORD(L, c, 2), WORD(L, c, 3)}
#define TOTAL(L, c) (START(L, c, 3) + L(CODE(c, 3)))
#define FOUR(M, L, c) M(L, c), M(L, (c) + 1), M(L, (c) + 2), M(L, (c) + 3)
#define SIXTEEN(M, L, c) FOUR(M, L, c), FOUR(M, L, (c) + 4), FOUR(M, L, (c) + 8), FOUR(M, L, (c) + 12)
#define SIXTY_FOUR(M, L, c) \
  SIXTEEN(M, L, c), SIXTEEN(M, L, (c) + 16), SIXTEEN(M, L, (c) + 32), SIXTEEN(M, L, (c) + 48)
#define ALL(M, L) SIXTY_FOUR(M, L, 0), SIXTY_FOUR(M, L, 64), SIXTY_FOUR(M, L, 128), SIXTY_FOUR(M, L, 192)

static const uint8_t shuffles[2][256][16] = {{ALL(SHUFFLE, LENGTH0)}, {ALL(SHUFFLE, LENGTH1)}};
static const uint8_t group_lengths[2][256] = {{ALL(TOTAL, LENGTH0)}, {ALL(TOTAL, LENGTH1)}};

// Whole groups of four while 16 bytes may be loaded; the caller reads the rest. Returns the words read.
__attribute__((target("ssse3"))) static uint32_t read_ssse3(word_reader *reader, uint32_t *words, uint32_t count) {
  const uint8_t *data = reader->data, *control = reader->control;
  const uint8_t(*group_shuffles)[16] = shuffles[reader->table];
  const uint8_t *lengths = group_lengths[reader->table];
  uint32_t i = 0;
  for (; i + 4 <= count && reader->end - data >= 16; i += 4) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)data);
    __m128i shuffle = _mm_loadu_si128((const __m128i *)group_shuffles[*control]);
    _mm_storeu_si128((__m128i *)(words + i), _mm_shuffle_epi8(bytes, shuffle));
    data += lengths[*control++];
  }
  reader->data = data;
  reader->control = control;
  return i;
}
#endif

bool word_reader_read(word_reader *reader, uint32_t *words, uint32_t count, bool portable) {
  uint32_t done = 0;
#if defined(__x86_64__)
  if (!portable && __builtin_cpu_supports("ssse3")) done = read_ssse3(reader, words, count);
#else
  (void)portable;
#endif
  return read_portable(reader, words + done, count - done);
}

size_t tickcodec_decode_words(tickcodec_bytes input, uint32_t *words, uint32_t count, bool portable) {
  word_reader reader;
  if (!word_reader_open(&reader, input, count) || !word_reader_read(&reader, words, count, portable)) return 0;
  return (size_t)(reader.data - input.start);
}
