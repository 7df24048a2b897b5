internal import ArgumentParser
internal import CandleBuilding
internal import Foundation
internal import MarketData
internal import SharedRing
internal import TickArchive
internal import TickQuality
internal import TradingCalendar
internal import Venues

/// Each stage of a tick's path alone, on one core, beside copying the same records in memory.
struct StageBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stages", abstract: "Nanoseconds a tick of decoding, quality, ring, candles and archive.")

  @OptionGroup var size: SizeOptions

  private static let instruments = 2000
  private static let runs = 5
  private static let batchTicks = 250

  func run() throws { try Self.measure(size) }

  static func measure(_ size: SizeOptions) throws {
    let count = size.pick(smoke: 20_000, full: 4_000_000)
    let ticks = SyntheticTicks.make(count: count, instruments: instruments, seed: 1)
    let copy = copying(ticks)
    try report("copying the records in memory", copy, nil, size)
    try report("decode a Kite full packet", decoding(count), copy, size)
    try report("quality rules", try inspecting(ticks), copy, size)
    try report("write to and read from a lane", try ring(ticks), copy, size)
    try report("build 1-minute candles", building(ticks), copy, size)
    try intervals(count, size)
    let (sealing, reading, bytesPerTick, checksum) = try archiving(ticks)
    try report("archive: compress and write", (sealing, checksum), copy, size)
    try report("archive: read back", (reading, checksum), copy, size)
    try Measurement(
      name: "archive, synthetic ticks of \(instruments) instruments", value: bytesPerTick,
      unit: "bytes a tick",
      checksum: checksum
    ).report(size)
  }

  private typealias Result = (nanoseconds: Double, checksum: UInt64)

  private static func report(_ name: String, _ result: Result, _ copy: Result?, _ size: SizeOptions) throws {
    try Measurement(
      name: name, value: result.nanoseconds, unit: "ns a tick",
      comparison: copy.map { String(format: "%.1f x copying", result.nanoseconds / $0.nanoseconds) },
      checksum: result.checksum
    ).report(size)
  }

  private static func timed(_ count: Int, _ body: () throws -> UInt64) rethrows -> Result {
    var checksum: UInt64 = 0
    let nanoseconds = try Measurement.median(runs: runs) {
      let start = Timestamp.wallClock()
      checksum = try body()
      return Double(Timestamp.wallClock() - start) / Double(count)
    }
    return (nanoseconds, checksum)
  }

  private static func copying(_ ticks: [Tick]) -> Result {
    var target = ticks
    return timed(ticks.count) {
      target.withUnsafeMutableBufferPointer { target in
        ticks.withUnsafeBufferPointer { source in _ = target.update(from: source) }
      }
      return target[target.count - 1].sequence
    }
  }

  private static func decoding(_ count: Int) -> Result {
    let packets = 250
    let message = SyntheticTicks.kiteMessage(packets: packets)
    var decoder = KiteDecoder(tellsDaySummaries: true)
    for token in 0..<packets {
      decoder.tokens.insert(UInt32(token) << 8 | 1, InstrumentID(rawValue: UInt32(token)))
    }
    var statistics = SourceStatistics()
    var ticks: [Tick] = []
    ticks.reserveCapacity(packets)
    return timed(count / packets * packets) {
      var checksum: UInt64 = 0
      for _ in 0..<(count / packets) {
        ticks.removeAll(keepingCapacity: true)
        decoder.decode(
          message.span.bytes, receiveTime: Timestamp(seconds: 1), into: &ticks, statistics: &statistics)
        checksum &+= UInt64(ticks.count)
      }
      return checksum
    }
  }

  /// In batches of some hundred ticks, as they come from a socket.
  private static func inspecting(_ ticks: [Tick]) throws -> Result {
    let phases = MarketPhases(TradingCalendar.shipped)
    for index in 0..<instruments {
      phases.define(InstrumentID(rawValue: UInt32(index)), group: MarketGroup(.cash))
    }
    let rules = try RuleCatalogue.make(RuleSetting.standard, phases: phases)
    var batch: [Tick] = []
    return timed(ticks.count) {
      var inspector = TickQualityInspector(rules: rules, phases: phases)
      for start in stride(from: 0, to: ticks.count, by: batchTicks) {
        batch.removeAll(keepingCapacity: true)
        batch.append(contentsOf: ticks[start..<min(start + batchTicks, ticks.count)])
        inspector.inspect(&batch)
      }
      return inspector.counts.reduce(0) { $0 &+ $1.count }
    }
  }

  private static func ring(_ ticks: [Tick]) throws -> Result {
    let feed = "stages-\(getpid())"
    var writer = try LaneWriter(feed: feed, lane: "lane", capacity: 1 << 16)
    var reader = try LaneReader(feed: feed, lane: "lane")
    defer { SharedMapping.unlink(SegmentNames.lane("lane", of: feed)) }
    let chunk = 1 << 15
    return timed(ticks.count) {
      var checksum: UInt64 = 0
      var next = 0
      while next < ticks.count {
        let end = min(ticks.count, next + chunk)
        _ = writer.write(ticks.span.extracting(next..<end))
        while reader.drain(
          max: chunk,
          { run in
            for index in run.indices { checksum &+= run[index].sequence }
          }) > 0
        {}
        next = end
      }
      return checksum
    }
  }

  /// Ten intervals beside one, with as many ticks between two closings as a venue of snapshots sends: one a second of
  /// each instrument.
  private static func intervals(_ count: Int, _ size: SizeOptions) throws {
    let ticks = SyntheticTicks.make(
      count: count, instruments: instruments, seed: 1,
      meanGapNanoseconds: UInt64(Timestamp.nanosecondsPerSecond) / UInt64(instruments))
    let one = building(ticks)
    let ten = building(ticks, rolledUp: [2, 3, 5, 10, 15, 30, 60].map(Interval.minutes) + [.day, .week])
    try report("1-minute candles, a tick a second of each instrument", one, nil, size)
    try Measurement(
      name: "ten intervals of the same: 1, 2, 3, 5, 10, 15, 30, 60 minutes, day, week",
      value: ten.nanoseconds,
      unit: "ns a tick",
      comparison: String(format: "%.2f x the 1-minute candles alone", ten.nanoseconds / one.nanoseconds),
      checksum: ten.checksum
    ).report(size)
  }

  private static func building(_ ticks: [Tick], rolledUp: [Interval] = []) -> Result {
    timed(ticks.count) {
      var aggregator = CandleAggregator(rolledUp: rolledUp)
      var closed: [Candle] = []
      var checksum: UInt64 = 0
      for start in stride(from: 0, to: ticks.count, by: batchTicks) {
        aggregator.apply(ticks.span.extracting(start..<min(start + batchTicks, ticks.count)), into: &closed)
        if closed.count > 10_000 {
          checksum &+= UInt64(closed.count)
          closed.removeAll(keepingCapacity: true)
        }
      }
      aggregator.finish(into: &closed)
      return checksum &+ UInt64(closed.count)
    }
  }

  private static func archiving(_ ticks: [Tick]) throws -> (Double, Double, Double, UInt64) {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-stages-\(UUID())"
    ).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var bytes: UInt64 = 0
    let sealing = try timed(ticks.count) {
      try? FileManager.default.removeItem(atPath: directory)
      var writer = try ArchiveWriter(directory: directory, feed: "stages")
      for tick in ticks { _ = try writer.append(tick) }
      try writer.seal()
      bytes = writer.statistics.bytes
      return writer.statistics.blocks
    }
    let reading = try timed(ticks.count) {
      var hash: UInt64 = 0
      try ArchiveReader(directory: directory, feed: "stages").forEachBlock { block in
        hash &+= block[block.count - 1].sequence
      }
      return hash
    }
    return (sealing.nanoseconds, reading.nanoseconds, Double(bytes) / Double(ticks.count), reading.checksum)
  }
}
