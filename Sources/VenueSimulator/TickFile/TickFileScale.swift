public import MarketData

/// How a tick file's instrument is carried in Kite's 32-bit fields without rounding anything.
public struct TickFileMapping: Sendable, Hashable, CustomStringConvertible {
  /// The name on our side: `SIM:SPOT_BTCUSDT`.
  public let symbol: Symbol
  /// Kite's `instrument_token`.
  public let token: UInt32
  /// What wire prices are divided by.
  public let priceDivisor: Int64
  /// Wire quantities and volumes count units of ten to the power of minus this: 3 means thousandths.
  public let quantityDigits: Int

  /// One wire unit of quantity as a decimal: `0.001`.
  public var quantityUnit: String {
    quantityDigits == 0 ? "1" : "0." + String(repeating: "0", count: quantityDigits - 1) + "1"
  }

  /// One line for people.
  public var description: String {
    "\(symbol) token \(token) price divisor \(priceDivisor) quantity unit \(quantityUnit)"
  }
}

/// Finds, trade by trade, the coarsest scales that carry one instrument's prices and quantities exactly.
struct TickFileScale {
  /// Segments that differ in their divisor, smallest divisor first.
  private static let segments: [KiteSegment] = [.nse, .bcd, .cds]

  private var candidates = TickFileScale.segments
  /// Digits that the quantities so far need.
  private(set) var quantityDigits = 0
  /// Sum of all quantities in units of 1e-9.
  private var volumeNano: Int64 = 0
  /// Greatest common divisor of the prices in units of 1e-9, at most one rupee: a step on whose grid all lie.
  private var stepUnits = Price.unitsPerOne

  /// The segment whose divisor carries every price taken in.
  var segment: KiteSegment { candidates[0] }

  /// The price step in wire units.
  var priceTick: Int32 { Int32(stepUnits / (Price.unitsPerOne / segment.priceDivisor)) }

  /// Takes in one trade; returns what is wrong when no scale can carry it beside those before.
  mutating func take(_ row: TickFileRow) -> String? {
    candidates.removeAll { Self.wirePrice(row.price, in: $0) == nil }
    if candidates.isEmpty {
      let divisors = Self.segments.map { String($0.priceDivisor) }.joined(separator: ", ")
      return
        "price \(row.price): no divisor of \(divisors) makes this and all earlier prices whole numbers of "
        + "31 bits"
    }
    stepUnits = Self.greatestCommonDivisor(stepUnits, row.price.units)
    while row.quantityNano % Self.unitNano(quantityDigits) != 0 { quantityDigits += 1 }
    let (sum, overflowed) = volumeNano.addingReportingOverflow(row.quantityNano)
    volumeNano = sum
    if overflowed || sum / Self.unitNano(quantityDigits) > Int64(UInt32.max) {
      return "the quantities so far sum up to more than 32 bits hold, counted in units of "
        + "1e-\(quantityDigits)"
    }
    return nil
  }

  /// The price as an integer of the wire; nil when it would have to be rounded or does not fit.
  static func wirePrice(_ price: Price, in segment: KiteSegment) -> Int32? {
    let unit = Price.unitsPerOne / segment.priceDivisor
    return price.units % unit == 0 ? Int32(exactly: price.units / unit) : nil
  }

  /// The quantity as an integer of the wire, exact once all trades were taken in.
  func wireQuantity(nano: Int64) -> UInt32 { UInt32(clamping: nano / Self.unitNano(quantityDigits)) }

  private static func unitNano(_ digits: Int) -> Int64 {
    (digits..<TickFileColumns.quantityDigits).reduce(1) { unit, _ in unit * 10 }
  }

  private static func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
    var (larger, smaller) = (left, right)
    while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
    return larger
  }
}
