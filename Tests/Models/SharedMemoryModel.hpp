// Runs the functions of CSharedRing.h themselves under the Relacy race detector.
//
// The header is included with the compiler's atomic builtins replaced by functions of the model: each word that the
// header touches becomes a Relacy atomic, found by its address. Nothing of the protocol is written down twice, and
// every atomic operation in the header is a site of its own that the driver knows how to weaken. A model therefore
// proves two things: no random schedule breaks the protocol as it stands, and every memory order and every fence
// that the model exercises is needed, because weakening it alone lets some schedule break the protocol.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <relacy/relacy.hpp>
#include <sys/syscall.h>
#include <unistd.h>

namespace model {

// ---- sites: one atomic operation in the header's source ---------------------------------------------------------

enum Kind { loads, stores, exchanges, fences, system_wide_fences };

struct Site {
  const char *function = nullptr;
  Kind kind = loads;
  int order = __ATOMIC_RELAXED;
};

constexpr int sites_max = 512;
constexpr int removed = -1;
inline Site *sites() {
  static Site table[sites_max];
  return table;
}

/// The one site that runs with another order than the source says; -1 for none.
struct Mutation {
  int site = -1;
  int order = removed;
};
inline Mutation &mutation() {
  static Mutation current;
  return current;
}

/// The order to use at a site, noting that the site was reached.
inline int order_at(int number, Kind kind, int order, const char *function) {
  if (number >= sites_max) std::abort();
  Site &site = sites()[number];
  if (!site.function) {
    site.function = function;
    site.kind = kind;
    site.order = order;
  }
  return mutation().site == number ? mutation().order : order;
}

inline rl::memory_order relacy_order(int order) {
  switch (order) {
    case __ATOMIC_RELAXED: return rl::mo_relaxed;
    case __ATOMIC_CONSUME: return rl::mo_consume;
    case __ATOMIC_ACQUIRE: return rl::mo_acquire;
    case __ATOMIC_RELEASE: return rl::mo_release;
    case __ATOMIC_ACQ_REL: return rl::mo_acq_rel;
    default: return rl::mo_seq_cst;
  }
}

// ---- words: shared memory as Relacy sees it ----------------------------------------------------------------------

/// Stand-ins for the words that the header touches, found by address. The addresses belong to a plain buffer that
/// nobody reads or writes: it only gives every word its place.
constexpr int words_max = 64;
struct Words {
  rl::atomic<uint64_t> *values = nullptr;  // of the execution that runs
  int count = 0;
  const void *addresses[words_max];
  int used = 0;
};
inline Words &words() {
  static Words current;
  return current;
}
/// Called by a model before each execution: its atomics, all zero, stand for the words.
template <int count>
void use(rl::atomic<uint64_t> (&values)[count]) {
  static_assert(count <= words_max, "more words than addresses");
  words().values = values;
  words().count = count;
  for (auto &value : values) value.store(0, rl::mo_relaxed, RL_INFO);
}
inline rl::atomic<uint64_t> &word_at(const void *address) {
  Words &all = words();
  int index = 0;
  while (index < all.used && all.addresses[index] != address) index++;
  if (index == all.used) {
    if (all.used == all.count) {
      std::fprintf(stderr, "the model has room for %d words; the header touches more\n", all.count);
      std::abort();
    }
    all.addresses[all.used++] = address;
  }
  return all.values[index];
}

template <typename T>
T load(const T *address, int order, int number, const char *function, int line) {
  order = order_at(number, loads, order, function);
  return (T)word_at(address).load(relacy_order(order), rl::debug_info(function, "", line));
}

template <typename T, typename V>
void store(T *address, V value, int order, int number, const char *function, int line) {
  order = order_at(number, stores, order, function);
  word_at(address).store((T)value, relacy_order(order), rl::debug_info(function, "", line));
}

template <typename T, typename V>
T exchange(T *address, V value, int order, int number, const char *function, int line) {
  order = order_at(number, exchanges, order, function);
  return (T)word_at(address).rmw(
    rl::rmw_type_t<rl::rmw_type_swap>(), (uint64_t)value, relacy_order(order),
    rl::debug_info(function, "", line));
}

inline void fence(int order, int number, const char *function, int line) {
  order = order_at(number, fences, order, function);
  if (order == removed) return;
  rl::atomic_thread_fence(relacy_order(order), rl::debug_info(function, "", line));
}

/// membarrier(2): every thread of every process passes a full fence before it returns.
inline void system_wide_fence(int number, const char *function, int line) {
  if (order_at(number, system_wide_fences, __ATOMIC_SEQ_CST, function) == removed) return;
  rl::systemwide_fence(rl::debug_info(function, "", line));
}

// ---- system calls ---------------------------------------------------------------------------------------------------

/// The kernel's queue of sleepers: a futex compares the word and queues the sleeper under one lock.
struct Futex {
  rl::mutex lock;
  rl::condition_variable sleepers;
};
inline Futex *&sleepers_of_word() {
  static Futex *current;
  return current;
}

inline long system_call(int number, const char *function, int line, long call) {
  (void)number, (void)function, (void)line, (void)call;
  std::abort();  // the protocol makes no such call
}
/// membarrier(2)
inline long system_call(int number, const char *function, int line, long call, int command, int, int) {
  if (call != SYS_membarrier) std::abort();
  if (command == MEMBARRIER_CMD_GLOBAL_EXPEDITED) system_wide_fence(number, function, line);
  return 0;
}
/// futex(2). No timeout: a wake that is missed is a deadlock, which Relacy reports.
template <typename Timeout>
long system_call(
  int, const char *function, int line, long call, uint32_t *word, int operation, int value, Timeout, const void *, int) {
  if (call != SYS_futex) std::abort();
  const rl::debug_info info(function, "", line);
  Futex &queue = *sleepers_of_word();
  queue.lock.lock(info);
  if (operation == FUTEX_WAKE) {
    queue.sleepers.notify_one(info);
  } else if ((uint32_t)word_at(word).load(rl::mo_relaxed, info) == (uint32_t)value) {
    queue.sleepers.wait(queue.lock, info);
  }
  queue.lock.unlock(info);
  return 0;
}

/// The orders to try in place of the one that the source says.
inline int weaker(const Site &site, int *orders) {
  int count = 0;
  if (site.kind == system_wide_fences) {
    orders[count++] = removed;
    return count;
  }
  const int weakest = site.kind == fences ? (int)removed : __ATOMIC_RELAXED;
  switch (site.order) {
    case __ATOMIC_SEQ_CST:
      orders[count++] = site.kind == loads ? __ATOMIC_ACQUIRE : site.kind == stores ? __ATOMIC_RELEASE : __ATOMIC_ACQ_REL;
      orders[count++] = weakest;
      break;
    case __ATOMIC_ACQ_REL:
      orders[count++] = __ATOMIC_ACQUIRE;
      orders[count++] = __ATOMIC_RELEASE;
      orders[count++] = weakest;
      break;
    case __ATOMIC_ACQUIRE:
    case __ATOMIC_RELEASE: orders[count++] = weakest; break;
    default: break;
  }
  return count;
}

// ---- driver --------------------------------------------------------------------------------------------------------

inline const char *kind_name(Kind kind) {
  static const char *const names[] = {"load", "store", "exchange", "fence", "membarrier"};
  return names[kind];
}

inline const char *order_name(int order) {
  return order == removed ? "removed" : rl::format(relacy_order(order));
}

template <typename Test>
bool holds(uint64_t executions, uint64_t &run, const char *history_file) {
  std::ofstream history(history_file);
  rl::test_params parameters;
  parameters.iteration_count = executions;
  parameters.execution_depth_limit = 20000;
  parameters.output_stream = &history;
  parameters.progress_stream = &history;
  parameters.progress_output_period = 1u << 30;
  bool result = rl::simulate<Test>(parameters);
  run += parameters.stop_iteration;
  return result;
}

/// Checks a model: `executions` random schedules must all hold, and each mutant must be caught within
/// `mutant_executions`. Prints one line a mutant; returns the process's exit code.
template <typename Test>
int check(const char *name, uint64_t executions, uint64_t mutant_executions) {
  const std::string history = std::string("/tmp/tickring-model-") + name + "." + std::to_string(getpid());
  uint64_t run = 0;
  mutation() = Mutation();
  words().used = 0;
  for (int number = 0; number < sites_max; number++) sites()[number] = Site();
  if (!holds<Test>(executions, run, history.c_str())) {
    std::printf("%s: BROKEN after %llu executions; the schedule is in %s\n", name, (unsigned long long)run, history.c_str());
    return 1;
  }
  std::printf("%s: %llu executions hold\n", name, (unsigned long long)run);
  int survivors = 0, mutants = 0;
  for (int number = 0; number < sites_max; number++) {
    const Site site = sites()[number];
    if (!site.function) continue;
    int orders[3];
    const int count = weaker(site, orders);
    for (int index = 0; index < count; index++) {
      mutation().site = number;
      mutation().order = orders[index];
      uint64_t tried = 0;
      const bool caught = !holds<Test>(mutant_executions, tried, history.c_str());
      mutants++;
      if (!caught) survivors++;
      std::printf(
        "%s: %s, %s %s -> %s: %s %llu executions\n", name, site.function, kind_name(site.kind),
        order_name(site.order), order_name(orders[index]), caught ? "caught in" : "NOT CAUGHT in",
        (unsigned long long)tried);
    }
  }
  std::remove(history.c_str());
  if (mutants == 0) std::printf("%s: the header has no site to weaken: the model does not reach it\n", name);
  std::fflush(stdout);
  return survivors > 0 || mutants == 0;
}

}  // namespace model

// ---- the header, with its builtins replaced --------------------------------------------------------------------------

#define __atomic_load_n(address, order) model::load(address, order, __COUNTER__, __func__, __LINE__)
#define __atomic_store_n(address, value, order) \
  model::store(address, value, order, __COUNTER__, __func__, __LINE__)
#define __atomic_exchange_n(address, value, order) \
  model::exchange(address, value, order, __COUNTER__, __func__, __LINE__)
#define __atomic_thread_fence(order) model::fence(order, __COUNTER__, __func__, __LINE__)
// Relacy reorders nothing that only the compiler could; its system-wide fence includes the compilers' part.
#define __atomic_signal_fence(order)
#define syscall(...) model::system_call(__COUNTER__, __func__, __LINE__, __VA_ARGS__)
#define _Static_assert static_assert
#define _Alignas alignas

#include "CSharedRing.h"
