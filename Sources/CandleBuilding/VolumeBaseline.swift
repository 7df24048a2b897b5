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
    /// A trade of so much volume; `isAcrossOutage` when the volume is withheld because some of it was traded
    /// while the feed was down.
    case trade(volume: Int64, isAcrossOutage: Bool)
  }

  private enum Standing: UInt8 {
    case unknown, current, beforeOutage
  }

  private var dayVolume: Int64 = 0
  private var lastPrice = Price.zero
  private var standing = Standing.unknown

  /// From now on the next live snapshot's volume spans an outage.
  mutating func noteOutage() {
    if standing == .current { standing = .beforeOutage }
  }

  /// Measures one snapshot and moves the baseline to it.
  ///
  /// A snapshot without a positive price is no observation at all: its volume is left for the next one. One that
  /// is out of order never lowers the baseline, for what it would lower has been booked already.
  @inline(__always)
  mutating func observe(_ tick: Tick) -> Observation {
    if tick.flags.contains(.notPositive) { return .nothing }
    let isFirst = standing == .unknown
    let isAcrossOutage = standing == .beforeOutage
    let isOlder = tick.flags.contains(.outOfOrder)
    let isCached = tick.flags.contains(.cachedOnSubscribe)
    let countsForDayOnly = isCached || tick.flags.contains(.auction)
    let priceChanged = tick.lastPrice != lastPrice
    let volume = tick.dayVolume &- dayVolume
    if !isOlder {
      lastPrice = tick.lastPrice
      dayVolume = tick.dayVolume
    } else if volume > 0 {
      dayVolume = tick.dayVolume
    }
    // A cached snapshot may be older than the outage, so the first live one is still measured across it.
    if !isCached || isFirst { standing = .current }

    if isFirst || countsForDayOnly { return .nothing }
    if tick.flags.contains(.withoutVolume) {
      return priceChanged ? .trade(volume: 0, isAcrossOutage: false) : .nothing
    }
    if volume > 0 { return .trade(volume: isAcrossOutage ? 0 : volume, isAcrossOutage: isAcrossOutage) }
    return volume < 0 && !isOlder ? .rebased : .nothing
  }
}
