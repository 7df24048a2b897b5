import Glibc
public import MarketData

/// A made-up market: random walks on a price grid, with activity spread unevenly over the instruments.
///
/// All randomness comes from one seed, and updates are drawn one after the other from a single stream, so the
/// same seed gives the same updates at the same feed times.
public struct SyntheticMarket: SimulatedMarket {
  /// The instruments: a few of every segment first, then shares.
  public let instruments: [SimulatedInstrument]
  /// The feed's time at which trading begins.
  public let start: Timestamp
  /// Weekday sessions before the start.
  public let history: PriceHistory
  /// A synthetic market never ends.
  public var isFinished: Bool { false }
  /// Any instrument can be traded at any time.
  public var tradesOnDemand: Bool { true }

  /// Instruments that a market may have, which is what three connections of a Kite client may subscribe to.
  public static let instrumentCountRange = 1...9000

  private var quotes: [Quote]
  private let terms: [TradingTerms]
  /// Money turned over today in wire price times quantity, from which the average price is made.
  private var turnovers: [UInt64]
  private var generator: SeededGenerator
  private let choice: WeightedChoice
  private let meanGapNanoseconds: Double
  private var nextTime: Timestamp

  /// Prices stay within this share of the previous close, as under an exchange's circuit limits.
  private static let band = 0.2
  /// The price moves by up to a few steps of this size, relative to the price, in one trade.
  private static let relativeStep = 0.0001
  /// Nobody waits longer than these three years for an update.
  private static let gapNanosecondsMax = 1e17
  /// Activity falls with the instrument's rank to this power.
  private static let activityExponent = 0.5

  /// Makes a market that begins to trade at `start`.
  ///
  /// - Parameter updatesPerSecond: updates of an average instrument in a second of feed time, above 0.
  /// - Throws: ``Fault`` of kind `usage` when the count is outside ``instrumentCountRange`` or the rate not positive.
  public init(seed: UInt64, instrumentCount: Int, start: Timestamp, updatesPerSecond: Double = 1)
    throws(Fault)
  {
    guard Self.instrumentCountRange.contains(instrumentCount) else {
      throw Fault(
        .usage,
        "a synthetic market of \(instrumentCount) instruments was asked for; it can have "
          + "\(Self.instrumentCountRange.lowerBound) to \(Self.instrumentCountRange.upperBound)")
    }
    guard updatesPerSecond > 0, updatesPerSecond.isFinite else {
      throw Fault(.usage, "\(updatesPerSecond) updates a second were asked for; the rate must be above 0")
    }
    self.start = start
    let list = SyntheticInstruments(count: instrumentCount, seed: seed, start: start).list
    let history = PriceHistory(seed: seed, minutes: .indianSession, start: start)
    instruments = list
    terms = list.map(TradingTerms.init)
    self.history = history
    generator = SeededGenerator(seed: seed)
    choice = WeightedChoice(weights: (0..<list.count).map { pow(Double($0 + 1), -Self.activityExponent) })
    meanGapNanoseconds = 1e9 / (updatesPerSecond * Double(instrumentCount))
    nextTime = start
    turnovers = Array(repeating: 0, count: list.count)
    quotes = []
    quotes.reserveCapacity(list.count)
    for instrument in list {
      quotes.append(Self.quoteBeforeTrading(instrument, history: history, bits: generator.next()))
    }
    nextTime = start + gap()
  }

  /// The state of the instrument at `index` now.
  public func quote(of index: Int) -> Quote { quotes[index] }

  /// Draws the next update that is due at or before `time`.
  public mutating func nextUpdate(until time: Timestamp) -> Int? {
    guard nextTime <= time else { return nil }
    let index = choice.draw(with: &generator)
    let changesOnlyDepth = generator.next() & 7 == 0 && terms[index].isTradable
    if changesOnlyDepth {
      quotes[index].exchangeSeconds = Self.wireSeconds(nextTime)
      layDepth(index, bits: generator.next())
    } else {
      trade(index, at: nextTime)
    }
    nextTime = nextTime + gap()
    return index
  }

