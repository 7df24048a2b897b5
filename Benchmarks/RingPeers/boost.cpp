// boost::lockfree::spsc_queue in shared memory: with a fixed capacity it holds no pointers.
#include <boost/lockfree/spsc_queue.hpp>
#include <new>
#include <sys/mman.h>

#include "peer.hpp"

struct BoostLink {
  static constexpr size_t capacity = 65536;
  using Queue = boost::lockfree::spsc_queue<Record, boost::lockfree::capacity<capacity>>;
  Queue *queue;

  static const char *name() { return "boost"; }
  explicit BoostLink(const char *) {
    void *memory =
        mmap(nullptr, sizeof(Queue), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
      perror("boost: cannot map shared memory");
      exit(1);
    }
    queue = new (memory) Queue;
  }
  void open_writer() {}
  void open_reader() {}
  void await_connected() {}
  bool push(const Record &record) { return queue->push(record); }
  size_t push(const Record *records, size_t count) { return queue->push(records, count); }
  template <class F> size_t pop_one(F &&f) { return queue->consume_one(f); }
  template <class F> size_t pop_all(F &&f) { return queue->consume_all(f); }
};

int main(int argc, char **argv) { return measure_peer<BoostLink>(argc, argv, BoostLink::capacity - 64); }
