import MarketData

/// The answer of Kite's candle endpoint, read from its JSON text without a Double.
struct KiteCandleAnswer {
  var isSuccess = false
  var candles: [Candle] = []
  var errorType = ""
  var message = ""

  /// Shortest text of a candle, for reserving memory: `["2017-12-15T09:15:00+0530",1,1,1,1,1],`.
  private static let candleBytesMin = 38

  /// Reads a whole answer, success or error; candles are for `instrument` and `interval`.
  ///
  /// - Throws: `Fault` of kind `protocolViolation` when the bytes are not JSON of the expected shape.
  init(_ bytes: [UInt8], instrument: InstrumentID, interval: Interval) throws(Fault) {
    var reader = KiteCandleReader(instrument: instrument, interval: interval)
    var scanner = JSONScanner(bytes)
    var answer = (status: "", errorType: "", message: "")
    var candles: [Candle] = []
    try scanner.object { (key, scanner) throws(Fault) in
      switch key {
      case "status": answer.status = try scanner.string()
      case "error_type": answer.errorType = try scanner.string()
      case "message": answer.message = try scanner.string()
      case "data" where scanner.peek() == UInt8(ascii: "{"):
        try scanner.object { (key, scanner) throws(Fault) in
          guard key == "candles" else { return try scanner.skipValue() }
          candles.reserveCapacity(bytes.count / Self.candleBytesMin)
          try scanner.array { (scanner) throws(Fault) in candles.append(try reader.candle(from: &scanner)) }
        }
      default: try scanner.skipValue()
      }
    }
    try scanner.expectEnd()
    isSuccess = answer.status == "success" && answer.errorType.isEmpty
    self.candles = candles
    errorType = answer.errorType
    message = answer.message
  }
}

/// Reads the rows `[time, open, high, low, close, volume]`, with open interest as an optional seventh.
private struct KiteCandleReader {
  let instrument: InstrumentID
  let interval: Interval
  /// Rows of one day follow each other, so the calendar is asked once a day.
  private var dayText: [UInt8] = []
  private var dayStart = Timestamp.unknown

  /// `2017-12-15T09:15:00+0530`: the offset has no colon, which RFC 3339 parsers refuse.
  private static let timeBytes = 24
  private static let dayBytes = 10

  init(instrument: InstrumentID, interval: Interval) {
    self.instrument = instrument
    self.interval = interval
  }

  mutating func candle(from scanner: inout JSONScanner) throws(Fault) -> Candle {
    try scanner.expect(UInt8(ascii: "["))
    let start = try time(from: &scanner)
    let open = try price(from: &scanner)
    let high = try price(from: &scanner)
    let low = try price(from: &scanner)
    let close = try price(from: &scanner)
    try scanner.expect(UInt8(ascii: ","))
    let volume = try scanner.number(fractionDigits: 0)
    var openInterest: Int64 = 0
    if scanner.take(UInt8(ascii: ",")) { openInterest = try scanner.number(fractionDigits: 0) }
    try scanner.expect(UInt8(ascii: "]"))
    return Candle(
      instrument: instrument, interval: interval, start: start, open: open, high: high, low: low,
      close: close,
      volume: volume, openInterest: openInterest, origin: .venue)
  }

  private func price(from scanner: inout JSONScanner) throws(Fault) -> Price {
    try scanner.expect(UInt8(ascii: ","))
    return Price(units: try scanner.number(fractionDigits: Price.fractionDigits))
  }

  private mutating func time(from scanner: inout JSONScanner) throws(Fault) -> Timestamp {
    let range = try scanner.rawString()
    let text = scanner.bytes[range]
    if range.count == Self.timeBytes, text.prefix(Self.dayBytes).elementsEqual(dayText),
      let seconds = Self.secondsOfIndianDay(text.dropFirst(Self.dayBytes))
    {
      return dayStart + seconds * Timestamp.nanosecondsPerSecond
    }
    guard let time = Timestamp(rfc3339: String(decoding: text, as: UTF8.self)) else {
      throw Fault(
        .protocolViolation,
        "a candle's time at byte \(range.lowerBound) is '\(WebSocketHandshake.excerpt(of: text))', where one like "
          + "2017-12-15T09:15:00+0530 should be")
    }
    if range.count == Self.timeBytes, let seconds = Self.secondsOfIndianDay(text.dropFirst(Self.dayBytes)) {
      dayText = Array(text.prefix(Self.dayBytes))
      dayStart = time + -seconds * Timestamp.nanosecondsPerSecond
    }
    return time
  }

  /// Seconds into the day for exactly `Thh:mm:ss+0530`; nil for anything else, which takes the slow way.
  private static func secondsOfIndianDay(_ text: ArraySlice<UInt8>) -> Int64? {
    let at = text.startIndex
    guard text.count == timeBytes - dayBytes, text[at] == UInt8(ascii: "T"),
      text[at + 3] == UInt8(ascii: ":"),
      text[at + 6] == UInt8(ascii: ":"), text.suffix(5).elementsEqual("+0530".utf8),
      let hour = twoDigits(text, at + 1), let minute = twoDigits(text, at + 4),
      let second = twoDigits(text, at + 7),
      hour < 24, minute < 60, second < 60
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  private static func twoDigits(_ text: ArraySlice<UInt8>, _ index: Int) -> Int64? {
    let (tens, ones) = (text[index] &- UInt8(ascii: "0"), text[index + 1] &- UInt8(ascii: "0"))
    return tens < 10 && ones < 10 ? Int64(tens) * 10 + Int64(ones) : nil
  }
}
