internal import CandleBuilding
internal import FeedControl
// Underscored, but the only way for a strategy to import one module and have ticks, prices and candles with it.
@_exported public import MarketData
internal import SharedRing
@_exported public import TimeSeries
public import TradingCalendar

/// The synchronous door to market data, for strategies that count nanoseconds: one thread spins on ``poll(max:_:)``.
/// ``DataHandler`` is the asynchronous one; both give the same events in the same order.
///
/// ```swift
/// let data = try DataPoller(feed: "nse", lane: "my-strategy", observing: ["NSE:RELIANCE"])
/// while data.isOpen {
///   data.poll { event in
///     if case .candle(let candle) = event { print(candle.close) }
///   }
/// }
/// ```
///
/// One thread uses it. Its lane is its own: a strategy that stops polling loses ticks of its own lane only, and
/// the first tick after a loss carries ``TickFlags/gapBefore``, and a gap of cause ``GapCause/laneFull`` comes before it.
public final class DataPoller {
  /// Where the data come from; what places orders must look at it.
  public var mode: DataMode { feed.mode }
  /// The clock of the data.
  public var clock: FeedClock { feed.clock }
  /// The feed's time now; in a back-test the time of the event that is being handed out.
  public var now: Timestamp { feed.now }
  /// False once the feed ended or halted and everything that was published has been handed out.
  public internal(set) var isOpen = true
  /// Which events are made; fewer cost less time.
  public var wanted: Set<EventKind> {
    didSet {
      choice = Choice(wanted)
      rollUps.intervals = Self.intervals(wanted).filter { $0 != .minute }
    }
  }
  /// ``wanted`` as the path of a tick asks for it.
  private(set) var choice: Choice

  /// Which events are wanted, as plain bits: hashing a set at every tick would cost more than the tick.
  struct Choice {
    let ticks: Bool
    let gaps: Bool
    let minutes: Bool
    /// Whether any candles are wanted.
    let candles: Bool

    init(_ wanted: Set<EventKind>) {
      ticks = wanted.contains(.ticks)
      gaps = wanted.contains(.gaps)
      minutes = wanted.contains(.candles(.minute))
      candles = wanted.contains { if case .candles = $0 { true } else { false } }
    }
  }

  let feed: any MarketFeed
  let anchors: SessionAnchors
  var minutes: MinuteCandles
  var rollUps: RollUps
  /// Candles of a minute that closed, to be handed out from ``closedPosition`` on.
  var closed: [Candle] = []
  var closedPosition = 0
  /// Longer candles that are over without their last minutes, the next one to be handed out last.
  var overdue: [Candle] = []
  private var ids: [Symbol: InstrumentID] = [:]
  private var names: [InstrumentID: Symbol] = [:]
  private var instrumentVersion: UInt64 = 0
  var lastTimer: Int64 = 0
  var batch: [Tick] = []
  var joins: [LateJoin] = []
  /// Of the record handed out last.
  var lastReceiveTime = Timestamp.unknown
  var batchPosition = 0
  /// How often a handler has made the rest of ``batch`` void, by observing something else.
  var voidBatches = 0
  /// The clock of a back-test does not pass this while ``closed`` is handed out.
  var closedUntil = Timestamp.unknown

  /// Ticks that one call of ``poll(max:_:)`` hands out at most, unless told otherwise.
  public static let pollMax = 1024
  /// How long a feed handler that died is waited for, unless told otherwise.
  public static let returnSecondsMaxDefault = 60
  /// Machine time between two looks at the clock for candles to close while nothing arrives.
  static let timerNanoseconds: Int64 = 20_000_000

  /// Makes a poller on any feed: the door for tests, which need no network, clock or disk.
  ///
  /// - Parameters:
  ///   - feed: Where records, past candles and the time come from.
  ///   - wanted: Which events are made.
  ///   - graceNanoseconds: From a candle's end to its sealing.
  ///   - schedule: The sessions to which candles longer than a minute are anchored.
  public init(
    on feed: any MarketFeed, wanted: Set<EventKind> = [.ticks, .candles(.minute), .gaps, .halts],
    graceNanoseconds: Int64 = 3_000_000_000, schedule: any SessionSchedule = TradingCalendar.shipped
  ) {
    self.feed = feed
    anchors = SessionAnchors(schedule: schedule, feed: feed)
    self.wanted = wanted
    choice = Choice(wanted)
    minutes = MinuteCandles(graceNanoseconds: graceNanoseconds)
    rollUps = RollUps(
      intervals: Self.intervals(wanted).filter { $0 != .minute }, graceNanoseconds: graceNanoseconds,
      anchor: anchors.anchor)
    refreshInstruments()
  }

  /// Attaches to a running feed.
  ///
  /// - Parameters:
  ///   - feed: name of the feed, as in its configuration.
  ///   - lane: name of this strategy's lane; a strategy that comes back under the same name goes on where it
  ///     stopped.
  ///   - symbols: what to observe from the start.
  ///   - fromLatest: skip what an earlier consumer of the lane left unread.
  ///   - returnSecondsMax: how long a feed handler that died is waited for; after that the feed counts as halted.
  /// - Throws: ``Fault`` of kind `unavailable` when there is no such feed or it does not get ready, `held` when
  ///   another process reads the lane, `usage` for a symbol that the venue does not list.
  public convenience init(
    feed: String, lane: String, observing symbols: [String] = [], fromLatest: Bool = false,
    returnSecondsMax: Int = returnSecondsMaxDefault
  ) throws(Fault) {
    self.init(
      on: try LiveFeed(
        feed: feed, lane: lane, observing: symbols, fromLatest: fromLatest,
        returnSecondsMax: returnSecondsMax,
        mode: .live))
  }

