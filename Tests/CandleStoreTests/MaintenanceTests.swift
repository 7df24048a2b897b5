import Foundation
import GRDB
import MarketData
import Testing

@testable import CandleStore

@Suite struct MaintenanceTests {
  @Test func aSoundStoreHasNoProblems() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<500 as Range<Int64>).map { StoreFixture.candle($0) })
    let check = try fixture.store.check()
    #expect(check.isSound)
    #expect(check.candles == 500)
  }

  @Test(arguments: [
    ("high = low - 1", "between low and high"), ("instrument_id = 77", "no such instrument"),
    ("coverage = 101", "out of range"), ("volume = -1", "volume is negative"),
  ])
  func aRowThatCannotBeRightIsNamed(change: String, problem: String) throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert([StoreFixture.candle(0), StoreFixture.candle(1)])
    try fixture.store.pool.write {
      try $0.execute(sql: "UPDATE candles SET \(change) WHERE start = \(StoreFixture.minute(0).seconds)")
    }
    let problems = try fixture.store.check().problems
    #expect(problems.count == 1)
    #expect(problems.first?.contains(problem) == true, "\(problems)")
  }

  @Test func damagedPagesAreFound() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<5000 as Range<Int64>).map { StoreFixture.candle($0) })
    try fixture.store.close()
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: size / 2)
    try handle.write(contentsOf: Data(repeating: 0xA5, count: 8192))
    try handle.close()
    let store = try CandleStore(path: fixture.path, mode: .readOnly)
    #expect(try !store.check().isSound)
  }

  @Test func statisticsCountEachSeries() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<10 as Range<Int64>).map { StoreFixture.candle($0) })
    try fixture.store.upsert([
      StoreFixture.candle(4, instrument: 1), StoreFixture.candle(5, origin: .venue),
    ])
    let statistics = try fixture.store.statistics()
    #expect(statistics.series.map(\.candles) == [11, 1])
    #expect(statistics.series.map(\.instruments) == [2, 1])
    #expect(statistics.series[0].first == StoreFixture.minute(0))
    #expect(statistics.series[0].last == StoreFixture.minute(9))
    #expect(statistics.rows["instruments"] == 3)
    #expect(statistics.bytes > 0)
  }

  @Test func pruningDeletesWhatIsOlderAndNothingElse() throws {
    let fixture = try StoreFixture()
    let day: Int64 = 375
    try fixture.store.upsert((0..<4 * day).map { StoreFixture.candle($0 / day * 1440 + $0 % day) })
    var weekly = StoreFixture.candle(0)
    weekly.interval = Interval(seconds: 86_400)
    try fixture.store.upsert([weekly])
    let now = StoreFixture.minute(4 * 1440)
    #expect(try fixture.store.prune(CandleRetention(), now: now) == 0)
    #expect(try fixture.store.prune(CandleRetention(minuteDays: 2), now: now) == Int(2 * day))
    #expect(try fixture.all().first == weekly || fixture.all().last == weekly)
    #expect(try fixture.store.counts().candles == Int(2 * day) + 1)
    #expect(try fixture.store.prune(CandleRetention(longerDays: 2), now: now) == 1)
    try fixture.store.vacuum()
    #expect(try fixture.store.statistics().freeBytes == 0)
    #expect(try fixture.store.check().isSound)
  }

  @Test func pruningGoesInPiecesThatLetOthersIn() throws {
    let fixture = try StoreFixture()
    let old = Int64(2 * CandleStore.candlesPerPruning + 100)
    try fixture.store.upsert((0..<old).map { StoreFixture.candle($0) })
    try fixture.store.upsert((0..<100).map { StoreFixture.candle($0, instrument: 1) })
    try fixture.store.upsert([StoreFixture.candle(5, origin: .venue)])
    let now = StoreFixture.minute(old + 1440)
    var pieces = 0
    var stored: Int64 = 0
    let deleted = try fixture.store.prune(CandleRetention(minuteDays: 1), now: now) {
      // The recorder's commits come between two pieces.
      pieces += 1
      let candle = StoreFixture.candle(old + 2000 + stored, instrument: 2)
      stored += 1
      return (try? fixture.store.upsert([candle])) == nil
    }
    #expect(deleted == Int(old) + 101)
    #expect(pieces >= 3)
    #expect(try fixture.store.counts().candles == Int(stored))
  }

  @Test func pruningThatIsStoppedGoesOnTheNextTime() throws {
    let fixture = try StoreFixture()
    let old = Int64(2 * CandleStore.candlesPerPruning)
    try fixture.store.upsert((0..<old).map { StoreFixture.candle($0) })
    let now = StoreFixture.minute(old + 1440)
    var asked = 0
    let first = try fixture.store.prune(CandleRetention(minuteDays: 1), now: now) {
      asked += 1
      return asked > 1
    }
    #expect(first == CandleStore.candlesPerPruning)
    #expect(try fixture.store.prune(CandleRetention(minuteDays: 1), now: now) == Int(old) - first)
    #expect(try fixture.store.counts().candles == 0)
  }

  @Test func rejectedRecordsAreKeptWithTheirReason() throws {
    let fixture = try StoreFixture()
    let record = QuarantinedRecord(
      instrument: InstrumentID(rawValue: 1), record: .tick, rule: "off-band",
      reason: "price 1 lies outside 90 to 110", receiveTime: StoreFixture.minute(3) + 5,
      exchangeTime: StoreFixture.minute(3), price: Price(units: 1_000_000_000), volume: 17, detail: "{}")
    try fixture.store.quarantine([record])
    #expect(
      try fixture.store.quarantined(from: StoreFixture.minute(3), to: StoreFixture.minute(4)) == [record])
    #expect(try fixture.store.quarantined(from: StoreFixture.minute(4), to: StoreFixture.minute(5)).isEmpty)
    let row = try fixture.store.pool.read { try Row.fetchOne($0, sql: "SELECT * FROM quarantine_readable") }
    #expect(row?["symbol"] == "NSE:JUNIORBEES")
    #expect(row?["received_ist"] == "2026-11-23 09:18:00.000+05:30")
    #expect(row?["price"] == 1.0)
  }

  @Test func sessionsAreKeptAsTheCalendarHadThem() throws {
    let fixture = try StoreFixture()
    var session = StoredSession(
      segment: "cash", day: 20_780, number: 0, start: StoreFixture.minute(0), end: StoreFixture.minute(375),
      source: "test")
    try fixture.store.recordSessions([session])
    session.end = StoreFixture.minute(60)
    try fixture.store.recordSessions([session])
    #expect(try fixture.store.sessions(days: 20_780...20_780) == [session])
    let row = try fixture.store.pool.read { try Row.fetchOne($0, sql: "SELECT * FROM sessions_readable") }
    #expect(row?["date"] == "2026-11-23")
    #expect(row?["start_ist"] == "09:15:00+05:30")
  }
}
