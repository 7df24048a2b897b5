import CandleStore
import Foundation
import MarketData
import Testing
import Venues

/// The venue is cut off at random instants, many times: every reconnect comes in time, subscriptions are restored
/// exactly, every gap is recorded and repaired, and no candle is wrong afterwards. `make soak-faults` cuts 200 times.
@Suite(.serialized) struct CutTests {
  private static let isSoak = ProcessInfo.processInfo.environment["TICKRING_SOAK_CUTS"] != nil
  private static let cuts =
    ProcessInfo.processInfo.environment["TICKRING_SOAK_CUTS"].flatMap(Int.init) ?? 12
  private static let speed = 40.0
  private static let firstDelayMilliseconds = 50.0
  /// What a reconnect may take beyond its first delay, in seconds. Among other tests, on a machine that does other
  /// things, the bound is a wide one.
  private static let reconnectSecondsMax = isSoak ? 1.0 : 10.0
  private static let seed = ProcessInfo.processInfo.environment["TICKRING_SOAK_SEED"] ?? "11"

  @Test(.timeLimit(.minutes(30))) func noCutLeavesAWrongCandle() throws {
    let feed = try LiveFeed(
      [
        "--speed", "\(Self.speed)",
        "--fault-plan", "seed:\(Self.seed),count=\(Self.cuts),every=2.5,kinds=cut|cut-mid-frame",
      ], history: "requests_per_second: 0",
      // What is judged are the feed's own candles, so none is replaced by the venue's but where a gap is repaired.
      extra: "subscriptions:\n  quote: [NSE:SIM50]\ncandles:\n  reconcile: false")
    let ingest = try feed.start()
    try ingest.wait { _ in (feed.counter("ticking") ?? 0) == 40 }
    let before = try subscriptions(feed)
    #expect(before.count == 40 && before.values.filter { $0 == "full" }.count == 39)

    try ingest.wait(timeoutSeconds: Double(Self.cuts) * 4 + 60) { _ in
      (try? feed.askVenue("/simulator/faults")["over"]) as? Bool == true
    }
    // Restored exactly, modes included; the last cut may be under way.
    try ingest.wait { _ in (try? subscriptions(feed)) == before && feed.counter("ticking") == 40 }
    try ingest.wait { _ in
      feed.counter("repaired") ?? 0 >= UInt64(Self.cuts) && feed.counter("repair-waiting") == 0
    }
    let stopTime = try #require(feed.counter("receive-time"))
    ingest.signal(SIGTERM)
    let outcome = try ingest.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")

    let store = try CandleStore(path: feed.dataDirectory + "/candles.sqlite", mode: .readOnly)
    try checkGaps(store)
    // A busy machine may be late by seconds of this fast market: what was on its way when the feed stopped is not asked
    // for.
    let end = Timestamp(nanoseconds: Int64(stopTime) / 60_000_000_000 * 60_000_000_000 - 60_000_000_000)
    try checkCandles(store, feed, until: end)
  }

  private func subscriptions(_ feed: LiveFeed) throws -> [String: String] {
    let connections = try feed.askVenue("/simulator/subscriptions").values.compactMap {
      $0 as? [String: String]
    }
    return connections.max { $0.count < $1.count } ?? [:]
  }

  private func checkGaps(_ store: CandleStore) throws {
    let gaps = try store.storedGaps()
    let outages = gaps.filter { $0.gap.cause == .disconnected }
    #expect(outages.count == Self.cuts)
    #expect(gaps.last?.gap.cause == .stopped && gaps.count == Self.cuts + 1)
    var slowest = 0.0
    for stored in outages {
      let end = try #require(stored.gap.end, "both bounds are recorded")
      slowest = max(slowest, Double(end - stored.gap.start) / 1e9 / Self.speed)
      #expect(stored.repair == .repaired && stored.candles > 0)
      #expect(try #require(stored.repairTime) > end)
    }
    #expect(slowest <= Self.firstDelayMilliseconds / 1000 + Self.reconnectSecondsMax)
    print("\(outages.count) cuts, the longest outage \(Int(slowest * 1000)) ms")
  }

  /// Compares every minute from the second on with the venue's own log.
  private func checkCandles(_ store: CandleStore, _ feed: LiveFeed, until end: Timestamp) throws {
    let venue = RESTHistory(
      KiteCandles(baseURL: "http://127.0.0.1:\(feed.port)") {
        KiteCredentials(apiKey: "demo", accessToken: "demo")
      }, budget: RequestBudget([]))
    let clock = try feed.askVenue("/simulator/clock")
    let origin = try #require((clock["feed_origin_ns"] as? NSNumber)?.int64Value)
    let begin = Timestamp(nanoseconds: origin) + 2 * Interval.minute.nanoseconds
    #expect(begin < end)
    var counts = (compared: 0, wrong: 0, venue: 0)
    for instrument in try store.instruments() where instrument.symbol.text != "NSE:SIM50" {
      let truth = try venue.candles(of: instrument, interval: .minute, from: begin, to: end)
      let stored = try store.candles(of: instrument.id, interval: .minute, from: begin, to: end)
      let ours = Dictionary(stored.map { ($0.start, $0) }, uniquingKeysWith: { $1 })
      #expect(stored.count == truth.count, "\(instrument.symbol)")
      let isIndex = ["SIM50", "SIMBANK", "SIMVIX"].contains { instrument.symbol.text == "NSE:\($0)" }
      for candle in truth {
        // An index has no volume, so what is built counts changes of its price only, where the venue counts every print.
        if isIndex, ours[candle.start]?.origin == .built { continue }
        counts.compared += 1
        guard let own = ours[candle.start], values(own) == values(candle) else {
          counts.wrong += 1
          if counts.wrong < 10 {
            Issue.record(
              "\(instrument.symbol) \(candle.start.rfc3339): \(String(describing: ours[candle.start])) for \(candle)"
            )
          }
          continue
        }
        if own.origin == .venue { counts.venue += 1 }
        #expect(own.origin == .built || own.flags.contains(.repaired))
      }
    }
    #expect(counts.wrong == 0 && counts.venue > 0 && counts.compared > counts.venue)
    print("\(counts.compared) candles compared, \(counts.venue) of them repaired, \(counts.wrong) wrong")
  }

  private func values(_ candle: Candle) -> [Int64] {
    [candle.open.units, candle.high.units, candle.low.units, candle.close.units, candle.volume]
  }
}
