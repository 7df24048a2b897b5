public import MarketData

/// Makes candles out of a feed's records, for all of its instruments: those of one interval from ticks, those of
/// longer intervals rolled up from them.
///
/// The candles follow from the sequence of records alone: two runs over the same records end with the same last
/// state of every candle, however often and whenever ``advance(to:into:)`` was called in between. The timer only
/// decides how early a state is handed out. Whether a tick is late is decided by its own receive time against the
/// end of its interval plus the grace; a tick inside the grace that meets a candle which the timer has sealed
/// already is taken in without a new revision, and the candle is handed out once more.
///
/// Built intervals are counted from 1970 UTC, so lengths that divide half an hour fall on the exchange's minutes.
/// Rolled-up intervals are anchored to the sessions (rule 17).
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

  /// Which states of a candle are handed out.
  public enum Announcing: Sendable {
    /// What a store needs: the candle at its interval's end, when it is sealed, and when it is revised. Where time
    /// leaps, what would have come in between is left out.
    case settledStates
    /// Everything that would be published: each change of a forming or provisional candle as well, and every
    /// state at its own time.
    case everyState
  }

  /// The length of the candles that are built from ticks.
  public let interval: Interval
  /// Which states are handed out.
  public let announcing: Announcing
  /// How long after its end a candle is sealed.
  public let graceNanoseconds: Int64
  /// Trades that came when their candle was not kept any more, or more than ``behindNanosecondsMax`` late. Their
  /// volume is in no candle.
  public internal(set) var droppedLateTicks: UInt64 = 0
  /// Records that cannot be right: instrument out of range, receive time out of range, or negative volume.
  public internal(set) var ignoredRecords: UInt64 = 0

  /// The latest time that a record or the timer has told.
  public var now: Timestamp { clock }

  /// What outages withheld since ``takeWithheld()`` was last called, at most ``withheldMax`` of them.
  private var withheld: [Withheld] = []
  /// What is kept for one who does not ask.
  public static let withheldMax = 65_536

  /// What one instrument traded while its feed was down: it belongs to the gap, not to a candle (rule 6).
  public struct Withheld: Sendable, Hashable {
    /// The instrument.
    public var instrument: InstrumentID
    /// The venue's time of the last snapshot before the outage, or that of its last trade where the venue sends none.
    public var since: Timestamp
    /// Receipt of the first live snapshot behind it.
    public var back: Timestamp
    /// Quantity traded in between.
    public var volume: Int64
  }

  let length: Int64
  var baselines: [VolumeBaseline] = []
  var extremes: [DayExtremes] = []
  var rollUp: RollUp
  /// For each instrument the interval in which its volume was last rebased, for a candle that opens afterwards.
  var rebasedStarts: [Timestamp] = []
  var shelf = CandleShelf()
  var coverage = FeedCoverage()
  /// The latest receive time of the data.
  var dataTime = Timestamp.unknown
  /// The latest of ``dataTime`` and what the timer said.
  var clock = Timestamp.unknown
  /// When the next built candle ends or is to be sealed.
  var builtDeadline = Timestamp(nanoseconds: .max)
  /// When the next candle of any interval ends or is to be sealed, later than ``now``; the end of time while none is
  /// open.
  public var deadline: Timestamp { min(builtDeadline, rollUp.deadline) }

  /// Makes an aggregator that has seen nothing.
  ///
  /// - Parameters:
  ///   - interval: The length of the candles that are built from ticks.
  ///   - rolledUp: The longer intervals whose candles are rolled up from these, which must then be of one minute.
  ///   - schedule: The sessions to which those are anchored.
  ///   - announcing: Which states are handed out.
  ///   - graceNanoseconds: From an interval's end to its sealing, not negative; by default three seconds, a little
  ///     above the largest delay measured on Kite's feed.
  public init(
    interval: Interval = .minute, rolledUp: [Interval] = [], schedule: any SessionSchedule = AlwaysOpen(),
    graceNanoseconds: Int64 = 3_000_000_000, announcing: Announcing = .settledStates
  ) {
    precondition(
      (0...Self.behindNanosecondsMax).contains(graceNanoseconds), "the grace is between zero and one day")
    precondition(rolledUp.isEmpty || interval == .minute, "longer candles are rolled up from minutes")
    self.interval = interval
    self.announcing = announcing
    rollUp = RollUp(intervals: rolledUp, schedule: schedule, graceNanoseconds: graceNanoseconds)
    self.graceNanoseconds = graceNanoseconds
    length = interval.nanoseconds
  }

  /// Tells whose hours an instrument keeps, before its first tick; those of the cash segment unless told.
  public mutating func define(_ instrument: InstrumentID, group: MarketGroup) {
    guard instrument.index < baselines.count || grow(toHold: instrument.index) else { return }
    rollUp.define(instrument.index, group: group)
  }

  /// Takes in the next record of the feed and appends to `closed` every candle that ended, was sealed or was
  /// revised by it or by the time that it shows to have passed.
  ///
  /// An update inside the grace of a candle whose end was handed out already is not handed out by itself; the
  /// sealed candle follows within the grace.
  ///
  /// - Parameter lastTradeTime: The time of the last trade where it is known to more than the tick's whole seconds.
  public mutating func apply(
    _ tick: Tick, lastTradeTime: Timestamp = .unknown, into closed: inout [Candle]
  ) {
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
    switch tick.kind {
    case .trade: take(tick, lastTradeTime: lastTradeTime, into: &closed)
    case .gap: takeGap(tick, lastAlive: previousDataTime, into: &closed)
    case .daySummary: takeSummary(tick)
    default: break
    }
  }

  /// Takes in a batch of records, as ``apply(_:into:)`` for each of them in turn would, and faster.
  public mutating func apply(_ ticks: Span<Tick>, into closed: inout [Candle]) {
    var position = 0
    while position < ticks.count {
      position = applyOrdinary(ticks, from: position)
      if position < ticks.count {
        apply(ticks[position], into: &closed)
        position += 1
      }
    }
  }

  /// What outages withheld since this was last asked.
  public mutating func takeWithheld() -> [Withheld] {
    defer { withheld.removeAll(keepingCapacity: true) }
    return withheld
  }

  /// Lets time pass without a record, and appends every candle that ended or was sealed by it.
  ///
  /// - Parameter now: The feed clock's time, the one that stamps receive times. Earlier than before is harmless.
  public mutating func advance(to now: Timestamp, into closed: inout [Candle]) {
    guard now > clock else { return }
    if now >= deadline {
      if announcing == .everyState {
        // Each state at its own time, in the order of these times.
        while deadline < now {
          clock = max(clock, deadline)
          announceDue(into: &closed)
        }
      }
      clock = now
      announceDue(into: &closed)
    } else {
      clock = now
    }
  }

  /// Lets time pass until nothing is left to be sealed: what the timer would do after the last record.
  public mutating func runOut(into closed: inout [Candle]) {
    while deadline != Self.never { advance(to: deadline, into: &closed) }
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
      builtDeadline = min(builtDeadline, clock < end ? end : sealing)
    }
    order(&closed, from: first)
    rollUp.finish(dataTime: dataTime, clock: clock, coverage: coverage, into: &closed)
  }

  /// The running candle of a rolled-up interval; nil when there has been no trade in it.
  public mutating func forming(_ instrument: InstrumentID, _ interval: Interval) -> Candle? {
    if interval == self.interval { return forming(instrument) }
    let minute = forming(instrument)
    return rollUp.forming(instrument, interval, minute: minute, clock: clock, coverage: coverage)
  }

  /// The running candle of an instrument: nil when there has been no trade in its current interval. Its coverage
  /// counts what is left of the interval as not covered.
  public func forming(_ instrument: InstrumentID) -> Candle? {
    guard instrument.index < shelf.instrumentCount else { return nil }
    let position = CandleShelf.newestPosition(of: instrument.index)
    guard shelf.builders[position].announced == .forming else { return nil }
    return candle(at: position, state: .forming, knownUntil: clock)
  }
}

