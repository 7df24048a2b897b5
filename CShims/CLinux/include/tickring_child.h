// Child processes with pipes that can be polled: what Foundation's Process hides.
#pragma once
#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>

// A process that was started, and this side's ends of its standard streams: all close-on-exec and non-blocking.
struct tickring_child {
  pid_t pid;
  int input;
  int output;
  int errors;
};

// Starts argv[0] (looked up in PATH unless it holds a slash) in a process group of its own, with default signal
// handling and envp as its environment; 0 or -errno.
int tickring_spawn(char *const argv[], char *const envp[], struct tickring_child *child);
// Lets a child have nothing but its standard streams, as the last of its file actions: sockets of libraries stay open over
// exec, and a connection that is closed here would live on there. 0 or an errno.
int tickring_close_others(posix_spawn_file_actions_t *actions);
// As write(2), but a pipe that nobody reads is EPIPE alone, whatever this process does about SIGPIPE; the count or
// -errno.
ssize_t tickring_write_quietly(int fd, const void *bytes, size_t count);
// 1 when the child has ended, 0 while it runs; it stays to be waited for. -errno on failure.
int tickring_has_exited(pid_t pid);
