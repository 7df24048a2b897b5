// Sleeping and waking: a consumer that sleeps whenever nothing is there must be woken for every record, though the
// producer passes no fence. A missed wake leaves the consumer asleep for ever, which Relacy reports as a deadlock.
#include "SharedMemoryModel.hpp"

struct SleepModel : rl::test_suite<SleepModel, 2> {
  static constexpr uint64_t capacity = 4;
  static constexpr int records = 3;
  rl::atomic<uint64_t> storage[6];
  rl::var<uint64_t> payload[capacity];
  model::Futex kernel;

  static char *lane() {
    alignas(128) static char place[TICKRING_LANE_SLOTS_OFFSET + capacity * TICKRING_SLOT_BYTES];
    return place;
  }
  static void *slot(uint64_t position) {
    return lane() + TICKRING_LANE_SLOTS_OFFSET + (position & (capacity - 1)) * TICKRING_SLOT_BYTES;
  }

  void before() {
    model::use(storage);
    model::sleepers_of_word() = &kernel;
    tickring_lane_header *header = (tickring_lane_header *)lane();
    header->capacity = capacity;
    header->wakes_without_fence = 1;
  }

  void thread(unsigned index) {
    for (uint64_t position = 0; position < records; position++) {
      if (index == 0) {
        payload[position](RL_INFO) = position + 100;
        tickring_slot_publish(slot(position), 7, position);
        tickring_lane_wake(lane());
      } else {
        while (!tickring_slot_holds(slot(position), position)) tickring_lane_sleep(lane(), position, 1000000);
        RL_ASSERT(payload[position](RL_INFO) == position + 100);
      }
    }
  }
};

int main() { return model::check<SleepModel>("sleep", 4000000, 2000000); }
