import CandleBuilding
import Foundation
import MarketData
import SharedRing
import Testing
import TickArchive

/// The forming candle in shared memory, sampled while a feed runs, against candles built afterwards from its archive.
@Suite(.serialized) struct FormingTests {
  private static let samplesMin = 500

  @Test func theFormingCandleIsRightAtEverySampledInstant() throws {
    let feed = try LiveFeed(["--speed", "60"])
    let ingest = try feed.startAndWaitForTicks()
    let view = try FeedView(feed: feed.name)
    let instruments = view.instruments().map(\.id)
    var samples: [FormingCandle] = []
    let deadline = Date().addingTimeInterval(8)
    while Date() < deadline {
      for instrument in instruments {
        if let candle = view.forming(instrument, at: view.clock.now()) { samples.append(candle) }
      }
      usleep(20_000)
    }
    _ = try feed.stopVenue()
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    #expect(samples.count >= Self.samplesMin)
    #expect(Set(samples.map(\.candle.start)).count >= 3, "the samples shall span several minutes")

    // One pass over the archive: each sample is compared when its record has been taken in.
    let waiting = samples.sorted { $0.sequence < $1.sequence }
    var next = 0
    var wrong: [String] = []
    var aggregator = CandleAggregator()
    var closed: [Candle] = []
    try ArchiveReader(directory: feed.dataDirectory + "/archive", feed: feed.name).forEachTick {
      tick throws(Fault) in
      aggregator.apply(tick, into: &closed)
      while next < waiting.count, waiting[next].sequence <= tick.sequence {
        var sampled = waiting[next].candle
        var built = aggregator.forming(sampled.instrument)
        // How much of the minute had gone is a matter of the clock, not of the records.
        sampled.coverage = 0
        built?.coverage = 0
        if built != sampled { wrong.append("\(sampled) is not \(built.map { "\($0)" } ?? "none")") }
        next += 1
      }
    }
    #expect(next == waiting.count)
    #expect(wrong.isEmpty, "\(wrong.count) of \(waiting.count): \(wrong.first ?? "")")
  }
}
