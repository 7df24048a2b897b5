// Reads ticks of a running feed in C, with nothing but CSharedRing.h and POSIX:
//
//   cc -std=c11 -D_GNU_SOURCE -I../include read_lane.c -o read_lane
//   ./read_lane FEED LANE COUNT SYMBOL...
//
// Maps the feed, asks its feed handler for a lane that carries the symbols, prints their last values, then COUNT
// ticks as they come, then the feed's counters. Prices are whole numbers of 1e-9.
#include <CSharedRing.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { SYMBOLS_MAX = 64, MESSAGE_BYTES = 16384, RUN_MAX = 1024, SLEEP_NS = 20000000 };

static _Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("read_lane: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  exit(1);
}

typedef struct {
  char *base;
  uint64_t bytes;
  int descriptor;  // open as long as the mapping: the role's lock hangs on it
} mapping;

static mapping map_object(const char *name, bool is_writable) {
  mapping result = {.descriptor = shm_open(name, (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0)};
  if (result.descriptor < 0) die("there is no shared memory '%s': %s", name, strerror(errno));
  struct stat status;
  if (fstat(result.descriptor, &status) != 0) die("cannot inspect '%s': %s", name, strerror(errno));
  result.bytes = (uint64_t)status.st_size;
  if (result.bytes == 0) die("'%s' is empty: its producer has only just created it", name);
  void *base = mmap(NULL, result.bytes, is_writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, result.descriptor, 0);
  if (base == MAP_FAILED) die("cannot map '%s': %s", name, strerror(errno));
  result.base = base;
  return result;
}

static void require_ready(tickring_attach_result result, const char *name) {
  static const char *const reasons[] = {
    "ready", "absent", "too small: not made yet", "not initialised yet", "of another layout version",
    "of sizes that do not agree", "left by a producer that died"};
  if (result != TICKRING_READY) die("'%s' is %s", name, reasons[result]);
}

// One HTTP request over the feed handler's Unix-domain socket.
static void ask(const char *socket_path, const char *method, const char *path, const char *body) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
  int connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
    die("cannot reach the feed handler at '%s': %s", socket_path, strerror(errno));
  char message[MESSAGE_BYTES];
  int length = snprintf(
    message, sizeof message,
    "%s %s HTTP/1.1\r\nHost: tickring\r\nConnection: close\r\nContent-Type: application/json\r\n"
    "Content-Length: %zu\r\n\r\n%s",
    method, path, strlen(body), body);
  if (length >= (int)sizeof message || write(connection, message, (size_t)length) != length)
    die("cannot send a request to the feed handler");
  size_t received = 0;
  ssize_t count;
  while (received < sizeof message - 1 &&
         (count = read(connection, message + received, sizeof message - 1 - received)) > 0)
    received += (size_t)count;
  message[received] = 0;
  close(connection);
  if (strncmp(message, "HTTP/1.1 200", 12) != 0) die("the feed handler refused %s %s: %s", method, path, message);
}

static uint32_t instrument_of(const mapping *feed, const char *symbol) {
  const tickring_feed_header *header = (const tickring_feed_header *)feed->base;
  const tickring_instrument *rows = (const tickring_instrument *)(feed->base + header->instruments_offset);
  for (uint32_t row = 0; row < header->instruments_max; row++)
    if (strncmp(rows[row].symbol, symbol, TICKRING_NAME_BYTES) == 0) return row;
  die("the feed has no symbol '%s'", symbol);
}

