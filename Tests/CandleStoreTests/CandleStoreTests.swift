import CandleStore
import Foundation
import GRDB
import MarketData
import Testing

@Suite struct CandleStoreTests {
  @Test func instrumentsAreNumberedFromZeroInTheOrderFirstSeen() throws {
    let fixture = try StoreFixture()
    let instruments = try fixture.store.instruments()
    #expect(instruments.map(\.id.rawValue) == [0, 1, 2])
    #expect(instruments.map(\.symbol.text) == StoreFixture.names)
  }

  @Test func aSymbolKeepsItsNumberAcrossReopeningWhileTheRestIsUpdated() throws {
    let fixture = try StoreFixture()
    try fixture.store.close()
    let store = try CandleStore(path: fixture.path, mode: .readWrite)
    let instruments = try store.instrumentIDs(for: [
      StoreFixture.entry("NSE:NEW"), StoreFixture.entry("NSE:JUNIORBEES", token: "77", lot: 25),
      StoreFixture.entry("NSE:NEW"),
    ])
    #expect(instruments.map(\.id.rawValue) == [3, 1, 3])
    let known = try store.instrument(for: Symbol("NSE:JUNIORBEES"))
    #expect(known?.venueToken == "77")
    #expect(known?.lotSize == 25)
    #expect(known?.priceTick == Price(units: 50_000_000))
    #expect(try store.instrument(for: Symbol("NSE:ABSENT")) == nil)
    #expect(try store.counts().instruments == 4)
  }

