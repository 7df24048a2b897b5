internal import GRDB
public import MarketData

extension CandleStore {
  /// Stores candles; one that is there already, by instrument, interval, start and origin, is replaced.
  ///
  /// All of them are stored or none, and once this returns they survive a power cut. The last word wins, so storing
  /// the states of a candle in the order in which they came leaves the latest, and storing a day again changes
  /// nothing. A sealed row that a later revision replaces is kept in `candle_revisions`. Batches of some thousands
  /// are fastest; their order does not matter.
  /// - Throws: ``Fault`` of kind `inputOutput` (full disk), `held` or `cannotCreate`; of kind `badData` when a
  ///   candle does not start on a whole second, of kind `software` when an instrument was never registered.
  public func upsert(_ candles: [Candle]) throws(Fault) {
    guard !candles.isEmpty else { return }
    try upsert(candles) { _ in }
  }

  /// Stores candles and, in the same transaction, what belongs to them.
  func upsert(_ candles: [Candle], with addition: (Database) throws -> Void) throws(Fault) {
    let path = path
    var instrumentMax: UInt32 = 0
    for candle in candles {
      instrumentMax = max(instrumentMax, candle.instrument.rawValue)
      guard candle.start.nanoseconds % Timestamp.nanosecondsPerSecond == 0 else {
        throw Fault(
          .badData,
          "a candle of \(candle.start.rfc3339) cannot be stored in '\(path)'; candles start on whole seconds")
      }
    }
    let order = CandleKey.storingOrder(candles)
    try write("store candles in") { database in
      // Numbers are given without holes and never taken back.
      let known = try Int64.fetchOne(database.cachedStatement(sql: "SELECT max(id) FROM instruments")) ?? -1
      guard candles.isEmpty || Int64(instrumentMax) <= known else {
        throw Fault(
          .software,
          """
          cannot store candles in '\(path)': it knows no instrument \(instrumentMax); instruments are registered \
          before their candles
          """)
      }
      if !candles.isEmpty { try CandleInsertion(database).run(candles, order: order) }
      try addition(database)
    }
  }

  /// The candles of an instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Parameter origin: Whose candles; nil for the best there is of each interval: the venue's once it is sealed,
  ///   then ours, then an imported one, then the venue's that may still be running; ours before all after
  ///   ``prefer(_:)``.
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func candles(
    of instrument: InstrumentID, interval: Interval, from: Timestamp, to: Timestamp,
    origin: CandleOrigin? = nil
  ) throws(Fault) -> [Candle] {
    // Starts are whole seconds: rounding both bounds up keeps [from, to) exact.
    let first = Self.wholeSecond(notBefore: from)
    let range = CandleRange(
      instrument: instrument, interval: interval,
      seconds: first..<max(first, Self.wholeSecond(notBefore: to)), origin: origin, preference: preference)
    let path = path
    return try StoreFault.translating(path, "read candles from") {
      var middle: Int64?
      let candles = try pool.read { database -> [Candle]? in
        middle = try range.middle(database)
        return middle == nil ? try range.read(database, path: path) : nil
      }
      if let candles { return candles }
      if let middle, let candles = try secondReader.read(range, middle: middle) { return candles }
      return try pool.read { try range.read($0, path: path) }
    }
  }

  /// The last `count` candles of an instrument, ascending.
  ///
  /// - Parameters:
  ///   - before: Only candles that start before this instant.
  ///   - origin: As for ``candles(of:interval:from:to:origin:)``.
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func latestCandles(
    of instrument: InstrumentID, interval: Interval, count: Int,
    before: Timestamp = Timestamp(nanoseconds: .max), origin: CandleOrigin? = nil
  ) throws(Fault) -> [Candle] {
    let (path, preference) = (path, preference)
    return try read("read candles from") { database in
      var rows = try CandleRows(
        database, sql: Self.selection("\(Self.ofOne) AND start < ?", origin, "DESC"),
        arguments: [
          Int64(instrument.rawValue), Int64(interval.seconds), Self.wholeSecond(notBefore: before),
        ], path: path)
      var candles: [Candle] = []
      // One start further than asked for, to have seen every origin of the last.
      while candles.count <= max(0, count), let candle = try rows.next() {
        Self.append(candle, to: &candles, preferring: preference)
      }
      return candles.prefix(max(0, count)).reversed()
    }
  }

