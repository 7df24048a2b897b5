public import MarketData

/// What an archive holds, instrument by instrument.
public struct ArchiveTally: Sendable, Hashable {
  /// One instrument of the archive.
  public struct InstrumentTally: Sendable, Hashable {
    /// Its trades.
    public var ticks: UInt64 = 0
    /// Receive time of the first.
    public var first = Timestamp.unknown
    /// Receive time of the last.
    public var last = Timestamp.unknown
    /// The longest time without one, in nanoseconds.
    public var longestSilence: Int64 = 0
    /// Ticks that carry at least one flag.
    public var flagged: UInt64 = 0
  }

  /// Sequences that are missing: the first and the last of each hole.
  public private(set) var holes: [ClosedRange<UInt64>] = []
  /// Outages of the feed, as its gap records tell.
  public private(set) var gaps: [FeedGap] = []
  /// Trades by instrument.
  public private(set) var instruments: [InstrumentID: InstrumentTally] = [:]
  /// All records, gaps included.
  public private(set) var records: UInt64 = 0
  /// The second of receive time with the most records.
  public private(set) var busiestSecond = Timestamp.unknown
  /// Records in it.
  public private(set) var busiestCount: UInt64 = 0
  private var second: Int64 = 0
  private var secondCount: UInt64 = 0
  private var lastSequence: UInt64?

  /// Nothing yet.
  public init() {}

  /// Takes the next records in their order.
  public mutating func take(_ ticks: Span<Tick>) {
    for index in ticks.indices { take(ticks[index]) }
  }

  private mutating func take(_ tick: Tick) {
    if let lastSequence, tick.sequence > lastSequence &+ 1 {
      holes.append(lastSequence + 1...tick.sequence - 1)
    }
    lastSequence = tick.sequence
    records += 1
    if tick.receiveTime.seconds != second {
      second = tick.receiveTime.seconds
      secondCount = 0
    }
    secondCount += 1
    if secondCount > busiestCount {
      (busiestSecond, busiestCount) = (Timestamp(seconds: second), secondCount)
    }
    if tick.kind == .gap { gaps.append(FeedGap(tick)) }
    guard tick.kind == .trade else { return }
    var tally = instruments[tick.instrument] ?? InstrumentTally()
    if tally.ticks == 0 {
      tally.first = tick.receiveTime
    } else {
      tally.longestSilence = max(tally.longestSilence, tick.receiveTime - tally.last)
    }
    tally.last = tick.receiveTime
    tally.ticks += 1
    if tick.flags != [] { tally.flagged += 1 }
    instruments[tick.instrument] = tally
  }
}
