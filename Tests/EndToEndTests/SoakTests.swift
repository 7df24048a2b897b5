import CandleBuilding
import Foundation
import MarketData
import SharedRing
import Testing
import TickArchive
import TickRing

/// A market of 2000 instruments with everything on, for a while: nothing is lost, forming candles are right at every
/// sampled instant, memory does not grow. `make soak-feed` runs it for ten minutes at 100 000 ticks a second.
@Suite(.serialized) struct SoakTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seconds = environment["TICKRING_SOAK_SECONDS"].flatMap(Double.init) ?? 8
  private static let ticksPerSecond = environment["TICKRING_SOAK_RATE"].flatMap(Double.init) ?? 20_000
  private static let instruments = 2000
  /// Instruments whose forming candle is looked at, ten times a second.
  private static let sampled = 40
  private static let sampleSeconds = 0.1
  /// What the feed handler may grow by between a quarter of the time and its end; more where it has hardly begun.
  private static let growthKiBMax = seconds < 60 ? 65_536 : 16_384

  @Test(.timeLimit(.minutes(60))) func aBusyMarketIsKeptUpWith() throws {
    let rate = Self.ticksPerSecond / Double(Self.instruments)
    let feed = try LiveFeed(
      ["--instruments", "\(Self.instruments)", "--rate", "\(rate)"], history: "requests_per_second: 0",
      extra: "shared_memory:\n  lane_slots: 1048576\narchive:\n  capture_frames: true")
    let ingest = try feed.startAndWaitForTicks()
    let view = try FeedView(feed: feed.name)
    let all = view.instruments()
    #expect(all.count == Self.instruments)
    let data = try DataPoller(feed: feed.name, lane: "soak", observing: all.map(\.symbol.text))
    data.wanted = [.ticks, .gaps]
    let chosen = Set(all.map(\.id).prefix(Self.sampled))

    var samples: [FormingCandle] = []
    var memoryKiB: [Int] = []
    var received = 0
    let begin = Date()
    var nextSample = begin
    while Date().timeIntervalSince(begin) < Self.seconds {
      while data.poll({ if case .tick = $0 { received += 1 } }) > 0 {}
      if Date() >= nextSample {
        nextSample += Self.sampleSeconds
        for id in chosen { if let candle = view.forming(id, at: view.clock.now()) { samples.append(candle) } }
        memoryKiB.append(try Self.memoryKiB(of: ingest.pid))
      }
      usleep(500)
    }
    let took = Date().timeIntervalSince(begin)
    let report = try feed.stopVenue()
    #expect(report.code == 0)
    ingest.signal(SIGTERM)
    while data.isOpen { data.poll { if case .tick = $0 { received += 1 } } }
    #expect(try ingest.wait().code == 0)

    #expect(data.backlog.lost == 0)
    #expect(Double(received) > 0.8 * Self.ticksPerSecond * Self.seconds, "\(received) ticks in \(took) s")
    let verify = try Tool.run(["archive", "verify", feed.dataDirectory + "/archive", "--session"])
    #expect(verify.code == 0, "\(verify.output)\(verify.errors)")
    let early = memoryKiB[memoryKiB.count / 4]
    let growth = (memoryKiB.suffix(memoryKiB.count / 4).max() ?? 0) - early
    #expect(growth <= Self.growthKiBMax, "memory grew by \(growth) KiB")
    try check(samples, in: feed, of: chosen)
    print(
      "\(received) ticks in \(Int(took)) s, \(data.backlog.lost) lost; \(samples.count) forming candles compared;",
      "memory \(early) KiB early on, \(growth) KiB more at the end")
  }

  /// Each sample is compared when the records up to its own have been taken in, in one pass over what was archived.
  private func check(_ samples: [FormingCandle], in feed: LiveFeed, of chosen: Set<InstrumentID>) throws {
    #expect(samples.count > Self.sampled * 10)
    let waiting = samples.sorted { $0.sequence < $1.sequence }
    var next = 0
    var wrong: [String] = []
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    func compare(before sequence: UInt64) {
      while next < waiting.count, waiting[next].sequence < sequence {
        var sampled = waiting[next].candle
        var built = aggregator.forming(sampled.instrument)
        // How much of the minute had gone is a matter of the clock, not of the records.
        sampled.coverage = 0
        built?.coverage = 0
        if built != sampled { wrong.append("\(sampled) is not \(built.map { "\($0)" } ?? "none")") }
        next += 1
      }
    }
    let archive = try ArchiveReader(directory: feed.dataDirectory + "/archive", feed: feed.name)
    _ = try archive.forEachTick(instruments: chosen) { tick throws(Fault) in
      compare(before: tick.sequence)
      aggregator.apply(tick, into: &closed)
      closed.removeAll(keepingCapacity: true)
    }
    compare(before: .max)
    #expect(next == waiting.count)
    #expect(wrong.isEmpty, "\(wrong.count) of \(waiting.count): \(wrong.first ?? "")")
  }

  /// Memory of a process that is its own, without what it shares.
  private static func memoryKiB(of pid: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
    return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
  }
}
