// A lane: stamps, cursors, runs of slots, a full ring and the wrap of the 32-bit stamp, under every schedule that
// chance finds. The writer and the reader below do what LaneWriter and LaneReader do, with the header's functions.
// Payloads are plain memory, so that Relacy reports any access to them that the protocol does not order.
#include "SharedMemoryModel.hpp"

/// @tparam first_position where the lane's life is joined; the lap before it has left its stamps.
/// @tparam capacity slots; a power of two.
/// @tparam run records that the writer reserves and the reader takes at a time; 1 writes and reads singly.
/// @tparam is_streamed runs are published by the stamp of their first slot.
template <uint64_t first_position, int capacity, int run, bool is_streamed = false>
struct LaneModel : rl::test_suite<LaneModel<first_position, capacity, run, is_streamed>, 2> {
  static constexpr uint64_t mask = capacity - 1;
  static constexpr int records = capacity + 3;
  static constexpr int stamps_max = 1;  // LaneReader.stampsMax: here the published cursor is asked early
  rl::atomic<uint64_t> storage[capacity + 2];
  rl::var<uint64_t> payload[capacity];  // bytes 8..63 of each slot
  rl::var<bool> gap_before[capacity];

  // What became of the records, as the writer knows, and what the reader got; compared when both are done.
  uint64_t accepted[records], read_values[records];
  bool read_gaps[records];
  int accepted_count = 0, read_count = 0;

  // LaneWriter's and LaneReader's own variables.
  uint64_t end = first_position, released_seen = first_position;
  bool owes_gap = false;
  uint64_t next = first_position, published_seen = first_position, released_now = first_position;

  static char *lane() {
    alignas(128) static char place[TICKRING_LANE_SLOTS_OFFSET + capacity * TICKRING_SLOT_BYTES];
    return place;
  }
  static void *slot(uint64_t position) {
    return lane() + TICKRING_LANE_SLOTS_OFFSET + (position & mask) * TICKRING_SLOT_BYTES;
  }

  void before() {
    model::use(storage);
    tickring_cursor_store(tickring_lane_published(lane()), first_position);
    tickring_cursor_store(tickring_lane_released(lane()), first_position);
    for (uint64_t position = first_position; position < first_position + capacity; position++) {
      tickring_slot_publish(slot(position), 7, position - capacity);
      payload[position & mask](RL_INFO) = 0;
      gap_before[position & mask](RL_INFO) = false;
    }
  }

  void thread(unsigned index) {
    if (index == 0) {
      for (uint64_t value = 1; value <= records;) value = run == 1 ? write(value) : write_run(value);
      flush();
    } else {
      for (int attempt = 0; attempt < 4; attempt++) drain();
    }
  }

  void after() {
    while (drain() > 0) {}
    RL_ASSERT(read_count == accepted_count);
    for (int index = 0; index < read_count; index++) {
      RL_ASSERT(read_values[index] == accepted[index]);
      const uint64_t previous = index == 0 ? 0 : read_values[index - 1];
      RL_ASSERT(read_gaps[index] == (read_values[index] != previous + 1));
    }
  }

  // ---- LaneWriter --------------------------------------------------------------------------------------------------

  uint64_t write(uint64_t value) {
    if (end - released_seen > mask) refresh_released();
    if (end - released_seen > mask) {
      owes_gap = true;
      return value + 1;
    }
    store(value, end);
    tickring_slot_publish(slot(end), 7, end);
    end++;
    if (value % 2 == 0) flush();
    return value + 1;
  }

  uint64_t write_run(uint64_t value) {
    const uint64_t wanted = std::min<uint64_t>(run, records + 1 - value);
    uint64_t room = capacity - (end - released_seen);
    if (room < wanted) {
      refresh_released();
      room = capacity - (end - released_seen);
    }
    const uint64_t count = std::min(std::min(wanted, room), capacity - (end & mask));
    if (count == 0) {
      owes_gap = true;
      return value + wanted;
    }
    if (is_streamed) {
      // As the words of a streamed record are stored, in no order.
      for (uint64_t index = 1; index < count; index++) {
        tickring_word_store_relaxed(slot(end + index), UINT64_C(7) << 32 | (uint32_t)(end + index + 1));
        payload[(end + index) & mask](RL_INFO) = value + index;
        gap_before[(end + index) & mask](RL_INFO) = false;
      }
      store(value, end);
      for (uint64_t index = 1; index < count; index++) accepted[accepted_count++] = value + index;
      tickring_slot_publish(slot(end), 7, end);
      end += count;
      flush();
      return value + count;
    }
    for (uint64_t index = 0; index < count; index++, end++) {
      store(value + index, end);
      tickring_slot_publish(slot(end), 7, end);
    }
    flush();
    return value + count;
  }

  void store(uint64_t value, uint64_t position) {
    payload[position & mask](RL_INFO) = value;
    gap_before[position & mask](RL_INFO) = owes_gap;
    owes_gap = false;
    accepted[accepted_count++] = value;
  }

  void flush() { tickring_cursor_store(tickring_lane_published(lane()), end); }

  void refresh_released() {
    const uint64_t claimed = tickring_cursor_load(tickring_lane_released(lane()));
    if (claimed > released_seen && claimed <= end) released_seen = claimed;
  }

  // ---- LaneReader --------------------------------------------------------------------------------------------------

  uint64_t available() {
    const uint64_t limit = std::min<uint64_t>(run, capacity - (next & mask));
    const uint64_t known = published_seen - next;
    if (known > 0 && known <= capacity) return std::min(limit, known);
    uint64_t count = 0;
    while (count < limit && tickring_slot_holds(slot(next + count), next + count)) {
      count++;
      if (count < stamps_max) continue;
      const uint64_t ahead = tickring_cursor_load(tickring_lane_published(lane())) - next;
      if (ahead > count && ahead <= capacity) {
        published_seen = next + ahead;
        return std::min(limit, ahead);
      }
      break;
    }
    published_seen = next + count;
    return count;
  }

  uint64_t drain() {
    const uint64_t count = available();
    for (uint64_t index = 0; index < count; index++) {
      RL_ASSERT(read_count < records);
      read_values[read_count] = payload[(next + index) & mask](RL_INFO);
      read_gaps[read_count] = gap_before[(next + index) & mask](RL_INFO);
      read_count++;
    }
    next += count;
    if (next - released_now > (count > 0 ? capacity >> 3 : 0)) {
      released_now = next;
      tickring_cursor_store(tickring_lane_released(lane()), next);
    }
    return count;
  }
};

int main() {
  return model::check<LaneModel<2, 2, 1>>("lane, one record at a time", 3000000, 1000000)
         | model::check<LaneModel<0xfffffffc, 4, 3>>("lane, runs of slots over the wrap of the stamp", 3000000, 1000000)
         | model::check<LaneModel<0xfffffffc, 4, 3, true>>("lane, runs that their first stamp publishes", 3000000, 1000000);
}
