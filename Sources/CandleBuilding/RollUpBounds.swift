internal import MarketData

/// The stretch of time of one rolled-up candle, without the array that ``CandleBounds`` holds: one is looked at for
/// each minute and interval.
struct RollUpBounds {
  var start: Timestamp
  var end: Timestamp
  /// True when the session ends before the interval's full length.
  var isShort: Bool
  /// Which of ``RollUp``'s lists holds the continuous trading in it; nil where that is all of it.
  var spans: Int32?

  @inline(__always)
  func contains(_ instant: Timestamp) -> Bool { start <= instant && instant < end }
}
