internal import MarketData

/// What a minute has contributed to the longer candles so far.
struct MinuteContribution: Equatable {
  private(set) var start = Timestamp(nanoseconds: .min)
  private(set) var values = CandleValues()

  /// Nothing, of no minute.
  init() {}

  init(_ minute: Candle) {
    start = minute.start
    values = CandleValues(minute)
  }
}
