internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import SharedRing
internal import TickRing
internal import Venues

/// As many instruments as a broker gives one customer, spread over three connections, at the pace of a busy market: what
/// is lost, what it costs, and how long a strategy waits for an instrument that it asks for.
struct ConnectionsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections",
    abstract: "9000 instruments over three connections, paced: loss, cost, memory.")

  @OptionGroup var size: SizeOptions
  @Option(help: "How long the feed is watched.") var seconds: Int?
  @Option(
    help:
      "Ticks a second, of all instruments together; a little more than the floor, which the mean is to reach."
  )
  var rate = 51_000.0

  private static let startSeconds = 90.0
  private static let stopSeconds = 60.0
  /// Instruments that are left for a strategy to ask for, one after the other.
  private static let askedFor = 100
  private static let firstTickSecondsMax = 10.0

  func validate() throws {
    guard (seconds ?? 1) > 0 else { throw ValidationError("--seconds must be at least 1") }
    guard rate >= 1, rate <= 10_000_000 else { throw ValidationError("--rate is from 1 to 10000000") }
  }

  func run() throws {
    if !size.json { print(Machine.description) }
    let instruments = size.pick(smoke: 3100, full: 9000)
    let duration = seconds ?? size.pick(smoke: 2, full: 300)
    let perInstrument = size.pick(smoke: 2000, full: rate) / Double(instruments)
    let venue = try BenchmarkVenue(instruments: instruments, updatesPerSecond: perInstrument)
    defer { venue.stop() }
    let symbols = try KiteInstruments.download(
      with: HTTPClient(), baseURL: "http://127.0.0.1:\(venue.port)"
    ).map { $0.listing.symbol.text }
    let configured = Array(symbols.dropLast(Self.askedFor))
    let feed = try BenchmarkFeed(
      on: venue, instruments: configured,
      settings: """
        repair:
          enabled: false
        candles:
          reconcile: false
        shared_memory:
          instruments_max: 10000
        """)
    let begun = Timestamp.monotonicNanoseconds()
    let view = try feed.view(withinSeconds: Self.startSeconds) {
      $0.value(.ticking) >= UInt64(configured.count)
    }
    try report(
      "from the start of the feed handler to a tick of each of \(configured.count) instruments",
      Double(Timestamp.monotonicNanoseconds() - begun) / 1e9, "s", view)

    usleep(UInt32(clamping: duration * 1_000_000 / 6))
    let first = ProcessUse(of: feed.pid)
    let start = (Timestamp.monotonicNanoseconds(), view.value(.ticks))
    usleep(UInt32(clamping: duration * 1_000_000 - duration * 1_000_000 / 6))
    let last = ProcessUse(of: feed.pid)
    let elapsed = Double(Timestamp.monotonicNanoseconds() - start.0)
    let ticks = Double(view.value(.ticks) - start.1)
    try report("ticks received", ticks / elapsed * 1e9, "ticks/s", view)
    try report(
      "processor time of the whole feed handler, of one core",
      (last.processorSeconds - first.processorSeconds)
        / elapsed * 1e11, "%", view)
    try report("memory of its own", last.megabytes, "MB", view)
    try report(
      "its growth over the last five sixths of the run", last.megabytes - first.megabytes, "MB", view)

    let waits = try waitForFirstTicks(feed.name, Array(symbols.suffix(Self.askedFor))).sorted()
    try report("from observing an instrument to its first tick, median", waits[waits.count / 2], "ms", view)
    try report(
      "from observing an instrument to its first tick, 99 of 100", waits[waits.count * 99 / 100], "ms", view)

    let sent = try venue.stopAndCount()
    let deadline = Timestamp.monotonicNanoseconds() + Int64(Self.stopSeconds * 1e9)
    while view.value(.ticks) < sent, Timestamp.monotonicNanoseconds() < deadline { usleep(10_000) }
    try report("ticks lost of \(sent) sent", Double(sent) - Double(view.value(.ticks)), "ticks", view)
    try feed.stop()
  }

  private func report(_ name: String, _ value: Double, _ unit: String, _ view: FeedView) throws {
    try Measurement(name: name, value: value, unit: unit, checksum: view.value(.streamHash)).report(size)
  }

  /// Milliseconds from the call to the tick in the strategy's lane, of each instrument.
  private func waitForFirstTicks(_ feed: String, _ symbols: [String]) throws -> [Double] {
    let poller = try DataPoller(feed: feed, lane: "bench-observer", fromLatest: true)
    defer { poller.detach() }
    return try symbols.map { symbol in
      let start = Timestamp.monotonicNanoseconds()
      try poller.observe(symbol)
      var hasTicked = false
      while !hasTicked {
        poller.poll {
          if case .tick(let tick) = $0, poller.symbol(tick.instrument) == symbol { hasTicked = true }
        }
        guard Double(Timestamp.monotonicNanoseconds() - start) < Self.firstTickSecondsMax * 1e9 else {
          throw Fault(.unavailable, "\(symbol) did not tick")
        }
      }
      let wait = Double(Timestamp.monotonicNanoseconds() - start) / 1e6
      try poller.unobserve(symbol)
      return wait
    }
  }
}

/// What a process has used, as the kernel says.
private struct ProcessUse {
  var processorSeconds = 0.0
  /// Memory that no other process and no file shares.
  var megabytes = 0.0

  init(of pid: Int32) {
    // The name in front may hold spaces; the fields behind it are counted from its closing bracket.
    let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
    if fields.count > 12 {
      processorSeconds =
        ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
    let memory = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    if let match = memory.firstMatch(of: #/RssAnon:\s+(\d+) kB/#) {
      megabytes = (Double(match.output.1) ?? 0) / 1024
    }
  }
}
