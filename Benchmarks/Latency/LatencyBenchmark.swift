internal import ArgumentParser
internal import CLinux
internal import FeedControl
internal import Foundation
internal import MarketData
internal import SharedRing
internal import Venues

/// How long a frame takes from the feed handler's socket to a strategy's lane, one frame at a time on a machine that is
/// idle otherwise.
///
/// The benchmark passes the simulated venue's bytes on to the feed handler, and reads the lane itself, so that one clock
/// measures both ends. The time at which the bytes can be read is not to be had for TCP; it lies between the two that
/// are told: just before `send` (which on the loopback interface does the receiver's part of the kernel's work as well),
/// and the return of the read in the feed handler, which every tick carries.
struct LatencyBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "From the feed handler's socket to a lane, a frame at a time, beside a bare loopback wake-up.")

  /// What is sent.
  struct Load {
    /// Frames that are timed, in each way of waiting; nil for as many as the size asks for.
    var frames: Int?
    var instruments = 1
    /// Updates a second of all instruments together.
    var rate = 200.0
  }

  @OptionGroup var size: SizeOptions
  @Option(help: "Frames that are timed, in each way of waiting.") var frames: Int?
  @Option(help: "Instruments, so many that there are several connections, if wanted.")
  var instruments = Load().instruments
  @Option(help: "Instruments' updates a second, all together.") var rate = Load().rate

  private static let warmUpFrames = 100
  /// Rest of the machine before each send: the venue has gone to sleep by then.
  private static let restMicroseconds: UInt32 = 500
  /// A bare message is as long as a frame of one full packet: header, count, length and packet.
  private static let bareBytes = 2 + 2 + 2 + 2 + 184
  private static let lane = "latency"
  /// Shares have full packets, which indices have not; the simulated venue lists no more than so many others.
  private static let othersMax = 13
  private static let shareSegment: UInt32 = 1
  /// The feed handler's receive thread has a processor for itself; everything else shares the other.
  private static let ownProcessor: Int32 = 0
  private static let receiveProcessor: Int32 = 1

  func validate() throws {
    guard (frames ?? 1) > 0 else { throw ValidationError("--frames must be at least 1") }
    guard (1...9000 - Self.othersMax).contains(instruments) else {
      throw ValidationError("--instruments is from 1 to \(9000 - Self.othersMax)")
    }
    guard rate > 0, rate <= 1000 else { throw ValidationError("--rate is above 0, at most 1000") }
  }

  func run() throws {
    if !size.json { print(Machine.description) }
    try Self.measure(size, Load(frames: frames, instruments: instruments, rate: rate))
  }

  /// Binds this process to a processor, for good: what is measured after it in the same process has that one alone.
  static func measure(_ size: SizeOptions, _ load: Load = Load()) throws {
    guard ProcessInfo.processInfo.activeProcessorCount > 1 else {
      throw Fault(
        .unavailable, "one processor alone cannot measure latency: sender and receiver would share it")
    }
    let count = load.frames ?? size.pick(smoke: 50, full: 5000)
    // The venue inherits this; the feed handler pins its own threads.
    guard tickring_pin_to_cpu(ownProcessor) == 0 else {
      throw Fault(.system, "this process cannot be bound to processor \(ownProcessor)")
    }
    for isSpinning in [true, false] {
      let bare = Distribution(
        try LoopbackWake.measure(
          bytes: bareBytes, count: count, isSpinning: isSpinning, processor: receiveProcessor,
          pauseMicroseconds: UInt32(1e6 / load.rate)))
      try measure(size, load, count, isSpinning: isSpinning, bare: bare)
    }
  }

  private static func measure(
    _ size: SizeOptions, _ load: Load, _ count: Int, isSpinning: Bool, bare: Distribution
  ) throws {
    let venue = try BenchmarkVenue(
      instruments: load.instruments + othersMax, updatesPerSecond: load.rate / Double(load.instruments))
    defer { venue.stop() }
    var relay = try FrameRelay(venuePort: venue.port)
    let symbols = try KiteInstruments.download(
      with: HTTPClient(), baseURL: "http://127.0.0.1:\(venue.port)"
    ).filter { $0.token & 0xFF == shareSegment }.map { $0.listing.symbol.text }
    let feed = try BenchmarkFeed(
      on: venue, websocketPort: relay.port, instruments: Array(symbols.prefix(load.instruments)),
      settings: """
        receive:
          wait: \(isSpinning ? "spin" : "block")
          cpu: \(receiveProcessor)
        recorder:
          cpu: \(ownProcessor)
        repair:
          enabled: false
        """)
    var stopwatch = try FrameStopwatch(
      feed: feed, relay: &relay, lane: lane, restMicroseconds: restMicroseconds)
    _ = try stopwatch.time(warmUpFrames, over: &relay)
    let samples = try stopwatch.time(count, over: &relay)
    let way = isSpinning ? "receive thread spinning" : "receive thread sleeping in the kernel"
    try report(size, "bare loopback, \(way)", bare, beside: nil, samples.checksum)
    try report(
      size, "socket to lane, \(way): from just before send()", Distribution(samples.sinceSend), beside: bare,
      samples.checksum)
    try report(
      size, "socket to lane, \(way): from the return of the read", Distribution(samples.sinceRead),
      beside: nil, samples.checksum)
    relay.hangUp()
    venue.stop()
    try feed.stop()
  }

  private static func report(
    _ size: SizeOptions, _ name: String, _ found: Distribution, beside bare: Distribution?, _ checksum: UInt64
  ) throws {
    for (word, key) in Distribution.quantiles {
      let microseconds = Double(found[key]) / 1000
      try Measurement(
        name: "\(name), \(word)", value: microseconds, unit: "us",
        comparison: bare.map { String(format: "%.2f x bare", microseconds * 1000 / Double($0[key])) },
        checksum: checksum
      ).report(size)
    }
  }
}

/// Sorted nanoseconds.
private struct Distribution {
  private let sorted: [Int64]

  static let quantiles: [(word: String, share: Double)] = [
    ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
  ]

  init(_ nanoseconds: [Int64]) {
    sorted = nanoseconds.sorted()
  }

  subscript(share: Double) -> Int64 {
    sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
