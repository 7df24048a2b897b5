/// All that a full packet says of an instrument, in the wire's own units: prices in rupees times the segment's
/// divisor, times in whole seconds since 1970 UTC.
public struct Quote: Sendable {
  /// Price of the last trade.
  public var lastPrice: Int32 = 0
  /// Quantity of the last trade.
  public var lastQuantity: UInt32 = 0
  /// Volume-weighted price of the day, rounded down; lies between ``low`` and ``high``.
  public var averagePrice: Int32 = 0
  /// Quantity traded today.
  public var volume: UInt32 = 0
  /// Quantity wanted in the whole order book.
  public var totalBuyQuantity: UInt32 = 0
  /// Quantity offered in the whole order book.
  public var totalSellQuantity: UInt32 = 0
  /// First price of the day.
  public var open: Int32 = 0
  /// Highest price of the day.
  public var high: Int32 = 0
  /// Lowest price of the day.
  public var low: Int32 = 0
  /// Closing price of the previous day.
  public var close: Int32 = 0
  /// When the last trade was.
  public var lastTradeSeconds: UInt32 = 0
  /// Open interest; 0 for what is no derivative.
  public var openInterest: UInt32 = 0
  /// Highest open interest of the day.
  public var openInterestHigh: UInt32 = 0
  /// Lowest open interest of the day.
  public var openInterestLow: UInt32 = 0
  /// The exchange's time of this state.
  public var exchangeSeconds: UInt32 = 0
  /// The five best buyers, best first.
  public var bids = InlineArray<5, DepthLevel>(repeating: DepthLevel())
  /// The five best sellers, best first.
  public var asks = InlineArray<5, DepthLevel>(repeating: DepthLevel())

  /// All zero.
  public init() {}

  /// The number of levels on each side.
  static let depthLevels = 5

  /// Books a trade: last values, day range, volume and times.
  ///
  /// A volume beyond 32 bits cannot be carried by the wire, so it stays where it was.
  mutating func trade(price: Int32, quantity: UInt32, at seconds: UInt32) {
    lastPrice = price
    lastQuantity = quantity
    high = max(high, price)
    low = min(low, price)
    let (sum, overflowed) = volume.addingReportingOverflow(quantity)
    if !overflowed { volume = sum }
    lastTradeSeconds = seconds
    exchangeSeconds = seconds
  }

  /// Lays five levels on each side of the last price, `priceTick` apart, with quantities and order counts drawn
  /// from `bits`; prices that the wire cannot carry are cut to its range.
  mutating func layDepth(priceTick: Int32, lotSize: UInt32, bits: UInt64) {
    let lastTradeWasASale = bits & 1 == 0
    var buyQuantity: UInt32 = 0
    var sellQuantity: UInt32 = 0
    for level in 0..<Self.depthLevels {
      let distance = Int64(level) * Int64(priceTick)
      let bid = Int64(lastPrice) - distance - (lastTradeWasASale ? 0 : Int64(priceTick))
      let ask = Int64(lastPrice) + distance + (lastTradeWasASale ? Int64(priceTick) : 0)
      let bidDraw = UInt32(truncatingIfNeeded: bits >> (1 + UInt64(level) * 6)) & 63
      let askDraw = UInt32(truncatingIfNeeded: bits >> (31 + UInt64(level) * 6)) & 63
      bids[level] = DepthLevel(
        quantity: (1 + bidDraw) &* lotSize, price: Int32(clamping: bid), orders: UInt16(1 + bidDraw / 4))
      asks[level] = DepthLevel(
        quantity: (1 + askDraw) &* lotSize, price: Int32(clamping: ask), orders: UInt16(1 + askDraw / 4))
      buyQuantity &+= bids[level].quantity
      sellQuantity &+= asks[level].quantity
    }
    totalBuyQuantity = buyQuantity &* 4
    totalSellQuantity = sellQuantity &* 4
  }
}

/// One level of the order book.
public struct DepthLevel: Sendable, Hashable {
  /// Quantity at this price.
  public var quantity: UInt32 = 0
  /// The price in wire units.
  public var price: Int32 = 0
  /// Orders at this price.
  public var orders: UInt16 = 0

  /// Makes a level from its fields; an empty one when they are left out.
  public init(quantity: UInt32 = 0, price: Int32 = 0, orders: UInt16 = 0) {
    self.quantity = quantity
    self.price = price
    self.orders = orders
  }
}