// MARK: - Ticks

extension CandleAggregator {
  /// The way of nearly all ticks: a snapshot that changes nothing but its instrument's running candle and baseline,
  /// while no candle is due. Stops at the first record that needs more, before touching anything for it.
  mutating func applyOrdinary(_ ticks: Span<Tick>, from first: Int) -> Int {
    guard announcing == .settledStates, dataTime != .unknown else { return first }
    let (position, newestTime) = Self.applyOrdinary(
      ticks, from: first, newestTime: dataTime, limit: min(deadline, Self.receiveTimeMax), length: length,
      baselines: &baselines, builders: &shelf.builders)
    dataTime = newestTime
    if newestTime > clock { clock = newestTime }
    return position
  }

  static func applyOrdinary(
    _ ticks: Span<Tick>, from first: Int, newestTime: Timestamp, limit: Timestamp, length: Int64,
    baselines: inout [VolumeBaseline], builders: inout [CandleBuilder]
  ) -> (position: Int, newestTime: Timestamp) {
    var newestTime = newestTime
    var position = first
    let instruments = baselines.count
    var states = baselines.mutableSpan
    var builders = builders.mutableSpan
    scan: while position < ticks.count {
      let received = ticks[position].receiveTime
      let index = ticks[position].instrument.index
      guard ticks[position].kind == .trade, received > .unknown, received < limit, index < instruments,
        ticks[position].dayVolume >= 0
      else { break }
      var baseline = states[index]
      if baseline.extremesMoved { break }
      let (eventTime, timeFlags) = Self.eventTime(of: ticks[position])
      switch baseline.observe(ticks[position], eventTime: eventTime) {
      case .nothing: break
      case .rebased: break scan
      case .trade(let volume, let isAcrossOutage):
        let newest = CandleShelf.newestPosition(of: index)
        guard !isAcrossOutage, builders[newest].announced == .forming,
          builders[newest].holds(eventTime, length: length)
        else { break scan }
        builders[newest].add(
          Self.trade(
            ticks[position], eventTime: eventTime, timeFlags: timeFlags, volume: volume, isAcrossOutage: false
          ))
      }
      states[index] = baseline
      if received > newestTime { newestTime = received }
      position &+= 1
    }
    return (position, newestTime)
  }

