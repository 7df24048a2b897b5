#include "tickring_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A tick is some hundred bytes: the largest pipe that an ordinary user may have rides out a pause of the reader.
static const int pipe_bytes = 1 << 20;

// Both ends close on exec; `ours` does not block.
static int open_pipe(int ends[2], int ours) {
  if (pipe2(ends, O_CLOEXEC) == -1) return -errno;
  (void)fcntl(ends[ours], F_SETPIPE_SZ, pipe_bytes);
  if (fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0) return 0;
  int reason = -errno;
  close(ends[0]);
  close(ends[1]);
  return reason;
}

int tickring_close_others(posix_spawn_file_actions_t *actions) {
  return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int start(char *const argv[], char *const envp[], const int streams[3], pid_t *pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int result = posix_spawnattr_init(&attributes);
  if (result != 0) return -result;
  result = posix_spawn_file_actions_init(&actions);
  if (result != 0) {
    posix_spawnattr_destroy(&attributes);
    return -result;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  for (int stream = 0; stream < 3 && result == 0; stream++)
    result = posix_spawn_file_actions_adddup2(&actions, streams[stream], stream);
  if (result == 0) result = tickring_close_others(&actions);
  if (result == 0) result = posix_spawnp(pid, argv[0], &actions, &attributes, argv, envp);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return -result;
}

int tickring_spawn(char *const argv[], char *const envp[], struct tickring_child *child) {
  int input[2], output[2], errors[2];
  int result = open_pipe(input, 1);
  if (result != 0) return result;
  result = open_pipe(output, 0);
  if (result != 0) goto close_input;
  result = open_pipe(errors, 0);
  if (result != 0) goto close_output;
  const int streams[3] = {input[0], output[1], errors[1]};
  result = start(argv, envp, streams, &child->pid);
  child->input = input[1];
  child->output = output[0];
  child->errors = errors[0];
  close(errors[1]);
  if (result != 0) close(errors[0]);
close_output:
  close(output[1]);
  if (result != 0) close(output[0]);
close_input:
  close(input[0]);
  if (result != 0) close(input[1]);
  return result;
}

ssize_t tickring_write_quietly(int fd, const void *bytes, size_t count) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  // One that was pending before is somebody else's and stays.
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ssize_t written;
  do {
    written = write(fd, bytes, count);
  } while (written == -1 && errno == EINTR);
  ssize_t result = written == -1 ? -errno : written;
  if (result == -EPIPE && !sigismember(&pending, SIGPIPE)) {
    const struct timespec now = {0};
    while (sigtimedwait(&pipe_signal, NULL, &now) == -1 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

int tickring_has_exited(pid_t pid) {
  siginfo_t info = {.si_signo = 0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1) return -errno;
  return info.si_signo != 0;
}
