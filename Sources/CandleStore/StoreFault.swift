internal import GRDB
internal import MarketData

/// Turns what SQLite reports into one sentence that names the file and says what would be right.
enum StoreFault {
  /// Runs `body`; whatever it throws leaves as a ``Fault`` about the file at `path`.
  static func translating<Result>(_ path: String, _ task: String, _ body: () throws -> Result) throws(Fault)
    -> Result
  {
    do {
      return try body()
    } catch let fault as Fault {
      throw fault
    } catch let error as DatabaseError {
      throw fault(of: error, path: path, task: task)
    } catch let error as RowDecodingError {
      throw Fault(
        .badData, "cannot \(task) '\(path)': a row is damaged (\(error)); \(CandleStore.damageRemedy)")
    } catch {
      throw Fault(.software, "cannot \(task) '\(path)': \(error)")
    }
  }

  private static func fault(of error: DatabaseError, path: String, task: String) -> Fault {
    let cannot = "cannot \(task) '\(path)'"
    switch error.resultCode {
    case .SQLITE_FULL:
      return Fault(
        .inputOutput, "\(cannot): the disk is full; free some space, nothing stored so far is lost")
    case .SQLITE_IOERR:
      return Fault(
        .inputOutput,
        "\(cannot): reading or writing failed (\(detail(error))); check the disk and the file system's limits"
      )
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return Fault(.held, "\(cannot): another process holds it; only one process may write a candle store")
    case .SQLITE_NOTADB:
      return Fault(.badData, "\(cannot): it is not an SQLite database; name a candle store or a new file")
    case .SQLITE_CORRUPT:
      return Fault(.badData, "\(cannot): the file is damaged; \(CandleStore.damageRemedy)")
    case .SQLITE_READONLY, .SQLITE_PERM:
      return Fault(
        .cannotCreate, "\(cannot): it is read-only; the file and its directory must be writable")
    case .SQLITE_CANTOPEN:
      return Fault(
        .cannotCreate,
        """
        \(cannot): the file can be neither opened nor created; its directory must exist and be writable, for SQLite \
        keeps two more files beside it
        """)
    case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY:
      return Fault(
        .software,
        "\(cannot): it knows no instrument of that number; instruments are registered before their candles")
    default:
      return Fault(.system, "\(cannot): SQLite reports \(detail(error))")
    }
  }

  private static func detail(_ error: DatabaseError) -> String {
    "\(error.message ?? "no message"), code \(error.extendedResultCode.rawValue)"
  }
}
