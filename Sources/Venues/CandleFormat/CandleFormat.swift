public import MarketData

/// How somebody's candles are written, in CSV or JSON: what a master data store or a file is read by.
public struct CandleFormat: Sendable {
  /// What the text is.
  public enum Shape: String, Sendable, CaseIterable {
    /// JSON whose rows are arrays or objects.
    case json
    /// Comma-separated values after RFC 4180 with a line of names.
    case csv
  }

  /// What the text is.
  public var shape = Shape.json
  /// The members through which the list of rows is reached, joined by dots; empty when the text is the list.
  public var rows = ""
  /// What time, open, high, low, close, volume and, if there is a seventh, open interest are called: names of columns or
  /// members, or positions from 0 where rows are arrays.
  public var columns = ["timestamp", "open", "high", "low", "close", "volume", "oi"]
  /// How times are written.
  public var time = TimeFormat.automatic
  /// By what prices are divided: a power of ten up to 1e9.
  public var priceScale: Int64 = 1
  /// Whether the last column, open interest, may be missing.
  public var isOpenInterestOptional = true

  /// Makes the format of JSON objects with the members of TickRing's own CSV files.
  public init() {}

  /// Reads the candles of one text, in its order.
  ///
  /// - Throws: ``Fault`` of kind `badData` that names the row, what is wrong with it, and what would be right.
  public func candles(in bytes: [UInt8], instrument: InstrumentID, interval: Interval, origin: CandleOrigin)
    throws(Fault) -> [Candle]
  {
    var candles: [Candle] = []
    func take(_ place: String, _ fields: [Field?]) throws(Fault) {
      do {
        candles.append(try candle(fields, instrument, interval, origin))
      } catch {
        throw Fault(.badData, "\(place): \(error.message)")
      }
    }
    switch shape {
    case .csv: try readCSV(bytes, take)
    case .json: try readJSON(bytes, take)
    }
    return candles
  }

  /// Reads the candles of one file, which must ascend.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when there is no such file, `inputOutput` when it cannot be read,
  ///   `badData` naming the file and the row when something in it is wrong.
  public func candles(file path: String, instrument: InstrumentID, interval: Interval) throws(Fault)
    -> [Candle]
  {
    guard let bytes = try FileText.bytes(path, maximum: FileCandles.fileBytesMax) else {
      throw Fault(.missingInput, "'\(path)' does not exist")
    }
    do {
      return try candles(in: bytes, instrument: instrument, interval: interval, origin: .imported).ascending()
    } catch {
      throw Fault(error.kind, "'\(path)': \(error.message)")
    }
  }

  /// One value of a row as it stands in the text.
  struct Field {
    var text: ArraySlice<UInt8>
    /// Whether a text stood in quotes in JSON.
    var isQuoted = false
  }

  private static let meanings = ["time", "open", "high", "low", "close", "volume", "open interest"]
  private static let requiredCount = 6

  // MARK: CSV

  private func readCSV(_ bytes: [UInt8], _ take: (String, [Field?]) throws(Fault) -> Void) throws(Fault) {
    // Some spreadsheets write a byte order mark.
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var reader = CSVReader(bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes)
    guard let header = try badData({ () throws(Fault) in try reader.next() }) else {
      throw Fault(.badData, "there is no line of column names; \(columns.joined(separator: ", ")) are wanted")
    }
    var places: [Int?] = []
    for (index, name) in columns.enumerated() {
      let place = header.firstIndex(of: name)
      guard place != nil || index >= Self.requiredCount && isOpenInterestOptional else {
        throw Fault(
          .badData,
          "line 1 has no column '\(name)' for the \(Self.meanings[index]); it has \(header.joined(separator: ", "))"
        )
      }
      places.append(place)
    }
    while let record = try badData({ () throws(Fault) in try reader.next() }) {
      guard record.count == header.count else {
        throw Fault(
          .badData,
          "line \(reader.line): \(record.count) values, where the first line has \(header.count) columns")
      }
      try take(
        "line \(reader.line)",
        places.map { place in place.map { Field(text: Array(record[$0].utf8)[...]) } })
    }
  }

  private func badData<Value>(_ body: () throws(Fault) -> Value) throws(Fault) -> Value {
    do { return try body() } catch { throw Fault(.badData, error.message) }
  }

  // MARK: JSON

  private func readJSON(_ bytes: [UInt8], _ take: (String, [Field?]) throws(Fault) -> Void) throws(Fault) {
    try badData { () throws(Fault) in
      var scanner = JSONScanner(bytes)
      let path = rows.split(separator: ".").map(String.init)
      guard try readRows(&scanner, path[...], take) else {
        throw Fault(
          .badData,
          rows.isEmpty
            ? "the text is no list of candles; where one lies deeper, say where (master.rows, or --rows), as in data.candles"
            : "there is no list at '\(rows)', where the candles should be")
      }
      try scanner.expectEnd()
    }
  }

