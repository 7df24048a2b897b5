import CandleStore
import MarketData
import Testing

@Suite struct RevisionTests {
  private let instrument = InstrumentID(rawValue: 0)

  private func revised(_ revision: Int, volume: Int64, minute: Int64 = 0) -> Candle {
    var candle = StoreFixture.candle(minute, volume: volume, state: .revised)
    candle.revision = revision
    return candle
  }

  private func superseded(_ fixture: StoreFixture, minute: Int64 = 0) throws -> [Candle] {
    try fixture.store.supersededCandles(
      of: instrument, interval: .minute, start: StoreFixture.minute(minute), origin: .built)
  }

  @Test func whatARevisionReplacesIsKept() throws {
    let fixture = try StoreFixture()
    let final = StoreFixture.candle(0, volume: 10)
    try fixture.store.upsert([StoreFixture.candle(0, volume: 9, state: .provisional), final])
    try fixture.store.upsert([revised(1, volume: 12)])
    try fixture.store.upsert([revised(2, volume: 13)])
    #expect(try superseded(fixture) == [final, revised(1, volume: 12)])
    #expect(try fixture.all() == [revised(2, volume: 13)])
  }

  @Test func aBatchThatHoldsSealAndRevisionKeepsBoth() throws {
    let fixture = try StoreFixture()
    // Out of order between candles, in order within each, as the aggregator hands them out.
    let batch = [
      StoreFixture.candle(1, volume: 20, state: .provisional), StoreFixture.candle(0, volume: 10),
      StoreFixture.candle(1, volume: 21), revised(1, volume: 22, minute: 1), revised(1, volume: 12),
    ]
    try fixture.store.upsert(batch)
    #expect(try fixture.all() == [revised(1, volume: 12), revised(1, volume: 22, minute: 1)])
    #expect(try superseded(fixture) == [StoreFixture.candle(0, volume: 10)])
    #expect(try superseded(fixture, minute: 1) == [StoreFixture.candle(1, volume: 21)])
    try fixture.store.upsert(batch)
    #expect(try fixture.all() == [revised(1, volume: 12), revised(1, volume: 22, minute: 1)])
    #expect(try superseded(fixture) == [StoreFixture.candle(0, volume: 10)])
  }

  /// Rows are stored sixteen a statement: every length of a batch must store all of it.
  @Test(arguments: [1, 15, 16, 17, 31, 33, 100])
  func batchesOfEveryLengthAreStoredWhole(count: Int64) throws {
    let fixture = try StoreFixture()
    let candles = (0..<count).map { StoreFixture.candle($0, volume: $0) }
    try fixture.store.upsert(candles.shuffled())
    #expect(try fixture.all() == candles)
  }
}
