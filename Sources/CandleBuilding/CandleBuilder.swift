import MarketData

/// A trade as a candle sees it: what ``VolumeBaseline`` made of a snapshot, with the time chosen by rule 2.
struct Trade {
  /// The time by which the trade is put into a candle and ordered within it.
  var eventTime: Timestamp
  var price: Price
  /// Quantity to book; zero where it is not known to belong to this interval, or for an index.
  var volume: Int64
  var openInterest: UInt32
  /// What the candle has to say about this trade.
  var flags: CandleFlags
}

/// The state of one candle of one instrument while it can still change.
///
/// The result does not depend on the order in which trades of different event times are added; trades of one event
/// time are ordered by arrival (rule 7).
struct CandleBuilder {
  /// Which of its states was last handed out; never part of the candle's value, which data alone decide.
  enum Announced: UInt8 {
    case vacant, forming, provisional, final
  }

  private(set) var start: Timestamp
  private var open: Price
  private var high: Price
  private var low: Price
  private var close: Price
  private var openTime: Timestamp
  private var closeTime: Timestamp
  private var volume: Int64
  /// Price units times quantity, exact; divided down once, when the candle is read.
  private var exactTurnover: Int128
  private var openInterest: UInt32
  private var tickCount: UInt32
  private(set) var revision: UInt32
  private(set) var flags: CandleFlags
  /// Percent, as far as the gaps known so far tell.
  private(set) var coverage: UInt8
  var announced: Announced

  /// A place without a candle. Its start is so far in the past that no event time falls into it.
  static let vacant = CandleBuilder()

  private init() {
    start = Timestamp(nanoseconds: .min)
    open = .zero
    high = .zero
    low = .zero
    close = .zero
    openTime = .unknown
    closeTime = .unknown
    volume = 0
    exactTurnover = 0
    openInterest = 0
    tickCount = 0
    revision = 0
    flags = []
    coverage = 0
    announced = .vacant
  }

  /// Opens the candle that starts at `start` with its first trade.
  init(start: Timestamp, first trade: Trade) {
    self.init()
    self.start = start
    open = trade.price
    high = trade.price
    low = trade.price
    close = trade.price
    openTime = trade.eventTime
    closeTime = trade.eventTime
    announced = .forming
    add(trade)
  }

  /// True when `instant` lies in the interval of `length` nanoseconds that begins at ``start``.
  @inline(__always)
  func holds(_ instant: Timestamp, length: Int64) -> Bool {
    UInt64(bitPattern: instant - start) < UInt64(length)
  }

  /// Takes in a trade of this interval, wherever in it the trade's time lies.
  @inline(__always)
  mutating func add(_ trade: Trade) {
    if trade.price > high { high = trade.price }
    if trade.price < low { low = trade.price }
    if trade.eventTime < openTime {
      openTime = trade.eventTime
      open = trade.price
    }
    if trade.eventTime >= closeTime {
      closeTime = trade.eventTime
      close = trade.price
      openInterest = trade.openInterest
    }
    volume = volume.addingClamped(trade.volume)
    exactTurnover = exactTurnover.addingClamped(Int128(trade.price.units) &* Int128(trade.volume))
    tickCount &+= 1
    flags.formUnion(trade.flags)
  }

  /// Widens the candle to an extreme that no tick showed; true when that changes it (rule 8).
  mutating func fold(high newHigh: Price?, low newLow: Price?) -> Bool {
    var isChanged = false
    if let newHigh, newHigh > high {
      high = newHigh
      isChanged = true
    }
    if let newLow, newLow < low {
      low = newLow
      isChanged = true
    }
    if isChanged { flags.insert(.extremeFolded) }
    return isChanged
  }

  /// Notes something remarkable that was not a trade.
  mutating func mark(_ marks: CandleFlags) {
    flags.formUnion(marks)
  }

  /// Counts a change after sealing (rule 15).
  mutating func countRevision() {
    revision &+= 1
    flags.insert(.late)
  }

  /// Takes over what the gaps say; true when that changes the candle.
  mutating func cover(percent: UInt8, cameBackInside: Bool) -> Bool {
    let isChanged = percent != coverage || (cameBackInside && !flags.contains(.partial))
    coverage = percent
    if cameBackInside { flags.insert(.partial) }
    return isChanged
  }

  /// The candle as it stands, in the given state.
  func candle(of instrument: InstrumentID, interval: Interval, state: CandleState) -> Candle {
    let turnoverDivisor = Int128(Price.unitsPerOne / Candle.turnoverUnitsPerOne)
    return Candle(
      instrument: instrument, interval: interval, start: start, open: open, high: high, low: low,
      close: close,
      volume: volume, openInterest: Int64(openInterest), tickCount: Int(tickCount),
      turnover: Int64(clamping: exactTurnover / turnoverDivisor), coverage: Int(coverage), flags: flags,
      state: state, revision: Int(revision), origin: .built)
  }

  /// ``CandleState/revised`` once it was changed after sealing, else ``CandleState/final``.
  var sealedState: CandleState { revision > 0 ? .revised : .final }
}

extension FixedWidthInteger {
  /// The sum, or the nearest value that fits: absurd data must not trap.
  @inline(__always)
  fileprivate func addingClamped(_ other: Self) -> Self {
    let (sum, overflowed) = addingReportingOverflow(other)
    return overflowed ? (other < 0 ? .min : .max) : sum
  }
}