  /// Trades the instrument at `index` at feed time `time`.
  public mutating func trade(_ index: Int, at time: Timestamp) {
    let terms = terms[index]
    let bits = generator.next()
    let quantity = terms.isTradable ? UInt32(1 + (bits >> 8 & 0x7F)) &* terms.lotSize : 0
    let volumeBefore = quotes[index].volume
    quotes[index].trade(price: walk(index, bits: bits), quantity: quantity, at: Self.wireSeconds(time))
    guard terms.isTradable else { return }
    let booked = quotes[index].volume - volumeBefore
    turnovers[index] &+= UInt64(booked) &* UInt64(quotes[index].lastPrice)
    quotes[index].averagePrice = Int32(clamping: turnovers[index] / UInt64(max(quotes[index].volume, 1)))
    if terms.isDerivative { changeOpenInterest(index, bits: bits) }
    layDepth(index, bits: bits)
  }

  /// The next price: some steps up or down, turned back at the edge of the day's band.
  private func walk(_ index: Int, bits: UInt64) -> Int32 {
    let (close, last) = (Int64(quotes[index].close), Int64(quotes[index].lastPrice))
    let tick = Int64(terms[index].priceTick)
    let step = max(1, Int64(Double(close) * Self.relativeStep) / tick) * tick
    let move = (Int64(bits & 0x3) + Int64(bits >> 2 & 0x3) - 3) * step
    let reach = max(Int64(Double(close) * Self.band), 4 * step)
    let isInside = abs(last + move - close) <= reach && last + move >= tick
    return Int32(clamping: isInside ? last + move : last - move)
  }

  private mutating func changeOpenInterest(_ index: Int, bits: UInt64) {
    let lot = terms[index].lotSize
    let change = UInt32(bits >> 20 & 0x3) * lot
    let now = quotes[index].openInterest
    quotes[index].openInterest = bits >> 22 & 1 == 0 || now < change ? now &+ change : now - change
    quotes[index].openInterestHigh = max(quotes[index].openInterestHigh, quotes[index].openInterest)
    quotes[index].openInterestLow = min(quotes[index].openInterestLow, quotes[index].openInterest)
  }

  private mutating func layDepth(_ index: Int, bits: UInt64) {
    quotes[index].layDepth(
      priceTick: terms[index].priceTick, lotSize: terms[index].lotSize, bits: SeededGenerator.mixed(bits))
  }

  /// Time to the next update: exponentially distributed, as between independent arrivals.
  private mutating func gap() -> Int64 {
    Int64(min((-log(1 - generator.unit()) * meanGapNanoseconds).rounded(), Self.gapNanosecondsMax))
  }

  /// What the venue knows of an instrument that has not traded today: its last trade was in the session before.
  private static func quoteBeforeTrading(
    _ instrument: SimulatedInstrument, history: PriceHistory, bits: UInt64
  ) -> Quote {
    var quote = Quote()
    let price = instrument.openingPrice
    quote.lastPrice = price
    (quote.open, quote.high, quote.low, quote.averagePrice) = (price, price, price, price)
    quote.close = history.previousClose(of: instrument)
    quote.lastTradeSeconds = wireSeconds(history.previousSessionEnd)
    quote.exchangeSeconds = quote.lastTradeSeconds
    guard instrument.segment.isTradable else { return quote }
    quote.lastQuantity = instrument.lotSize
    if instrument.segment.isDerivative {
      let interest = UInt32(50_000 + bits % 100_000) &* instrument.lotSize
      (quote.openInterest, quote.openInterestHigh, quote.openInterestLow) = (interest, interest, interest)
    }
    quote.layDepth(priceTick: instrument.priceTick, lotSize: instrument.lotSize, bits: bits)
    return quote
  }

  private static func wireSeconds(_ time: Timestamp) -> UInt32 { UInt32(clamping: time.seconds) }
}

/// What trading needs to know of an instrument: free of text, so that it is copied at no cost.
private struct TradingTerms: Sendable {
  let priceTick: Int32
  let lotSize: UInt32
  let isTradable: Bool
  let isDerivative: Bool

  init(_ instrument: SimulatedInstrument) {
    priceTick = instrument.priceTick
    lotSize = instrument.lotSize
    isTradable = instrument.segment.isTradable
    isDerivative = instrument.segment.isDerivative
  }
}
