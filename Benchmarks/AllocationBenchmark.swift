internal import ArgumentParser
internal import CAllocationCounter
internal import FeedHandler
internal import Foundation
internal import MarketData
internal import SharedRing
internal import TickQuality
internal import TradingCalendar
internal import Venues

/// Heap allocations on the path of a tick: socket → frame → decode → quality → publish, as the receive thread does
/// it, with a real socket and real shared memory.
struct AllocationBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocations",
    abstract: "Count heap allocations on the receive path; exit code 1 when there are any.")

  @OptionGroup var size: SizeOptions

  private static let instruments = 500
  /// Ticks before counting begins: buffers have then grown to what the feed needs.
  private static let warmUpTicks = 200_000
  private static let countedTicks = 1_000_000
  private static let laneSlots = 1 << 16

  func run() throws {
    guard try Self.measure(size) == 0 else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }

  @discardableResult
  static func measure(_ size: SizeOptions) throws -> UInt64 {
    let venue = try BenchmarkVenue(instruments: instruments)
    defer { venue.stop() }
    var path = try ReceivePath(port: venue.port, laneSlots: laneSlots)
    defer { path.remove() }
    try path.receive(atLeast: warmUpTicks)
    let before = tickring_allocation_count()
    let ticks = try path.receive(atLeast: countedTicks)
    let allocations = tickring_allocation_count() - before
    try Measurement(
      name: "allocations while \(ticks) ticks went from the socket to the ring", value: Double(allocations),
      unit: "allocations", checksum: path.checksum
    ).report(size)
    return allocations
  }
}

/// The receive thread's work, driven by a benchmark.
struct ReceivePath: ~Copyable {
  private let feed: String
  private let segment: FeedSegment
  private let source: KiteSource
  private var inspector: TickQualityInspector
  private var publisher: Publisher
  private var recorder: LaneReader
  private var batch: [Tick] = []
  private(set) var checksum: UInt64 = 0

  init(port: Int, laneSlots: Int) throws {
    let client = try HTTPClient()
    let listed = try KiteInstruments.download(with: client, baseURL: "http://127.0.0.1:\(port)")
    let instruments = listed.enumerated().map {
      $0.element.instrument(id: InstrumentID(rawValue: UInt32($0.offset)))
    }
    var options = KiteSource.Options()
    options.url = "ws://127.0.0.1:\(port)"
    let source = KiteSource(options: options) { () throws(Fault) in
      KiteCredentials(apiKey: BenchmarkVenue.credential, accessToken: BenchmarkVenue.credential)
    }
    try source.subscribe(to: instruments)
    try source.connect()

    let feed = "bench-\(getpid())"
    let segment = try FeedSegment(
      feed: feed, instrumentsMax: 16_384, controlSocket: "", dataDirectory: "")
    let writer = try LaneWriter(feed: feed, lane: "recorder", capacity: laneSlots)
    let reader = try LaneReader(feed: feed, lane: "recorder")
    let phases = MarketPhases(TradingCalendar.shipped)
    for instrument in instruments {
      guard let segment = MarketSegment(exchange: instrument.symbol.exchange) else { continue }
      phases.define(instrument.id, group: MarketGroup(segment))
    }
    let rules = try RuleCatalogue.make(RuleSetting.standard, phases: phases)
    self.feed = feed
    self.segment = segment
    self.source = source
    recorder = reader
    inspector = TickQualityInspector(rules: rules, phases: phases)
    publisher = Publisher(segment: segment, recorder: writer, lastSequence: 0, recorderWaitMillisecondsMax: 0)
    batch.reserveCapacity(16_384)
  }

  /// Receives and publishes until so many ticks have gone through; returns how many did.
  @discardableResult
  mutating func receive(atLeast count: Int) throws(Fault) -> Int {
    var total = 0
    while total < count {
      batch.removeAll(keepingCapacity: true)
      _ = try source.receive(timeoutMilliseconds: 1000, into: &batch)
      inspector.inspect(&batch)
      total += batch.count
      try publisher.publish(&batch)
      // The recorder's end is emptied here, so that its lane never fills.
      while recorder.drain(max: 1 << 16, { run in checksum &+= run[run.count - 1].sequence }) > 0 {}
    }
    return total
  }

  func remove() {
    source.close()
    SharedMapping.unlink(SegmentNames.lane("recorder", of: feed))
    segment.unlink()
  }
}
