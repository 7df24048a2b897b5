internal import CRingBenchmark
internal import Glibc
internal import MarketData
internal import SharedRing

/// What a lane does between two processes.
extension RingPart {
  /// A record there and a record back, over two lanes.
  func roundTrip() throws {
    var check = Check()
    try inTwoProcesses { isFirst in
      var writer = try makeWriter(isFirst ? "there" : "back")
      meet()
      var reader = try makeReader(isFirst ? "back" : "there")
      ring_bench_probe(control, isFirst)
      for number in 0..<count {
        if isFirst {
          let start = ring_bench_ticks()
          _ = writer.write(Self.tick(number, time: number))
          writer.flush()
          while reader.drain(max: 1, { run in check.take(run) }) == 0 {}
          ring_bench_add_latency(control, ring_bench_ticks_after_loads() &- start)
        } else {
          while reader.drain(max: 1, { run in check.take(run) }) == 0 {}
          _ = writer.write(Self.tick(number, time: number))
          writer.flush()
        }
      }
      ring_bench_probe(control, isFirst)
    }
    ring_bench_found(control, check.checksum, check.errors)
  }

  /// As many records as will go, written one by one or in batches, and read likewise.
  func throughput(_ write: (RingPart, inout LaneWriter) -> Void, singly: Bool = false) throws {
    try fromWriterToReader { writer in
      ring_bench_set_start(control, ring_bench_ticks())
      write(self, &writer)
    } read: { reader in
      var check = Check()
      if singly {
        while check.next < count { _ = reader.drain(max: 1) { run in check.take(run[0]) } }
      } else {
        while check.next < count { _ = reader.drain(max: Self.capacity) { run in check.take(run) } }
      }
      ring_bench_set_end(control, ring_bench_ticks())
      ring_bench_found(control, check.checksum, check.errors)
    }
  }

  static func writeSingles(_ part: RingPart, _ writer: inout LaneWriter) {
    for number in 0..<part.count {
      let tick = tick(number, time: number)
      // A full lane drops the newest record; here every record shall arrive.
      while !writer.hasRoom(for: 1) {}
      _ = writer.write(tick)
    }
    writer.flush()
  }

  /// Each record filled in its slot, and seen at once.
  static func writeBatches(_ part: RingPart, _ writer: inout LaneWriter) {
    var number: UInt64 = 0
    while number < part.count {
      let run = writer.reserve(min(batch, Int(part.count - number)))
      for index in 0..<run { writer.append(tick(number &+ UInt64(index), time: number)) }
      writer.flush()
      number &+= UInt64(run)
    }
  }

  /// Each batch filled apart and written as a whole, as boost's.
  static func writeStreamed(_ part: RingPart, _ writer: inout LaneWriter) {
    var ticks = [Tick](repeating: tick(0, time: 0), count: batch)
    var number: UInt64 = 0
    while number < part.count {
      let filled = min(batch, Int(part.count - number))
      for index in 0..<filled { ticks[index] = tick(number &+ UInt64(index), time: number) }
      while !writer.hasRoom(for: filled) {}
      _ = writer.write(ticks.span.extracting(0..<filled))
      number &+= UInt64(filled)
    }
  }

  /// The writer fills the empty ring while nobody reads, and empties it again off the clock.
  func producerAlone() throws {
    try inTwoProcesses { isFirst in
      ring_bench_probe(control, isFirst)
      if isFirst {
        var writer = try makeWriter("alone")
        var reader = try makeReader("alone")
        let round = UInt64(Self.capacity - 64)
        var check = Check()
        var timed: UInt64 = 0
        var number: UInt64 = 0
        while number < count {
          let start = ring_bench_ticks()
          writer = Self.write(number..<number + round, to: writer)
          timed &+= ring_bench_ticks() &- start
          number += round
          while reader.drain(max: Self.capacity, { run in check.take(run) }) > 0 {}
        }
        ring_bench_set_start(control, 0)
        ring_bench_set_end(control, UInt64(Double(timed) * Double(count) / Double(number)))
        ring_bench_found(control, check.checksum, check.errors &+ (check.next == number ? 0 : 1))
      }
      ring_bench_probe(control, isFirst)
    }
  }

  /// Apart, as a producer's loop is, and with a writer of its own, whose cursors then stay in registers: beside the
  /// reader's loop the compiler runs out of them. `numbers` is not empty; a loop over the range would check with each
  /// record what the peers' loops do not.
  @inline(never)
  private static func write(_ numbers: Range<UInt64>, to lane: consuming LaneWriter) -> LaneWriter {
    var writer = lane
    var number = numbers.lowerBound
    repeat {
      _ = writer.write(tick(number, time: number))
      number &+= 1
    } while number < numbers.upperBound
    writer.flush()
    return writer
  }

  /// Latency from write to read at a fixed rate.
  func paced() throws {
    try fromWriterToReader { writer in
      let step = 1e9 / perSecond / ring_bench_tick_ns()
      var due = Double(ring_bench_ticks())
      for number in 0..<count {
        due += step
        while ring_bench_ticks() < UInt64(due) {}
        _ = writer.write(Self.tick(number, time: ring_bench_ticks()))
        writer.flush()
      }
    } read: { reader in
      var check = Check()
      while check.next < count {
        _ = reader.drain(max: Self.batch) { run in
          for index in run.indices {
            let sent = UInt64(bitPattern: run[index].receiveTime.nanoseconds)
            ring_bench_add_latency(control, ring_bench_ticks_after_loads() &- sent)
            check.take(run[index])
          }
        }
      }
      // Times differ from run to run, so that only the count is a checksum here.
      ring_bench_found(control, check.next, check.errors)
    }
  }

  /// One lane from the first process to the second, probed before and after.
  private func fromWriterToReader(
    write: (inout LaneWriter) throws -> Void, read: (inout LaneReader) throws -> Void
  ) throws {
    try inTwoProcesses { isFirst in
      if isFirst {
        var writer = try makeWriter("there")
        meet()
        meet()
        ring_bench_probe(control, isFirst)
        try write(&writer)
      } else {
        meet()
        var reader = try makeReader("there")
        meet()
        ring_bench_probe(control, isFirst)
        try read(&reader)
      }
      ring_bench_probe(control, isFirst)
    }
  }
}
