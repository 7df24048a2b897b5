public import MarketData

/// An instrument that the simulated venue lists: one line of its instruments dump.
public struct SimulatedInstrument: Sendable, Hashable {
  /// The exchange's own number; shifted left by eight and joined with the segment it makes the ``token``.
  public var exchangeToken: UInt32
  /// The segment, which decides price divisor and packet layout.
  public var segment: KiteSegment
  /// `NSE`, `NFO`, or `SIM` for instruments of a tick file.
  public var exchange: String
  /// The name within the exchange: `SIM0001`.
  public var tradingSymbol: String
  /// The name for people.
  public var name: String
  /// The dump's `segment` column: `NSE`, `NFO-FUT`, `INDICES`.
  public var segmentName: String
  /// `EQ`, `FUT`, `CE` or `PE`.
  public var instrumentType: String
  /// `yyyy-mm-dd`, or empty for what does not expire.
  public var expiry: String
  /// Strike price of an option; zero otherwise.
  public var strike: Price
  /// The smallest price step in wire units (rupees times the segment's divisor), at least 1.
  public var priceTick: Int32
  /// Units in one lot, at least 1.
  public var lotSize: UInt32
  /// The first price of the simulation in wire units, above zero.
  public var openingPrice: Int32

  /// Makes an instrument from its fields.
  public init(
    exchangeToken: UInt32, segment: KiteSegment, exchange: String, tradingSymbol: String, name: String,
    segmentName: String, instrumentType: String, expiry: String = "", strike: Price = .zero,
    priceTick: Int32, lotSize: UInt32, openingPrice: Int32
  ) {
    self.exchangeToken = exchangeToken
    self.segment = segment
    self.exchange = exchange
    self.tradingSymbol = tradingSymbol
    self.name = name
    self.segmentName = segmentName
    self.instrumentType = instrumentType
    self.expiry = expiry
    self.strike = strike
    self.priceTick = priceTick
    self.lotSize = lotSize
    self.openingPrice = openingPrice
  }

  /// Kite's `instrument_token`.
  public var token: UInt32 { exchangeToken << 8 | UInt32(segment.rawValue) }

  /// `EXCHANGE:SYMBOL`.
  public var symbolText: String { "\(exchange):\(tradingSymbol)" }

  /// A wire price as an exact price.
  public func price(_ wire: Int32) -> Price { Price(wire: wire, divisor: segment.priceDivisor) }
}
