internal import MarketData

/// The state of one rolled-up candle of one instrument while it can still change.
struct RolledUpCandle {
  private(set) var bounds: RollUpBounds
  private var open = Price.zero
  private var high = Price.zero
  private var low = Price.zero
  private var close = Price.zero
  private var volume: Int64 = 0
  private var turnover: Int64 = 0
  private var openInterest: Int64 = 0
  private var tickCount = 0
  private var firstMinute = Timestamp.unknown
  private var lastMinute = Timestamp.unknown
  private(set) var revision: UInt32 = 0
  private var flags: CandleFlags = []
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
    open = minute.open
    high = minute.high
    low = minute.low
    close = minute.close
    volume = minute.volume
    turnover = minute.turnover
    openInterest = minute.openInterest
    tickCount = minute.tickCount
    firstMinute = minute.start
    lastMinute = minute.start
    flags = minute.flags.subtracting(.late)
    if bounds.isShort { flags.insert(.short) }
    announced = .forming
  }

  /// Merges the newest state of a minute that had contributed `before`.
  @inline(__always)
  mutating func merge(_ minute: Candle, before: MinuteContribution) {
    if minute.start <= firstMinute {
      firstMinute = minute.start
      open = minute.open
    }
    if minute.start >= lastMinute {
      lastMinute = minute.start
      close = minute.close
      openInterest = minute.openInterest
    }
    high = max(high, minute.high)
    low = min(low, minute.low)
    // Wrapping, because absurd volumes, which the minute has clamped, must not trap.
    volume &+= minute.volume &- before.volume
    turnover &+= minute.turnover &- before.turnover
    tickCount &+= minute.tickCount &- before.tickCount
    flags.formUnion(minute.flags.subtracting(.late))
  }

  /// Counts a change after sealing (rule 15).
  mutating func countRevision() {
    revision &+= 1
    flags.insert(.late)
  }

  /// The candle as it stands, in the given state and coverage.
  func candle(of instrument: InstrumentID, interval: Interval, state: CandleState, coverage: UInt8) -> Candle
  {
    Candle(
      instrument: instrument, interval: interval, start: bounds.start, open: open, high: high, low: low,
      close: close, volume: volume, openInterest: openInterest, tickCount: tickCount, turnover: turnover,
      coverage: Int(coverage), flags: flags, state: state, revision: Int(revision), origin: .built)
  }

  /// ``CandleState/revised`` once it was changed after sealing, else ``CandleState/final``.
  var sealedState: CandleState { revision > 0 ? .revised : .final }
}

/// What a minute has contributed to the longer candles so far.
struct MinuteContribution: Equatable {
  private(set) var start = Timestamp(nanoseconds: .min)
  private var open = Price.zero
  private var high = Price.zero
  private var low = Price.zero
  private var close = Price.zero
  private(set) var volume: Int64 = 0
  private(set) var turnover: Int64 = 0
  private var openInterest: Int64 = 0
  private(set) var tickCount = 0
  private var flags: CandleFlags = []

  /// Nothing, of no minute.
  init() {}

  init(_ minute: Candle) {
    start = minute.start
    open = minute.open
    high = minute.high
    low = minute.low
    close = minute.close
    volume = minute.volume
    turnover = minute.turnover
    openInterest = minute.openInterest
    tickCount = minute.tickCount
    flags = minute.flags
  }
}

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
