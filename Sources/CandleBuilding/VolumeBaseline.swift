import MarketData

/// What one instrument's snapshots are measured against: decides which of them is a trade, and of what volume
/// (rules 3 to 6 and 9).
struct VolumeBaseline: BitwiseCopyable {
  /// What a snapshot turned out to be.
  enum Observation: Equatable {
    /// No trade that a candle should know of.
    case nothing
    /// Cumulative volume fell; it is measured from the new value now.
    case rebased
    /// A trade of so much volume; `isAcrossOutage` when the volume is to be withheld because some of it was traded
    /// while the feed was down.
    case trade(volume: Int64, isAcrossOutage: Bool)
  }

  private enum Standing: UInt8 {
    case unknown, current, beforeOutage
  }

  private var dayVolume: Int64 = 0
  private var lastPrice = Price.zero
  private var standing = Standing.unknown
  /// True when the venue's day high or low moved since the previous snapshot (rule 8); see ``DayExtremes``.
  var extremesMoved = false
  /// Event time and exchange time of the previous snapshot.
  private(set) var previousEventTime = Timestamp.unknown
  private(set) var previousExchangeTime = Timestamp.unknown

  /// From now on the next live snapshot's volume spans an outage.
  mutating func noteOutage() {
    if standing == .current { standing = .beforeOutage }
  }

  /// Measures one snapshot, whose event time is `eventTime`, and moves the baseline to it.
  ///
  /// A snapshot without a positive price is no observation at all: its volume is left for the next one. One that
  /// is out of order never lowers the baseline, for what it would lower has been booked already.
  @inline(__always)
  mutating func observe(_ tick: borrowing Tick, eventTime: Timestamp) -> Observation {
    let flags = tick.flags
    if flags.contains(.notPositive) { return .nothing }
    let isFirst = standing == .unknown
    let isAcrossOutage = standing == .beforeOutage
    let isOlder = flags.contains(.outOfOrder)
    let isCached = flags.contains(.cachedOnSubscribe)
    let countsForDayOnly = isCached || flags.contains(.auction)
    let priceChanged = tick.lastPrice != lastPrice
    let volume = tick.dayVolume &- dayVolume
    previousEventTime = eventTime
    previousExchangeTime = tick.exchangeTime
    if !isOlder {
      lastPrice = tick.lastPrice
      dayVolume = tick.dayVolume
    } else if volume > 0 {
      dayVolume = tick.dayVolume
    }
    // A cached snapshot may be older than the outage, so the first live one is still measured across it.
    if !isCached || isFirst { standing = .current }

    if isFirst || countsForDayOnly { return .nothing }
    if flags.contains(.withoutVolume) {
      return priceChanged ? .trade(volume: 0, isAcrossOutage: false) : .nothing
    }
    if volume > 0 { return .trade(volume: volume, isAcrossOutage: isAcrossOutage) }
    return volume < 0 && !isOlder ? .rebased : .nothing
  }
}

/// The venue's day high and low of one instrument, and which of them moved since its previous snapshot (rule 8).
struct DayExtremes: BitwiseCopyable {
  private var high = Price.zero
  private var low = Price.zero
  private var isKnown = false
  /// The new day high; nil while the high has not moved since the previous snapshot.
  private(set) var newHigh: Price?
  /// The new day low; nil while the low has not moved since the previous snapshot.
  private(set) var newLow: Price?

  /// Takes in the venue's statement; true when an extreme has moved outwards. Moving inwards is a new day.
  mutating func note(_ summary: DaySummary) -> Bool {
    guard summary.high.units > 0, summary.low.units > 0, summary.low <= summary.high else { return false }
    if isKnown {
      if summary.high > high { newHigh = summary.high }
      if summary.low < low { newLow = summary.low }
    }
    high = summary.high
    low = summary.low
    isKnown = true
    return newHigh != nil || newLow != nil
  }

  /// Forgets the movement, which has been dealt with.
  mutating func settle() {
    newHigh = nil
    newLow = nil
  }
}