int main(int argc, char **argv) {
  if (argc < 5 || argc > 4 + SYMBOLS_MAX) die("usage: read_lane FEED LANE COUNT SYMBOL... (at most %d)", SYMBOLS_MAX);
  setvbuf(stdout, NULL, _IOLBF, 0);  // a tick is seen when it comes, into a pipe too
  const char *lane_name = argv[2];
  char **symbols = argv + 4;
  int symbol_count = argc - 4;
  long wanted = strtol(argv[3], NULL, 10);

  // The feed: read-only, for instruments, last values, counters and the control socket's path.
  char name[128];
  snprintf(name, sizeof name, "/tickring.%s", argv[1]);
  mapping feed = map_object(name, false);
  require_ready(tickring_feed_check(feed.base, feed.bytes), name);
  const tickring_feed_header *header = (const tickring_feed_header *)feed.base;

  // The lane: the feed handler makes it, or hands it over as an earlier reader of this name left it.
  char request[MESSAGE_BYTES / 2], path[128];
  int length = snprintf(request, sizeof request, "{\"lane\":\"%s\",\"symbols\":[", lane_name);
  for (int i = 0; i < symbol_count && length < (int)sizeof request; i++)
    length += snprintf(request + length, sizeof request - (size_t)length, "%s\"%s\"", i ? "," : "", symbols[i]);
  if (length + 3 > (int)sizeof request) die("too many symbols");
  memcpy(request + length, "]}", 3);
  ask(header->control_socket, "POST", "/lanes", request);
  snprintf(name, sizeof name, "/tickring.%s.%s", argv[1], lane_name);
  mapping lane = map_object(name, true);
  require_ready(tickring_lane_check(lane.base, lane.bytes), name);
  tickring_lane_header *lane_header = (tickring_lane_header *)lane.base;
  // The consumer's role is a lock that the kernel drops when this process ends, however it ends.
  struct flock role = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = TICKRING_LOCK_CONSUMER, .l_len = 1};
  if (fcntl(lane.descriptor, F_OFD_SETLK, &role) != 0)
    die("lane '%s' is being read by process %" PRId32, lane_name, lane_header->consumer_pid);
  lane_header->consumer_pid = (int32_t)getpid();

  uint32_t ids[SYMBOLS_MAX];
  const char *last_values = feed.base + header->last_values_offset;
  for (int i = 0; i < symbol_count; i++) {
    ids[i] = instrument_of(&feed, symbols[i]);
    tickring_tick last;
    if (tickring_last_value_load(last_values + ids[i] * sizeof last, &last))
      printf("last,%" PRIu64 ",%s,%" PRId64 "\n", last.sequence, symbols[i], last.last_price);
    tickring_forming candle;
    if (tickring_forming_load(feed.base + header->forming_offset + ids[i] * sizeof candle, &candle))
      printf("forming,%" PRIu64 ",%s,%" PRId64 ",%" PRId64 "\n", candle.sequence, symbols[i], candle.close, candle.volume);
  }

  uint64_t mask = lane_header->capacity - 1;
  const tickring_tick *slots = (const tickring_tick *)(lane.base + TICKRING_LANE_SLOTS_OFFSET);
  uint64_t next = tickring_cursor_load(tickring_lane_released(lane.base));
  while (wanted > 0) {
    uint64_t first = next;
    while (next - first < RUN_MAX && wanted > 0 && tickring_slot_holds(&slots[next & mask], next)) {
      const tickring_tick *tick = &slots[next++ & mask];
      if (tick->kind != 0) continue;  // no trade, but the record of an outage
      for (int i = 0; i < symbol_count; i++) {
        if (ids[i] != tick->instrument) continue;
        printf("tick,%" PRIu64 ",%s,%" PRId64 "\n", tick->sequence, symbols[i], tick->last_price);
        wanted--;
      }
    }
    if (next > first)
      tickring_cursor_store(tickring_lane_released(lane.base), next);  // one release for the whole run
    else
      tickring_lane_sleep(lane.base, next, SLEEP_NS);
  }

  for (int i = 0; i < TICKRING_COUNTERS_MAX; i++) {
    tickring_counter counter = tickring_feed_counter(i);
    if (counter.name)
      printf("counter,%s,%" PRIu64 "\n", counter.name, tickring_word_load_acquire(feed.base + counter.offset));
  }
  snprintf(path, sizeof path, "/lanes/%s", lane_name);
  ask(header->control_socket, "DELETE", path, "");
  return 0;
}
