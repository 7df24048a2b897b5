import MarketData
import VenueSimulator

/// A market with two instruments whose every field was chosen by hand, and one update after its start.
struct ScriptedMarket: SimulatedMarket {
  let start = Timestamp(seconds: 1_700_000_000)
  let history: PriceHistory
  let tradesOnDemand = false
  private(set) var isFinished = false
  private var quotes: [Quote]

  let instruments = [
    SimulatedInstrument(
      exchangeToken: 2885, segment: .nse, exchange: "NSE", tradingSymbol: "SIMA", name: "A",
      segmentName: "NSE", instrumentType: "EQ", expiry: "", strike: .zero, priceTick: 5, lotSize: 1,
      openingPrice: 250_000),
    SimulatedInstrument(
      exchangeToken: 1001, segment: .indices, exchange: "NSE", tradingSymbol: "SIMI", name: "I",
      segmentName: "INDICES", instrumentType: "EQ", expiry: "", strike: .zero, priceTick: 5, lotSize: 1,
      openingPrice: 2_000_000),
  ]

  init() {
    history = PriceHistory(seed: 1, minutes: .indianSession, start: start)
    var share = Quote()
    share.lastPrice = 250_105  // 0x0003D0F9
    share.lastQuantity = 7
    share.averagePrice = 250_001  // 0x0003D091
    share.volume = 3_000_000_000  // 0xB2D05E00: beyond 31 bits
    share.totalBuyQuantity = 0x0102_0304
    share.totalSellQuantity = 0x0506_0708
    share.open = 250_000  // 0x0003D090
    share.high = 250_200  // 0x0003D158
    share.low = 249_900  // 0x0003D02C
    share.close = 249_500  // 0x0003CE9C
    share.lastTradeSeconds = 1_625_461_887  // 0x60E2947F
    share.openInterest = 11
    share.openInterestHigh = 12
    share.openInterestLow = 10
    share.exchangeSeconds = 1_625_461_888  // 0x60E29480
    for level in 0..<5 {
      share.bids[level] = DepthLevel(
        quantity: UInt32(1 + level), price: Int32(250_100 - 5 * level), orders: UInt16(0x0101 + level))
      share.asks[level] = DepthLevel(
        quantity: UInt32(16 + level), price: Int32(250_110 + 5 * level), orders: UInt16(0x0201 + level))
    }
    var index = Quote()
    index.lastPrice = 1_999_964  // 0x001E845C
    index.high = 2_000_100  // 0x001E84E4
    index.low = 1_999_900  // 0x001E841C
    index.open = 2_000_050  // 0x001E84B2
    index.close = 2_000_000  // 0x001E8480; the change is -36
    index.exchangeSeconds = 1_625_461_888
    quotes = [share, index]
  }

  func quote(of index: Int) -> Quote { quotes[index] }

  mutating func nextUpdate(until time: Timestamp) -> Int? {
    guard !isFinished, time >= start else { return nil }
    isFinished = true
    quotes[0].lastPrice = -5  // 0xFFFFFFFB
    return 0
  }

  mutating func trade(_ index: Int, at time: Timestamp) {}
}
