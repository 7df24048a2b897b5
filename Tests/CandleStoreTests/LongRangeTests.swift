import GRDB
import MarketData
import Testing

@testable import CandleStore

/// Ranges that two connections read at once.
@Suite struct LongRangeTests {
  private static let instrument = InstrumentID(rawValue: 0)
  /// Sparse, so that the range is long by the clock without many rows.
  private static let minutes = stride(from: Int64(0), to: 2 * CandleRange.startsToSplit, by: 7)

  private func read(_ store: CandleStore, origin: CandleOrigin? = nil) throws -> [Candle] {
    try store.candles(
      of: Self.instrument, interval: .minute, from: Timestamp(nanoseconds: .min),
      to: Timestamp(nanoseconds: .max), origin: origin)
  }

  @Test func twoConnectionsReadWhatOneReads() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert(Self.minutes.map { StoreFixture.candle($0) })
    try fixture.store.upsert(
      Self.minutes.filter { $0 % 3 == 0 }.map { StoreFixture.candle($0, volume: 77, origin: .venue) })
    try fixture.store.upsert(Self.minutes.map { StoreFixture.candle($0, instrument: 1) })
    let range = CandleRange(
      instrument: Self.instrument, interval: .minute, seconds: .min..<(.max), origin: nil, preference: .venue)
    let middle = try #require(try fixture.store.pool.read { try range.middle($0) })
    #expect(middle > StoreFixture.minute(0).seconds)
    let two = try #require(try fixture.store.secondReader.read(range, middle: middle))
    let one = try fixture.store.pool.read { try range.read($0, path: fixture.path) }
    #expect(two == one)
    #expect(try read(fixture.store) == one)
    #expect(one == (try fixture.all().filter { $0.instrument == Self.instrument }))
    #expect(try read(fixture.store, origin: .venue).allSatisfy { $0.volume == 77 })
  }

  @Test func aShortRangeIsNotParted() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<100).map { StoreFixture.candle($0) })
    let range = CandleRange(
      instrument: Self.instrument, interval: .minute, seconds: .min..<(.max), origin: nil, preference: .venue)
    #expect(try fixture.store.pool.read { try range.middle($0) } == nil)
  }

  @Test func whatIsCommittedMeanwhileIsInBothHalvesOrInNeither() async throws {
    let fixture = try StoreFixture()
    let store = fixture.store
    try store.upsert(Self.minutes.map { StoreFixture.candle($0, volume: 0) })
    let (first, last) = (Int64(0), try #require(Self.minutes.max()))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var volume: Int64 = 1
        while !Task.isCancelled {
          try store.upsert([first, last].map { StoreFixture.candle($0, volume: volume) })
          volume += 1
        }
      }
      for _ in 0..<300 {
        let candles = try read(store)
        #expect(candles.count == Array(Self.minutes).count)
        #expect(candles.first?.volume == candles.last?.volume)
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test func aRowThatCannotBeIsFoundInEitherHalf() throws {
    for minute in [Int64(7), try #require(Self.minutes.max())] {
      let fixture = try StoreFixture()
      try fixture.store.upsert(Self.minutes.map { StoreFixture.candle($0) })
      try fixture.store.pool.write {
        try $0.execute(
          sql: "UPDATE candles SET state = 9 WHERE start = \(StoreFixture.minute(minute).seconds)")
      }
      let fault = thrownFault { _ = try read(fixture.store) }
      #expect(fault?.kind == .badData)
      #expect(fault?.message.contains("\(StoreFixture.minute(minute).seconds)") == true)
    }
  }

  @Test func manyMayReadLongRangesAtOnce() async throws {
    let fixture = try StoreFixture()
    let store = fixture.store
    try store.upsert(Self.minutes.map { StoreFixture.candle($0) })
    let count = Array(Self.minutes).count
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<24 { group.addTask { try read(store).count } }
      for try await found in group { #expect(found == count) }
    }
  }
}
