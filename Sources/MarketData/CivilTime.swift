/// A calendar date and time of day at a fixed offset from UTC, without a time-zone database.
///
/// India keeps one offset all year, so the exchange's wall time is plain arithmetic. The conversion is the
/// proleptic Gregorian calendar by 400-year eras, as described by Howard Hinnant in "chrono-compatible low-level
/// date algorithms". Valid for the years 1678 to 2261, the range of ``Timestamp``.
public struct CivilTime: Sendable, Hashable {
  /// Year of the common era.
  public var year: Int
  /// Month, 1 to 12.
  public var month: Int
  /// Day of the month, 1 to 31.
  public var day: Int
  /// Hour, 0 to 23.
  public var hour: Int
  /// Minute, 0 to 59.
  public var minute: Int
  /// Second, 0 to 59.
  public var second: Int
  /// Nanosecond within the second.
  public var nanosecond: Int

  /// Seconds that Indian Standard Time is ahead of UTC (+05:30).
  public static let indiaOffsetSeconds = 19_800

  /// Makes a civil time from its fields, which are not checked here; ``isValid`` does that.
  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, nanosecond: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.nanosecond = nanosecond
  }

  /// The civil time that clocks at `offsetSeconds` ahead of UTC show at `instant`.
  public init(_ instant: Timestamp, offsetSeconds: Int = indiaOffsetSeconds) {
    let localSeconds = Int(instant.seconds) + offsetSeconds
    // Wrapping, because the second in which the range of Int64 nanoseconds begins starts before that range.
    let fraction = Int(instant.nanoseconds &- instant.seconds &* Timestamp.nanosecondsPerSecond)
    var dayNumber = localSeconds / 86_400
    var secondOfDay = localSeconds % 86_400
    if secondOfDay < 0 {
      secondOfDay += 86_400
      dayNumber -= 1
    }
    let shifted = dayNumber + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    self.init(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
      day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, hour: secondOfDay / 3600,
      minute: secondOfDay / 60 % 60, second: secondOfDay % 60, nanosecond: fraction)
  }

  /// Midnight of the day that lies `dayNumber` days after 1970-01-01.
  public init(dayNumber: Int) {
    self.init(Timestamp(seconds: Int64(dayNumber) * 86_400), offsetSeconds: 0)
  }

  /// Days since 1970-01-01 of a date written `2026-11-23`; nil for anything else.
  public static func dayNumber(date text: some StringProtocol) -> Int? {
    var scanner = DigitScanner(bytes: Array(text.utf8))
    guard let year = scanner.number(digits: 4), scanner.skip("-"), let month = scanner.number(digits: 2),
      scanner.skip("-"), let day = scanner.number(digits: 2), scanner.isAtEnd
    else { return nil }
    let civil = CivilTime(year: year, month: month, day: day)
    return civil.isValid ? civil.dayNumber : nil
  }

  /// Days since 1970-01-01 of the date alone.
  public var dayNumber: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Day of the week, Monday = 1 to Sunday = 7 (ISO 8601).
  public var isoWeekday: Int { ((dayNumber + 3) % 7 + 7) % 7 + 1 }

  /// The instant at which clocks `offsetSeconds` ahead of UTC show this time.
  public func timestamp(offsetSeconds: Int = indiaOffsetSeconds) -> Timestamp {
    let seconds = dayNumber * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds
    return Timestamp(seconds: Int64(seconds)) + Int64(nanosecond)
  }

  /// True when every field is in range and the day exists in its month.
  public var isValid: Bool {
    guard (1678...2261).contains(year), (1...12).contains(month), day >= 1, (0...23).contains(hour),
      (0...59).contains(minute), (0...59).contains(second), (0..<1_000_000_000).contains(nanosecond)
    else { return false }
    let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return day <= lengths[month - 1]
  }

  private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// `2026-11-23`.
  public var dateText: String { "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" }

  /// `09:15:00`, without the fraction.
  public var timeText: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }
}

extension Timestamp {
  /// RFC 3339 with the exchange's offset: `2026-11-23T09:15:00+05:30`; the fraction appears only where there is
  /// one, with 3, 6 or 9 digits.
  public var rfc3339: String {
    let civil = CivilTime(self)
    var fraction = ""
    if civil.nanosecond != 0 {
      var digits = padded(civil.nanosecond, 9)
      while digits.hasSuffix("000") { digits.removeLast(3) }
      fraction = "." + digits
    }
    return "\(civil.dateText)T\(civil.timeText)\(fraction)+05:30"
  }

  /// Parses `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM|±HHMM)`; a space may stand for the `T`.
  ///
  /// Kite writes its offset without the colon, which RFC 3339 parsers refuse (`protocols/zerodha-kite`,
  /// section 5). Returns nil for anything else, a missing zone included: a time without a zone is ambiguous.
  public init?(rfc3339 text: some StringProtocol) {
    var scanner = DigitScanner(bytes: Array(text.utf8))
    guard let year = scanner.number(digits: 4), scanner.skip("-"), let month = scanner.number(digits: 2),
      scanner.skip("-"), let day = scanner.number(digits: 2), scanner.skip("T") || scanner.skip(" "),
      let hour = scanner.number(digits: 2), scanner.skip(":"), let minute = scanner.number(digits: 2),
      scanner.skip(":"), let second = scanner.number(digits: 2)
    else { return nil }
    var nanosecond = 0
    if scanner.skip(".") {
      guard let fraction = scanner.fractionNanoseconds() else { return nil }
      nanosecond = fraction
    }
    guard let offsetSeconds = scanner.zoneOffsetSeconds(), scanner.isAtEnd else { return nil }
    let civil = CivilTime(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond)
    guard civil.isValid else { return nil }
    self = civil.timestamp(offsetSeconds: offsetSeconds)
  }
}

private struct DigitScanner {
  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { index == bytes.count }

  mutating func skip(_ character: Character) -> Bool {
    guard index < bytes.count, bytes[index] == character.asciiValue else { return false }
    index += 1
    return true
  }

  mutating func number(digits: Int) -> Int? {
    guard index + digits <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[index..<index + digits] {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    index += digits
    return value
  }

  mutating func fractionNanoseconds() -> Int? {
    var value = 0
    var digits = 0
    while index < bytes.count, (48...57).contains(bytes[index]) {
      guard digits < 9 else { return nil }
      value = value * 10 + Int(bytes[index] - 48)
      digits += 1
      index += 1
    }
    guard digits > 0 else { return nil }
    for _ in digits..<9 { value *= 10 }
    return value
  }

  mutating func zoneOffsetSeconds() -> Int? {
    if skip("Z") { return 0 }
    let sign: Int
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hours = number(digits: 2) else { return nil }
    _ = skip(":")
    guard let minutes = number(digits: 2), hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}

private func padded(_ value: Int, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
