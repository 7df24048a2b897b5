import Foundation
import Testing
import TickRing

/// Strategies and people on a live feed: lanes, subscriptions, queries.
@Suite(.serialized) struct ConsumerTests {
  @Test func aStrategyObservesAddsAndRemovesWhileTheFeedRuns() throws {
    let feed = try LiveFeed(["--speed", "20"])
    let ingest = try feed.startAndWaitForTicks()
    let all = try DataPoller(feed: feed.name, lane: "probe").symbols
    let data = try DataPoller(feed: feed.name, lane: "strategy", observing: [all[0], all[1]])
    #expect(try seen(by: data, until: 2) == [all[0], all[1]])
    try data.observe(all[2])
    #expect(try seen(by: data, until: 3).contains(all[2]))
    try data.unobserve(all[0], all[1])
    // Ticks published before the removal took effect may still be in the lane.
    usleep(200_000)
    while data.poll({ _ in }) > 0 {}
    #expect(try seen(by: data, until: 1) == [all[2]])
    let latest = try #require(data.latest(all[2]))
    #expect(latest.price > .zero)
    #expect(latest.ageNanoseconds >= 0)
    ingest.signal(SIGTERM)
    var ended = false
    while data.isOpen { data.poll { if case .ended = $0 { ended = true } } }
    #expect(ended)
    #expect(data.backlog.lost == 0)
    #expect(try ingest.wait().code == 0)
    #expect(try feed.leftovers() == [])
  }

  /// Last values, then the lane: held against a strategy that was there from the start.
  @Test func aStrategyThatJoinsLateHasNoHoleAndNothingTwice() throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks()
    let symbols = Array(try DataPoller(feed: feed.name, lane: "probe").symbols.prefix(3))
    let first = try DataPoller(feed: feed.name, lane: "first", observing: symbols)
    var all: [UInt64: Set<UInt64>] = [:]
    func pollFirst() {
      first.poll {
        if case .tick(let tick) = $0 {
          all[UInt64(tick.instrument.rawValue), default: []].insert(tick.sequence)
        }
      }
    }
    let start = Date()
    while all.count < 3 || Date().timeIntervalSince(start) < 1 { pollFirst() }
    var late: [Tick] = []
    let second = try DataPoller(feed: feed.name, lane: "second", observing: symbols)
    // Ticks wait in its lane that are older than its beginning.
    usleep(300_000)
    let beginning = try second.join(symbols[0], symbols[1], symbols[2])
    while late.count < 100 {
      second.poll { if case .tick(let tick) = $0 { late.append(tick) } }
      pollFirst()
    }
    let newest = late.map(\.sequence).max() ?? 0
    let deadline = Date().addingTimeInterval(20)
    while all.values.joined().max() ?? 0 < newest, Date() < deadline { pollFirst() }
    #expect(beginning.count == 3)
    #expect(beginning.map(\.tick.sequence) == beginning.map(\.tick.sequence).sorted())
    for last in beginning.map(\.tick) {
      let wanted = all[UInt64(last.instrument.rawValue), default: []].filter {
        $0 > last.sequence && $0 <= newest
      }
      let got = late.filter { $0.instrument == last.instrument }.map(\.sequence)
      #expect(got == wanted.sorted())
      #expect(all[UInt64(last.instrument.rawValue), default: []].contains(last.sequence))
    }
  }

  @Test func anUnknownSymbolGetsTheNearestThree() throws {
    let feed = try LiveFeed()
    _ = try feed.startAndWaitForTicks()
    let symbol = try #require(try DataPoller(feed: feed.name, lane: "probe").symbols.first)
    let outcome = try Tool.run(["observe", "--feed", feed.name, symbol + "X"])
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("the nearest are") && outcome.errors.contains(symbol))
  }

  @Test func aLaneIsReadByOneProcessAlone() throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks()
    let data = try DataPoller(feed: feed.name, lane: "mine")
    let symbol = try #require(data.symbols.first)
    let outcome = try Tool.run(["watch", "--feed", feed.name, "--lane", "mine", "--count", "1", symbol])
    #expect(outcome.code == 75)
    #expect(outcome.errors.contains("'mine'"))
  }

  @Test func watchAndQueryPrintWhatTheFeedCarries() throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks(atLeast: 200)
    let latest = try Tool.run(["query", "latest", "--feed", feed.name, "--json"])
    #expect(latest.code == 0, "\(latest.errors)")
    let lines = latest.output.split(separator: "\n")
    #expect(lines.count > 10 && lines.allSatisfy { $0.contains("\"age_ms\"") })
    let symbol = try #require(try #/"symbol":"([^"]+)"/#.firstMatch(in: String(lines[0]))?.output.1)
    let watch = try Tool.run(["watch", "--feed", feed.name, "--count", "3", "--json", String(symbol)])
    #expect(watch.code == 0, "\(watch.errors)")
    #expect(watch.output.split(separator: "\n").count == 3)
    let status = try Tool.run(["status", "--feed", feed.name])
    #expect(status.output.contains("running"))
  }

  /// The symbols of ticks read until so many different ones came.
  private func seen(by data: DataPoller, until count: Int) throws -> Set<String> {
    var symbols: Set<String> = []
    let deadline = Date().addingTimeInterval(30)
    while symbols.count < count {
      guard Date() < deadline else { throw Unexpected("only \(symbols) came") }
      if data.poll({ if case .tick(let tick) = $0 { symbols.insert(data.symbol(tick.instrument)) } }) == 0 {
        usleep(1_000)
      }
    }
    return symbols
  }
}
