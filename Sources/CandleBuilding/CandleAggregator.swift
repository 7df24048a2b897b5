public import MarketData

/// Makes candles of one interval out of a feed's records, for all of its instruments.
///
/// The candles follow from the sequence of records alone: two runs over the same records end with the same last
/// state of every candle, however often and whenever ``advance(to:into:)`` was called in between. The timer only
/// decides how early a state is handed out. Whether a tick is late is decided by its own receive time against the
/// end of its interval plus the grace; a tick inside the grace that meets a candle which the timer has sealed
/// already is taken in without a new revision, and the candle is handed out once more.
///
/// Intervals are counted from 1970 UTC, so lengths that divide half an hour fall on the exchange's minutes.
/// Extremes that only the venue's day high and low betray (rule 8) are not folded in: ticks do not carry them.
public struct CandleAggregator {
  /// Instruments are numbered below this; ticks of others are counted in ``ignoredRecords``.
  public static let instrumentsMax = 65_536
  /// Candles of an instrument that stay open to late ticks; a newer one pushes out the oldest for good.
  public static let keptCandlesPerInstrument = CandleShelf.candlesPerInstrument
  /// A venue's time further ahead of the receive time is not believed, and the next best time is taken (rule 2):
  /// otherwise one garbled stamp would occupy the place of the honest candles. Ten minutes.
  public static let aheadNanosecondsMax: Int64 = 600 * Timestamp.nanosecondsPerSecond
  /// A trade further behind the receive time is not taken into a candle. One day.
  public static let behindNanosecondsMax: Int64 = 86_400 * Timestamp.nanosecondsPerSecond
  /// Receive times lie between 1970 and this instant, the year 2200; records outside are ignored, so that no sum
  /// of times overflows.
  public static let receiveTimeMax = Timestamp(seconds: 7_258_118_400)

  /// The length of the candles.
  public let interval: Interval
  /// How long after its end a candle is sealed.
  public let graceNanoseconds: Int64
  /// Trades that came when their candle was not kept any more, or more than ``behindNanosecondsMax`` late. Their
  /// volume is in no candle.
  public private(set) var droppedLateTicks: UInt64 = 0
  /// Records that cannot be right: instrument out of range, receive time out of range, or negative volume.
  public private(set) var ignoredRecords: UInt64 = 0

  private let length: Int64
  private var baselines: [VolumeBaseline] = []
  /// For each instrument the interval in which its volume was last rebased, for a candle that opens afterwards.
  private var rebasedStarts: [Timestamp] = []
  private var shelf = CandleShelf()
  private var coverage = FeedCoverage()
  /// The latest receive time of the data.
  private var dataTime = Timestamp.unknown
  /// The latest of ``dataTime`` and what the timer said.
  private var clock = Timestamp.unknown
  /// When the next candle ends or is to be sealed.
  private var deadline = Timestamp(nanoseconds: .max)

  /// Makes an aggregator that has seen nothing.
  ///
  /// - Parameters:
  ///   - interval: The length of the candles.
  ///   - graceNanoseconds: From an interval's end to its sealing, not negative; by default three seconds, a little
  ///     above the largest delay measured on Kite's feed.
  public init(interval: Interval = .minute, graceNanoseconds: Int64 = 3_000_000_000) {
    precondition(
      (0...Self.behindNanosecondsMax).contains(graceNanoseconds), "the grace is between zero and one day")
    self.interval = interval
    self.graceNanoseconds = graceNanoseconds
    length = interval.nanoseconds
  }

  /// Takes in the next record of the feed and appends to `closed` every candle that ended, was sealed or was
  /// revised by it or by the time that it shows to have passed.
  ///
  /// An update inside the grace of a candle whose end was handed out already is not handed out by itself; the
  /// sealed candle follows within the grace.
  public mutating func apply(_ tick: Tick, into closed: inout [Candle]) {
    guard tick.receiveTime > .unknown, tick.receiveTime < Self.receiveTimeMax else {
      ignoredRecords &+= 1
      return
    }
    let previousDataTime = dataTime
    if tick.receiveTime > dataTime {
      if dataTime == .unknown { coverage.begin(at: tick.receiveTime) }
      dataTime = tick.receiveTime
      advance(to: dataTime, into: &closed)
    }
    if tick.kind == .trade {
      take(tick, into: &closed)
    } else if tick.kind == .gap {
      takeGap(tick, lastAlive: previousDataTime, into: &closed)
    }
  }

  /// Lets time pass without a record, and appends every candle that ended or was sealed by it.
  ///
  /// - Parameter now: The feed clock's time, the one that stamps receive times. Earlier than before is harmless.
  public mutating func advance(to now: Timestamp, into closed: inout [Candle]) {
    guard now > clock else { return }
    clock = now
    if clock >= deadline { announceDue(into: &closed) }
  }

