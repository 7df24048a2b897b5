import CandleStore
import Foundation
import GRDB
import MarketData
import Testing

/// A store that an earlier version wrote is read for ever.
@Suite struct MigrationTests {
  /// A store as the first released version wrote it, from its dump.
  private func golden(_ name: String, in directory: TemporaryDirectory) throws -> String {
    let dump = try #require(
      Bundle.module.url(forResource: name, withExtension: "sql", subdirectory: "Resources"))
    let path = directory.file("candles.sqlite")
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: String(contentsOf: dump, encoding: .utf8)) }
    try queue.close()
    return path
  }

  @Test func aStoreOfTheFirstVersionIsBroughtForwardWithAllItHolds() throws {
    let directory = try TemporaryDirectory()
    let path = try golden("golden-v1", in: directory)
    let old = thrownFault { _ = try CandleStore(path: path, mode: .readOnly) }
    #expect(old?.message.contains("older version") == true)

    let store = try CandleStore(path: path, mode: .readWrite)
    #expect(try store.instruments().map(\.symbol.text) == ["NSE:YESBANK", "NFO:NIFTY26NOVFUT"])
    let counts = try store.counts()
    #expect(counts.instruments == 2 && counts.candles == 8 && counts.gaps == 2)
    let candles = try store.candles(
      of: InstrumentID(rawValue: 0), interval: .minute, from: StoreFixture.minute(0),
      to: StoreFixture.minute(3))
    #expect(candles.map(\.volume) == [1201, 802, 640])
    #expect(candles.map(\.origin) == [.built, .venue, .imported])
    #expect(candles[0].flags == [.partial, .late])
    #expect(candles[0].state == .revised)
    #expect(try store.gaps().map(\.cause) == [.disconnected, .stalled])
    try store.upsert([StoreFixture.candle(7, instrument: 1)])
    try store.quarantine([])
    #expect(try store.check().isSound)
    try store.close()
    #expect(try CandleStore(path: path, mode: .readOnly).counts().candles == 9)
  }

  @Test func migratingTwiceChangesNothing() throws {
    let directory = try TemporaryDirectory()
    let path = try golden("golden-v1", in: directory)
    try CandleStore(path: path, mode: .readWrite).close()
    let store = try CandleStore(path: path, mode: .readWrite)
    #expect(try store.counts().candles == 8)
  }
}
