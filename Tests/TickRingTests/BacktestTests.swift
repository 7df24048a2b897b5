import CandleStore
import Configuration
import Foundation
import MarketData
import Testing
import TickArchive
import TickRing

/// Back-tests over a real archive and a real store.
@Suite struct BacktestTests {
  /// A directory with an hour of ticks of two instruments, and stored candles of the third.
  private final class Recording {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-backtest-\(UUID().uuidString)"
    ).path
    private(set) var ticks: [Tick] = []

    static let seconds = 3600

    init() throws {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let store = try CandleStore(path: directory + "/candles.sqlite", mode: .readWrite)
      let instruments = try store.instrumentIDs(
        for: ScriptedFeed.names.map { (try Symbol($0), "1", Price(units: 50_000_000), 1) })
      try store.upsert((0..<60 as Range<Int64>).map { ScriptedFeed.candle($0, instrument: 2) })
      // A day before, for history.
      try store.upsert((0..<375 as Range<Int64>).map { ScriptedFeed.candle($0 - 1440, close: 50) })
      try store.close()
      var archive = try ArchiveWriter(directory: directory + "/archive", feed: "nse")
      try archive.define(instruments)
      for second in 0..<Self.seconds {
        for instrument in 0...1 as ClosedRange<UInt32> {
          var tick = ScriptedFeed.tick(
            Double(second), 100 + Double(second % 50), volume: Int64(second) * 3, instrument: instrument)
          tick.sequence = UInt64(ticks.count + 1)
          ticks.append(tick)
          _ = try archive.append(tick)
        }
      }
      try archive.finish()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func configuration(speed: Int = 0) -> FeedConfiguration {
      var configuration = FeedConfiguration()
      configuration.dataDirectory = directory
      configuration.mode = .backtest
      configuration.backtest.from = ScriptedFeed.open
      configuration.backtest.to = ScriptedFeed.open + 3_600_000_000_000
      configuration.backtest.speed = speed
      return configuration
    }
  }

  @Test func theTicksAreThoseOfTheArchiveInOrder() throws {
    let recording = try Recording()
    let data = try DataPoller(configuration: .values(recording.configuration()))
    data.wanted = [.ticks]
    try data.observe(ScriptedFeed.names)
    var seen: [Tick] = []
    while data.isOpen { data.poll(max: 100) { if case .tick(let tick) = $0 { seen.append(tick) } } }
    let end = ScriptedFeed.open + 3_600_000_000_000
    #expect(seen.map(\.sequence) == recording.ticks.filter { $0.receiveTime < end }.map(\.sequence))
    #expect(data.latest("NSE:TCS")?.tick.sequence == seen.last?.sequence)
  }

  @Test func onlyObservedInstrumentsAreSeen() async throws {
    let recording = try Recording()
    let data = try await DataHandler(configuration: .values(recording.configuration()))
    try await data.observe("NSE:TCS")
    var instruments: Set<UInt32> = []
    var count = 0
    for await event in data.events(of: .ticks) {
      guard case .tick(let tick) = event else { continue }
      instruments.insert(tick.instrument.rawValue)
      count += 1
      if count == 1000 { try await data.observe("NSE:RELIANCE") }
      if count == 2000 { break }
    }
    #expect(instruments == [0, 1])
    #expect(data.latest("NSE:INFY") == nil)
  }

  @Test func candlesComeFromTicksWhereThereAreAnyAndElseFromTheStore() async throws {
    let recording = try Recording()
    let data = try await DataHandler(configuration: .values(recording.configuration()))
    try await data.observe("NSE:RELIANCE", "NSE:INFY")
    var finals: [UInt32: [Candle]] = [:]
    for await event in data.events(of: .candles(.minute)) {
      guard case .candle(let candle) = event, candle.state == .final else { continue }
      #expect(data.now >= candle.end + 3_000_000_000)
      finals[candle.instrument.rawValue, default: []].append(candle)
      // Yesterday and today through one seam, nothing from after now.
      let known = try await data.candles("NSE:RELIANCE", last: 1_000)
      #expect(known.candles.allSatisfy { $0.end + 3_000_000_000 <= data.now })
      #expect(known.count == 375 + (finals[0]?.count ?? 0))
    }
    // Of the hour's sixty minutes the last is sealed after the end.
    #expect(finals[0]?.map(\.origin) == Array(repeating: .built, count: 59))
    #expect(finals[2]?.map(\.origin) == Array(repeating: .venue, count: 59))
  }

