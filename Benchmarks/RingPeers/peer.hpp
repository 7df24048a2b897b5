// The measures, written once for every peer; TickRing's own are the same loops in Swift (Ring/RingPart.swift).
//
// A peer is a type `Link`, one direction between two processes:
//
//   static const char *name();
//   Link(const char *direction);            before the fork
//   void open_writer(); void open_reader(); after the fork, each in its process
//   void await_connected();                 after both were opened
//   bool push(const Record &);              one record; false when it is full
//   size_t push(const Record *, size_t);    a batch; how many it took
//   template <class F> size_t pop_one(F);   one record at most
//   template <class F> size_t pop_all(F);   whatever is there
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "CRingBenchmark.h"

using Record = ring_bench_record;

static inline Record make_record(uint64_t number, uint64_t time) {
  return {{number, time, number + 1, number + 2, number + 3, number + 4, number + 5, number + 6}};
}

static inline uint64_t sum(const Record &record) {
  uint64_t total = 0;
  for (uint64_t word : record.words) total += word;
  return total;
}

struct Arguments {
  std::string measure;
  uint64_t count = 0;
  double per_second = 1e6;
  int first_cpu = 0, second_cpu = 1;
  bool realtime = false;
};

// Adds up what a reader got, and counts records that are not the next one.
struct Check {
  uint64_t next = 0, checksum = 0, errors = 0;
  void operator()(const Record &record) {
    errors += record.words[0] != next;
    checksum += sum(record);
    next++;
  }
};

template <class Link, class Write, class Read>
static void transfer(ring_bench_control *control, const Arguments &arguments, Write write, Read read) {
  Link link("there");
  bool first = ring_bench_fork(control, arguments.first_cpu, arguments.second_cpu, arguments.realtime);
  if (first) link.open_writer(); else link.open_reader();
  link.await_connected();
  ring_bench_probe(control, first);
  if (first) write(link); else read(link);
  ring_bench_probe(control, first);
  if (!first) ring_bench_end_second(control);
  if (!ring_bench_wait_for_second(control)) exit(1);
}

template <class Link> static void throughput(ring_bench_control *control, const Arguments &arguments, bool batch) {
  uint64_t count = arguments.count;
  transfer<Link>(
      control, arguments,
      [=](Link &link) {
        ring_bench_set_start(control, ring_bench_ticks());
        if (!batch) {
          for (uint64_t number = 0; number < count; number++) {
            Record record = make_record(number, number);
            while (!link.push(record)) {}
          }
          return;
        }
        Record records[RING_BENCH_BATCH];
        for (uint64_t number = 0; number < count;) {
          size_t filled = 0;
          for (; filled < RING_BENCH_BATCH && number < count; filled++, number++)
            records[filled] = make_record(number, number);
          for (size_t pushed = 0; pushed < filled;) pushed += link.push(records + pushed, filled - pushed);
        }
      },
      [=](Link &link) {
        Check check;
        while (check.next < count) {
          if (batch) link.pop_all(check); else link.pop_one(check);
        }
        ring_bench_set_end(control, ring_bench_ticks());
        ring_bench_found(control, check.checksum, check.errors);
      });
}

template <class Link> static void round_trip(ring_bench_control *control, const Arguments &arguments) {
  Link there("there"), back("back");
  bool first = ring_bench_fork(control, arguments.first_cpu, arguments.second_cpu, arguments.realtime);
  if (first) {
    there.open_writer();
    back.open_reader();
  } else {
    there.open_reader();
    back.open_writer();
  }
  there.await_connected();
  back.await_connected();
  ring_bench_probe(control, first);
  Check check;
  for (uint64_t number = 0; number < arguments.count; number++) {
    if (first) {
      uint64_t start = ring_bench_ticks();
      while (!there.push(make_record(number, start))) {}
      while (!back.pop_one(check)) {}
      ring_bench_add_latency(control, ring_bench_ticks_after_loads() - start);
    } else {
      while (!there.pop_one(check)) {}
      while (!back.push(make_record(number, number))) {}
    }
  }
  ring_bench_probe(control, first);
  if (!first) ring_bench_end_second(control);
  if (!ring_bench_wait_for_second(control)) exit(1);
  ring_bench_found(control, check.checksum, check.errors);
}

