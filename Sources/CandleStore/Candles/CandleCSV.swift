public import MarketData

/// Reads candles from a CSV file with one header line:
/// `timestamp,open,high,low,close,volume` and, if wanted, `oi`.
///
/// Columns are found by name, in any order. Times are RFC 3339 with a zone and label the start of the interval;
/// prices are plain decimals of at most nine fraction digits and are taken exactly. A line that says the same as
/// the one before it is skipped; anything else that does not fit is refused with the file and the line.
public enum CandleCSV {
  /// The largest file that is read: about six million candles.
  public static let fileBytesMax = 512 << 20

  /// Reads the candles of one instrument, ascending; their origin is ``CandleOrigin/imported``.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when the file cannot be read, `badData` when it is malformed.
  public static func read(path: String, instrument: InstrumentID, interval: Interval) throws(Fault)
    -> [Candle]
  {
    let bytes = try FileBytes.read(path: path, maximum: fileBytesMax)
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
    let header = trimmed(lines.popFirst() ?? [], isFirst: true)
    let columns = try Columns(header: header, path: path)
    var candles: [Candle] = []
    candles.reserveCapacity(lines.count)
    for (index, rawLine) in lines.enumerated() {
      let line = trimmed(rawLine, isFirst: false)
      if line.isEmpty { continue }
      // The header is line 1.
      let place = "'\(path)' line \(index + 2)"
      let candle = try columns.candle(in: line, instrument: instrument, interval: interval, place: place)
      if let previous = candles.last {
        if candle == previous { continue }
        try check(candle, follows: previous, place: place)
      }
      candles.append(candle)
    }
    return candles
  }

  private static func check(_ candle: Candle, follows previous: Candle, place: String) throws(Fault) {
    if candle.start == previous.start {
      throw Fault(
        .badData,
        "\(place) contradicts an earlier line of the same start \(candle.start.rfc3339); each candle has one line"
      )
    }
    if candle.start < previous.start {
      throw Fault(
        .badData,
        """
        \(place) starts at \(candle.start.rfc3339), before the line above it (\(previous.start.rfc3339)); \
        lines must ascend in time
        """)
    }
    if candle.start - previous.start < candle.interval.nanoseconds {
      throw Fault(
        .badData,
        """
        \(place) starts at \(candle.start.rfc3339), inside the candle of \(candle.interval) before it; \
        the file's interval must be \(candle.interval)
        """)
    }
  }

  /// The line without carriage return, and the file without the byte order mark that some spreadsheets write.
  private static func trimmed(_ line: ArraySlice<UInt8>, isFirst: Bool) -> ArraySlice<UInt8> {
    var line = line
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    if isFirst && line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    return line
  }
}

/// Where in a line each value stands.
private struct Columns {
  private static let required = ["timestamp", "open", "high", "low", "close", "volume"]
  private static let openInterest = "oi"

  private let names: [String]
  private let positions: [String: Int]

  init(header: ArraySlice<UInt8>, path: String) throws(Fault) {
    names = header.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    var positions: [String: Int] = [:]
    for (position, name) in names.enumerated() {
      guard Self.required.contains(name) || name == Self.openInterest else {
        throw Fault(
          .badData,
          """
          '\(path)' line 1 names the unknown column '\(name)'; known are \(Self.required.joined(separator: ", ")) \
          and \(Self.openInterest)
          """)
      }
      guard positions.updateValue(position, forKey: name) == nil else {
        throw Fault(.badData, "'\(path)' line 1 names the column '\(name)' twice; each column stands once")
      }
    }
    for name in Self.required where positions[name] == nil {
      throw Fault(
        .badData,
        "'\(path)' line 1 lacks the column '\(name)'; needed are \(Self.required.joined(separator: ", "))")
    }
    self.positions = positions
  }

  func candle(in line: ArraySlice<UInt8>, instrument: InstrumentID, interval: Interval, place: String)
    throws(Fault) -> Candle
  {
    let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard fields.count == names.count else {
      throw Fault(.badData, "\(place) has \(fields.count) values; the header names \(names.count) columns")
    }
    func field(_ name: String) -> ArraySlice<UInt8> { positions[name].map { fields[$0] } ?? [] }
    func refusal(_ name: String, _ expected: String) -> Fault {
      Fault(
        .badData, "\(place) has '\(String(decoding: field(name), as: UTF8.self))' as \(name); \(expected)")
    }
    func price(_ name: String) throws(Fault) -> Price {
      guard let units = Price.scaled(decimal: field(name), fractionDigits: Price.fractionDigits) else {
        throw refusal(name, "a decimal of at most \(Price.fractionDigits) fraction digits is expected")
      }
      return Price(units: units)
    }
    func quantity(_ name: String) throws(Fault) -> Int64 {
      guard let quantity = Price.scaled(decimal: field(name), fractionDigits: 0), quantity >= 0 else {
        throw refusal(name, "a whole number that is not negative is expected")
      }
      return quantity
    }
    guard let start = Timestamp(rfc3339: String(decoding: field("timestamp"), as: UTF8.self)) else {
      throw refusal("timestamp", "a time as in 2026-11-23T09:15:00+05:30 is expected")
    }
    // Candles of whole minutes start on whole minutes, all others on whole seconds.
    let grid = interval.seconds % 60 == 0 ? Interval.minute : Interval(seconds: 1)
    guard start.nanoseconds % grid.nanoseconds == 0 else {
      throw refusal(
        "timestamp", "a candle of \(interval) starts on a whole \(grid == .minute ? "minute" : "second")")
    }
    let candle = Candle(
      instrument: instrument, interval: interval, start: start, open: try price("open"),
      high: try price("high"),
      low: try price("low"), close: try price("close"), volume: try quantity("volume"),
      openInterest: positions[Self.openInterest] == nil ? 0 : try quantity(Self.openInterest),
      origin: .imported)
    guard candle.low <= min(candle.open, candle.close), candle.high >= max(candle.open, candle.close) else {
      throw Fault(
        .badData,
        """
        \(place) has open \(candle.open), high \(candle.high), low \(candle.low), close \(candle.close); \
        open and close must lie between low and high
        """)
    }
    return candle
  }
}