  @Test func twoRunsGiveTheSameEventHash() throws {
    let recording = try Recording()
    let hashes = try (0..<2).map { run in
      let data = try DataPoller(configuration: .values(recording.configuration()))
      data.wanted = [.ticks, .candles(.minute), .candles(.minutes(15)), .gaps, .halts]
      try data.observe(ScriptedFeed.names)
      var hash = MarketEventHash()
      // However many are asked for at a time.
      while data.isOpen { data.poll(max: run == 0 ? 1 : 5000) { hash.update($0) } }
      #expect(hash.count > 7000)
      return hash.value
    }
    #expect(hashes[0] == hashes[1])
  }

  /// The lines of the documentation, as a strategy writes them.
  @Test func theDoorIsUsedAsItIsDocumented() async throws {
    let recording = try Recording()
    let path = recording.directory + "/tickring.yaml"
    try """
    feed: nse
    data_directory: \(recording.directory)
    mode: backtest
    backtest:
      from: 2026-11-23T09:15:00+05:30
      to: 2026-11-23T10:15:00+05:30
    """.write(toFile: path, atomically: true, encoding: .utf8)

    let data = try await DataHandler(configuration: .file(path))
    try await data.observe("NSE:RELIANCE", "NSE:TCS")
    var counts = (ticks: 0, candles: 0)
    for await event in data.events(of: .ticks, .candles(.minutes(1)), .gaps, .halts) {
      switch event {
      case .tick: counts.ticks += 1
      case .candle: counts.candles += 1
      default: Issue.record("\(event)")
      }
    }
    let last = data.latest("NSE:RELIANCE")
    let candles = try await data.candles("NSE:RELIANCE", .minutes(5), last: 200)
    let series = candles.closes.ema(20)

    #expect(counts.ticks == 2 * Recording.seconds)
    #expect(counts.candles >= 2 * 59)
    #expect(last?.price == Price(units: 149 * Price.unitsPerOne))
    #expect(last?.flags.contains(.stale) == false)
    #expect((last?.ageNanoseconds ?? -1) >= 0)
    // Yesterday's from the store, and today's, the last of which has ended at 10:15 and is not sealed.
    #expect(candles.count == 75 + 12)
    #expect(candles.candles.suffix(2).map(\.state) == [.final, .provisional])
    #expect(series.count == candles.count)
    #expect(series.last.map { $0 > 100 && $0 < 150 } == true)
  }

  @Test func aPacedBacktestKeepsTheMarketsTime() throws {
    let recording = try Recording()
    // An hour in about 0.36 s.
    let data = try DataPoller(configuration: .values(recording.configuration(speed: 10_000)))
    data.wanted = [.ticks]
    try data.observe("NSE:TCS")
    let start = Timestamp.monotonicNanoseconds()
    var count = 0
    while data.isOpen {
      data.poll { if case .tick = $0 { count += 1 } }
      if count == 0 { DataPoller.pause() }
    }
    #expect(count == Recording.seconds)
    #expect(Timestamp.monotonicNanoseconds() - start > 300_000_000)
  }

  @Test func unknownSymbolsAndMissingDataAreOneSentence() throws {
    let recording = try Recording()
    let data = try DataPoller(configuration: .values(recording.configuration()))
    let fault = #expect(throws: Fault.self) { try data.observe("NSE:RELIANSE") }
    #expect(fault?.message.contains("did you mean NSE:RELIANCE") == true)
    var nowhere = recording.configuration()
    nowhere.dataDirectory += "/absent"
    let missing = #expect(throws: Fault.self) { _ = try DataPoller(configuration: .values(nowhere)) }
    #expect(missing?.kind == .missingInput)
    #expect(
      #expect(throws: Fault.self) { _ = try DataPoller(configuration: .file("/absent.yaml")) }?.kind
        == .missingInput)
  }
}