  /// Appends the candles that the data do not show to be sealed, as provisional; those cut short by the end of the
  /// data say so in their coverage.
  ///
  /// A stream whose last record tells that the feed was stopped, and when, leaves only what was running then.
  /// Going on afterwards is allowed and gives what would have come without this call.
  public mutating func finish(into closed: inout [Candle]) {
    let first = closed.count
    for position in shelf.builders.indices where shelf.builders[position].announced != .vacant {
      let end = shelf.builders[position].start + length
      let sealing = end + graceNanoseconds
      guard dataTime < sealing else { continue }
      closed.append(candle(at: position, state: .provisional, knownUntil: dataTime))
      shelf.builders[position].announced = clock < end ? .forming : .provisional
      deadline = min(deadline, clock < end ? end : sealing)
    }
    order(&closed, from: first)
  }

  /// The running candle of an instrument: nil when there has been no trade in its current interval. Its coverage
  /// counts what is left of the interval as not covered.
  public func forming(_ instrument: InstrumentID) -> Candle? {
    guard instrument.index < shelf.instrumentCount else { return nil }
    let position = shelf.newestPosition(of: instrument.index)
    guard shelf.builders[position].announced == .forming else { return nil }
    return candle(at: position, state: .forming, knownUntil: clock)
  }
}

// MARK: - Ticks

extension CandleAggregator {
  @inline(__always)
  private mutating func take(_ tick: Tick, into closed: inout [Candle]) {
    let index = tick.instrument.index
    guard tick.dayVolume >= 0, index < baselines.count || grow(toHold: index) else {
      ignoredRecords &+= 1
      return
    }
    switch baselines[index].observe(tick) {
    case .nothing: return
    case .rebased: takeRebase(tick, into: &closed)
    case .trade(let volume, let isAcrossOutage):
      var (eventTime, flags) = eventTime(of: tick)
      if isAcrossOutage { flags.insert(.volumeInGap) }
      if !tick.flags.isDisjoint(with: [.offBand, .stale, .outOfOrder]) { flags.insert(.suspect) }
      let trade = Trade(
        eventTime: eventTime, price: tick.lastPrice, volume: volume, openInterest: tick.openInterest,
        flags: flags
      )
      let newest = shelf.newestPosition(of: index)
      if shelf.builders[newest].holds(eventTime, length: length) {
        shelf.builders[newest].add(trade)
        // A running candle has nothing to say before it ends: the way of nearly all ticks stops here.
        if shelf.builders[newest].announced == .forming { return }
        announceChange(at: newest, received: tick.receiveTime, into: &closed)
      } else {
        takeElsewhere(trade, instrument: index, received: tick.receiveTime, into: &closed)
      }
    }
  }

  /// The time that rule 2 chooses, and a flag where it had to be the receive time.
  @inline(__always)
  private func eventTime(of tick: Tick) -> (Timestamp, CandleFlags) {
    let limit = tick.receiveTime + Self.aheadNanosecondsMax
    if tick.lastTradeSeconds != 0 {
      let lastTrade = Timestamp(seconds: Int64(tick.lastTradeSeconds))
      if lastTrade <= limit { return (lastTrade, []) }
    }
    if tick.exchangeTime.isKnown && tick.exchangeTime <= limit { return (tick.exchangeTime, []) }
    return (tick.receiveTime, .receiveTimeUsed)
  }

  private func start(of instant: Timestamp) -> Timestamp {
    Timestamp(nanoseconds: instant.nanoseconds / length * length)
  }

  /// A trade that does not belong to its instrument's newest candle: it opens one, or changes an older one.
  private mutating func takeElsewhere(
    _ trade: Trade, instrument index: Int, received: Timestamp, into closed: inout [Candle]
  ) {
    guard trade.eventTime > .unknown, received - trade.eventTime <= Self.behindNanosecondsMax else {
      droppedLateTicks &+= 1
      return
    }
    let start = start(of: trade.eventTime)
    switch shelf.place(of: start, instrument: index) {
    case .tooOld: droppedLateTicks &+= 1
    case .occupied(let position):
      shelf.builders[position].add(trade)
      announceChange(at: position, received: received, into: &closed)
    case .available(let position):
      evict(position, into: &closed)
      var builder = CandleBuilder(start: start, first: trade)
      if rebasedStarts[index] == start { builder.mark(.volumeRebased) }
      shelf.put(builder, at: position, instrument: index)
      _ = cover(position)
      announceChange(at: position, received: received, into: &closed)
    }
  }

  /// The fall of cumulative volume is a fact about the snapshot, so the snapshot's time says where it belongs, not
  /// that of its last trade, which on a new day is yesterday's.
  private mutating func takeRebase(_ tick: Tick, into closed: inout [Candle]) {
    let isExchangeTimeUsable =
      tick.exchangeTime > .unknown && tick.exchangeTime <= tick.receiveTime + Self.aheadNanosecondsMax
    let start = start(of: isExchangeTimeUsable ? tick.exchangeTime : tick.receiveTime)
    let index = tick.instrument.index
    rebasedStarts[index] = start
    guard case .occupied(let position) = shelf.place(of: start, instrument: index) else { return }
    shelf.builders[position].mark(.volumeRebased)
    announceChange(at: position, received: tick.receiveTime, into: &closed)
  }