  mutating func take(_ tick: Tick, lastTradeTime: Timestamp, into closed: inout [Candle]) {
    let index = tick.instrument.index
    guard tick.dayVolume >= 0, index < baselines.count || grow(toHold: index) else {
      ignoredRecords &+= 1
      return
    }
    var (eventTime, timeFlags) = Self.eventTime(of: tick)
    if lastTradeTime.isKnown, lastTradeTime <= tick.receiveTime + Self.aheadNanosecondsMax {
      (eventTime, timeFlags) = (lastTradeTime, [])
    }
    let before = baselines[index]
    switch baselines[index].observe(tick, eventTime: eventTime) {
    case .nothing: break
    case .rebased: takeRebase(tick, into: &closed)
    case .trade(let volume, let isAcrossOutage):
      if isAcrossOutage, withheld.count < Self.withheldMax {
        let since =
          before.previousExchangeTime.isKnown ? before.previousExchangeTime : before.previousEventTime
        withheld.append(
          Withheld(instrument: tick.instrument, since: since, back: tick.receiveTime, volume: volume))
      }
      let trade = Self.trade(
        tick, eventTime: eventTime, timeFlags: timeFlags, volume: volume, isAcrossOutage: isAcrossOutage)
      let newest = CandleShelf.newestPosition(of: index)
      if !before.extremesMoved, shelf.builders[newest].holds(eventTime, length: length) {
        shelf.builders[newest].add(trade)
        announceChange(at: newest, received: tick.receiveTime, into: &closed)
      } else {
        takeElsewhere(trade, of: tick, before: before, into: &closed)
      }
    }
    if before.extremesMoved { foldAlone(tick, eventTime: eventTime, before: before, into: &closed) }
  }