template <class Link> static void paced(ring_bench_control *control, const Arguments &arguments) {
  uint64_t count = arguments.count;
  transfer<Link>(
      control, arguments,
      [=, &arguments](Link &link) {
        double step = 1e9 / arguments.per_second / ring_bench_tick_ns(), due = (double)ring_bench_ticks();
        for (uint64_t number = 0; number < count; number++) {
          due += step;
          while (ring_bench_ticks() < (uint64_t)due) {}
          while (!link.push(make_record(number, ring_bench_ticks()))) {}
        }
      },
      [=](Link &link) {
        Check check;
        while (check.next < count)
          link.pop_one([&](const Record &record) {
            ring_bench_add_latency(control, ring_bench_ticks_after_loads() - record.words[1]);
            check(record);
          });
        // Times differ from run to run, so that only the count is a checksum here.
        ring_bench_found(control, check.next, check.errors);
      });
}

// The writer fills the empty ring while nobody reads, and empties it again off the clock.
template <class Link>
static void producer_alone(ring_bench_control *control, const Arguments &arguments, uint64_t capacity) {
  Link link("alone");
  bool first = ring_bench_fork(control, arguments.first_cpu, arguments.second_cpu, arguments.realtime);
  ring_bench_probe(control, first);
  if (first) {
    link.open_writer();
    uint64_t timed = 0, number = 0;
    Check check;
    while (number < arguments.count) {
      uint64_t end = number + capacity, start = ring_bench_ticks();
      for (; number < end; number++) link.push(make_record(number, number));
      timed += ring_bench_ticks() - start;
      while (link.pop_all(check)) {}
    }
    ring_bench_set_start(control, 0);
    ring_bench_set_end(control, (uint64_t)((double)timed * (double)arguments.count / (double)number));
    ring_bench_found(control, check.checksum, check.errors + (check.next != number));
  }
  ring_bench_probe(control, first);
  if (!first) ring_bench_end_second(control);
  if (!ring_bench_wait_for_second(control)) exit(1);
}

// peer MEASURE COUNT PER_SECOND FIRST_CPU SECOND_CPU REALTIME
template <class Link> static int measure_peer(int argc, char **argv, uint64_t alone_capacity = 0) {
  if (argc != 7) {
    fprintf(stderr, "usage: %s MEASURE COUNT PER_SECOND FIRST_CPU SECOND_CPU REALTIME(0 or 1)\n", argv[0]);
    return 64;
  }
  Arguments arguments;
  arguments.measure = argv[1];
  arguments.count = strtoull(argv[2], nullptr, 10);
  arguments.per_second = atof(argv[3]);
  arguments.first_cpu = atoi(argv[4]);
  arguments.second_cpu = atoi(argv[5]);
  arguments.realtime = atoi(argv[6]) != 0;
  ring_bench_control *control = ring_bench_open();
  uint64_t operations = arguments.count;
  if (arguments.measure == "round-trip") {
    round_trip<Link>(control, arguments);
    operations = 0;
  } else if (arguments.measure == "paced") {
    paced<Link>(control, arguments);
    operations = 0;
  } else if (arguments.measure == "throughput-batch") {
    throughput<Link>(control, arguments, true);
  } else if (arguments.measure == "throughput-single") {
    throughput<Link>(control, arguments, false);
  } else if (arguments.measure == "producer-alone" && alone_capacity > 0) {
    producer_alone<Link>(control, arguments, alone_capacity);
  } else {
    fprintf(stderr, "%s has no measure '%s'\n", Link::name(), argv[1]);
    return 64;
  }
  ring_bench_print(control, Link::name(), argv[1], operations);
  return 0;
}
