internal import GRDB
internal import MarketData

/// What an existing file is, looked at before anything in it is changed: opening a database for writing in WAL mode
/// would already alter another program's file.
struct SchemaStanding {
  private let applicationID: Int
  private let isEmpty: Bool
  private let isNewer: Bool
  private let isComplete: Bool

  /// Looks at the file; nil when there is none.
  init?(ofFile path: String, busyTimeoutMilliseconds: Int) throws {
    guard FileBytes.exists(path) else { return nil }
    let queue = try DatabaseQueue(
      path: path,
      configuration: CandleStore.configuration(
        mode: .readOnly, busyTimeoutMilliseconds: busyTimeoutMilliseconds))
    defer { try? queue.close() }
    self = try queue.read { database in try SchemaStanding(database) }
  }

  private init(_ database: Database) throws {
    applicationID = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
    isNewer = try Schema.migrator.hasBeenSuperseded(database)
    isComplete = try Schema.migrator.hasCompletedMigrations(database)
  }

  /// - Throws: ``Fault`` of kind `badData` when the file cannot serve as a candle store in that mode.
  func check(path: String, mode: CandleStore.Mode) throws(Fault) {
    if isEmpty {
      guard mode == .readOnly else { return }
      throw Fault(.badData, "'\(path)' is an empty database; a recording run makes a candle store of it")
    }
    guard applicationID == CandleStore.applicationID else {
      throw Fault(
        .badData,
        "'\(path)' is another program's database, not a candle store; name a candle store or a new file")
    }
    if isNewer {
      throw Fault(
        .badData,
        "the candle store '\(path)' was written by a newer version of TickRing; use that version, or another file"
      )
    }
    if mode == .readOnly && !isComplete {
      throw Fault(
        .badData, "the candle store '\(path)' is of an older version; a recording run brings it up to date")
    }
  }
}
