internal import GRDB
public import MarketData
internal import Synchronization

/// Candles, instruments and gaps in one SQLite file, written by one process and read by any number.
///
/// Prices are integers of 1e-9 of the quote currency and times integers since 1970 UTC, so that nothing is rounded
/// on the way; the views whose names end in `_readable` show the same as decimals
/// and Indian time in any SQLite tool. The file is in WAL mode: readers never wait for the writer.
///
/// A store may be used from several threads. Writes follow one another; each is one transaction.
public final class CandleStore: Sendable {
  /// What a person does about a damaged store, as the end of a sentence.
  public static let damageRemedy =
    "move the file away, and the next `tickring ingest` rebuilds the last day from the tick archive"

  /// What a store is opened for.
  public enum Mode: Sendable {
    /// Creates the file if need be and brings its schema up to date; for the one process that writes.
    case readWrite
    /// Reads a file that exists and is up to date.
    case readOnly
  }

  /// The file's path, as given.
  public let path: String
  /// What the store was opened for.
  public let mode: Mode

  /// Whose candle is the best of its interval, as ``prefer(_:)`` was told last when the store was opened.
  public var preference: CandleOrigin { preferred.withLock { $0 } }
  private let preferred: Mutex<CandleOrigin>

  let pool: DatabasePool
  let secondReader: SecondReader

  /// Marks the file as a candle store (`TkRg`), so that no other program's database is ever written to.
  static let applicationID = 0x546B_5267

  /// What a commit acknowledged survives a power cut: FULL waits until the disk has the log, and kept every commit when
  /// the power was cut, where NORMAL lost some hundreds. It costs one wait for the disk a batch (`tickring-bench store`
  /// measures it), which is why candles come in batches. Said after opening, since GRDB sets NORMAL when it turns WAL
  /// on.
  private static let durability = "PRAGMA synchronous = FULL"

  /// The candles of one instrument lie together, so storing a minute touches a page for each instrument: the pages
  /// of some thousand instruments are kept in memory, 64 MiB,
  private static let cacheKibibytes = 64 << 10
  /// and several minutes are gathered in the log, 32 MiB, before they are written to their places.
  private static let checkpointPages = 8192

  /// Opens a store.
  ///
  /// - Parameters:
  ///   - path: The file; its directory must exist.
  ///   - mode: What it is opened for.
  ///   - busyTimeoutMilliseconds: How long to wait for another process's lock, not negative.
  /// - Throws: ``Fault`` of kind `missingInput` when there is nothing to read, `cannotCreate` when the file or its
  ///   directory cannot be written, `badData` when the file is damaged, not a candle store, or of another version,
  ///   `held` when another process does not let go of it.
  public init(path: String, mode: Mode, busyTimeoutMilliseconds: Int = 5000) throws(Fault) {
    self.path = path
    self.mode = mode
    let opened = try StoreFault.translating(path, "open") {
      if let standing = try SchemaStanding(ofFile: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds) {
        try standing.check(path: path, mode: mode)
      } else if mode == .readOnly {
        throw Fault(.missingInput, "there is no candle store at '\(path)'; a recording run creates it")
      }
      let pool = try DatabasePool(
        path: path,
        configuration: Self.configuration(mode: mode, busyTimeoutMilliseconds: busyTimeoutMilliseconds))
      guard mode == .readWrite else { return pool }
      try pool.writeWithoutTransaction { try $0.execute(sql: Self.durability) }
      try Schema.migrator.migrate(pool)
      return pool
    }
    pool = opened
    secondReader = SecondReader(opened, path: path)
    preferred = Mutex(
      try StoreFault.translating(path, "read") {
        let sql = "SELECT value FROM settings WHERE name = 'prefer'"
        // The writer asks by its own connection: one that only reads and is closed last leaves the log unfolded.
        let value =
          mode == .readWrite
          ? try opened.writeWithoutTransaction { try String.fetchOne($0, sql: sql) }
          : try opened.read { try String.fetchOne($0, sql: sql) }
        return value == "built" ? .built : .venue
      })
  }

  /// Says, in the file and for all who open it, whose candle of a minute stands where there are several: the venue's
  /// once it is final, which is so from the beginning, or the one that was built (candle rule 18).
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func prefer(_ origin: CandleOrigin) throws(Fault) {
    let value = origin == .built ? "built" : "venue"
    try write("keep a setting in") { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO settings (name, value) VALUES ('prefer', ?)", arguments: [value])
    }
    preferred.withLock { $0 = origin == .built ? .built : .venue }
  }

  static func configuration(mode: Mode, busyTimeoutMilliseconds: Int) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = mode == .readOnly
    configuration.busyMode = .timeout(Double(busyTimeoutMilliseconds) / 1000)
    configuration.label = "candles"
    configuration.prepareDatabase { database in
      try CandleCollector.prepare(database)
      guard mode == .readWrite else { return }
      try database.execute(sql: "PRAGMA cache_size = -\(cacheKibibytes)")
      try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
    }
    return configuration
  }

  /// Closes the file; every other call fails afterwards. What was stored stands in the file itself then, as far as
  /// nobody is reading what was there before, so that a copy of it alone is whole.
  ///
  /// - Throws: ``Fault`` when the last changes could not be written back.
  public func close() throws(Fault) {
    try StoreFault.translating(path, "close") {
      // The last connection to close folds the log in only if it may write, and another's reader may be that one.
      let folding = Result { if mode == .readWrite { try fold() } }
      try pool.close()
      try folding.get()
    }
  }

  private func fold() throws {
    do {
      try pool.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
    } catch DatabaseError.SQLITE_BUSY {
      // Another process is doing it.
    }
  }

  func write<Result>(_ task: String, _ body: (Database) throws -> Result) throws(Fault) -> Result {
    try StoreFault.translating(path, task) { try pool.write(body) }
  }

  func read<Result>(_ task: String, _ body: (Database) throws -> Result) throws(Fault) -> Result {
    try StoreFault.translating(path, task) { try pool.read(body) }
  }
}
