import MarketData

/// Walks over JSON text byte by byte for readers that know which shape to expect. Total on any bytes.
///
/// It exists because prices must be read from their digits: a general parser would have made Doubles of them.
struct JSONScanner {
  let bytes: [UInt8]
  /// The next byte to look at.
  var index: Int
  /// Where the text begins and ends within ``bytes``.
  let start: Int
  let end: Int

  init(_ bytes: [UInt8]) {
    self.init(bytes, in: 0..<bytes.count)
  }

  /// Walks over a part of the bytes, which must lie inside them.
  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    index = range.lowerBound
    start = range.lowerBound
    end = range.upperBound
  }

  /// The next byte that is no white space, without taking it.
  mutating func peek() -> UInt8? {
    while index < end {
      let byte = bytes[index]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      index += 1
    }
    return nil
  }

  /// Takes the next byte if it is `byte`.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    index += 1
    return true
  }

  mutating func expect(_ byte: UInt8) throws(Fault) {
    guard take(byte) else { throw unexpected("'\(Character(Unicode.Scalar(byte)))'") }
  }

  /// Goes through the members of an object; `body` must take each one's value.
  mutating func object(
    _ body: (_ key: String, _ scanner: inout JSONScanner) throws(Fault) -> Void
  ) throws(Fault) {
    try expect(UInt8(ascii: "{"))
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try body(key, &self)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Goes through the elements of an array; `body` must take each one.
  mutating func array(_ body: (_ scanner: inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    try expect(UInt8(ascii: "["))
    if take(UInt8(ascii: "]")) { return }
    repeat { try body(&self) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  /// The place of a string's bytes between its quotes, escapes untouched.
  mutating func rawString() throws(Fault) -> Range<Int> {
    guard take(UInt8(ascii: "\"")) else { throw unexpected("a string") }
    let start = index
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        return start..<index - 1
      case UInt8(ascii: "\\"): index = min(index + 2, end)
      default: index += 1
      }
    }
    throw unexpected("the end of the string that began at byte \(start)")
  }

  /// A string with its escapes resolved.
  mutating func string() throws(Fault) -> String {
    let range = try rawString()
    let raw = bytes[range]
    guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
    var units: [UInt16] = []
    var position = range.lowerBound
    while position < range.upperBound {
      guard bytes[position] == UInt8(ascii: "\\") else {
        let end = bytes[position..<range.upperBound].firstIndex(of: UInt8(ascii: "\\")) ?? range.upperBound
        units += String(decoding: bytes[position..<end], as: UTF8.self).utf16
        position = end
        continue
      }
      let letter = bytes[position + 1]
      position += 2
      if letter == UInt8(ascii: "u") {
        let digits = String(decoding: bytes[position..<min(position + 4, range.upperBound)], as: UTF8.self)
        guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else {
          throw unexpected(
            "four hexadecimal digits after \\u in the string that began at byte \(range.lowerBound)")
        }
        units.append(unit)
        position += 4
      } else {
        units.append(Self.escapes[letter] ?? UInt16(letter))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// A string that is meant for people, as an ``excerpt(of:)``.
  mutating func words() throws(Fault) -> String { excerpt(of: try string().utf8) }

  private static let escapes: [UInt8: UInt16] = [
    UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "b"): 0x08,
    UInt8(ascii: "f"): 0x0C,
  ]

  /// A number without exponent as an integer scaled by ten to the power of `fractionDigits`, exactly.
  ///
  /// The same as `Price.scaled(decimal:fractionDigits:)`, which as a generic function of another module costs ten
  /// times as much; a history has millions of numbers.
  mutating func number(fractionDigits: Int) throws(Fault) -> Int64 {
    let isNegative = take(UInt8(ascii: "-"))
    let start = index
    var magnitude: Int64 = 0
    var missingDigits = fractionDigits
    var fits = takeDigits(into: &magnitude) > 0
    if fits, index < end, bytes[index] == UInt8(ascii: ".") {
      index += 1
      let digits = takeDigits(into: &magnitude, atMost: fractionDigits)
      missingDigits -= digits
      // Zeros beyond the last digit that fits change nothing.
      var zeros = 0
      while index < end, bytes[index] == UInt8(ascii: "0") {
        index += 1
        zeros += 1
      }
      fits = digits + zeros > 0
    }
    while fits, missingDigits > 0 {
      let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
      fits = !overflowed
      magnitude = product
      missingDigits -= 1
    }
    guard fits, magnitude >= 0 else {
      index = start
      throw unexpected("a decimal number of at most \(fractionDigits) fraction digits within range")
    }
    return isNegative ? -magnitude : magnitude
  }

  /// Takes digits and returns their number; `value` becomes negative when it does not fit.
  @inline(__always)
  private mutating func takeDigits(into value: inout Int64, atMost digitsMax: Int = .max) -> Int {
    var count = 0
    while count < digitsMax, index < end {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      if value >= 0 {
        let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(Int64(digit))
        value = overflowed || carried ? -1 : sum
      }
      index += 1
      count += 1
    }
    return count
  }

  /// Takes any value and forgets it. Counts brackets instead of recursing, so depth costs nothing.
  mutating func skipValue() throws(Fault) {
    var depth = 0
    repeat {
      guard let byte = peek() else { throw unexpected("a value") }
      switch byte {
      case UInt8(ascii: "\""): _ = try rawString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        index += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0 else { throw unexpected("a value") }
        depth -= 1
        index += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw unexpected("a value") }
        index += 1
      default: skipWord()
      }
    } while depth > 0
  }

  private mutating func skipWord() {
    repeat { index += 1 } while index < end && !Self.endsWord(bytes[index])
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
      || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"")
  }

  /// Nothing but white space may follow.
  mutating func expectEnd() throws(Fault) {
    guard peek() == nil else { throw unexpected("the end of the text") }
  }

  /// The fault that something else stands here than `wanted`.
  func unexpected(_ wanted: String) -> Fault {
    let found =
      index < end
      ? "'\(excerpt(of: bytes[index..<end].prefix(20)))'" : "the end of the text"
    return Fault(
      .protocolViolation, "malformed JSON at byte \(index - start): \(found) where \(wanted) should be")
  }
}
