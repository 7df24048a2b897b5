import MarketData

/// Everything that one packet carries, for people; the receive path reads only what a tick needs.
struct KitePacket {
  struct DayPrices {
    var open: Price
    var high: Price
    var low: Price
    var close: Price
  }

  struct Quote {
    var lastQuantity: UInt32
    var averagePrice: Price
    var dayVolume: UInt32
    var totalBuyQuantity: UInt32
    var totalSellQuantity: UInt32
  }

  struct DepthEntry {
    var quantity: UInt32
    var price: Price
    var orders: UInt16
  }

  struct Full {
    var lastTradeTime: UInt32
    var openInterest: UInt32
    var openInterestDayHigh: UInt32
    var openInterestDayLow: UInt32
    var bids: [DepthEntry]
    var asks: [DepthEntry]
  }

  enum Mode: String {
    case ltp, quote, full
  }

  var token: UInt32
  var mode: Mode
  var lastPrice: Price
  var quote: Quote?
  var dayPrices: DayPrices?
  var full: Full?
  var exchangeTime: UInt32?

  /// False for indices, which is all that the vendor's clients go by.
  var isTradable: Bool { KiteLayout.segment(ofToken: token) != KiteLayout.Segment.indices }

  /// Reads one packet; nil when its length is no known layout.
  init?(_ packet: [UInt8]) {
    switch packet.count {
    case KiteLayout.ltpBytes: mode = .ltp
    case KiteLayout.indexQuoteBytes, KiteLayout.quoteBytes: mode = .quote
    case KiteLayout.indexFullBytes, KiteLayout.fullBytes: mode = .full
    default: return nil
    }
    let fields = PacketFields(packet)
    token = fields.token
    lastPrice = fields.price(KiteLayout.lastPrice)
    switch packet.count {
    case KiteLayout.indexQuoteBytes, KiteLayout.indexFullBytes:
      dayPrices = DayPrices(
        open: fields.price(KiteLayout.Index.open), high: fields.price(KiteLayout.Index.high),
        low: fields.price(KiteLayout.Index.low), close: fields.price(KiteLayout.Index.close))
    case KiteLayout.quoteBytes, KiteLayout.fullBytes:
      quote = fields.quote()
      dayPrices = DayPrices(
        open: fields.price(KiteLayout.Quote.open), high: fields.price(KiteLayout.Quote.high),
        low: fields.price(KiteLayout.Quote.low), close: fields.price(KiteLayout.Quote.close))
    default: break
    }
    if packet.count == KiteLayout.indexFullBytes {
      exchangeTime = fields.number(KiteLayout.Index.exchangeTime)
    } else if packet.count == KiteLayout.fullBytes {
      full = fields.full()
      exchangeTime = fields.number(KiteLayout.Full.exchangeTime)
    }
  }
}

/// Reads the fields of one packet whose length was checked.
private struct PacketFields {
  let packet: [UInt8]
  let token: UInt32
  let divisor: Int64

  init(_ packet: [UInt8]) {
    self.packet = packet
    token = packet.span.bytes.bigEndian32(at: KiteLayout.token)
    divisor = KiteLayout.priceDivisor(ofToken: token)
  }

  func number(_ offset: Int) -> UInt32 { packet.span.bytes.bigEndian32(at: offset) }

  func price(_ offset: Int) -> Price { Price(wire: Int32(bitPattern: number(offset)), divisor: divisor) }

  func quote() -> KitePacket.Quote {
    KitePacket.Quote(
      lastQuantity: number(KiteLayout.Quote.lastQuantity), averagePrice: price(KiteLayout.Quote.averagePrice),
      dayVolume: number(KiteLayout.Quote.dayVolume),
      totalBuyQuantity: number(KiteLayout.Quote.totalBuyQuantity),
      totalSellQuantity: number(KiteLayout.Quote.totalSellQuantity))
  }

  func full() -> KitePacket.Full {
    KitePacket.Full(
      lastTradeTime: number(KiteLayout.Full.lastTradeTime),
      openInterest: number(KiteLayout.Full.openInterest),
      openInterestDayHigh: number(KiteLayout.Full.openInterestDayHigh),
      openInterestDayLow: number(KiteLayout.Full.openInterestDayLow),
      bids: depth(KiteLayout.Full.bids), asks: depth(KiteLayout.Full.asks))
  }

  private func depth(_ start: Int) -> [KitePacket.DepthEntry] {
    (0..<KiteLayout.Full.depthLevels).map { level in
      let entry = start + level * KiteLayout.Full.depthEntryBytes
      return KitePacket.DepthEntry(
        quantity: number(entry), price: price(entry + KiteLayout.Full.depthPrice),
        orders: packet.span.bytes.bigEndian16(at: entry + KiteLayout.Full.depthOrders))
    }
  }
}
