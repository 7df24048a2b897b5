internal import CRingBenchmark
internal import Glibc
internal import MarketData
internal import SharedRing

/// What surrounds a lane: many lanes, last values, sleeping readers.
extension RingPart {
  /// Records that the producer writes to all lanes before it waits, off the clock, for the readers to catch up.
  private static let burst = 8192

  /// What the producer pays for `lanes` lanes, every one of which takes every record, while they are being read.
  ///
  /// The second process reads all of them: more processes than cores would measure the scheduler.
  func fanOut(lanes: Int, batch: Int = Self.batch, isInPlace: Bool = false) throws {
    try inTwoProcesses { isFirst in
      var names: [String] = []
      for lane in 0..<lanes { names.append("lane\(lane)") }
      if isFirst {
        var fan = LaneFan<WrittenLane>()
        for name in names { fan.add(WrittenLane(try makeWriter(name))) }
        meet()
        meet()
        ring_bench_probe(control, isFirst)
        if isInPlace {
          writeBursts(batch: batch) { batch in for lane in fan.lanes { lane.fill(batch) } }
        } else {
          writeBursts(batch: batch) { batch in fan.write(batch) }
        }
      } else {
        meet()
        let readers = try names.map { name in ReadLane(try makeReader(name)) }
        meet()
        ring_bench_probe(control, isFirst)
        while readers[0].check.next < count || readers[lanes - 1].check.next < count {
          for reader in readers { reader.drain() }
          ring_bench_set_flag(control, readers.reduce(UInt64.max) { min($0, $1.check.next) })
        }
        for reader in readers { ring_bench_found(control, reader.check.checksum, reader.check.errors) }
      }
      ring_bench_probe(control, isFirst)
    }
  }

  /// Times bursts of batches; between them the readers empty their lanes.
  private func writeBursts(batch: Int, _ write: (Span<Tick>) -> Void) {
    var ticks: [Tick] = []
    for number in 0..<Self.burst { ticks.append(Self.tick(UInt64(number), time: 0)) }
    var timed: UInt64 = 0
    var written: UInt64 = 0
    while written < count {
      for index in ticks.indices { ticks[index] = Self.tick(written &+ UInt64(index), time: written) }
      let span = ticks.span
      let start = ring_bench_ticks()
      var next = 0
      while next < Self.burst {
        write(span.extracting(next..<(next + batch)))
        next += batch
      }
      timed &+= ring_bench_ticks() &- start
      written &+= UInt64(Self.burst)
      while ring_bench_flag(control) < min(written, count) {}
    }
    ring_bench_set_start(control, 0)
    ring_bench_set_end(control, UInt64(Double(timed) * Double(count) / Double(written)))
  }

  /// Cost of reading the newest tick of one instrument, the very one that is rewritten all the time.
  func lastValue() throws {
    try inTwoProcesses { isFirst in
      let instrument = InstrumentID(rawValue: 1)
      if isFirst {
        let segment = try FeedSegment(feed: feed, instrumentsMax: 2, controlSocket: "", dataDirectory: "")
        segment.storeLastValue(Self.tick(0, time: 1))
        meet()
        meet()
        ring_bench_probe(control, isFirst)
        let step = 1e9 / perSecond / ring_bench_tick_ns()
        var due = Double(ring_bench_ticks())
        var number: UInt64 = 0
        while ring_bench_flag(control) == 0 {
          due += step
          while ring_bench_ticks() < UInt64(due) {}
          number &+= 1
          segment.storeLastValue(Self.tick(number, time: number &+ 1))
        }
      } else {
        meet()
        let view = try FeedView(feed: feed)
        SharedMapping.unlink(SegmentNames.feed(feed))
        meet()
        ring_bench_probe(control, isFirst)
        var torn: UInt64 = 0
        var newest: UInt64 = 0
        ring_bench_set_start(control, ring_bench_ticks())
        for _ in 0..<count {
          guard let tick = view.latest(instrument) else {
            torn &+= 1
            continue
          }
          if !Self.isWhole(tick) || tick.sequence < newest { torn &+= 1 }
          newest = tick.sequence
        }
        ring_bench_set_end(control, ring_bench_ticks())
        ring_bench_set_flag(control, 1)
        ring_bench_found(control, newest == 0 ? 0 : count, torn)
      }
      ring_bench_probe(control, isFirst)
    }
  }

