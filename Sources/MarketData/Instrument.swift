/// A small number that stands for an instrument inside one data directory.
///
/// It is given once, in the order in which instruments are first seen, kept in the candle store, and never reused.
public struct InstrumentID: Sendable, Hashable, Comparable, BitwiseCopyable {
  /// The number: 0 up to the feed's `instruments_max`, or ``all``.
  public var rawValue: UInt32

  /// Stands for the whole feed in records that concern no single instrument, such as an outage.
  @inlinable public static var all: InstrumentID { InstrumentID(rawValue: .max) }

  /// Makes an identifier from its number.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The number as an array index.
  @inlinable
  public var index: Int { Int(rawValue) }

  /// Instruments seen earlier come first.
  @inlinable
  public static func < (left: InstrumentID, right: InstrumentID) -> Bool { left.rawValue < right.rawValue }
}

/// The name of an instrument for people: `EXCHANGE:SYMBOL`, as in `NSE:RELIANCE`.
public struct Symbol: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The whole name.
  public let text: String

  /// The longest name in UTF-8 bytes: what a row of the shared instrument table holds.
  public static let utf8CountMax = 39

  /// Checks a name.
  ///
  /// - Throws: ``Fault`` of kind `usage` when the text is not of the form `EXCHANGE:SYMBOL`, holds white space or
  ///   control characters, or is longer than ``utf8CountMax``.
  public init(_ text: some StringProtocol) throws(Fault) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw Fault(.usage, "symbol '\(text)' is not of the form EXCHANGE:SYMBOL, as in NSE:RELIANCE")
    }
    guard text.utf8.count <= Self.utf8CountMax else {
      throw Fault(
        .usage, "symbol '\(text)' has \(text.utf8.count) bytes; at most \(Self.utf8CountMax) are allowed")
    }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw Fault(.usage, "symbol '\(text)' holds control characters")
    }
    self.text = String(text)
  }

  /// The part before the colon: `NSE`.
  public var exchange: Substring { text.prefix(while: { $0 != ":" }) }

  /// The whole name.
  public var description: String { text }

  /// Alphabetical.
  public static func < (left: Symbol, right: Symbol) -> Bool { left.text < right.text }
}

/// What is known of an instrument before its first tick.
public struct Instrument: Sendable, Hashable {
  /// Its number in this data directory.
  public var id: InstrumentID
  /// Its name for people.
  public var symbol: Symbol
  /// What the venue calls it on the wire (Kite: the decimal `instrument_token`).
  public var venueToken: String
  /// The smallest price step; zero when the venue does not say.
  public var priceTick: Price
  /// Units traded in one lot; 1 for cash instruments.
  public var lotSize: Int64

  /// Makes an instrument from its fields.
  public init(id: InstrumentID, symbol: Symbol, venueToken: String, priceTick: Price, lotSize: Int64) {
    self.id = id
    self.symbol = symbol
    self.venueToken = venueToken
    self.priceTick = priceTick
    self.lotSize = lotSize
  }
}
