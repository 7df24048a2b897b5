// A Unix-domain socket: what most programs use between two processes. Datagrams for single records keep their
// bounds; a stream would need framing. Batches go as one datagram.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.hpp"

struct SocketLink {
  int ends[2];
  Record buffer[RING_BENCH_BATCH];

  static const char *name() { return "unix-socket"; }
  explicit SocketLink(const char *) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)) {
      perror("unix socket: cannot make a pair");
      exit(1);
    }
  }
  void open_writer() {}
  void open_reader() {}
  void await_connected() {}
  bool push(const Record &record) { return push(&record, 1) == 1; }
  size_t push(const Record *records, size_t count) {
    ssize_t sent = send(ends[0], records, count * sizeof *records, 0);
    if (sent < 0 && errno != EINTR) {
      perror("unix socket: cannot send");
      exit(1);
    }
    return sent < 0 ? 0 : (size_t)sent / sizeof *records;
  }
  // The kernel hands out what one call sent: a record, or a batch.
  template <class F> size_t pop_all(F &&f) {
    ssize_t received = recv(ends[1], buffer, sizeof buffer, 0);
    if (received < 0 && errno != EINTR) {
      perror("unix socket: cannot receive");
      exit(1);
    }
    size_t count = received < 0 ? 0 : (size_t)received / sizeof *buffer;
    for (size_t i = 0; i < count; i++) f(buffer[i]);
    return count;
  }
  template <class F> size_t pop_one(F &&f) { return pop_all(f); }
};

int main(int argc, char **argv) { return measure_peer<SocketLink>(argc, argv); }