  @inline(__always)
  static func trade(
    _ tick: borrowing Tick, eventTime: Timestamp, timeFlags: CandleFlags, volume: Int64, isAcrossOutage: Bool
  ) -> Trade {
    var flags = timeFlags
    if isAcrossOutage { flags.insert(.volumeInGap) }
    if !tick.flags.isDisjoint(with: [.offBand, .stale, .outOfOrder, .clockSkew, .outsideSession]) {
      if !tick.flags.isDisjoint(with: [.offBand, .stale, .outOfOrder, .clockSkew]) { flags.insert(.suspect) }
      if tick.flags.contains(.outsideSession) { flags.insert(.outsideSession) }
    }
    return Trade(
      eventTime: eventTime, price: tick.lastPrice, volume: isAcrossOutage ? 0 : volume,
      openInterest: tick.openInterest,
      flags: flags)
  }

  /// The time that rule 2 chooses, and a flag where it had to be the receive time.
  @inline(__always)
  static func eventTime(of tick: borrowing Tick) -> (Timestamp, CandleFlags) {
    let limit = tick.receiveTime + aheadNanosecondsMax
    if tick.lastTradeSeconds != 0 {
      let lastTrade = Timestamp(seconds: Int64(tick.lastTradeSeconds))
      if lastTrade <= limit { return (lastTrade, []) }
    }
    let exchangeTime = tick.exchangeTime
    if exchangeTime.isKnown && exchangeTime <= limit { return (exchangeTime, []) }
    return (tick.receiveTime, .receiveTimeUsed)
  }

  func start(of instant: Timestamp) -> Timestamp {
    Timestamp(nanoseconds: instant.nanoseconds / length * length)
  }

  /// A trade that does not belong to its instrument's newest candle, so that it opens one or changes an older one, or
  /// that comes with new day extremes.
  mutating func takeElsewhere(
    _ trade: Trade, of tick: Tick, before: VolumeBaseline, into closed: inout [Candle]
  ) {
    let index = tick.instrument.index
    guard trade.eventTime > .unknown, tick.receiveTime - trade.eventTime <= Self.behindNanosecondsMax else {
      droppedLateTicks &+= 1
      return
    }
    let start = start(of: trade.eventTime)
    switch shelf.place(of: start, instrument: index) {
    case .tooOld: droppedLateTicks &+= 1
    case .occupied(let position):
      shelf.builders[position].add(trade)
      foldExtremes(into: position, tick, before: before)
      announceChange(at: position, received: tick.receiveTime, into: &closed)
    case .available(let place):
      evict(place, into: &closed)
      var builder = CandleBuilder(start: start, first: trade)
      if rebasedStarts[index] == start { builder.mark(.volumeRebased) }
      let position = shelf.put(builder, at: place, instrument: index)
      foldExtremes(into: position, tick, before: before)
      _ = cover(position)
      announceChange(at: position, received: tick.receiveTime, into: &closed)
    }
  }

  /// The fall of cumulative volume is a fact about the snapshot, so the snapshot's time says where it belongs, not
  /// that of its last trade, which on a new day is yesterday's.
  mutating func takeRebase(_ tick: Tick, into closed: inout [Candle]) {
    let isExchangeTimeUsable =
      tick.exchangeTime > .unknown && tick.exchangeTime <= tick.receiveTime + Self.aheadNanosecondsMax
    let start = start(of: isExchangeTimeUsable ? tick.exchangeTime : tick.receiveTime)
    let index = tick.instrument.index
    rebasedStarts[index] = start
    guard case .occupied(let position) = shelf.place(of: start, instrument: index) else { return }
    shelf.builders[position].mark(.volumeRebased)
    announceChange(at: position, received: tick.receiveTime, into: &closed)
  }

  mutating func grow(toHold index: Int) -> Bool {
    guard index < Self.instrumentsMax else { return false }
    let missing = index + 1 - baselines.count
    baselines.append(contentsOf: repeatElement(VolumeBaseline(), count: missing))
    rebasedStarts.append(contentsOf: repeatElement(.unknown, count: missing))
    extremes.append(contentsOf: repeatElement(DayExtremes(), count: missing))
    shelf.grow(toHold: index)
    rollUp.grow(toHold: index)
    return true
  }
}
