import MarketData

/// Reads the rows `[time, open, high, low, close, volume]` of a venue's candles, with open interest as an optional
/// seventh, from their JSON text.
struct CandleRowReader {
  let instrument: InstrumentID
  let interval: Interval
  /// How the venue writes the exchange's distance from UTC, with a colon or without.
  private let offset: [UInt8]
  /// Rows of one day follow each other, so the calendar is asked once a day.
  private var dayText: [UInt8] = []
  private var dayStart = Timestamp.unknown

  private static let dayBytes = 10
  private static let clockBytes = 9

  /// Makes a reader; times that end in `offset`, which must be India's, are read the fast way.
  init(instrument: InstrumentID, interval: Interval, offset: String) {
    self.instrument = instrument
    self.interval = interval
    self.offset = Array(offset.utf8)
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
    if text.prefix(Self.dayBytes).elementsEqual(dayText),
      let seconds = secondsOfIndianDay(text.dropFirst(Self.dayBytes))
    {
      return dayStart + seconds * Timestamp.nanosecondsPerSecond
    }
    guard let time = Timestamp(rfc3339: String(decoding: text, as: UTF8.self)) else {
      throw Fault(
        .protocolViolation,
        "a candle's time at byte \(range.lowerBound) is '\(excerpt(of: text))', where one like "
          + "2017-12-15T09:15:00\(String(decoding: offset, as: UTF8.self)) should be")
    }
    if let seconds = secondsOfIndianDay(text.dropFirst(Self.dayBytes)) {
      dayText = Array(text.prefix(Self.dayBytes))
      dayStart = time + -seconds * Timestamp.nanosecondsPerSecond
    }
    return time
  }

  /// Seconds into the day for exactly `Thh:mm:ss` and the offset; nil for anything else, which takes the slow way.
  private func secondsOfIndianDay(_ text: ArraySlice<UInt8>) -> Int64? {
    let at = text.startIndex
    guard text.count == Self.clockBytes + offset.count, text[at] == UInt8(ascii: "T"),
      text[at + 3] == UInt8(ascii: ":"),
      text[at + 6] == UInt8(ascii: ":"), text.dropFirst(Self.clockBytes).elementsEqual(offset),
      let hour = Self.twoDigits(text, at + 1), let minute = Self.twoDigits(text, at + 4),
      let second = Self.twoDigits(text, at + 7),
      hour < 24, minute < 60, second < 60
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  private static func twoDigits(_ text: ArraySlice<UInt8>, _ index: Int) -> Int64? {
    let (tens, ones) = (text[index] &- UInt8(ascii: "0"), text[index + 1] &- UInt8(ascii: "0"))
    return tens < 10 && ones < 10 ? Int64(tens) * 10 + Int64(ones) : nil
  }
}
