public import MarketData

/// How Angel One names an instrument on the stream: the number of its exchange and a token that is unique there.
///
/// As a venue token it is written `EXCHANGE/TOKEN`, as in `1/2885` for NSE's Reliance.
public struct AngelOneToken: Sendable, Hashable, Comparable {
  /// The exchange's number on the stream, such as 1 for NSE cash.
  public let exchange: UInt8
  /// The token within the exchange.
  public let number: UInt32

  /// The largest token that fits, beside its exchange, into the 32 bits of a ``TokenTable``'s key; the vendor's
  /// tokens have at most eight digits.
  static let numberMax: UInt32 = 1 << 28 - 1
  /// The largest number of an exchange; the vendor's go up to 13.
  static let exchangeMax: UInt8 = 15

  /// Makes a token; nil when a number is beyond its bound.
  init?(exchange: UInt8, number: UInt32) {
    guard exchange <= Self.exchangeMax, number <= Self.numberMax else { return nil }
    self.exchange = exchange
    self.number = number
  }

  /// Reads a venue token such as `1/2885`.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when it is none.
  public init(venueToken text: String) throws(Fault) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let exchange = UInt8(parts[0]), let number = UInt32(parts[1]),
      let token = AngelOneToken(exchange: exchange, number: number)
    else {
      throw Fault(
        .configuration,
        "'\(text)' is no Angel One token; the number of an exchange and a token are needed, as in 1/2885")
    }
    self = token
  }

  /// Tokens of one exchange stand together, smaller numbers first.
  public static func < (left: AngelOneToken, right: AngelOneToken) -> Bool { left.key < right.key }

  /// How it is written as a venue token.
  public var venueToken: String { "\(exchange)/\(number)" }

  /// The key under which a ``TokenTable`` holds it.
  var key: UInt32 { UInt32(exchange) << 28 | number }

  /// Reads the token of a frame that has a whole head; nil when it is not written in digits, or is too large.
  @inline(__always)
  init?(frame: RawSpan) {
    var number: UInt32 = 0
    var digits = 0
    while digits < AngelOneLayout.tokenBytes {
      let byte = frame.littleEndian(at: AngelOneLayout.token + digits, as: UInt8.self)
      if byte == 0 { break }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, number <= Self.numberMax / 10 else { return nil }
      number = number &* 10 &+ UInt32(digit)
      digits += 1
    }
    guard digits > 0 else { return nil }
    self.init(exchange: frame.littleEndian(at: AngelOneLayout.exchange, as: UInt8.self), number: number)
  }
}
