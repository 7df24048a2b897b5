// Eclipse iceoryx (2.0): publisher and polling subscriber, loans in shared memory, lossless by blocking the producer.
// Its daemon iox-roudi must run.
#include <memory>
#include <unistd.h>

#include "iceoryx_posh/popo/publisher.hpp"
#include "iceoryx_posh/popo/subscriber.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include "peer.hpp"

struct IceoryxLink {
  std::string direction;
  std::unique_ptr<iox::popo::Publisher<Record>> publisher;
  std::unique_ptr<iox::popo::Subscriber<Record>> subscriber;

  static const char *name() { return "iceoryx"; }
  // A name of its own for each run: the daemon remembers a reader that ended, and a writer would wait for it.
  explicit IceoryxLink(const char *direction) : direction(direction + std::to_string(getpid())) {}

  // Once a process, after the fork: the runtime belongs to a process identifier.
  static void start() {
    static bool started = false;
    if (started) return;
    started = true;
    using namespace iox::log;
    LogManager::GetLogManager().SetDefaultLogLevel(LogLevel::kOff, LogLevelOutput::kHideLogLevel);
    std::string runtime = "tickring-bench-" + std::to_string(getpid());
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, runtime.c_str()));
  }
  iox::capro::ServiceDescription service() const {
    return {"TickRing", "Benchmark", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, direction.c_str())};
  }
  void open_writer() {
    start();
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    publisher = std::make_unique<iox::popo::Publisher<Record>>(service(), options);
  }
  void open_reader() {
    start();
    iox::popo::SubscriberOptions options;
    options.queueCapacity = 256;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    subscriber = std::make_unique<iox::popo::Subscriber<Record>>(service(), options);
  }
  void await_connected() {
    while (publisher && !publisher->hasSubscribers()) usleep(1000);
    while (subscriber && subscriber->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) usleep(1000);
  }
  bool push(const Record &record) {
    bool sent = false;
    publisher->loan().and_then([&](auto &sample) {
      *sample.get() = record;
      sample.publish();
      sent = true;
    });
    return sent;
  }
  // It has no batches.
  size_t push(const Record *records, size_t) { return push(*records) ? 1 : 0; }
  template <class F> size_t pop_one(F &&f) {
    size_t count = 0;
    subscriber->take().and_then([&](auto &sample) {
      f(*sample.get());
      count = 1;
    });
    return count;
  }
  template <class F> size_t pop_all(F &&f) {
    size_t total = 0;
    while (pop_one(f)) total++;
    return total;
  }
};

int main(int argc, char **argv) { return measure_peer<IceoryxLink>(argc, argv); }
