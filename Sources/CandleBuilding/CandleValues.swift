internal import MarketData

/// What a candle says of the trades in it.
struct CandleValues: Equatable {
  var open = Price.zero
  var high = Price.zero
  var low = Price.zero
  var close = Price.zero
  var volume: Int64 = 0
  var turnover: Int64 = 0
  var openInterest: Int64 = 0
  var tickCount = 0
  var flags: CandleFlags = []

  /// Those of no trades.
  init() {}

  init(_ candle: Candle) {
    open = candle.open
    high = candle.high
    low = candle.low
    close = candle.close
    volume = candle.volume
    turnover = candle.turnover
    openInterest = candle.openInterest
    tickCount = candle.tickCount
    flags = candle.flags
  }
}