  /// Observes more instruments; their ticks come as soon as the venue sends them.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the feed does not know, naming the nearest.
  public func observe(_ symbols: String...) throws(Fault) { try observe(symbols) }

  /// Observes more instruments.
  ///
  /// - Throws: as ``observe(_:)-(String...)``.
  public func observe(_ symbols: [String]) throws(Fault) {
    try feed.observe(symbols)
    refreshInstruments()
    readAnew()
  }

  /// Observes instruments and returns their newest ticks, the oldest first, as a beginning: from here on
  /// ``poll(max:_:)`` hands out every tick of theirs that is newer, and none that is in the answer or older. So a strategy
  /// that joins a running feed has no hole and nothing twice.
  ///
  /// - Throws: as ``observe(_:)-(String...)``.
  public func join(_ symbols: String...) throws(Fault) -> [Latest] {
    try observe(symbols)
    let join = LateJoin(of: symbols.compactMap { instrument($0) }) { feed.latest($0) }
    joins.append(join)
    return join.ticks.map { Latest(tick: $0, ageNanoseconds: feed.now - $0.receiveTime) }
  }

  /// False for a tick that a ``join(_:)`` has given already.
  func isNew(_ tick: Tick) -> Bool {
    guard !joins.isEmpty else { return true }
    joins.removeAll { $0.isBehind(tick) }
    return joins.allSatisfy { $0.isNew(tick) }
  }

  /// Stops observing instruments.
  public func unobserve(_ symbols: String...) throws(Fault) { try unobserve(symbols) }

  func unobserve(_ symbols: [String]) throws(Fault) {
    try feed.unobserve(symbols)
    readAnew()
  }

  /// What a back-test has read ahead was chosen by what was observed then.
  private func readAnew() {
    guard mode == .backtest, feed.takeBack() else { return }
    batch.removeAll(keepingCapacity: true)
    batchPosition = 0
    voidBatches += 1
  }

  /// The newest tick of an instrument, of live data read from shared memory without a lock or a system call; nil when
  /// there was none yet, or when the feed does not know the symbol.
  public func latest(_ symbol: String) -> Latest? {
    guard let id = instrument(symbol) else { return nil }
    return latest(id)
  }

  /// The newest tick of an instrument by its number.
  public func latest(_ instrument: InstrumentID) -> Latest? {
    guard let tick = feed.latest(instrument) else { return nil }
    return Latest(tick: tick, ageNanoseconds: feed.now - tick.receiveTime)
  }

  /// The number of a symbol in this feed; nil when the feed does not know it.
  public func instrument(_ symbol: String) -> InstrumentID? {
    guard let symbol = try? Symbol(symbol) else { return nil }
    if ids[symbol] == nil { refreshInstruments() }
    return ids[symbol]
  }

  /// The symbol of an instrument; its number in words when the feed does not know it.
  public func symbol(_ instrument: InstrumentID) -> String {
    if names[instrument] == nil { refreshInstruments() }
    return names[instrument]?.text ?? "instrument \(instrument.rawValue)"
  }

  /// Every symbol that the feed knows, observed or not.
  public var symbols: [String] { feed.instruments.map(\.symbol.text) }

  /// The candle of the running minute; nil when no trade came in it yet. Of live data it is read from shared memory,
  /// where the feed handler keeps it for every instrument, observed or not, unless the ticks that this strategy has seen
  /// make a newer state of it.
  public func forming(_ symbol: String) -> Candle? { instrument(symbol).flatMap { forming($0) } }

  /// The candle of the running minute of an instrument by its number.
  public func forming(_ instrument: InstrumentID) -> Candle? {
    let ours = minutes.forming(instrument)
    guard let theirs = feed.forming(instrument) else { return ours }
    guard let ours, ours.start >= theirs.start else { return theirs }
    // A strategy that came in mid-minute has seen a part of it.
    return ours.start > theirs.start || ours.tickCount > theirs.tickCount ? ours : theirs
  }

  /// Ticks that wait in the lane, and ticks that it lost because it was full.
  public var backlog: (waiting: UInt64, lost: UInt64) { feed.backlog }

  /// Tells the processor that the caller spins.
  public static func pause() { LaneReader.pause() }

  /// Gives the lane back: the feed handler removes it with all it observes.
  public func detach() {
    isOpen = false
    feed.close()
  }

  private func refreshInstruments() {
    let version = feed.instrumentVersion
    guard version != instrumentVersion || names.isEmpty else { return }
    instrumentVersion = version
    for row in feed.instruments {
      ids[row.symbol] = row.id
      names[row.id] = row.symbol
    }
  }

  private static func intervals(_ kinds: Set<EventKind>) -> [Interval] {
    kinds.compactMap { if case .candles(let interval) = $0 { interval } else { nil } }.sorted()
  }
}