  /// Follows the path to the list; false when it leads nowhere.
  private func readRows(
    _ scanner: inout JSONScanner, _ path: ArraySlice<String>, _ take: (String, [Field?]) throws(Fault) -> Void
  ) throws(Fault) -> Bool {
    guard let name = path.first else {
      guard scanner.peek() == UInt8(ascii: "[") else {
        try scanner.skipStrictly()
        return false
      }
      var number = 0
      try scanner.array { (scanner) throws(Fault) in
        number += 1
        try take("row \(number)", try row(&scanner, number))
      }
      return true
    }
    guard scanner.peek() == UInt8(ascii: "{") else {
      try scanner.skipStrictly()
      return false
    }
    var isFound = false
    try scanner.members { (key, scanner) throws(Fault) in
      if scanner.text(of: key) == name {
        isFound = try readRows(&scanner, path.dropFirst(), take)
      } else {
        try scanner.skipStrictly()
      }
    }
    return isFound
  }

  private func row(_ scanner: inout JSONScanner, _ number: Int) throws(Fault) -> [Field?] {
    var fields = [Field?](repeating: nil, count: columns.count)
    func take(_ name: String, _ scanner: inout JSONScanner) throws(Fault) {
      let index = columns.firstIndex(of: name)
      if scanner.peek() == UInt8(ascii: "\"") {
        let text = scanner.text(of: try scanner.strictString())
        if let index { fields[index] = Field(text: Array(text.utf8)[...], isQuoted: true) }
      } else {
        _ = scanner.peek()
        let first = scanner.index
        try scanner.skipStrictly()
        if let index { fields[index] = Field(text: scanner.bytes[first..<scanner.index]) }
      }
    }
    switch scanner.peek() {
    case UInt8(ascii: "{")?:
      try scanner.members { (key, scanner) throws(Fault) in try take(scanner.text(of: key), &scanner) }
    case UInt8(ascii: "[")?:
      // Names say nothing about an array, whose values then stand in the order of the columns.
      let isByPosition = columns.allSatisfy { Int($0) != nil }
      var position = 0
      try scanner.array { (scanner) throws(Fault) in
        let name = isByPosition ? "\(position)" : position < columns.count ? columns[position] : ""
        try take(name, &scanner)
        position += 1
      }
    default:
      throw Fault(
        .badData,
        "row \(number) is neither an object nor an array, but one of them is what a candle is written as")
    }
    return fields
  }

  // MARK: One candle

  private func candle(
    _ fields: [Field?], _ instrument: InstrumentID, _ interval: Interval, _ origin: CandleOrigin
  ) throws(Fault) -> Candle {
    for index in 0..<Self.requiredCount where fields[index] == nil {
      throw Fault(.badData, "there is no '\(columns[index])', which is the \(Self.meanings[index])")
    }
    func refusal(_ index: Int, _ expectation: String) -> Fault {
      let shown = fields[index].map { excerpt(of: $0.text) } ?? ""
      return Fault(.badData, "\(columns[index]) is '\(shown)', but must be \(expectation)")
    }
    func decimal(_ index: Int) -> JSONDecimal? {
      guard let text = fields[index]?.text else { return nil }
      var scanner = JSONScanner(Array(text))
      guard let decimal = try? scanner.decimal(), scanner.peek() == nil else { return nil }
      return decimal
    }
    func price(_ index: Int) throws(Fault) -> Price {
      guard let units = decimal(index)?.scaled(fractionDigits: Price.fractionDigits - scaleDigits) else {
        throw refusal(index, "a number, the price\(priceScale == 1 ? "" : " times \(priceScale)")")
      }
      return Price(units: units)
    }
    func quantity(_ index: Int) throws(Fault) -> Int64 {
      guard let quantity = decimal(index)?.scaled(fractionDigits: 0), quantity >= 0 else {
        throw refusal(index, "a whole number from 0")
      }
      return quantity
    }
    guard let start = fields[0].flatMap({ time.instant($0) }) else { throw refusal(0, time.expectation) }
    let grid = interval.seconds % 60 == 0 ? Interval.minute : Interval(seconds: 1)
    guard start.nanoseconds % grid.nanoseconds == 0 else {
      throw refusal(
        0, "the first instant of a candle of \(interval), on a whole \(grid == .minute ? "minute" : "second")"
      )
    }
    let isOpenInterestGiven =
      fields.count > Self.requiredCount
      && fields[Self.requiredCount].map { !$0.text.isEmpty && !$0.text.elementsEqual("null".utf8) } == true
    let candle = Candle(
      instrument: instrument, interval: interval, start: start, open: try price(1), high: try price(2),
      low: try price(3), close: try price(4), volume: try quantity(5),
      openInterest: isOpenInterestGiven ? try quantity(Self.requiredCount) : 0, origin: origin)
    guard candle.low <= min(candle.open, candle.close), candle.high >= max(candle.open, candle.close) else {
      throw Fault(
        .badData,
        "open \(candle.open), high \(candle.high), low \(candle.low), close \(candle.close): open and close must lie "
          + "between low and high")
    }
    return candle
  }

  private var scaleDigits: Int { String(priceScale).utf8.count - 1 }
}
