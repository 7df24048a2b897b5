import GRDB
import MarketData
import Testing

@testable import CandleStore

/// Counts of rules, withheld volume, precedence and differences.
@Suite struct QualityTableTests {
  private let instrument = InstrumentID(rawValue: 0)

  @Test func countsAreThoseOfTheWholeDayAndNeverFall() throws {
    let fixture = try StoreFixture()
    var count = QualityCount(day: 20_000, instrument: instrument, rule: "stale", flagged: 5, rejected: 1)
    try fixture.store.recordQuality([count])
    try fixture.store.recordQuality([count])
    #expect(try fixture.store.qualityCounts(day: 20_000) == [count])
    count.flagged = 7
    count.rejected = 0
    try fixture.store.recordQuality([count])
    let kept = try fixture.store.qualityCounts(day: 20_000)
    #expect(kept.map(\.flagged) == [7] && kept.map(\.rejected) == [1])
    #expect(try fixture.store.qualityCounts(day: 20_001).isEmpty)
  }

  @Test func aQuarantinedTickIsKeptOnceHoweverOftenItIsNoted() throws {
    let fixture = try StoreFixture()
    let record = QuarantinedRecord(
      instrument: instrument, record: .tick, rule: "stale", reason: "old",
      receiveTime: Timestamp(seconds: 10),
      exchangeTime: .unknown, price: .zero, volume: 1, sequence: 77)
    try fixture.store.quarantine([record])
    try fixture.store.quarantine([record])
    #expect(
      try fixture.store.quarantined(from: .unknown, to: Timestamp(seconds: 11)).map(\.sequence) == [77])
  }

  @Test func rule6WithheldVolumeIsKeptByInstrument() throws {
    let fixture = try StoreFixture()
    let volume = WithheldVolume(
      instrument: instrument, since: Timestamp(seconds: 5), back: Timestamp(seconds: 9), volume: 30)
    try fixture.store.recordWithheld([volume])
    try fixture.store.recordWithheld([volume])
    #expect(try fixture.store.withheldVolumes(from: .unknown, to: Timestamp(seconds: 10)) == [instrument: 30])
    #expect(
      try fixture.store.withheldVolumes(from: Timestamp(seconds: 10), to: Timestamp(seconds: 20)).isEmpty)
  }

  @Test func rule18PrecedenceIsConfiguredAndHoldsForAllWhoOpenTheFile() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert([
      StoreFixture.candle(0, origin: .built), StoreFixture.candle(0, origin: .venue),
    ])
    func best(_ store: CandleStore) throws -> CandleOrigin? {
      try store.candles(
        of: instrument, interval: .minute, from: StoreFixture.minute(0), to: StoreFixture.minute(1)
      ).first?.origin
    }
    func bestInSQL() throws -> Int64? {
      try fixture.store.pool.read { try Int64.fetchOne($0, sql: "SELECT origin FROM best_candles") }
    }
    #expect(try best(fixture.store) == .venue)
    #expect(try bestInSQL() == 1)
    try fixture.store.prefer(.built)
    #expect(try best(fixture.store) == .built)
    #expect(try bestInSQL() == 0)
    let reader = try CandleStore(path: fixture.store.path, mode: .readOnly)
    #expect(try best(reader) == .built)
  }

  @Test func rule18DifferencesOfSealedCandlesAreAView() throws {
    let fixture = try StoreFixture()
    var ours = StoreFixture.candle(0, origin: .built)
    let theirs = StoreFixture.candle(0, origin: .venue)
    ours.high = Price(units: theirs.high.units + 5)
    ours.volume = theirs.volume - 2
    try fixture.store.upsert([ours, theirs, StoreFixture.candle(1, origin: .built)])
    let rows = try fixture.store.pool.read { database in
      try Row.fetchAll(database, sql: "SELECT high, low, volume FROM candle_differences").map {
        [$0[0] as Int64, $0[1] as Int64, $0[2] as Int64]
      }
    }
    #expect(rows == [[5, 0, -2]])
    let readable = try fixture.store.pool.read {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM candle_differences_readable")
    }
    #expect(readable == 1)
  }
}