  @Test func aCopyOfTheFileAloneIsWholeOnceTheWriterClosedItThoughAnotherStillReads() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<50).map { StoreFixture.candle($0) })
    let reader = try CandleStore(path: fixture.path, mode: .readOnly)
    try fixture.store.close()
    let copy = fixture.directory.file("copy.sqlite")
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    var count = 0
    try CandleStore(path: copy, mode: .readOnly).forEachCandle { _ in count += 1 }
    #expect(count == 50)
    try reader.close()
  }

  @Test func everyFieldOfACandleComesBackExactly() throws {
    let fixture = try StoreFixture()
    var candle = StoreFixture.candle(0, state: .revised)
    candle.open = Price(units: .min)
    candle.high = Price(units: .max)
    candle.low = Price(units: -1)
    candle.close = Price(units: 1)
    candle.volume = .max
    candle.openInterest = 4_294_967_295
    candle.tickCount = 123_456
    candle.turnover = .min
    candle.coverage = 37
    candle.flags = [.partial, .late, .suspect]
    candle.revision = 12
    try fixture.store.upsert([candle])
    #expect(try fixture.all() == [candle])
  }

  @Test func theLastStateOfACandleStays() throws {
    let fixture = try StoreFixture()
    let states = [CandleState.provisional, .final].map { StoreFixture.candle(0, state: $0) }
    var revised = StoreFixture.candle(0, volume: 12, state: .revised)
    revised.revision = 1
    try fixture.store.upsert(states + [revised])
    #expect(try fixture.all() == [revised])
  }

  @Test func rule19StoringADayTwiceChangesNothing() throws {
    let fixture = try StoreFixture()
    let day = (0..<375 as Range<Int64>).map { StoreFixture.candle($0, volume: $0) }
    try fixture.store.upsert(day)
    let first = try fixture.all()
    try fixture.store.upsert(day)
    #expect(try fixture.all() == first)
    #expect(first == day)
    #expect(try fixture.store.counts().candles == 375)
  }

  @Test func rule18AllOriginsAreKeptAndTheBestIsChosen() throws {
    let fixture = try StoreFixture()
    let running = StoreFixture.candle(0, volume: 1, state: .provisional, origin: .venue)
    let imported = StoreFixture.candle(0, volume: 2, origin: .imported)
    let built = StoreFixture.candle(0, volume: 3, state: .provisional)
    let venue = StoreFixture.candle(0, volume: 4, origin: .venue)
    for best in [running, imported, built] {
      try fixture.store.upsert([best])
      #expect(try fixture.all() == [best])
    }
    try fixture.store.upsert([venue])
    #expect(try fixture.all() == [venue])
    #expect(try fixture.all(origin: .built) == [built])
    #expect(try fixture.all(origin: .imported) == [imported])
    #expect(try fixture.store.counts().candles == 3)
  }

  @Test func rangesIncludeTheirStartAndExcludeTheirEnd() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<10 as Range<Int64>).reversed().map { StoreFixture.candle($0) })
    try fixture.store.upsert([StoreFixture.candle(3, instrument: 1)])
    func starts(from: Timestamp, to: Timestamp) throws -> [Timestamp] {
      try fixture.store.candles(of: InstrumentID(rawValue: 0), interval: .minute, from: from, to: to).map(
        \.start)
    }
    let minute = StoreFixture.minute
    #expect(try starts(from: minute(2), to: minute(4)) == [minute(2), minute(3)])
    #expect(try starts(from: minute(2) + 1, to: minute(4) + 1) == [minute(3), minute(4)])
    #expect(try starts(from: minute(4), to: minute(4)).isEmpty)
  }

  @Test func theLatestCandlesAscendAndPreferTheVenuesOwn() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<10 as Range<Int64>).map { StoreFixture.candle($0) })
    try fixture.store.upsert([StoreFixture.candle(8, volume: 99, origin: .venue)])
    let instrument = InstrumentID(rawValue: 0)
    let latest = try fixture.store.latestCandles(of: instrument, interval: .minute, count: 3)
    #expect(latest.map(\.start) == [7, 8, 9].map(StoreFixture.minute))
    #expect(latest.map(\.volume) == [10, 99, 10])
    let ours = try fixture.store.latestCandles(of: instrument, interval: .minute, count: 3, origin: .built)
    #expect(ours.map(\.volume) == [10, 10, 10])
    #expect(try fixture.store.latestCandles(of: instrument, interval: .minutes(5), count: 3).isEmpty)
    #expect(try fixture.store.latestCandles(of: instrument, interval: .minute, count: -1).isEmpty)
  }

  @Test func anOpenGapIsClosedByRecordingItAgain() throws {
    let fixture = try StoreFixture()
    let start = StoreFixture.minute(1)
    var gap = FeedGap(start: start, end: nil, cause: .disconnected)
    try fixture.store.recordGap(gap)
    #expect(try fixture.store.gaps() == [gap])
    gap.end = start + 1_500_000_000
    try fixture.store.recordGap(gap)
    let other = FeedGap(instrument: InstrumentID(rawValue: 2), start: start + 1, end: nil, cause: .stalled)
    try fixture.store.recordGap(other)
    #expect(try fixture.store.gaps() == [gap, other])
    #expect(try fixture.store.counts().gaps == 2)
  }

  @Test func theReadableViewsShowDecimalsAndIndianTime() throws {
    let fixture = try StoreFixture()
    var candle = StoreFixture.candle(0, instrument: 1)
    candle.flags = [.partial, .suspect]
    candle.turnover = 12_345
    let built = StoreFixture.candle(0, instrument: 1, origin: .venue)
    try fixture.store.upsert([candle, built])
    try fixture.store.recordGap(
      FeedGap(start: StoreFixture.minute(0) + 250_000_000, end: nil, cause: .stalled))
    let queue = try DatabaseQueue(path: fixture.path)
    let row = try queue.read {
      try Row.fetchOne($0, sql: "SELECT * FROM candles_readable WHERE origin = 'built'")
    }
    #expect(row?["symbol"] == "NSE:JUNIORBEES")
    #expect(row?["start_ist"] == "2026-11-23 09:15:00+05:30")
    #expect(row?["high"] == 101.05)
    #expect(row?["turnover"] == 1.2345)
    #expect(row?["flags"] == "partial suspect")
    #expect(row?["state"] == "final")
    let best = try queue.read { try String.fetchAll($0, sql: "SELECT origin FROM best_candles_readable") }
    #expect(best == ["venue"])
    let gap = try queue.read { try Row.fetchOne($0, sql: "SELECT * FROM gaps_readable") }
    #expect(gap?["symbol"] == "whole feed")
    #expect(gap?["start_ist"] == "2026-11-23 09:15:00.250+05:30")
    #expect(gap?["end_ist"] as String? == nil)
    #expect(gap?["cause"] == "stalled")
  }

  @Test func readersSeeWholeTransactionsWhileTheWriterWrites() async throws {
    let fixture = try StoreFixture()
    let rounds: Int64 = 60
    try fixture.store.upsert((0..<200 as Range<Int64>).map { StoreFixture.candle($0, volume: 0) })
    let store = fixture.store
    let writing = Task.detached {
      for round in 1...rounds {
        try store.upsert((0..<200 as Range<Int64>).map { StoreFixture.candle($0, volume: round) })
      }
    }
    let reader = try CandleStore(path: fixture.path, mode: .readOnly)
    var seen: Set<Int64> = []
    var last: Int64 = -1
    while last < rounds {
      let volumes = Set(
        try reader.candles(
          of: InstrumentID(rawValue: 0), interval: .minute, from: StoreFixture.minute(0),
          to: StoreFixture.minute(200)
        ).map(\.volume))
      #expect(volumes.count == 1)
      let volume = try #require(volumes.first)
      #expect(volume >= last)
      seen.insert(volume)
      last = volume
      await Task.yield()
    }
    try await writing.value
    #expect(seen.contains(rounds))
  }

  @Test func whatWasStoredBeforeAKillIsThereAndWhole() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("candles.sqlite")
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let store = try CandleStore(path: path, mode: .readWrite)
      _ = try store.instrumentIDs(for: [StoreFixture.entry("NSE:YESBANK")])
      try store.upsert((0..<100 as Range<Int64>).map { StoreFixture.candle($0) })
      kill(getpid(), SIGKILL)
    }
    let store = try CandleStore(path: path, mode: .readWrite)
    #expect(try store.counts().candles == 100)
    #expect(try store.instruments().map(\.symbol.text) == ["NSE:YESBANK"])
  }
}
