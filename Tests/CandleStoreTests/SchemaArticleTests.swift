import CandleStore
import Foundation
import GRDB
import MarketData
import Testing

/// The questions of the article on the store's file, asked as they stand there.
@Suite struct SchemaArticleTests {
  private static let article = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/CandleStore/CandleStore.docc/Schema.md")

  private static func questions() throws -> [String] {
    try String(contentsOf: article, encoding: .utf8).components(separatedBy: "```sql\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
  }

  /// Eight minutes of ours from 09:15, of which the first differs from the venue's; an outage, and a rejected tick.
  private static func store() throws -> StoreFixture {
    let fixture = try StoreFixture()
    let entry = try StoreFixture.entry("NSE:RELIANCE")
    let instrument = try #require(try fixture.store.instrumentIDs(for: [entry]).first).id
    var candles = (0..<8).map { StoreFixture.candle($0, instrument: instrument.rawValue) }
    candles[0].open = Price(units: 100_250_000_000)
    candles[4].close = Price(units: 100_750_000_000)
    candles[6].high = Price(units: 102_000_000_000)
    candles.append(StoreFixture.candle(0, instrument: instrument.rawValue, volume: 12, origin: .venue))
    try fixture.store.upsert(candles)
    try fixture.store.recordGap(
      FeedGap(start: StoreFixture.minute(3), end: StoreFixture.minute(4), cause: .stalled))
    try fixture.store.quarantine([
      QuarantinedRecord(
        instrument: instrument, record: .tick, rule: "off-band", reason: "too far",
        receiveTime: StoreFixture.minute(5), exchangeTime: StoreFixture.minute(5),
        price: Price(units: 90_500_000_000), volume: 7)
    ])
    return fixture
  }

  @Test func theArticlesQueriesAnswerTheirQuestions() throws {
    let fixture = try Self.store()
    let queue = try DatabaseQueue(path: fixture.path)
    let answers = try Self.questions().map { sql in
      try queue.read { database in
        try Row.fetchAll(database, sql: sql).map { row in
          row.databaseValues.map { "\($0.storage.value ?? "NULL")" }.joined(separator: " ")
        }
      }
    }
    try #require(answers.count == 5)
    #expect(answers[0].count == 5)
    #expect(answers[0].first == "2026-11-23 09:22:00+05:30 100.0 101.05 99.95 100.5 10  built")
    #expect(
      answers[1] == [
        "2026-11-23 09:20:00 100.0 102.0 99.95 100.5 30",
        "2026-11-23 09:15:00 100.0 101.05 99.95 100.75 52",
      ])
    #expect(
      answers[2] == ["whole feed 2026-11-23 09:18:00.000+05:30 2026-11-23 09:19:00.000+05:30 stalled pending"]
    )
    #expect(answers[3] == ["2026-11-23 09:20:00.000+05:30 NSE:RELIANCE tick 90.5 off-band too far"])
    #expect(answers[4] == ["NSE:RELIANCE 2026-11-23 09:15:00+05:30 0.25 0.0 0.0 0.0 -2 100"])
  }

  @Test func theArticleNamesEveryTableAndView() throws {
    let article = try String(contentsOf: Self.article, encoding: .utf8)
    let fixture = try StoreFixture()
    let names = try DatabaseQueue(path: fixture.path).read { database in
      try String.fetchAll(
        database,
        sql: "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
    }
    #expect(names.count > 10)
    for name in names {
      let base = name.hasSuffix("_readable") ? String(name.dropLast("_readable".count)) : name
      #expect(article.contains("`\(base)`"), "\(name)")
    }
  }
}
