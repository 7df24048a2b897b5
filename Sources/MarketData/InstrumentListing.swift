/// One row of a venue's list of instruments, in terms that all venues share.
public struct InstrumentListing: Sendable, Hashable {
  /// `EXCHANGE:SYMBOL`.
  public var symbol: Symbol
  /// What the venue calls it on the wire.
  public var venueToken: String
  /// The instrument's or its issuer's name for people; empty when the venue does not say.
  public var name: String
  /// What kind of instrument, in the venue's word: `EQ`, `FUT`, `CE`, `PE`; empty when the venue does not say.
  public var type: String
  /// The smallest price step; zero when the venue does not say.
  public var priceTick: Price
  /// By what prices on the wire are divided; zero when they are decimals there.
  public var priceScale: Int64
  /// Units in one lot; zero for indices.
  public var lotSize: Int64
  /// The day on which it expires, in days since 1970-01-01; nil for what does not.
  public var expiryDay: Int?
  /// The strike price of an option; nil for anything else.
  public var strike: Price?

  /// Makes a row.
  public init(
    symbol: Symbol, venueToken: String, name: String = "", type: String = "", priceTick: Price,
    priceScale: Int64 = 0, lotSize: Int64, expiryDay: Int? = nil, strike: Price? = nil
  ) {
    self.symbol = symbol
    self.venueToken = venueToken
    self.name = name
    self.type = type
    self.priceTick = priceTick
    self.priceScale = priceScale
    self.lotSize = lotSize
    self.expiryDay = expiryDay
    self.strike = strike
  }
}
