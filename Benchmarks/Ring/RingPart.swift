internal import CRingBenchmark
internal import Glibc
internal import MarketData
internal import SharedRing

/// One run of one measure, in a process of its own that forks the other side; it prints one line of JSON and ends,
/// as each peer's program does with the same arguments.
///
/// Both sides use the lanes as a feed handler and a strategy do: through `LaneWriter`, `LaneReader` and `FeedView`.
struct RingPart {
  let measure: RingMeasure
  let count: UInt64
  let perSecond: Double
  let firstProcessor: Int32
  let secondProcessor: Int32
  let isRealtime: Bool
  let control: OpaquePointer
  /// The feed whose lanes are used: a name of this run alone.
  let feed: String

  /// Slots of every lane; the default of `shared_memory.lane_slots`.
  static let capacity = 1 << 16
  /// Records a batch, the same for every peer.
  static let batch = Int(RING_BENCH_BATCH)
  /// A batch as long as a run that is streamed may be.
  static let longBatch = 256

  init(_ run: RingRun) {
    measure = run.measure
    count = run.count
    perSecond = run.perSecond
    firstProcessor = Int32(run.processors.first)
    secondProcessor = Int32(run.processors.second)
    isRealtime = run.isRealtime
    control = ring_bench_open()
    feed = "ring-bench-\(getpid())"
  }

  /// Measures our lanes.
  func measureTickRing() throws {
    switch measure {
    case .roundTrip: try roundTrip()
    case .batches: try throughput(Self.writeBatches)
    case .streamed: try throughput(Self.writeStreamed)
    case .singles: try throughput(Self.writeSingles, singly: true)
    case .producerAlone: try producerAlone()
    case .paced: try paced()
    case .lanes1, .lanes2, .lanes4, .lanes8: try fanOut(lanes: measure.laneCount)
    case .longBatches: try fanOut(lanes: 1, batch: Self.longBatch)
    case .inPlace1, .inPlace8: try fanOut(lanes: measure.laneCount, isInPlace: true)
    case .lastValue: try lastValue()
    case .wake: try wake()
    case .wakeCheck: try wakeCheck(isChecking: true)
    case .noWakeCheck: try wakeCheck(isChecking: false)
    }
    ring_bench_print(control, "tickring", measure.rawValue, measure.isLatency ? 0 : count)
  }

  /// Measures what the machine itself can do.
  func measureLimit() throws {
    try inTwoProcesses { isFirst in
      ring_bench_probe(control, isFirst)
      switch measure {
      case .roundTrip: ring_bench_limit_round_trip(control, isFirst, count)
      case .paced: ring_bench_limit_paced(control, isFirst, count, perSecond)
      case .batches: ring_bench_limit_hand_off(control, isFirst, count)
      case .producerAlone: if isFirst { ring_bench_limit_copy(control, count) }
      case .wake: ring_bench_limit_wake(control, isFirst, count, Self.sleepNanoseconds)
      default: throw Fault(.usage, "there is no physical limit for '\(measure.rawValue)'")
      }
      ring_bench_probe(control, isFirst)
    }
    ring_bench_print(control, "limit", measure.rawValue, measure.isLatency ? 0 : count)
  }

  /// Measures a round trip over cache lines in turn, as the records of any ring lie: what the machine does with a ring's
  /// places, without a ring.
  func measureLines() throws {
    try inTwoProcesses { isFirst in
      ring_bench_probe(control, isFirst)
      ring_bench_limit_lines(control, isFirst, count)
      ring_bench_probe(control, isFirst)
    }
    ring_bench_print(control, RingProgram.linesName, measure.rawValue, 0)
  }

  /// Time for the other side to fall asleep before it is woken.
  static let sleepNanoseconds: UInt64 = 100_000

  /// Forks, runs `body` on both sides, and returns in the first process when the second has ended well.
  ///
  /// This process has one thread, so the fork takes all of it along. Lanes are made after it: their locks belong to
  /// the open file, which a forked child would share.
  func inTwoProcesses(_ body: (_ isFirst: Bool) throws -> Void) throws {
    let isFirst = ring_bench_fork(control, firstProcessor, secondProcessor, isRealtime)
    guard isFirst else {
      do { try body(false) } catch {
        fputs("ring benchmark: \(error)\n", stderrFile())
        _exit(1)
      }
      ring_bench_end_second(control)
    }
    try body(true)
    guard ring_bench_wait_for_second(control) else {
      throw Fault(.system, "the second process of '\(measure.rawValue)' failed")
    }
  }

  func meet() { ring_bench_meet(control) }

  func makeWriter(_ lane: String) throws(Fault) -> LaneWriter {
    try LaneWriter(feed: feed, lane: lane, capacity: Self.capacity)
  }

  /// Attaches to a lane whose writer is made, and then takes away its name: nothing is left behind.
  func makeReader(_ lane: String) throws(Fault) -> LaneReader {
    let reader = try LaneReader(feed: feed, lane: lane)
    SharedMapping.unlink(SegmentNames.lane(lane, of: feed))
    return reader
  }

  /// A tick all of whose fields follow from a number, but for its time.
  @inline(__always)
  static func tick(_ number: UInt64, time: UInt64) -> Tick {
    Tick(
      instrument: InstrumentID(rawValue: 1), sequence: number,
      receiveTime: Timestamp(nanoseconds: Int64(bitPattern: time)),
      exchangeTime: Timestamp(nanoseconds: Int64(bitPattern: number &+ 1)),
      lastPrice: Price(units: Int64(bitPattern: number &+ 2)), dayVolume: Int64(bitPattern: number &+ 3),
      lastTradeSeconds: UInt32(truncatingIfNeeded: number),
      lastQuantity: UInt32(truncatingIfNeeded: number &+ 4),
      openInterest: UInt32(truncatingIfNeeded: number &+ 5))
  }

  /// Adds up what a reader got, and counts what is not the next record.
  struct Check {
    var next: UInt64 = 0
    var checksum: UInt64 = 0
    var errors: UInt64 = 0

    @inline(__always)
    mutating func take(_ run: Span<Tick>) {
      for index in run.indices { take(run[index]) }
    }

    @inline(__always)
    mutating func take(_ tick: Tick) {
      if tick.sequence != next { errors &+= 1 }
      next &+= 1
      checksum &+= RingPart.sum(tick)
    }
  }

  /// Every field of a tick, added up.
  @inline(__always)
  static func sum(_ tick: Tick) -> UInt64 {
    let times = UInt64(bitPattern: tick.receiveTime.nanoseconds &+ tick.exchangeTime.nanoseconds)
    let trade = UInt64(bitPattern: tick.lastPrice.units &+ tick.dayVolume)
    let quantities = UInt64(tick.lastQuantity) &+ UInt64(tick.openInterest) &+ UInt64(tick.lastTradeSeconds)
    return tick.sequence &+ times &+ trade &+ quantities &+ UInt64(tick.instrument.rawValue)
  }

  private func stderrFile() -> UnsafeMutablePointer<FILE>? { fdopen(2, "w") }
}
