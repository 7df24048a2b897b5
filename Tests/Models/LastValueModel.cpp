// The last-value row: one writer, two readers, under every schedule that chance finds. A reader's copy must never
// mix two versions, and versions must never go back.
#include "SharedMemoryModel.hpp"

struct LastValueModel : rl::test_suite<LastValueModel, 3> {
  static constexpr int versions = 2;
  rl::atomic<uint64_t> storage[TICKRING_TICK_WORDS];

  static void *row() {
    static uint64_t place[TICKRING_TICK_WORDS];
    return place;
  }

  void before() {
    model::use(storage);
  }

  void thread(unsigned index) {
    if (index == 0) {
      for (uint64_t version = 1; version <= versions; version++) {
        uint64_t tick[TICKRING_TICK_WORDS];
        for (auto &word : tick) word = version;
        tick[0] = 7ull << 32;
        tickring_last_value_store(row(), tick);
      }
      return;
    }
    uint64_t newest = 0;
    for (int read = 0; read < 2; read++) {
      uint64_t copy[TICKRING_TICK_WORDS];
      if (!tickring_last_value_load(row(), copy)) continue;
      for (int word = 2; word < TICKRING_TICK_WORDS; word++) RL_ASSERT(copy[word] == copy[1]);
      RL_ASSERT(copy[0] >> 32 == 7 && (uint32_t)copy[0] == 2 * copy[1]);
      RL_ASSERT(copy[1] >= newest);
      newest = copy[1];
    }
  }
};

int main() { return model::check<LastValueModel>("last value", 3000000, 1000000); }
