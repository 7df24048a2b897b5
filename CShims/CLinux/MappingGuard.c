// Shared memory that another process cuts short under us: the pages that are gone raise SIGBUS when touched. A guarded
// mapping is then replaced, whole, by private zero pages at the same address, and its owner finds it marked as broken
// instead of dying.
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

static struct {
  void *base;  // NULL: free. Stored last with release order, since the handler may look at any time.
  size_t bytes;
  bool broken;
} guards[TICKRING_GUARDS_MAX];

static uint64_t breaks;
static struct sigaction previous;
static pthread_mutex_t registration = PTHREAD_MUTEX_INITIALIZER;
static bool is_installed;

// Only system calls that the kernel answers by itself, and atomics: what a signal handler may do.
static void handle_bus_error(int signal, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  const char *address = info->si_addr;
  for (int index = 0; index < TICKRING_GUARDS_MAX; index++) {
    char *base = __atomic_load_n(&guards[index].base, __ATOMIC_ACQUIRE);
    if (!base || address < base || address >= base + guards[index].bytes) continue;
    if (mmap(base, guards[index].bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        MAP_FAILED)
      break;
    if (!__atomic_exchange_n(&guards[index].broken, true, __ATOMIC_ACQ_REL))
      __atomic_add_fetch(&breaks, 1, __ATOMIC_RELEASE);
    errno = saved;
    return;
  }
  // Not ours: whoever was there before gets it, when the instruction faults again.
  sigaction(signal, &previous, NULL);
  errno = saved;
}

static int install(void) {
  if (is_installed) return 0;
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
  action.sa_sigaction = handle_bus_error;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGBUS, &action, &previous) != 0) return -errno;
  is_installed = true;
  return 0;
}

int tickring_guard_mapping(void *base, size_t bytes) {
  pthread_mutex_lock(&registration);
  int result = install();
  for (int index = 0; result == 0 && index < TICKRING_GUARDS_MAX; index++) {
    if (guards[index].base) continue;
    guards[index].bytes = bytes;
    guards[index].broken = false;
    __atomic_store_n(&guards[index].base, base, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&registration);
    return index;
  }
  pthread_mutex_unlock(&registration);
  return result == 0 ? -ENOSPC : result;
}

void tickring_unguard_mapping(int guard) { __atomic_store_n(&guards[guard].base, NULL, __ATOMIC_RELEASE); }

bool tickring_guard_is_broken(int guard) { return __atomic_load_n(&guards[guard].broken, __ATOMIC_ACQUIRE); }

uint64_t tickring_guard_breaks(void) { return __atomic_load_n(&breaks, __ATOMIC_ACQUIRE); }
