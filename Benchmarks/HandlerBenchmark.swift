internal import ArgumentParser
internal import CandleBuilding
internal import Configuration
internal import Foundation
internal import MarketData
internal import SharedRing
internal import TickArchive
internal import TickRing

/// What a strategy pays: an event of a back-test through the synchronous API, and one look at a latest price in
/// shared memory that another process fills.
struct HandlerBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handler", abstract: "Back-test events a second, and a latest price from another process.",
    subcommands: [Writer.self])

  @OptionGroup var size: SizeOptions

  private static let instruments = 2000
  private static let feed = "bench-latest"

  func run() throws { try Self.measure(size) }

  static func measure(_ size: SizeOptions) throws {
    try backtest(size)
    try latest(size)
  }

  private static func backtest(_ size: SizeOptions) throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-handler-\(UUID())"
    ).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let ticks = SyntheticTicks.make(
      count: size.pick(smoke: 50_000, full: 8_000_000), instruments: instruments, seed: 1)
    var archive = try ArchiveWriter(directory: directory + "/archive", feed: "nse")
    let defined = try (0..<instruments).map {
      Instrument(
        id: InstrumentID(rawValue: UInt32($0)), symbol: try Symbol("NSE:S\($0)"), venueToken: "\($0)",
        priceTick: Price(units: 50_000_000), lotSize: 1)
    }
    try archive.define(defined)
    for tick in ticks { _ = try archive.append(tick) }
    try archive.finish()
    var configuration = FeedConfiguration()
    configuration.dataDirectory = directory
    configuration.mode = .backtest
    configuration.backtest.from = ticks.first?.receiveTime
    configuration.backtest.to = ticks.last.map { $0.receiveTime + 1 }
    var reading: Double = 0
    var checksum: UInt64 = 0
    for (name, wanted) in [
      ("back-test, ticks", Set<EventKind>([.ticks])),
      ("back-test, ticks and 1-minute candles", [.ticks, .candles(.minute)]),
    ] {
      let perSecond = try Measurement.median(runs: size.pick(smoke: 1, full: 5)) {
        reading = try bareReading(directory)
        let data = try DataPoller(configuration: .values(configuration))
        data.wanted = wanted
        try data.observe(defined.map(\.symbol.text))
        var events: UInt64 = 0
        var prices: UInt64 = 0
        let start = Timestamp.monotonicNanoseconds()
        while data.isOpen {
          data.poll { event in
            events &+= 1
            if case .tick(let tick) = event { prices &+= UInt64(bitPattern: tick.lastPrice.units) }
          }
        }
        checksum = prices &+ events
        return Double(events) / Double(Timestamp.monotonicNanoseconds() - start) * 1e3
      }
      try Measurement(
        name: name, value: perSecond, unit: "M events/s",
        comparison: String(format: "reading the archive alone %.1f M ticks/s", reading), checksum: checksum
      ).report(size)
    }
  }

  private static func bareReading(_ directory: String) throws -> Double {
    var count = 0
    let reader = try ArchiveReader(directory: directory + "/archive", feed: "nse")
    let start = Timestamp.monotonicNanoseconds()
    try reader.forEachBlock { count += $0.count }
    return Double(count) / Double(Timestamp.monotonicNanoseconds() - start) * 1e3
  }

  private static func latest(_ size: SizeOptions) throws {
    let name = "\(feed)-\(getpid())"
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    writer.arguments = ["handler", "writer", name]
    let input = Pipe()
    writer.standardInput = input
    try writer.run()
    defer {
      try? input.fileHandleForWriting.close()
      writer.waitUntilExit()
    }
    var view: FeedView?
    let deadline = Timestamp.monotonicNanoseconds() + 10_000_000_000
    while view?.state != .running {
      guard Timestamp.monotonicNanoseconds() < deadline else {
        throw Fault(.unavailable, "the writer made no feed within 10 s")
      }
      view = try? FeedView(feed: name)
      usleep(1000)
    }
    guard let view else { return }
    let reads = size.pick(smoke: 100_000, full: 20_000_000)
    var checksum: UInt64 = 0
    let nanoseconds = Measurement.median(runs: 5) {
      let start = Timestamp.monotonicNanoseconds()
      for read in 0..<reads {
        let instrument = InstrumentID(rawValue: UInt32(truncatingIfNeeded: read) % 200)
        if let tick = view.latest(instrument) { checksum &+= UInt64(bitPattern: tick.lastPrice.units) }
      }
      return Double(Timestamp.monotonicNanoseconds() - start) / Double(reads)
    }
    try Measurement(
      name: "a latest price of 200 instruments, updated 1 M times a second by another process",
      value: nanoseconds,
      unit: "ns", comparison: nil, checksum: checksum
    ).report(size)
    let forming = Measurement.median(runs: 5) {
      let start = Timestamp.monotonicNanoseconds()
      for read in 0..<reads {
        let instrument = InstrumentID(rawValue: UInt32(truncatingIfNeeded: read) % 200)
        if let row = view.forming(instrument, at: Timestamp(seconds: 61)) {
          checksum &+= UInt64(bitPattern: row.candle.close.units)
        }
      }
      return Double(Timestamp.monotonicNanoseconds() - start) / Double(reads)
    }
    try Measurement(
      name: "a forming candle of 200 instruments, updated 1 M times a second by another process",
      value: forming,
      unit: "ns", comparison: String(format: "%.1f x a latest price", forming / nanoseconds),
      checksum: checksum
    ).report(size)
    try publishing(size)
  }

  /// What the recorder pays to publish the running minute of an instrument, beside taking in the tick itself.
  private static func publishing(_ size: SizeOptions) throws {
    let ticks = SyntheticTicks.make(
      count: size.pick(smoke: 20_000, full: 2_000_000), instruments: instruments, seed: 1)
    let segment = try FeedSegment(
      feed: "bench-forming-\(getpid())", instrumentsMax: 4096, controlSocket: "none", dataDirectory: "none")
    defer { segment.unlink() }
    func measured(publishing: Bool) -> Double {
      Measurement.median(runs: 5) {
        var aggregator = CandleAggregator()
        var closed: [Candle] = []
        let start = Timestamp.monotonicNanoseconds()
        for tick in ticks {
          aggregator.apply(tick, into: &closed)
          if publishing, let candle = aggregator.forming(tick.instrument) {
            segment.storeForming(candle, upTo: tick)
          }
          closed.removeAll(keepingCapacity: true)
        }
        return Double(Timestamp.monotonicNanoseconds() - start) / Double(ticks.count)
      }
    }
    let building = measured(publishing: false)
    let both = measured(publishing: true)
    try Measurement(
      name: "publishing a forming candle at each tick, on the recorder's thread", value: both - building,
      unit: "ns",
      comparison: String(format: "building it costs %.1f ns", building), checksum: UInt64(ticks.count)
    ).report(size)
  }

  /// The other process: updates last values until its standard input closes.
  struct Writer: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "writer", shouldDisplay: false)
    @Argument var feed: String

    func run() throws {
      let segment = try FeedSegment(
        feed: feed, instrumentsMax: 256, controlSocket: "none", dataDirectory: "none")
      defer { segment.unlink() }
      segment.setClock(.system)
      segment.set(.state, FeedState.running.rawValue)
      var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      var number: UInt64 = 0
      let start = Timestamp.monotonicNanoseconds()
      while true {
        number += 1
        let tick = Tick(
          instrument: InstrumentID(rawValue: UInt32(number % 200)), sequence: number,
          receiveTime: Timestamp(seconds: 1), exchangeTime: Timestamp(seconds: 1),
          lastPrice: Price(units: Int64(number)), dayVolume: 1, lastTradeSeconds: 1, lastQuantity: 1,
          openInterest: 0)
        segment.storeLastValue(tick)
        segment.storeForming(
          Candle(
            instrument: tick.instrument, interval: .minute, start: tick.receiveTime, open: tick.lastPrice,
            high: tick.lastPrice, low: tick.lastPrice, close: tick.lastPrice, volume: 1, state: .forming,
            origin: .built), upTo: tick)
        while Timestamp.monotonicNanoseconds() - start < Int64(number) * 1000 {}
        if number % 100_000 == 0, Foundation.poll(&poll, 1, 0) > 0 { return }
      }
    }
  }
}