  /// True when every field belongs to the same write.
  @inline(__always)
  private static func isWhole(_ tick: Tick) -> Bool {
    let number = tick.sequence
    let whole = RingPart.tick(number, time: number &+ 1)
    return tick.receiveTime == whole.receiveTime && tick.exchangeTime == whole.exchangeTime
      && tick.lastPrice == whole.lastPrice && tick.dayVolume == whole.dayVolume
      && tick.lastTradeSeconds == whole.lastTradeSeconds && tick.lastQuantity == whole.lastQuantity
      && tick.openInterest == whole.openInterest
  }

  /// From a write to a sleeping reader's first look at the record.
  func wake() throws {
    try inTwoProcesses { isFirst in
      if isFirst {
        var writer = try makeWriter("there")
        meet()
        meet()
        ring_bench_probe(control, isFirst)
        for number in 0..<count {
          usleep(UInt32(Self.sleepNanoseconds / 1000))
          _ = writer.write(Self.tick(number, time: ring_bench_ticks()))
          writer.flush()
        }
      } else {
        meet()
        var reader = try makeReader("there")
        meet()
        ring_bench_probe(control, isFirst)
        var check = Check()
        while check.next < count {
          reader.wait(.spinThenFutex, nanosecondsMax: 1_000_000_000)
          _ = reader.drain(max: 1) { run in
            let sent = UInt64(bitPattern: run[0].receiveTime.nanoseconds)
            ring_bench_add_latency(control, ring_bench_ticks_after_loads() &- sent)
            check.take(run[0])
          }
        }
        ring_bench_found(control, check.next, check.errors)
      }
      ring_bench_probe(control, isFirst)
    }
  }

  /// What the look for a sleeping reader costs a producer whose reader spins, with a batch of one record.
  func wakeCheck(isChecking: Bool) throws {
    try inTwoProcesses { isFirst in
      if isFirst {
        var writer = try makeWriter("there")
        meet()
        meet()
        ring_bench_probe(control, isFirst)
        var timed: UInt64 = 0
        var written: UInt64 = 0
        while written < count {
          let end = written &+ UInt64(Self.burst)
          let start = ring_bench_ticks()
          while written < end {
            _ = writer.write(Self.tick(written, time: written))
            if isChecking { writer.flush() } else { writer.moveCursor() }
            written &+= 1
          }
          timed &+= ring_bench_ticks() &- start
          while ring_bench_flag(control) < min(written, count) {}
        }
        ring_bench_set_start(control, 0)
        ring_bench_set_end(control, UInt64(Double(timed) * Double(count) / Double(written)))
      } else {
        meet()
        let reader = ReadLane(try makeReader("there"))
        meet()
        ring_bench_probe(control, isFirst)
        while reader.check.next < count {
          reader.drain()
          ring_bench_set_flag(control, reader.check.next)
        }
        ring_bench_found(control, reader.check.checksum, reader.check.errors)
      }
      ring_bench_probe(control, isFirst)
    }
  }
}

/// A lane among others, held as the feed handler holds it: its consumer observes everything.
private final class WrittenLane: FannedLane {
  private var writer: LaneWriter

  init(_ writer: consuming LaneWriter) {
    self.writer = writer
    let everything = InstrumentSet((0..<64).map { InstrumentID(rawValue: $0) })
    self.writer.noteFilter(everything, version: 1, behind: 0)
  }

  func stage(_ batch: Span<Tick>) -> Bool { writer.stageObserved(batch) }

  func publishStaged() { writer.publishStaged() }

  /// Fills the slots one by one, as they lie in the caches; what the filter says is not asked.
  func fill(_ batch: Span<Tick>) {
    var next = 0
    while next < batch.count {
      let run = writer.reserve(batch.count - next)
      for index in next..<(next + run) { writer.append(batch[index]) }
      next += run
    }
    writer.flush()
  }
}

/// A lane being read.
private final class ReadLane {
  private var reader: LaneReader
  private(set) var check = RingPart.Check()

  init(_ reader: consuming LaneReader) { self.reader = reader }

  func drain() {
    var seen = check
    _ = reader.drain(max: RingPart.capacity) { run in seen.take(run) }
    check = seen
  }
}
