/// The minute candles of what the venue itself has traded since its start, by last trade time.
struct MinuteLog: Sendable {
  private var candles: [[MinuteCandle]]
  /// The cumulative volume at each instrument's last recorded trade.
  private var volumes: [UInt32]

  /// Minutes kept for each instrument; older ones are forgotten.
  static let minutesMax = 1000

  init(instrumentCount: Int) {
    candles = Array(repeating: [], count: instrumentCount)
    volumes = Array(repeating: 0, count: instrumentCount)
  }

  /// The candles of the instrument at `index`, ascending.
  subscript(index: Int) -> [MinuteCandle] { candles[index] }

  /// Books the quote's last trade under its time, with the quantity by which the cumulative volume grew.
  mutating func record(_ quote: Quote, of index: Int) {
    let quantity = quote.volume &- volumes[index]
    volumes[index] = quote.volume
    let minute = Int32(quote.lastTradeSeconds / 60)
    guard let last = candles[index].last, last.minute >= minute else {
      if candles[index].count >= Self.minutesMax { candles[index].removeFirst(Self.minutesMax / 2) }
      let price = quote.lastPrice
      candles[index].append(
        MinuteCandle(
          minute: minute, open: price, high: price, low: price, close: price, volume: quantity,
          openInterest: quote.openInterest))
      return
    }
    // A trade may carry an earlier minute than the one before it; its minute was booked if there was any.
    guard let position = candles[index].lastIndex(where: { $0.minute == minute }) else { return }
    candles[index][position].high = max(candles[index][position].high, quote.lastPrice)
    candles[index][position].low = min(candles[index][position].low, quote.lastPrice)
    candles[index][position].close = quote.lastPrice
    candles[index][position].volume &+= quantity
    candles[index][position].openInterest = quote.openInterest
  }
}
