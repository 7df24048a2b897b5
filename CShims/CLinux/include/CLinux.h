// What glibc declares only under _GNU_SOURCE or as a variadic, and Swift's Glibc module therefore lacks.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tickring_child.h"

// Open-file-description locks: the kernel drops them when the last descriptor of the open file is closed, so a
// killed holder never leaves one behind. Both return 0 or -errno.
int tickring_lock_try_exclusive(int fd, off_t start, off_t length);
int tickring_lock_release(int fd, off_t start, off_t length);
// 1 when another open file description holds the range, 0 when nobody does, -errno on failure.
int tickring_lock_is_held_by_other(int fd, off_t start, off_t length);

// Binds the calling thread to one processor; 0 or -errno.
int tickring_pin_to_cpu(int cpu);
// Lets the calling thread's sleeps end late by so much at most; Linux's default is 50 us. 0 or -errno.
int tickring_set_timer_slack(long nanoseconds);
// Names the calling thread as shown by top and gdb; longer names are cut at 15 bytes.
void tickring_name_thread(const char *name);
// Processor time of the calling thread in nanoseconds.
int64_t tickring_thread_cpu_ns(void);
// Sets room aside for a range of a file without changing its length; 0, or -1 with errno set.
int tickring_reserve(int fd, off_t offset, off_t length);

// Mappings of shared memory that survive their object's being cut short by another process, see MappingGuard.c.
enum { TICKRING_GUARDS_MAX = 1024 };
// Guards `bytes` bytes at `base` until they are unmapped; returns the guard's number or -errno. Installs a handler of
// SIGBUS at the first call.
int tickring_guard_mapping(void *base, size_t bytes);
// To be called before the mapping goes.
void tickring_unguard_mapping(int guard);
// True once the mapping was replaced by private memory: nothing written to it reaches anybody any more.
bool tickring_guard_is_broken(int guard);
// How many guarded mappings have been broken in this process so far.
uint64_t tickring_guard_breaks(void);
