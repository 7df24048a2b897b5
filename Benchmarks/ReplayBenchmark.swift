internal import ArgumentParser
internal import CLinux
internal import FeedControl
internal import Foundation
internal import MarketData
internal import ProcessControl
internal import SharedRing
internal import TickArchive

/// Out of the archive: a seek, a range, everything on one core and two, a tape, and through a lane into another process.
struct ReplayBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Seek, range and full replay of an archived day, and replay through a lane.")

  @OptionGroup var size: SizeOptions

  private static let instruments = 2000
  private static let runs = 5
  private static let seeks = 200
  private static let lane = "bench"
  private static let laneSlots = 1 << 15
  private static let runMax = 8192
  private static let startSeconds = 30.0

  func run() throws { try Self.measure(size) }

  static func measure(_ size: SizeOptions) throws {
    let count = size.pick(smoke: 200_000, full: 20_000_000)
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-replay-\(getpid())"
    ).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let (from, to) = try write(count, in: directory + "/archive")
    let reader = try ArchiveReader(directory: directory + "/archive", feed: "bench")

    let copy = try copying(count)
    let one = try scanning(reader, cores: 1)
    try report(
      "records a second on one core", one, count, "\(ratio(copy.0 / one.0)) of copying 64-byte records", size)
    let two = try scanning(reader, cores: 2)
    try report("records a second on two cores", two, count, "\(ratio(one.0 / two.0)) x one core", size)
    let tape = try loading(reader)
    try report(
      "records a second into a tape, two cores", tape, count, "\(ratio(one.0 / tape.0)) x one core's scan",
      size)

    let seek = try seeking(reader, from, to)
    try Measurement(
      name: "seek to a time, to the first record in hand (median of \(seeks))", value: seek.0 / 1e3,
      unit: "us",
      comparison: String(format: "%.5f of reading everything", seek.0 / one.0), checksum: seek.1
    ).report(size)
    let range = try ranging(reader, from, to)
    try Measurement(
      name: "one busy instrument, a 37th of the day", value: range.0 / 1e6, unit: "ms",
      comparison: String(format: "%.5f of reading everything", range.0 / one.0), checksum: range.1
    ).report(size)
    let through = try throughLane(directory, count)
    try report(
      "records a second through a lane into another process", through, count,
      "\(ratio(one.0 / through.0)) of one core's scan", size)
  }

  private typealias Result = (nanoseconds: Double, checksum: UInt64)

  private static func ratio(_ value: Double) -> String { String(format: "%.2f", value) }

  private static func report(
    _ name: String, _ result: Result, _ count: Int, _ comparison: String, _ size: SizeOptions
  )
    throws
  {
    try Measurement(
      name: name, value: Double(count) / result.nanoseconds * 1e3, unit: "M/s", comparison: comparison,
      checksum: result.checksum
    ).report(size)
  }

  private static func timed(runs: Int = runs, _ body: () throws -> UInt64) rethrows -> Result {
    var checksum: UInt64 = 0
    let nanoseconds = try Measurement.median(runs: runs) {
      let start = Timestamp.monotonicNanoseconds()
      checksum = try body()
      return Double(Timestamp.monotonicNanoseconds() - start)
    }
    return (nanoseconds, checksum)
  }

  /// Archives synthetic ticks a piece at a time; returns when the first and the last were received.
  private static func write(_ count: Int, in directory: String) throws -> (Timestamp, Timestamp) {
    let ticks = SyntheticTicks.make(count: count, instruments: instruments, seed: 1)
    var writer = try ArchiveWriter(directory: directory, feed: "bench")
    try writer.define(
      (0..<instruments).map { index in
        Instrument(
          id: InstrumentID(rawValue: UInt32(index)), symbol: try Symbol("NSE:S\(index)"),
          venueToken: "\(index)",
          priceTick: Price(units: 50_000_000), lotSize: 1)
      })
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    return (ticks[0].receiveTime, ticks[count - 1].receiveTime)
  }

  private static func copying(_ count: Int) throws -> Result {
    let block = 1 << 15
    let source = SyntheticTicks.make(count: min(count, block), instruments: instruments, seed: 2)
    var target = source
    return timed {
      var checksum: UInt64 = 0
      for round in 0..<max(1, count / block) {
        target.withUnsafeMutableBufferPointer { to in
          source.withUnsafeBufferPointer { from in _ = to.update(fromContentsOf: from) }
        }
        checksum &+= target[round % target.count].sequence
      }
      return checksum
    }
  }

  private static func scanning(_ reader: ArchiveReader, cores: Int) throws -> Result {
    try timed {
      var checksum: UInt64 = 0
      try reader.forEachBlock(TickSelection(), cores: cores) { ticks throws(Fault) in
        checksum &+= ticks[ticks.count - 1].sequence
      }
      return checksum
    }
  }

  private static func loading(_ reader: ArchiveReader) throws -> Result {
    try timed(runs: 3) {
      let tape = try TickTape(reader, cores: 2)
      return tape[tape.count - 1].sequence
    }
  }

  private static func seeking(_ reader: ArchiveReader, _ from: Timestamp, _ to: Timestamp) throws -> Result {
    var generator = SplitMix(state: 3)
    var checksum: UInt64 = 0
    let nanoseconds = try Measurement.median(runs: seeks) {
      let target = from + Int64(generator.next() % UInt64(max(1, to - from)))
      let start = Timestamp.monotonicNanoseconds()
      checksum &+= try reader.firstTick(TickSelection(from: target))?.sequence ?? 0
      return Double(Timestamp.monotonicNanoseconds() - start)
    }
    return (nanoseconds, checksum)
  }

  /// Ten minutes of a session of 375, as a share of whatever the synthetic day lasts.
  private static func ranging(_ reader: ArchiveReader, _ from: Timestamp, _ to: Timestamp) throws -> Result {
    let length = (to - from) / 37
    let begin = from + (to - from) / 2
    return try timed(runs: 21) {
      var checksum: UInt64 = 0
      let selection = TickSelection(from: begin, to: begin + length, instruments: [InstrumentID(rawValue: 3)])
      try reader.forEachBlock(selection, cores: 1) { ticks throws(Fault) in
        for index in ticks.indices { checksum &+= ticks[index].sequence }
      }
      return checksum
    }
  }

  /// `tickring replay --feed` as a process of its own, this one its consumer, each bound to a processor of its own where
  /// there are two.
  private static func throughLane(_ directory: String, _ count: Int) throws -> Result {
    let feed = "bench-\(getpid())"
    let hasTwo = ProcessInfo.processInfo.activeProcessorCount > 1
    let replay = try ChildProcess(
      name: "the replay", executable: BenchmarkVenue.product("tickring"),
      arguments: [
        "replay", "--data", directory, "--feed", feed, "--wait-for", lane, "--slots", "\(laneSlots)",
        "--json",
      ] + (hasTwo ? ["--cpu", "0"] : []))
    let view = try waitUntilRunning(feed, replay)
    if hasTwo { _ = tickring_pin_to_cpu(1) }
    let control = try ControlClient(path: view.controlSocket)
    _ = try control.attach(LaneRequest(lane: lane, symbols: (0..<instruments).map { "NSE:S\($0)" }))
    var reader = try LaneReader(feed: feed, lane: lane)
    var checksum: UInt64 = 0
    var taken = 0
    var start: Int64 = 0
    while taken < count {
      let run = reader.drain(max: runMax) { ticks in
        for index in ticks.indices { checksum &+= ticks[index].sequence }
      }
      if run == 0 {
        LaneReader.pause()
        guard replay.isRunning || reader.lag > 0 else {
          throw Fault(.software, "the replay ended after \(taken) of \(count) records: \(replay.errorText)")
        }
      } else if taken == 0 {
        start = Timestamp.monotonicNanoseconds()
      }
      taken += run
    }
    let nanoseconds = Double(Timestamp.monotonicNanoseconds() - start)
    _ = replay.waitForExit(timeoutSeconds: startSeconds)
    return (nanoseconds, checksum)
  }

  private static func waitUntilRunning(_ feed: String, _ replay: ChildProcess) throws -> FeedView {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(startSeconds * 1e9)
    while Timestamp.monotonicNanoseconds() < deadline, replay.isRunning {
      if let view = try? FeedView(feed: feed), view.state == .running { return view }
      usleep(5_000)
    }
    throw Fault(.unavailable, "the replay did not get going: \(replay.errorText)")
  }
}