  /// Starts of the first and the last candle of an instrument; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func bounds(of instrument: InstrumentID, interval: Interval) throws(Fault) -> ClosedRange<Timestamp>?
  {
    try read("read candles from") { database in
      let range = CandleRange(
        instrument: instrument, interval: interval, seconds: .min..<(.max), origin: nil,
        preference: preference)
      return try range.bounds(database).map {
        Timestamp(seconds: $0.lowerBound)...Timestamp(seconds: $0.upperBound)
      }
    }
  }

  /// Calls `body` with every candle in the order of instrument, interval and start, within one unchanging view of
  /// the file.
  ///
  /// - Parameter origin: As for ``candles(of:interval:from:to:origin:)``.
  /// - Throws: What `body` throws, and ``Fault`` of kind `inputOutput` or `badData`.
  public func forEachCandle(origin: CandleOrigin? = nil, _ body: (Candle) throws(Fault) -> Void) throws(Fault)
  {
    let (path, preference) = (path, preference)
    try read("read candles from") { database in
      var rows = try CandleRows(database, sql: Self.selection("true", origin, "ASC"), path: path)
      var best: [Candle] = []
      while let candle = try rows.next() {
        Self.append(candle, to: &best, preferring: preference)
        if best.count > 1 { try body(best.removeFirst()) }
      }
      if let last = best.first { try body(last) }
    }
  }

  /// The sealed states of a candle that later revisions replaced, by revision.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func supersededCandles(
    of instrument: InstrumentID, interval: Interval, start: Timestamp, origin: CandleOrigin
  ) throws(Fault) -> [Candle] {
    let path = path
    return try read("read revisions from") { database in
      var rows = try CandleRows(
        database,
        sql: """
          SELECT \(CandleInsertion.columns) FROM candle_revisions
          WHERE \(Self.ofOne) AND start = ? AND origin = ? ORDER BY revision
          """,
        arguments: [
          Int64(instrument.rawValue), Int64(interval.seconds), start.seconds, Int64(origin.rawValue),
        ], path: path)
      var candles: [Candle] = []
      while let candle = try rows.next() { candles.append(candle) }
      return candles
    }
  }

  private static let ofOne = "instrument_id = ? AND interval_seconds = ?"

  /// A selection in the order of the key; the best of each start is chosen while reading, for its rows come together.
  private static func selection(_ condition: String, _ origin: CandleOrigin?, _ order: String) -> String {
    let ofOrigin = origin.map { " AND origin = \($0.rawValue)" } ?? ""
    return """
      SELECT \(CandleInsertion.columns) FROM candles WHERE \(condition)\(ofOrigin)
      ORDER BY instrument_id \(order), interval_seconds \(order), start \(order), origin \(order)
      """
  }

  /// Appends a candle, or lets it compete with the last one when both are of the same interval.
  @inline(__always)
  static func append(
    _ candle: Candle, to candles: inout [Candle], preferring preference: CandleOrigin
  ) {
    if let last = candles.last, last.start == candle.start, last.instrument == candle.instrument,
      last.interval == candle.interval
    {
      if candle.isBetter(than: last, preferring: preference) { candles[candles.count - 1] = candle }
    } else {
      candles.append(candle)
    }
  }

  static func wholeSecond(notBefore instant: Timestamp) -> Int64 {
    let isWhole = instant.nanoseconds % Timestamp.nanosecondsPerSecond == 0
    return isWhole ? instant.seconds : instant.seconds + 1
  }
}
