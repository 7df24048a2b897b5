import CandleStore
import Configuration
import Foundation
import MarketData
import Testing
import TickArchive
import TickRing

/// Instruments that a back-test observes when it is under way.
@Suite struct ObservingLaterTests {
  /// A directory with stored candles of three instruments over ten minutes, and ticks of two of them: those of the
  /// first at the given seconds, one a second of the second.
  private final class Recording {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-later-\(UUID().uuidString)"
    ).path
    static let minutes: Int64 = 10

    init(secondsOfFirst: [Int64]) throws {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
      let instruments = try store.instrumentIDs(
        for: ScriptedFeed.names.map { (try Symbol($0), "1", Price(units: 50_000_000), 1) })
      for instrument in 0...2 as ClosedRange<UInt32> {
        try store.upsert((0..<Self.minutes).map { ScriptedFeed.candle($0, instrument: instrument) })
      }
      try store.close()
      guard !secondsOfFirst.isEmpty else { return }
      var archive = try ArchiveWriter(directory: directory + "/archive", feed: "nse")
      try archive.define(instruments)
      var sequence: UInt64 = 0
      for second in 0..<Self.minutes * 60 {
        for instrument in secondsOfFirst.contains(second) ? [0, 1] : [1] as [UInt32] {
          var tick = ScriptedFeed.tick(Double(second), 100, volume: second + 1, instrument: instrument)
          sequence += 1
          tick.sequence = sequence
          _ = try archive.append(tick)
        }
      }
      try archive.finish()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var configuration: FeedConfiguration {
      var configuration = FeedConfiguration()
      configuration.dataDirectory = directory
      configuration.mode = .backtest
      configuration.backtest.from = ScriptedFeed.open
      configuration.backtest.to = ScriptedFeed.open + Self.minutes * 60_000_000_000
      return configuration
    }

    func handler() async throws(Fault) -> DataHandler {
      try await DataHandler(configuration: .values(configuration))
    }
  }

  private static let eachMinute = (0..<Recording.minutes).map { $0 * 60 }

  @Test func itsTicksComeFromThenOnHoweverFarTheOthersWereRead() async throws {
    let recording = try Recording(secondsOfFirst: Self.eachMinute)
    let data = try await recording.handler()
    try await data.observe("NSE:RELIANCE")
    var seen: [(instrument: UInt32, second: Int64)] = []
    for await event in data.events(of: .ticks) {
      guard case .tick(let tick) = event else { continue }
      #expect(tick.receiveTime == data.now)
      seen.append((tick.instrument.rawValue, tick.exchangeTime.seconds - ScriptedFeed.open.seconds))
      if seen.count == 3 { try await data.observe("NSE:TCS") }
    }
    #expect(seen.filter { $0.instrument == 0 }.map(\.second) == (0..<10).map { $0 * 60 })
    // The third of the one a minute is at 120 seconds.
    #expect(seen.filter { $0.instrument == 1 }.map(\.second) == Array(120..<600))
  }

  @Test(arguments: [[EventKind.ticks], [.ticks, .candles(.minute)]])
  func soDoThoseOfAStrategyThatPolls(wanted: Set<EventKind>) throws {
    let recording = try Recording(secondsOfFirst: Self.eachMinute)
    let data = try DataPoller(configuration: .values(recording.configuration))
    data.wanted = wanted
    try data.observe("NSE:RELIANCE")
    var seen: [UInt64] = []
    while data.isOpen {
      data.poll { event in
        guard case .tick(let tick) = event else { return }
        #expect(tick.receiveTime == data.now)
        seen.append(tick.sequence)
        guard seen.count == 3 || seen.count == 100 || seen.count == 150 else { return }
        do {
          if seen.count == 100 { try data.unobserve("NSE:RELIANCE") } else { try data.observe("NSE:TCS") }
        } catch {
          Issue.record(error)
        }
      }
    }
    // Each second has a record of the second instrument, each minute one of the first before it. The third of the first
    // is the 123rd; after the hundredth handed out, the 220th, only the second is observed.
    let both = Array(1...UInt64(Recording.minutes * 61))
    let onlySecond = both[220...].filter { $0 % 61 != 1 }
    #expect(seen == [1, 62] + both[122...219] + onlySecond)
  }

  @Test func itsCandlesComeThoughTheOthersHaveNoTickForLong() async throws {
    let recording = try Recording(secondsOfFirst: [0, 590])
    let data = try await recording.handler()
    try await data.observe("NSE:RELIANCE")
    var sealed: [Int64] = []
    for await event in data.events(of: .candles(.minute)) {
      guard case .candle(let candle) = event, candle.state == .final else { continue }
      if candle.instrument.rawValue == 0 {
        if candle.start == ScriptedFeed.open { try await data.observe("NSE:TCS") }
      } else {
        #expect(candle.end + 3_000_000_000 == data.now)
        if candle.origin == .built { sealed.append(candle.start.seconds - ScriptedFeed.open.seconds) }
      }
    }
    #expect(sealed == Array(1..<9).map { $0 * 60 })
  }

  @Test func candlesOfOthersThatAreSealedAtTheSameInstantAreNotLost() async throws {
    let recording = try Recording(secondsOfFirst: [])
    let data = try await recording.handler()
    try await data.observe("NSE:RELIANCE", "NSE:TCS")
    var starts: [UInt32: [Timestamp]] = [:]
    for await event in data.events(of: .candles(.minute)) {
      guard case .candle(let candle) = event else { continue }
      starts[candle.instrument.rawValue, default: []].append(candle.start)
      if starts[0]?.count == 3, starts[2] == nil { try await data.observe("NSE:INFY") }
    }
    // The last minute is sealed after the end of the range.
    #expect(starts[0]?.count == 9)
    #expect(starts[1] == starts[0])
    #expect(starts[2]?.count == 6)
  }
}
