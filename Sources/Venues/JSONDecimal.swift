import MarketData

/// A number of a JSON text, taken from its digits: magnitude times ten to the power of the exponent.
///
/// Programs that calculate in floating point send prices such as `1500.0500000000002` and `1e3`; these are rounded
/// to the digits that count, halves to even, and never pass through a Double.
struct JSONDecimal: Equatable {
  private(set) var isNegative = false
  /// The first digits, as many as fit.
  private(set) var magnitude: UInt64 = 0
  private(set) var exponent = 0
  /// The first digit that did not fit into ``magnitude``, and whether one behind it was not zero.
  private var droppedDigit: UInt8 = 0
  private var isSticky = false
  private var hasDropped = false

  /// Exponents beyond are as good as infinite.
  fileprivate static let exponentMax = 100_000
  /// The largest power of ten that an Int64 holds.
  private static let powerMax = 18

  /// The number times ten to the power of `fractionDigits`, rounded; nil when it does not fit.
  func scaled(fractionDigits: Int) -> Int64? {
    guard magnitude != 0 else { return 0 }
    let shift = exponent + fractionDigits
    var rounded: UInt64
    let isAboveHalf: Bool
    let isHalf: Bool
    if shift >= 0 {
      guard shift <= Self.powerMax else { return nil }
      let (product, overflowed) = magnitude.multipliedReportingOverflow(by: Self.power(shift))
      // What was dropped would count for more than one here, and such a magnitude does not fit anyway.
      guard !overflowed, shift == 0 || !hasDropped else { return nil }
      rounded = product
      isHalf = droppedDigit == 5 && !isSticky
      isAboveHalf = droppedDigit > 5 || droppedDigit == 5 && isSticky
    } else {
      // Twenty digits are gone at once: less than half of one is left.
      guard -shift <= Self.powerMax + 1 else { return 0 }
      let divisor = -shift <= Self.powerMax ? Self.power(-shift) : Self.power(Self.powerMax) * 10
      let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: divisor)
      rounded = quotient
      let rest = droppedDigit != 0 || isSticky
      isHalf = remainder == divisor / 2 && !rest
      isAboveHalf = remainder > divisor / 2 || remainder == divisor / 2 && rest
    }
    // Checked before it is rounded up as well: the largest magnitude has no successor.
    guard rounded <= UInt64(Int64.max) else { return nil }
    if isAboveHalf || isHalf && rounded % 2 == 1 { rounded += 1 }
    guard rounded <= UInt64(Int64.max) else { return nil }
    return isNegative ? -Int64(rounded) : Int64(rounded)
  }

  /// The number as a price; nil beyond the range.
  var price: Price? { scaled(fractionDigits: Price.fractionDigits).map { Price(units: $0) } }

  private static func power(_ exponent: Int) -> UInt64 {
    var power: UInt64 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
  }

  fileprivate mutating func negate() { isNegative = true }

  fileprivate mutating func append(digit: UInt8, isFraction: Bool) {
    if !hasDropped {
      let (tenfold, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carried) = tenfold.addingReportingOverflow(UInt64(digit))
      if !overflowed, !carried {
        magnitude = sum
        if isFraction { exponent -= 1 }
        return
      }
      hasDropped = true
      droppedDigit = digit
    } else if digit != 0 {
      isSticky = true
    }
    if !isFraction { exponent += 1 }
  }

  fileprivate mutating func shift(by power: Int) { exponent += power }
}

extension JSONScanner {
  /// Takes a number as JSON spells it (RFC 8259, section 6); nil for `NaN` and `Infinity`, which Python writes.
  mutating func decimal() throws(Fault) -> JSONDecimal? {
    _ = peek()
    let first = index
    if takeWord("NaN") || takeWord("Infinity") || takeWord("-Infinity") { return nil }
    var decimal = JSONDecimal()
    if index < end, bytes[index] == UInt8(ascii: "-") {
      decimal.negate()
      index += 1
    }
    let leading = index
    guard takeDigits(of: &decimal, isFraction: false) > 0 else { throw unexpectedNumber(from: first) }
    if index - leading > 1, bytes[leading] == UInt8(ascii: "0") { throw unexpectedNumber(from: first) }
    if index < end, bytes[index] == UInt8(ascii: ".") {
      index += 1
      guard takeDigits(of: &decimal, isFraction: true) > 0 else { throw unexpectedNumber(from: first) }
    }
    if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      guard let power = takeExponent() else { throw unexpectedNumber(from: first) }
      decimal.shift(by: power)
    }
    return decimal
  }

  private mutating func takeDigits(of decimal: inout JSONDecimal, isFraction: Bool) -> Int {
    let first = index
    while index < end, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
      decimal.append(digit: digit, isFraction: isFraction)
      index += 1
    }
    return index - first
  }

  private mutating func takeExponent() -> Int? {
    var isNegative = false
    if index < end, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      isNegative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    let first = index
    var power = 0
    while index < end, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
      power = min(power * 10 + Int(digit), JSONDecimal.exponentMax)
      index += 1
    }
    guard index > first else { return nil }
    return isNegative ? -power : power
  }

  private func unexpectedNumber(from first: Int) -> Fault {
    var scanner = self
    scanner.index = first
    return scanner.unexpected("a number")
  }
}
