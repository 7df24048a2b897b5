import Foundation
import GRDB
import MarketData
import Testing

@testable import CandleStore

/// Each failure says in one sentence what was wrong, names the file, and changes nothing.
@Suite struct StoreFaultTests {
  @Test func readingAStoreThatIsNotThereNamesThePath() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("absent.sqlite")
    let fault = thrownFault { _ = try CandleStore(path: path, mode: .readOnly) }
    #expect(fault?.kind == .missingInput)
    #expect(fault?.message.contains(path) == true)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test(arguments: ["file/candles.sqlite", "absent/candles.sqlite"])
  func aDirectoryThatCannotHoldTheFileIsNamed(name: String) throws {
    let directory = try TemporaryDirectory()
    try Data("x".utf8).write(to: URL(fileURLWithPath: directory.file("file")))
    let fault = thrownFault { _ = try CandleStore(path: directory.file(name), mode: .readWrite) }
    #expect(fault?.kind == .cannotCreate)
    #expect(fault?.message.contains(directory.file(name)) == true)
  }

  @Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("notes.txt")
    let text = Data(String(repeating: "not a database\n", count: 500).utf8)
    try text.write(to: URL(fileURLWithPath: path))
    for mode in [CandleStore.Mode.readWrite, .readOnly] {
      let fault = thrownFault { _ = try CandleStore(path: path, mode: mode) }
      #expect(fault?.kind == .badData)
      #expect(fault?.message.contains("not an SQLite database") == true)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
  }

  @Test func anotherProgramsDatabaseIsRefusedAndLeftAlone() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("other.sqlite")
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "CREATE TABLE bookmarks (url TEXT)") }
    try queue.close()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let fault = thrownFault { _ = try CandleStore(path: path, mode: .readWrite) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains("another program's database") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func anEmptyFileBecomesAStoreWhenWritingAndIsRefusedWhenReading() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("candles.sqlite")
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(thrownFault { _ = try CandleStore(path: path, mode: .readOnly) }?.kind == .badData)
    let store = try CandleStore(path: path, mode: .readWrite)
    #expect(try store.counts().candles == 0)
  }

  @Test func aStoreOfANewerVersionIsRefused() throws {
    let fixture = try StoreFixture()
    try fixture.store.pool.write { database in
      try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 something to come')")
    }
    try fixture.store.close()
    for mode in [CandleStore.Mode.readWrite, .readOnly] {
      let fault = thrownFault { _ = try CandleStore(path: fixture.path, mode: mode) }
      #expect(fault?.kind == .badData)
      #expect(fault?.message.contains("newer version") == true)
    }
  }

  @Test func aStoreOfAnOlderVersionIsNotReadAsItIs() throws {
    let fixture = try StoreFixture()
    try fixture.store.pool.write { try $0.execute(sql: "DELETE FROM grdb_migrations") }
    try fixture.store.close()
    let fault = thrownFault { _ = try CandleStore(path: fixture.path, mode: .readOnly) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains("older version") == true)
  }

  @Test func aDamagedFileIsReportedAsDamaged() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert((0..<5000 as Range<Int64>).map { StoreFixture.candle($0) })
    try fixture.store.close()
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
    let size = try handle.seekToEnd()
    // The first page holds the schema; all that follows is overwritten.
    try handle.seek(toOffset: 12 * 4096)
    try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 12 * 4096))
    try handle.close()
    let fault = thrownFault {
      let store = try CandleStore(path: fixture.path, mode: .readOnly)
      try store.forEachCandle { _ in }
    }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains(fixture.path) == true)
  }

  @Test(arguments: ["state = 9", "origin = 300", "flags = -1", "interval_seconds = 0"])
  func aRowWithValuesOutOfRangeIsReported(change: String) throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert([StoreFixture.candle(0)])
    try fixture.store.pool.write { try $0.execute(sql: "UPDATE candles SET \(change)") }
    let fault = thrownFault { try fixture.store.forEachCandle { _ in } }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains(fixture.path) == true)
  }

  @Test func aFullDiskIsReportedAndWhatWasStoredStays() throws {
    let fixture = try StoreFixture()
    try fixture.store.upsert([StoreFixture.candle(0)])
    try fixture.store.pool.writeWithoutTransaction { database in
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      try database.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
    }
    let fault = thrownFault {
      try fixture.store.upsert((1..<20_000 as Range<Int64>).map { StoreFixture.candle($0) })
    }
    #expect(fault?.kind == .inputOutput)
    #expect(fault?.message.contains("disk is full") == true)
    #expect(fault?.message.contains(fixture.path) == true)
    #expect(try fixture.all() == [StoreFixture.candle(0)])
    try fixture.store.upsert([StoreFixture.candle(1)])
    #expect(try fixture.store.counts().candles == 2)
  }

  @Test func aSecondWriterIsToldThatTheStoreIsHeld() throws {
    let fixture = try StoreFixture()
    let second = try CandleStore(path: fixture.path, mode: .readWrite, busyTimeoutMilliseconds: 20)
    let fault: Fault? = try fixture.store.pool.write { _ in
      thrownFault { try second.upsert([StoreFixture.candle(0)]) }
    }
    #expect(fault?.kind == .held)
    try second.upsert([StoreFixture.candle(0)])
    #expect(try fixture.store.counts().candles == 1)
  }

  @Test func aStoreOpenedForReadingRefusesToWrite() throws {
    let fixture = try StoreFixture()
    let reader = try CandleStore(path: fixture.path, mode: .readOnly)
    #expect(thrownFault { try reader.upsert([StoreFixture.candle(0)]) }?.kind == .cannotCreate)
    #expect(
      thrownFault { _ = try reader.instrumentIDs(for: [StoreFixture.entry("NSE:X")]) }?.kind == .cannotCreate)
  }

  @Test func candlesOfAnUnknownInstrumentAreRefusedAsAWhole() throws {
    let fixture = try StoreFixture()
    let fault = thrownFault {
      try fixture.store.upsert([StoreFixture.candle(0), StoreFixture.candle(1, instrument: 99)])
    }
    #expect(fault?.kind == .software)
    #expect(try fixture.store.counts().candles == 0)
  }

  @Test func aCandleBetweenTwoSecondsIsRefused() throws {
    let fixture = try StoreFixture()
    var candle = StoreFixture.candle(0)
    candle.start = candle.start + 1
    #expect(thrownFault { try fixture.store.upsert([candle]) }?.kind == .badData)
  }

  @Test func everyCommitWaitsForTheDisk() throws {
    let fixture = try StoreFixture()
    let synchronous = try fixture.store.pool.writeWithoutTransaction { database in
      try Int.fetchOne(database, sql: "PRAGMA synchronous")
    }
    #expect(synchronous == 2)
    let journal = try fixture.store.pool.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
    #expect(journal == "wal")
  }
}