  private mutating func grow(toHold index: Int) -> Bool {
    guard index < Self.instrumentsMax else { return false }
    let missing = index + 1 - baselines.count
    baselines.append(contentsOf: repeatElement(VolumeBaseline(), count: missing))
    rebasedStarts.append(contentsOf: repeatElement(.unknown, count: missing))
    shelf.grow(toHold: index)
    return true
  }
}

// MARK: - Gaps

extension CandleAggregator {
  /// A gap withholds the next volume of the instruments concerned (rule 6) and lowers the coverage of the candles
  /// that it overlaps, sealed ones included: a stall is noticed only after it has lasted. That is no revision, for
  /// what was traded stays the same.
  private mutating func takeGap(_ gap: Tick, lastAlive: Timestamp, into closed: inout [Candle]) {
    let isWholeFeed = gap.instrument == .all
    guard isWholeFeed || gap.instrument.index < Self.instrumentsMax else {
      ignoredRecords &+= 1
      return
    }
    // A gap that does not say when it began did so after the last sign of life.
    let start = gap.exchangeTime > .unknown ? min(gap.exchangeTime, gap.receiveTime) : lastAlive
    let affected = coverage.note(
      scope: gap.instrument, from: start, to: gap.receiveTime, isOpen: gap.flags.contains(.gapOpen))

    let first = isWholeFeed ? 0 : min(gap.instrument.index, baselines.count)
    let count = isWholeFeed ? baselines.count : 1
    for index in first..<min(first + count, baselines.count) {
      baselines[index].noteOutage()
      for position in shelf.positions(of: index) where shelf.builders[position].announced != .vacant {
        let candleStart = shelf.builders[position].start
        guard candleStart < affected.to, candleStart + length > affected.from else { continue }
        if cover(position) && shelf.builders[position].announced == .final {
          closed.append(candle(at: position, state: shelf.builders[position].sealedState))
        }
      }
    }
  }

  /// Brings the coverage of the candle at `position` up to date; true when it changed.
  private mutating func cover(_ position: Int) -> Bool {
    let start = shelf.builders[position].start
    let end = start + length
    let instrument = shelf.instrument(at: position)
    return shelf.builders[position].cover(
      percent: coverage.percent(of: instrument, from: start, to: end, knownUntil: end),
      cameBackInside: coverage.cameBack(instrument, after: start, before: end))
  }
}

// MARK: - Handing out

extension CandleAggregator {
  /// Hands out what a change to the candle at `position` makes due.
  private mutating func announceChange(
    at position: Int, received: Timestamp, into closed: inout [Candle]
  ) {
    let sealing = shelf.builders[position].start + length + graceNanoseconds
    if received >= sealing {
      shelf.builders[position].countRevision()
      shelf.builders[position].announced = .final
      closed.append(candle(at: position, state: shelf.builders[position].sealedState))
    } else {
      // What a hasty timer sealed is due once more.
      announceIfDue(position, into: &closed)
    }
  }

  /// Hands out the candle at `position` if its end or its sealing has come, and sets the deadline for what is left.
  private mutating func announceIfDue(_ position: Int, into closed: inout [Candle]) {
    let end = shelf.builders[position].start + length
    let sealing = end + graceNanoseconds
    if clock >= sealing {
      shelf.builders[position].announced = .final
      closed.append(candle(at: position, state: shelf.builders[position].sealedState))
      return
    }
    if clock >= end && shelf.builders[position].announced == .forming {
      shelf.builders[position].announced = .provisional
      closed.append(candle(at: position, state: .provisional))
    }
    deadline = min(deadline, clock < end ? end : sealing)
  }

  private mutating func announceDue(into closed: inout [Candle]) {
    let first = closed.count
    deadline = Timestamp(nanoseconds: .max)
    for position in shelf.builders.indices {
      let announced = shelf.builders[position].announced
      if announced == .forming || announced == .provisional { announceIfDue(position, into: &closed) }
    }
    order(&closed, from: first)
  }

  /// A candle that makes room can change no more, whatever the time: it is handed out as sealed.
  private mutating func evict(_ position: Int, into closed: inout [Candle]) {
    let announced = shelf.builders[position].announced
    guard announced == .forming || announced == .provisional else { return }
    closed.append(candle(at: position, state: shelf.builders[position].sealedState))
  }

  private func candle(at position: Int, state: CandleState, knownUntil: Timestamp? = nil) -> Candle {
    let instrument = shelf.instrument(at: position)
    let builder = shelf.builders[position]
    var candle = builder.candle(of: instrument, interval: interval, state: state)
    if let knownUntil, knownUntil < builder.start + length {
      candle.coverage = Int(
        coverage.percent(
          of: instrument, from: builder.start, to: builder.start + length, knownUntil: knownUntil))
    }
    return candle
  }

  /// Puts what one sweep appended into the order of time, then of instruments.
  private func order(_ closed: inout [Candle], from first: Int) {
    guard closed.count - first > 1 else { return }
    closed[first...].sort { ($0.start, $0.instrument) < ($1.start, $1.instrument) }
  }
}
