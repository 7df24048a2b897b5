// Attaching while the producer is still making its segments: what the magic number announces must be there. Mapped
// plain words of the header are stood for by one Relacy variable, written before the magic and read after it.
#include "SharedMemoryModel.hpp"

struct AttachModel : rl::test_suite<AttachModel, 3> {
  static constexpr uint64_t capacity = TICKRING_LANE_CAPACITY_MIN;
  static constexpr uint32_t rows = 1;
  rl::atomic<uint64_t> storage[2];
  rl::var<int> lane_header, feed_header;

  static void *lane() {
    alignas(4096) static char place[TICKRING_LANE_SLOTS_OFFSET + capacity * TICKRING_SLOT_BYTES];
    return place;
  }
  static void *feed() {
    alignas(4096) static char place[3 * TICKRING_PAGE_BYTES];
    return place;
  }

  void before() {
    model::use(storage);
    lane_header(RL_INFO) = 0;
    feed_header(RL_INFO) = 0;
    tickring_lane_header *lane_fields = (tickring_lane_header *)lane();
    lane_fields->layout_version = TICKRING_LANE_LAYOUT_VERSION;
    lane_fields->slot_bytes = TICKRING_SLOT_BYTES;
    lane_fields->capacity = capacity;
    lane_fields->segment_bytes = tickring_lane_bytes(capacity);
    tickring_feed_header *feed_fields = (tickring_feed_header *)feed();
    feed_fields->layout_version = TICKRING_FEED_LAYOUT_VERSION;
    feed_fields->instruments_max = rows;
    feed_fields->segment_bytes = tickring_feed_bytes(rows);
    feed_fields->counters_offset = TICKRING_PAGE_BYTES;
    feed_fields->instruments_offset = 2 * TICKRING_PAGE_BYTES;
    feed_fields->last_values_offset = tickring_feed_last_values_offset(rows);
    feed_fields->forming_offset = tickring_feed_forming_offset(rows);
  }

  void thread(unsigned index) {
    if (index == 0) {
      feed_header(RL_INFO) = 1;
      tickring_word_store_release(feed(), TICKRING_FEED_MAGIC);
      lane_header(RL_INFO) = 1;
      tickring_word_store_release(lane(), TICKRING_LANE_MAGIC);
      return;
    }
    for (int attempt = 0; attempt < 2; attempt++) {
      const tickring_attach_result lane_is = tickring_lane_check(lane(), tickring_lane_bytes(capacity));
      RL_ASSERT(lane_is == TICKRING_READY || lane_is == TICKRING_NOT_INITIALISED);
      if (lane_is == TICKRING_READY) RL_ASSERT(lane_header(RL_INFO) == 1);
      const tickring_attach_result feed_is = tickring_feed_check(feed(), tickring_feed_bytes(rows));
      RL_ASSERT(feed_is == TICKRING_READY || feed_is == TICKRING_NOT_INITIALISED);
      if (feed_is == TICKRING_READY) RL_ASSERT(feed_header(RL_INFO) == 1);
    }
  }
};

int main() { return model::check<AttachModel>("attach", 1000000, 1000000); }
