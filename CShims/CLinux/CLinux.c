#include "CLinux.h"

#ifndef _GNU_SOURCE
#error "CLinux needs _GNU_SOURCE: the package manifest defines it"
#endif

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int lock_call(int fd, int command, short type, off_t start, off_t length, struct flock *answer) {
  struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length, .l_pid = 0};
  int result;
  do {
    result = fcntl(fd, command, &request);
  } while (result == -1 && errno == EINTR);
  if (answer) *answer = request;
  return result == -1 ? -errno : 0;
}

int tickring_lock_try_exclusive(int fd, off_t start, off_t length) {
  return lock_call(fd, F_OFD_SETLK, F_WRLCK, start, length, NULL);
}

int tickring_lock_release(int fd, off_t start, off_t length) {
  return lock_call(fd, F_OFD_SETLK, F_UNLCK, start, length, NULL);
}

int tickring_lock_is_held_by_other(int fd, off_t start, off_t length) {
  struct flock answer;
  int result = lock_call(fd, F_OFD_GETLK, F_WRLCK, start, length, &answer);
  return result < 0 ? result : answer.l_type != F_UNLCK;
}

int tickring_pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
  CPU_SET(cpu, &set);
  return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int tickring_set_timer_slack(long nanoseconds) {
  return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) == 0 ? 0 : -errno;
}

void tickring_name_thread(const char *name) {
  char cut[16] = {0};
  strncpy(cut, name, sizeof cut - 1);
  pthread_setname_np(pthread_self(), cut);
}

int64_t tickring_thread_cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int tickring_reserve(int fd, off_t offset, off_t length) {
  int result;
  do {
    result = fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length);
  } while (result == -1 && errno == EINTR);
  return result;
}
