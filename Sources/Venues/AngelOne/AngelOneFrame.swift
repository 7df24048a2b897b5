import MarketData

/// Everything that one SmartStream frame carries, for people; the receive path reads only what a tick needs.
struct AngelOneFrame {
  struct Quote {
    var lastQuantity: Int64
    var averagePrice: WirePrice
    var dayVolume: Int64
    var totalBuyQuantity: Double
    var totalSellQuantity: Double
    var open: WirePrice
    var high: WirePrice
    var low: WirePrice
    var close: WirePrice
  }

  struct Level {
    /// 1 for a bid, 0 for an ask; depth frames have none, and sort their levels by side.
    var flag: UInt16?
    var quantity: Int64
    var price: WirePrice
    var orders: Int
  }

  struct SnapQuote {
    var lastTradeTime: Int64
    var openInterest: Int64
    var openInterestChangePercent: Double
    var levels: [Level]
    var upperCircuit: WirePrice
    var lowerCircuit: WirePrice
    var yearHigh: WirePrice
    var yearLow: WirePrice
  }

  struct Depth {
    var packetTime: Int64
    var bids: [Level]
    var asks: [Level]
  }

  var mode: AngelOneLayout.Mode
  var exchange: UInt8
  /// The token as it is on the wire, each byte one character.
  var token: String
  var exchangeTime: Int64
  var sequence: Int64?
  var lastPrice: WirePrice?
  var quote: Quote?
  var snapQuote: SnapQuote?
  var depth: Depth?

  /// The mode that the first byte names; nil for an empty frame and for unknown modes.
  @inline(__always)
  static func mode(of frame: RawSpan) -> AngelOneLayout.Mode? {
    guard frame.byteCount > 0 else { return nil }
    return AngelOneLayout.Mode(rawValue: frame.littleEndian(at: AngelOneLayout.mode, as: UInt8.self))
  }

  /// Why a frame cannot be read, in a sentence; nil when it can.
  static func flaw(of frame: RawSpan) -> String? {
    guard frame.byteCount > 0 else { return "the frame is empty" }
    guard let mode = mode(of: frame) else {
      let number = frame.littleEndian(at: AngelOneLayout.mode, as: UInt8.self)
      return "the frame has the subscription mode \(number), which is none of 1 to 4"
    }
    guard frame.byteCount >= mode.frameBytes else {
      return "the frame has \(frame.byteCount) bytes, where mode \(mode.rawValue) needs \(mode.frameBytes)"
    }
    return nil
  }

  /// Reads one frame; nil where ``flaw(of:)`` says why not.
  init?(_ bytes: [UInt8]) {
    let span = bytes.span.bytes
    guard let mode = Self.mode(of: span), span.byteCount >= mode.frameBytes else { return nil }
    let fields = FrameFields(bytes)
    self.mode = mode
    exchange = fields.exchange
    let tokenBytes = bytes[AngelOneLayout.token..<AngelOneLayout.headBytes].prefix { $0 != 0 }
    token = String(String.UnicodeScalarView(tokenBytes.map { Unicode.Scalar($0) }))
    guard mode != .depth else {
      exchangeTime = fields.integer(AngelOneLayout.Depth.exchangeTime)
      depth = fields.depth()
      return
    }
    exchangeTime = fields.integer(AngelOneLayout.exchangeTime)
    sequence = fields.integer(AngelOneLayout.sequence)
    lastPrice = fields.price(AngelOneLayout.lastPrice)
    if mode != .lastPrice { quote = fields.quote() }
    if mode == .snapQuote { snapQuote = fields.snapQuote() }
  }
}

/// A price as the venue's integer, with what it is to be divided by: exact for every 64-bit integer.
struct WirePrice: CustomStringConvertible {
  var wire: Int64
  /// A power of ten.
  var divisor: Int64

  /// The exact decimal without trailing zeros.
  var description: String {
    let (whole, fraction) = wire.magnitude.quotientAndRemainder(dividingBy: UInt64(divisor))
    let sign = wire < 0 ? "-" : ""
    guard fraction != 0 else { return sign + String(whole) }
    // The leading one keeps the zeros behind the point.
    let digits = String(fraction + UInt64(divisor)).dropFirst()
    let significant = digits.reversed().drop { $0 == "0" }.reversed()
    return sign + String(whole) + "." + String(significant)
  }
}

/// Reads the fields of one frame whose length was checked.
private struct FrameFields {
  let bytes: [UInt8]
  let exchange: UInt8
  let divisor: Int64

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    exchange = bytes[AngelOneLayout.exchange]
    divisor = AngelOneLayout.priceDivisor(ofExchange: exchange)
  }

  func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Value.Type = Int64.self)
    -> Value
  {
    bytes.span.bytes.littleEndian(at: offset, as: type)
  }

  func double(_ offset: Int) -> Double { Double(bitPattern: integer(offset, as: UInt64.self)) }

  func price(_ offset: Int) -> WirePrice { WirePrice(wire: integer(offset), divisor: divisor) }

  func quote() -> AngelOneFrame.Quote {
    typealias Quote = AngelOneLayout.Quote
    return AngelOneFrame.Quote(
      lastQuantity: integer(Quote.lastQuantity), averagePrice: price(Quote.averagePrice),
      dayVolume: integer(Quote.dayVolume), totalBuyQuantity: double(Quote.totalBuyQuantity),
      totalSellQuantity: double(Quote.totalSellQuantity), open: price(Quote.open), high: price(Quote.high),
      low: price(Quote.low), close: price(Quote.close))
  }

  func snapQuote() -> AngelOneFrame.SnapQuote {
    typealias Snap = AngelOneLayout.SnapQuote
    let levels = (0..<Snap.levelCount).map { level in
      let start = Snap.levels + level * Snap.levelBytes
      return AngelOneFrame.Level(
        flag: integer(start, as: UInt16.self), quantity: integer(start + Snap.levelQuantity),
        price: price(start + Snap.levelPrice), orders: Int(integer(start + Snap.levelOrders, as: UInt16.self))
      )
    }
    return AngelOneFrame.SnapQuote(
      lastTradeTime: integer(Snap.lastTradeTime), openInterest: integer(Snap.openInterest),
      openInterestChangePercent: double(Snap.openInterestChangePercent), levels: levels,
      upperCircuit: price(Snap.upperCircuit), lowerCircuit: price(Snap.lowerCircuit),
      yearHigh: price(Snap.yearHigh), yearLow: price(Snap.yearLow))
  }

  func depth() -> AngelOneFrame.Depth {
    AngelOneFrame.Depth(
      packetTime: integer(AngelOneLayout.Depth.packetTime), bids: levels(AngelOneLayout.Depth.bids),
      asks: levels(AngelOneLayout.Depth.asks))
  }

  private func levels(_ start: Int) -> [AngelOneFrame.Level] {
    typealias Depth = AngelOneLayout.Depth
    return (0..<Depth.levelCount).map { level in
      let entry = start + level * Depth.levelBytes
      return AngelOneFrame.Level(
        quantity: Int64(integer(entry, as: Int32.self)),
        price: WirePrice(wire: Int64(integer(entry + Depth.levelPrice, as: Int32.self)), divisor: divisor),
        orders: Int(integer(entry + Depth.levelOrders, as: Int16.self)))
    }
  }
}
