/// A price as a fixed-point integer: one unit is 1e-9 of the quote currency.
///
/// Every price that the supported venues can send is exact in this form; there is no floating point between the
/// wire and the database. The range is about ±9.2 billion.
public struct Price: Sendable, Hashable, Comparable, BitwiseCopyable {
  /// The price in units of 1e-9.
  public var units: Int64

  /// Units in one whole rupee (or whatever the quote currency is).
  @inlinable public static var unitsPerOne: Int64 { 1_000_000_000 }
  /// Digits after the decimal point that a price can carry.
  public static let fractionDigits = 9
  /// No price, or a price of nothing.
  @inlinable public static var zero: Price { Price(units: 0) }

  /// Makes a price from units of 1e-9.
  @inlinable
  public init(units: Int64) {
    self.units = units
  }

  /// Makes a price from a venue's integer and the number that the venue divides it by, which must divide
  /// ``unitsPerOne``: 100 for paise, 10 000 000 for Kite's currency segment.
  @inlinable
  public init(wire: Int32, divisor: Int64) {
    self.units = Int64(wire) &* (Self.unitsPerOne / divisor)
  }

  /// Parses an exact decimal such as `1704.5`, `-0.0025` or `1705`.
  ///
  /// Returns nil for anything else, for more than nine significant fraction digits, and beyond the range: a price
  /// is never rounded silently.
  public init?(decimal text: some StringProtocol) {
    guard let units = Self.scaled(decimal: text.utf8, fractionDigits: Self.fractionDigits) else { return nil }
    self.units = units
  }

  /// Reads a plain decimal as an integer scaled by ten to the power of `fractionDigits`; nil when it is not one,
  /// does not fit, or carries more digits than that.
  @inlinable
  public static func scaled(decimal bytes: some Sequence<UInt8>, fractionDigits: Int) -> Int64? {
    var magnitude: Int64 = 0
    var isNegative = false
    var sawDigit = false
    var fractionCount: Int? = nil
    for (position, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "-") where position == 0: isNegative = true
      case UInt8(ascii: ".") where fractionCount == nil && sawDigit: fractionCount = 0
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        sawDigit = true
        let digit = Int64(byte - UInt8(ascii: "0"))
        if let count = fractionCount {
          if count == fractionDigits {
            if digit != 0 { return nil }
            continue
          }
          fractionCount = count + 1
        }
        let (tenfold, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tenfold.addingReportingOverflow(digit)
        if overflowed || carried { return nil }
        magnitude = sum
      default: return nil
      }
    }
    guard sawDigit else { return nil }
    for _ in (fractionCount ?? 0)..<fractionDigits {
      let (tenfold, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
      if overflowed { return nil }
      magnitude = tenfold
    }
    return isNegative ? -magnitude : magnitude
  }

  /// Lower prices come first.
  @inlinable
  public static func < (left: Price, right: Price) -> Bool { left.units < right.units }
}

extension Price: CustomStringConvertible {
  /// The exact decimal without trailing zeros: `1704.5`, `1705`, `-0.0025`.
  public var description: String {
    let magnitude = units.magnitude
    let whole = magnitude / UInt64(Self.unitsPerOne)
    var fraction = magnitude % UInt64(Self.unitsPerOne)
    var text = (units < 0 ? "-" : "") + String(whole)
    guard fraction != 0 else { return text }
    var digits = Self.fractionDigits
    while fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    let fractionText = String(fraction)
    text += "." + String(repeating: "0", count: digits - fractionText.utf8.count) + fractionText
    return text
  }
}
