public import MarketData

/// How a time is written in somebody's data.
public enum TimeFormat: Sendable, Hashable {
  /// Unix time whose unit shows in its magnitude, or RFC 3339 with a zone.
  case automatic
  /// A pattern of `%Y %y %m %d %b %H %M %S` (as in strftime) and literal text, on clocks so many seconds ahead of UTC.
  case pattern(String, offsetSeconds: Int)

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let letters = Set("YymdbHMS%")

  /// Makes a format from its pattern; the word `auto` is ``automatic``.
  ///
  /// - Throws: ``Fault`` of kind `configuration` for a pattern that does not give a date.
  public init(_ pattern: String, offsetSeconds: Int) throws(Fault) {
    guard pattern != "auto" else {
      self = .automatic
      return
    }
    var found = Set<Character>()
    var rest = pattern[...]
    while let percent = rest.firstIndex(of: "%") {
      rest = rest[rest.index(after: percent)...]
      guard let letter = rest.popFirst(), Self.letters.contains(letter) else {
        throw Fault(
          .configuration,
          "the time format '\(pattern)' holds a % that is not one of %Y, %y, %m, %d, %b, %H, %M, %S and %%")
      }
      found.insert(letter)
    }
    guard found.contains("d"), found.contains("m") || found.contains("b"),
      found.contains("Y") || found.contains("y")
    else {
      throw Fault(
        .configuration,
        "the time format '\(pattern)' gives no date; %Y-%m-%d %H:%M:%S is one that does, and auto stands for Unix time or "
          + "RFC 3339")
    }
    self = .pattern(pattern, offsetSeconds: offsetSeconds)
  }

  /// What a time must look like, for people.
  var expectation: String {
    switch self {
    case .automatic: "a time: Unix time, or RFC 3339 with a zone as in 2026-11-23T09:15:00+05:30"
    case .pattern(let pattern, _): "a time like \(pattern)"
    }
  }

  /// The instant that a field tells; nil when it is not of this format.
  func instant(_ field: CandleFormat.Field) -> Timestamp? {
    let text = String(decoding: field.text, as: UTF8.self)
    switch self {
    case .automatic:
      var scanner = JSONScanner(Array(field.text))
      if let decimal = try? scanner.decimal(), scanner.peek() == nil {
        let time = Timestamp(unixTime: decimal)
        return time.isKnown ? time : nil
      }
      return Timestamp(rfc3339: text)
    case .pattern(let pattern, let offsetSeconds): return Self.instant(text, pattern, offsetSeconds)
    }
  }

  private static func instant(_ text: String, _ pattern: String, _ offsetSeconds: Int) -> Timestamp? {
    var rest = text[...]
    var civil = CivilTime(year: 1970, month: 1, day: 1)
    var isAfterPercent = false
    for letter in pattern {
      guard isAfterPercent else {
        if letter == "%" {
          isAfterPercent = true
        } else if rest.popFirst() != letter {
          return nil
        }
        continue
      }
      isAfterPercent = false
      switch letter {
      case "%": guard rest.popFirst() == "%" else { return nil }
      case "b":
        guard let month = months.firstIndex(of: rest.prefix(3).lowercased()) else { return nil }
        civil.month = month + 1
        rest = rest.dropFirst(3)
      default:
        let digits = rest.prefix(letter == "Y" ? 4 : 2).prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        switch letter {
        case "Y": civil.year = number
        case "y": civil.year = 2000 + number
        case "m": civil.month = number
        case "d": civil.day = number
        case "H": civil.hour = number
        case "M": civil.minute = number
        default: civil.second = number
        }
      }
    }
    return rest.isEmpty && civil.isValid ? civil.timestamp(offsetSeconds: offsetSeconds) : nil
  }
}
