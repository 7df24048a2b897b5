internal import MarketData

/// The state of one rolled-up candle of one instrument while it can still change.
struct RolledUpCandle {
  private(set) var bounds: RollUpBounds
  private var values = CandleValues()
  private var firstMinute = Timestamp.unknown
  private var lastMinute = Timestamp.unknown
  private(set) var revision: UInt32 = 0
  /// Percent, as of its sealing.
  var coverage: UInt8 = 0
  var announced = CandleBuilder.Announced.vacant

  /// A place without a candle, older than all candles.
  static let vacant = RolledUpCandle(
    bounds: RollUpBounds(
      start: Timestamp(nanoseconds: .min), end: Timestamp(nanoseconds: .min), isShort: false, spans: nil))

  private init(bounds: RollUpBounds) { self.bounds = bounds }

  /// Opens the candle of `bounds` with the first of its minutes that is known.
  init(bounds: RollUpBounds, first minute: Candle) {
    self.init(bounds: bounds)
    values = CandleValues(minute)
    firstMinute = minute.start
    lastMinute = minute.start
    values.flags.remove(.late)
    if bounds.isShort { values.flags.insert(.short) }
    announced = .forming
  }

  /// Merges the newest state of a minute that had contributed `before`.
  @inline(__always)
  mutating func merge(_ minute: Candle, before: MinuteContribution) {
    if minute.start <= firstMinute {
      firstMinute = minute.start
      values.open = minute.open
    }
    if minute.start >= lastMinute {
      lastMinute = minute.start
      values.close = minute.close
      values.openInterest = minute.openInterest
    }
    values.high = max(values.high, minute.high)
    values.low = min(values.low, minute.low)
    // Wrapping, because absurd volumes, which the minute has clamped, must not trap.
    values.volume &+= minute.volume &- before.values.volume
    values.turnover &+= minute.turnover &- before.values.turnover
    values.tickCount &+= minute.tickCount &- before.values.tickCount
    values.flags.formUnion(minute.flags.subtracting(.late))
  }

  /// Counts a change after sealing (rule 15).
  mutating func countRevision() {
    revision &+= 1
    values.flags.insert(.late)
  }

  /// The candle as it stands, in the given state and coverage.
  func candle(of instrument: InstrumentID, interval: Interval, state: CandleState, coverage: UInt8) -> Candle
  {
    Candle(
      instrument: instrument, interval: interval, start: bounds.start, open: values.open, high: values.high,
      low: values.low, close: values.close, volume: values.volume, openInterest: values.openInterest,
      tickCount: values.tickCount, turnover: values.turnover, coverage: Int(coverage), flags: values.flags,
      state: state, revision: Int(revision), origin: .built)
  }

  /// ``CandleState/revised`` once it was changed after sealing, else ``CandleState/final``.
  var sealedState: CandleState { revision > 0 ? .revised : .final }
}
