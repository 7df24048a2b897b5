internal import Dispatch
internal import GRDB
internal import MarketData
internal import Synchronization

/// The candles of one instrument and interval whose start lies in a range.
///
/// Decoding columns is what a long range costs, and SQLite does it on one core for each connection. Where the range is
/// long, two connections read half of it each. Both must see the same commits: the second notes the file's version
/// before the first begins, and looks again once it has begun itself. When somebody committed meanwhile, or the second
/// is busy with another range, one connection reads all.
struct CandleRange: Sendable {
  let instrument: InstrumentID
  let interval: Interval
  /// Starts, in seconds since 1970 UTC.
  let seconds: Range<Int64>
  /// Whose candles; nil for the best there is of each start.
  let origin: CandleOrigin?
  let preference: CandleOrigin

  /// Starts that two connections are worth, by the clock: the minutes of some eleven trading days.
  static let startsToSplit: Int64 = 16_384

  /// Reads the range, or such a part of it.
  func read(_ database: Database, _ part: Range<Int64>? = nil, path: String) throws -> [Candle] {
    var collector = CandleCollector(instrument: instrument, interval: interval, preferring: preference)
    try collector.collect(database, seconds: part ?? seconds, origin: origin, path: path)
    return collector.candles
  }

  /// Where to part the range; nil when it is short.
  func middle(_ database: Database) throws -> Int64? {
    guard starts(in: seconds) >= Self.startsToSplit, let bounds = try bounds(database),
      starts(in: bounds.lowerBound..<bounds.upperBound) >= Self.startsToSplit
    else { return nil }
    return bounds.lowerBound + (bounds.upperBound - bounds.lowerBound) / 2
  }

  /// The first start there is and the last; nil for none.
  func bounds(_ database: Database) throws -> ClosedRange<Int64>? {
    func start(_ which: String) throws -> Int64? {
      try Int64.fetchOne(
        database.cachedStatement(
          sql: """
            SELECT \(which)(start) FROM candles
            WHERE instrument_id = ? AND interval_seconds = ? AND start >= ? AND start < ?
            """),
        arguments: [
          Int64(instrument.rawValue), Int64(interval.seconds), seconds.lowerBound, seconds.upperBound,
        ])
    }
    guard let first = try start("min"), let last = try start("max") else { return nil }
    return first...max(first, last)
  }

  private func starts(in seconds: Range<Int64>) -> Int64 {
    let (length, isHuge) = seconds.upperBound.subtractingReportingOverflow(seconds.lowerBound)
    return isHuge ? .max : length / Int64(interval.seconds)
  }
}

/// A store's second reader, which reads the later half of one long range at a time.
final class SecondReader: Sendable {
  private let pool: DatabasePool
  private let path: String
  private let isBusy = Atomic<Bool>(false)
  // A queue of its own has a thread of its own: the two halves never wait for each other's turn.
  private let queue = DispatchQueue(label: "candle store, second reader")

  init(_ pool: DatabasePool, path: String) {
    self.pool = pool
    self.path = path
  }

  /// What the two tell each other.
  private final class Exchange: Sendable {
    /// Signalled once the second has noted the version, and once it knows whether both see the same.
    let second = DispatchSemaphore(value: 0)
    let firstHasBegun = DispatchSemaphore(value: 0)
    let hasEnded = DispatchSemaphore(value: 0)
    let seesTheSame = Atomic<Bool>(false)
    let outcome = Mutex<Result<[Candle], any Error>>(.success([]))
  }

  /// Reads a range with two connections; nil when that could not be done.
  func read(_ range: CandleRange, middle: Int64) throws -> [Candle]? {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
      return nil
    }
    defer { isBusy.store(false, ordering: .releasing) }
    let exchange = Exchange()
    queue.async { [self] in
      let outcome = Result { try readLater(range, from: middle, exchange) }
      exchange.outcome.withLock { $0 = outcome }
      // However far it came: nobody waits in vain.
      exchange.second.signal()
      exchange.second.signal()
      exchange.hasEnded.signal()
    }
    exchange.second.wait()
    let earlier = Result { () -> [Candle]? in
      try pool.read { database in
        try Self.begin(database)
        exchange.firstHasBegun.signal()
        exchange.second.wait()
        guard exchange.seesTheSame.load(ordering: .acquiring) else { return nil }
        return try range.read(database, range.seconds.lowerBound..<middle, path: path)
      }
    }
    exchange.firstHasBegun.signal()
    exchange.hasEnded.wait()
    let later = try exchange.outcome.withLock { $0 }.get()
    guard let earlier = try earlier.get() else { return nil }
    return earlier + later
  }

  private func readLater(_ range: CandleRange, from middle: Int64, _ exchange: Exchange) throws -> [Candle] {
    try pool.unsafeRead { database in
      let version = try Self.version(database)
      exchange.second.signal()
      exchange.firstHasBegun.wait()
      var candles: [Candle] = []
      try database.inTransaction(.deferred) {
        try Self.begin(database)
        let seesTheSame = try Self.version(database) == version
        exchange.seesTheSame.store(seesTheSame, ordering: .releasing)
        exchange.second.signal()
        if seesTheSame {
          candles = try range.read(database, middle..<range.seconds.upperBound, path: path)
        }
        return .commit
      }
      return candles
    }
  }

  /// A transaction sees what was committed before its first reading.
  private static func begin(_ database: Database) throws {
    _ = try Int64.fetchOne(database.cachedStatement(sql: "SELECT max(id) FROM instruments"))
  }

  /// Changes with each commit of another connection.
  private static func version(_ database: Database) throws -> Int64? {
    try Int64.fetchOne(database.cachedStatement(sql: "PRAGMA data_version"))
  }
}
