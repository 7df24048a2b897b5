/// The market segment in the low byte of a Kite instrument token.
public enum KiteSegment: UInt8, Sendable, Hashable, CaseIterable {
  /// Shares on the National Stock Exchange.
  case nse = 1
  /// Futures and options on NSE.
  case nfo = 2
  /// Currency derivatives on NSE.
  case cds = 3
  /// Shares on BSE.
  case bse = 4
  /// Futures and options on BSE.
  case bfo = 5
  /// Currency derivatives on BSE.
  case bcd = 6
  /// Commodity derivatives.
  case mcx = 7
  /// Currency derivatives of the former MCX-SX.
  case mcxsx = 8
  /// Indices, which are not tradable.
  case indices = 9

  /// What a wire price is divided by to give rupees.
  public var priceDivisor: Int64 {
    switch self {
    case .cds: 10_000_000
    case .bcd: 10_000
    default: 100
    }
  }

  /// False for indices, whose packets have a layout of their own.
  public var isTradable: Bool { self != .indices }

  /// True where open interest exists.
  public var isDerivative: Bool {
    switch self {
    case .nfo, .cds, .bfo, .bcd, .mcx, .mcxsx: true
    case .nse, .bse, .indices: false
    }
  }
}
