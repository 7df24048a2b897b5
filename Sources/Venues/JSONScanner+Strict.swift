import MarketData

/// A string of a JSON text by its place between the quotes.
struct JSONString {
  let range: Range<Int>
  /// Whether a backslash is in it, so that its bytes are not yet its text.
  let hasEscapes: Bool
}

/// Reading that holds a text to RFC 8259 to the letter, for messages that come from anybody's program; and without
/// allocating, since these messages are ticks.
extension JSONScanner {
  /// Objects and arrays may lie so deep in each other.
  static let depthMax = 64

  /// Takes a string; control characters and unknown escapes are refused.
  mutating func strictString() throws(Fault) -> JSONString {
    guard take(UInt8(ascii: "\"")) else { throw unexpected("a string") }
    let first = index
    var hasEscapes = false
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        return JSONString(range: first..<index - 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try takeEscape()
      case 0..<0x20: throw unexpected("no control character in a string")
      default: index += 1
      }
    }
    throw unexpected("the end of the string that began at byte \(first - start)")
  }

  private mutating func takeEscape() throws(Fault) {
    index += 1
    guard index < end else { throw unexpected("the rest of an escape") }
    switch bytes[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 1
    case UInt8(ascii: "u"):
      index += 1
      for _ in 0..<4 {
        guard index < end, Character(Unicode.Scalar(bytes[index])).isASCII,
          Character(Unicode.Scalar(bytes[index])).isHexDigit
        else { throw unexpected("a hexadecimal digit after \\u") }
        index += 1
      }
    default: throw unexpected("one of \"\\/bfnrtu after a backslash")
    }
  }

  /// The text of a string that was taken from these bytes.
  func text(of string: JSONString) -> String {
    if !string.hasEscapes { return String(decoding: bytes[string.range], as: UTF8.self) }
    var scanner = JSONScanner(bytes, in: string.range.lowerBound - 1..<string.range.upperBound + 1)
    return (try? scanner.string()) ?? ""
  }

  /// The text of a string that is meant for people, as an ``excerpt(of:)``.
  func words(of string: JSONString) -> String { excerpt(of: text(of: string).utf8) }

  /// Whether a string of these bytes is the ASCII text `name`.
  @inline(__always)
  func isText(_ string: JSONString, _ name: StaticString) -> Bool {
    if string.hasEscapes { return text(of: string) == "\(name)" }
    guard string.range.count == name.utf8CodeUnitCount else { return false }
    return name.withUTF8Buffer { name in
      for position in 0..<name.count where bytes[string.range.lowerBound + position] != name[position] {
        return false
      }
      return true
    }
  }

  /// Goes through the members of an object; `body` must take each one's value.
  @inline(__always)
  mutating func members(
    _ body: (_ key: JSONString, _ scanner: inout JSONScanner) throws(Fault) -> Void
  ) throws(Fault) {
    try expect(UInt8(ascii: "{"))
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try strictString()
      try expect(UInt8(ascii: ":"))
      try body(key, &self)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Takes any value and forgets it.
  mutating func skipStrictly() throws(Fault) {
    try walkValue(depth: 0) { _ in }
  }

  /// Takes any value and writes it down without white space, its numbers as exact decimals rounded to the digits
  /// of a price where they fit into one, and what is no number as null.
  mutating func normalizedValue() throws(Fault) -> String {
    var text: [UInt8] = []
    try walkValue(depth: 0) { text.append(contentsOf: $0) }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func walkValue(depth: Int, _ emit: (ArraySlice<UInt8>) -> Void) throws(Fault) {
    guard let byte = peek() else { throw unexpected("a value") }
    switch byte {
    case UInt8(ascii: "\""):
      let range = try strictString().range
      emit(bytes[range.lowerBound - 1..<range.upperBound + 1])
    case UInt8(ascii: "{"), UInt8(ascii: "["): try walkElements(depth: depth + 1, emit)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
      let first = index
      guard let decimal = try decimal() else { return emit(Self.null[...]) }
      emit(decimal.price.map { Array($0.description.utf8)[...] } ?? bytes[first..<index])
    default:
      let first = index
      guard takeWord("true") || takeWord("false") || takeWord("null") else { throw unexpected("a value") }
      emit(bytes[first..<index])
    }
  }

  private static let null = Array("null".utf8)

  private mutating func walkElements(depth: Int, _ emit: (ArraySlice<UInt8>) -> Void) throws(Fault) {
    guard depth <= Self.depthMax else { throw unexpected("at most \(Self.depthMax) levels of brackets") }
    let isObject = bytes[index] == UInt8(ascii: "{")
    let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    emit(bytes[index...index])
    index += 1
    if !take(closing) {
      repeat {
        if isObject {
          let key = try strictString().range
          emit(bytes[key.lowerBound - 1..<key.upperBound + 1])
          try expect(UInt8(ascii: ":"))
          emit(Self.colon[...])
        }
        try walkValue(depth: depth, emit)
        if peek() == UInt8(ascii: ",") { emit(Self.comma[...]) }
      } while take(UInt8(ascii: ","))
      try expect(closing)
    }
    emit(bytes[index - 1...index - 1])
  }

  private static let colon = [UInt8(ascii: ":")]
  private static let comma = [UInt8(ascii: ",")]

  /// Takes a word of letters that ends where a word can end.
  mutating func takeWord(_ word: StaticString) -> Bool {
    let after = index + word.utf8CodeUnitCount
    guard after <= end else { return false }
    let isHere = word.withUTF8Buffer { word in
      for position in 0..<word.count where bytes[index + position] != word[position] { return false }
      return true
    }
    guard isHere else { return false }
    if after < end, isWordByte(bytes[after]) { return false }
    index = after
    return true
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte | 0x20 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }

  // MARK: Values that senders spell in more than one way

  /// Takes a number that may also stand in quotes; nil for null, for what is no number, and for an empty string.
  ///
  /// - Throws: ``Fault`` of kind `protocolViolation`, naming `name`, for a value of another kind.
  mutating func looseDecimal(_ name: StaticString) throws(Fault) -> JSONDecimal? {
    guard let byte = peek() else { throw unexpected("the value of \(name)") }
    switch byte {
    case UInt8(ascii: "n") where takeWord("null"): return nil
    case UInt8(ascii: "\""):
      let string = try strictString()
      var inside = JSONScanner(bytes, in: string.range)
      guard inside.peek() != nil else { return nil }
      guard let decimal = try? inside.decimal(), inside.peek() == nil else {
        throw Fault(
          .protocolViolation,
          "its \(name) is '\(excerpt(of: bytes[string.range]))', where a number should be")
      }
      return decimal
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
      return try decimal()
    default: throw unexpected("the number of \(name)")
    }
  }

  /// Takes an instant: Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude,
  /// with or without quotes; or RFC 3339 with a zone. Anything else that is valid JSON is an unknown time.
  mutating func looseTime() throws(Fault) -> Timestamp {
    guard let byte = peek() else { throw unexpected("a time") }
    switch byte {
    case UInt8(ascii: "\""):
      let string = try strictString()
      var inside = JSONScanner(bytes, in: string.range)
      if let decimal = try? inside.decimal(), inside.peek() == nil { return Timestamp(unixTime: decimal) }
      return Timestamp(rfc3339: text(of: string)) ?? .unknown
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
      return try decimal().map(Timestamp.init(unixTime:)) ?? .unknown
    default:
      try skipStrictly()
      return .unknown
    }
  }
}

extension Timestamp {
  /// From this many on, a Unix time cannot be in seconds (the year 5138), milliseconds or microseconds.
  private static let millisecondsMin: Int64 = 100_000_000_000
  private static let microsecondsMin: Int64 = 100_000_000_000_000
  private static let nanosecondsMin: Int64 = 100_000_000_000_000_000

  /// An instant from a Unix time whose unit shows in its magnitude; what is not positive or too far off is unknown.
  init(unixTime decimal: JSONDecimal) {
    guard let whole = decimal.scaled(fractionDigits: 0), whole > 0 else {
      self = .unknown
      return
    }
    let fractionDigits =
      switch whole {
      case ..<Self.millisecondsMin: 9
      case ..<Self.microsecondsMin: 6
      case ..<Self.nanosecondsMin: 3
      default: 0
      }
    self = decimal.scaled(fractionDigits: fractionDigits).map { Timestamp(nanoseconds: $0) } ?? .unknown
  }
}
