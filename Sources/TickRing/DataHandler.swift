internal import CandleBuilding
internal import CandleStore
internal import FeedControl
internal import Glibc
// Underscored, but the only way for a strategy to import one module and have ticks, prices and candles with it.
@_exported public import MarketData
public import SharedRing

/// A strategy's one door to market data: latest prices, history, and events.
///
/// ```swift
/// let data = try DataHandler(feed: "nse", lane: "my-strategy", observing: ["NSE:RELIANCE"])
/// while data.isOpen {
///   data.poll { event in
///     if case .candle(let candle) = event { print(candle.close) }
///   }
/// }
/// ```
///
/// One thread uses it. Its lane is its own: a strategy that stops polling loses ticks of its own lane only, and
/// the first tick after a loss carries ``TickFlags/gapBefore``.
public final class DataHandler {
  /// The clock by which the feed stamps and seals.
  public var clock: FeedClock { feed.clock }
  /// Name of this strategy's lane.
  public let lane: String
  /// False once the feed ended or halted and everything that was published has been read.
  public private(set) var isOpen = true

  private var feed: FeedView
  private var reader: LaneReader
  private var control: ControlClient
  private var observed: Set<String>
  private let returnSecondsMax: Int
  private var feedReturn: FeedReturn?
  private var aggregator: CandleAggregator
  private var closed: [Candle] = []
  private var store: CandleStore?
  private var ids: [Symbol: InstrumentID] = [:]
  private var names: [InstrumentID: Symbol] = [:]
  private var instrumentVersion: UInt64 = 0
  private var lastTimer = Timestamp.unknown
  private var batch: [Tick] = []
  private var isProducerGone = false

  /// Ticks that one call of ``poll(max:_:)`` hands out at most, unless told otherwise.
  public static let pollMax = 1024
  /// How long a feed handler that died is waited for, unless told otherwise.
  public static let returnSecondsMaxDefault = 60
  /// How long a change of the observed instruments may take to be in force.
  private static let filterNanosecondsMax: Int64 = 2_000_000_000
  /// How long a feed handler that is still preparing is waited for.
  private static let startMillisecondsMax = 60_000
  /// Feed time between two looks at the clock for candles to close.
  private static let timerNanoseconds: Int64 = 100_000_000

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
  public init(
    feed: String, lane: String, observing symbols: [String] = [], fromLatest: Bool = false,
    returnSecondsMax: Int = returnSecondsMaxDefault
  ) throws(Fault) {
    try SegmentNames.check(lane, what: "lane")
    let view = try Self.readyFeed(feed)
    let control = try ControlClient(path: view.controlSocket)
    let answer = try control.attach(LaneRequest(lane: lane, symbols: symbols))
    var reader = try LaneReader(feed: feed, lane: lane)
    _ = reader.waitForFilter(version: answer.filterVersion, nanosecondsMax: Self.filterNanosecondsMax)
    if fromLatest { reader.skipToLatest() }
    self.feed = view
    self.lane = lane
    self.control = control
    self.reader = reader
    self.observed = Set(symbols)
    self.returnSecondsMax = returnSecondsMax
    self.aggregator = CandleAggregator()
    refreshInstruments()
  }

  /// Observes more instruments; returns when the lane carries them, and their ticks come as soon as the venue sends
  /// them.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the venue does not list, naming the nearest.
  public func observe(_ symbols: String...) throws(Fault) {
    let answer = try control.observe(symbols, lane: lane)
    observed.formUnion(symbols)
    _ = reader.waitForFilter(
      version: answer.filterVersion ?? 0, nanosecondsMax: Self.filterNanosecondsMax)
    refreshInstruments()
  }

  /// Stops observing instruments.
  public func unobserve(_ symbols: String...) throws(Fault) {
    _ = try control.unobserve(symbols, lane: lane)
    observed.subtract(symbols)
  }

  /// The newest tick of an instrument, read from shared memory without a lock or a system call; nil when there was
  /// none yet, or when the feed does not know the symbol.
  public func latest(_ symbol: String) -> Latest? {
    guard let id = instrument(symbol) else { return nil }
    return latest(id)
  }

  /// The newest tick of an instrument by its number.
  public func latest(_ instrument: InstrumentID) -> Latest? {
    guard let tick = feed.latest(instrument) else { return nil }
    return Latest(tick: tick, ageNanoseconds: feed.clock.now() - tick.receiveTime)
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

  /// Stored candles of an instrument whose start lies in `[from, to)`, ascending; the venue's own candle where it
  /// is final, else ours.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an unknown symbol or a reversed range, `inputOutput` when the database
  ///   cannot be read.
  public func candles(_ symbol: String, _ interval: Interval = .minute, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    guard from <= to else {
      throw Fault(.usage, "the range from \(from.rfc3339) to \(to.rfc3339) runs backwards")
    }
    let id = try known(symbol)
    return try openStore().candles(of: id, interval: interval, from: from, to: to)
  }

  /// The last stored candles of an instrument, ascending.
  ///
  /// - Throws: as ``candles(_:_:from:to:)``.
  public func candles(_ symbol: String, _ interval: Interval = .minute, last count: Int) throws(Fault)
    -> [Candle]
  {
    let id = try known(symbol)
    return try openStore().latestCandles(of: id, interval: interval, count: count)
  }

  /// The candle of the running minute as this strategy has seen it; nil when no trade came yet.
  public func formingCandle(_ symbol: String) -> Candle? {
    instrument(symbol).flatMap { aggregator.forming($0) }
  }

  /// Ticks that wait in the lane, and ticks that it lost because it was full.
  public var backlog: (waiting: UInt64, lost: UInt64) { (reader.lag, reader.dropped) }

  /// Hands out what arrived since the last call, at most `max` ticks, and returns how many ticks there were.
  ///
  /// Never waits: call it in a loop, with ``pause()`` or a sleep in between when it returns 0.
  @discardableResult
  public func poll(max: Int = pollMax, _ handle: (MarketEvent) -> Void) -> Int {
    guard isOpen else { return 0 }
    // The state is read before the lane: what was published before the end is then read before the end is told.
    let state = feed.state
    batch.removeAll(keepingCapacity: true)
    let count = reader.read(max: max) { run in for index in run.indices { batch.append(run[index]) } }
    if count == 0 { noteIdle(state, handle) }
    // Handed out from a copy, so that a handler may use everything of this type, polling included.
    for tick in batch {
      aggregator.apply(tick, into: &closed)
      handle(tick.kind == .gap ? .gap(FeedGap(tick)) : .tick(tick))
    }
    if count > 0 { reader.release(upTo: reader.position) }
    if !closed.isEmpty {
      let candles = closed
      closed.removeAll(keepingCapacity: true)
      for candle in candles { handle(.candle(candle)) }
    }
    return count
  }

  /// Waits until a tick is there, or for at most `milliseconds`; then poll again.
  ///
  /// - Parameter strategy: what the wait may cost: a whole processor, its idle time, or some microseconds of the
  ///   kernel's at each wake.
  public func wait(_ strategy: WaitStrategy = .spinThenFutex, milliseconds: Int = 100) {
    guard isOpen else { return }
    reader.wait(strategy, nanosecondsMax: Int64(milliseconds) * 1_000_000)
  }

  /// Drops what waits in the lane and goes on with what comes from now on; returns how many ticks were passed over.
  @discardableResult
  public func skipToLatest() -> UInt64 { reader.skipToLatest() }

  /// Tells the processor that the caller spins.
  public static func pause() { LaneReader.pause() }

  /// Every symbol that the feed knows, observed or not.
  public var symbols: [String] { feed.instruments().map(\.symbol.text) }

  /// Gives the lane back: the feed handler removes it with all it observes.
  public func detach() {
    isOpen = false
    // The lane's memory goes with this process in any case; a feed handler that is gone needs no telling.
    try? control.detach(lane: lane)
  }

  private func noteIdle(_ state: FeedState?, _ handle: (MarketEvent) -> Void) {
    let now = feed.clock.now()
    if now - lastTimer > Self.timerNanoseconds || now < lastTimer {
      lastTimer = now
      aggregator.advance(to: now, into: &closed)
      if feedReturn != nil { return lookForReturn(handle) }
      if state == .running || feed.isSuperseded {
        // Told one empty poll later, when its last words, if it had any, have been read.
        if isProducerGone, feed.state == .running || feed.isSuperseded {
          handle(.feedLost(reason: "the feed handler (process \(feed.producerPID)) died"))
          feedReturn = FeedReturn(feed: feed.feed, secondsMax: returnSecondsMax)
          return
        }
        isProducerGone = !feed.isProducerAlive || feed.isSuperseded
      }
    }
    guard feedReturn == nil else { return }
    switch state {
    case .ended: end(.ended, handle)
    case .halted: end(.halt(reason: feed.haltReason ?? "no reason given"), handle)
    default: break
    }
  }

  private func lookForReturn(_ handle: (MarketEvent) -> Void) {
    guard let outcome = feedReturn?.look() else { return }
    switch outcome {
    case .waiting: break
    case .halted(let reason): end(.halt(reason: reason), handle)
    case .givenUp:
      end(.halt(reason: "the feed handler died and did not come back within \(returnSecondsMax) s"), handle)
    case .returned(let view):
      do throws(Fault) {
        control = try ControlClient(path: view.controlSocket)
        // A feed handler takes the lanes of living consumers up again; one of another layout or of another
        // configuration may have not.
        if !reader.isProducerAlive {
          _ = try control.attach(LaneRequest(lane: lane, symbols: observed.sorted()))
          if !reader.isProducerAlive { reader = try LaneReader(feed: view.feed, lane: lane) }
        }
      } catch {
        return end(.halt(reason: "the feed handler came back without this lane: \(error.message)"), handle)
      }
      feed = view
      feedReturn = nil
      isProducerGone = false
      instrumentVersion = 0
      refreshInstruments()
      handle(.feedReturned(epoch: view.epoch))
    }
  }

  private func end(_ event: MarketEvent, _ handle: (MarketEvent) -> Void) {
    isOpen = false
    handle(event)
  }

  private func known(_ symbol: String) throws(Fault) -> InstrumentID {
    guard let id = instrument(symbol) else {
      throw Fault(.usage, "feed '\(feed.feed)' knows no symbol '\(symbol)'; observe it first")
    }
    return id
  }

  private func openStore() throws(Fault) -> CandleStore {
    if let store { return store }
    let opened = try CandleStore(path: feed.dataDirectory + "/candles.sqlite", mode: .readOnly)
    store = opened
    return opened
  }

  private func refreshInstruments() {
    let version = feed.value(.instrumentVersion)
    guard version != instrumentVersion else { return }
    instrumentVersion = version
    for row in feed.instruments() {
      ids[row.symbol] = row.id
      names[row.id] = row.symbol
    }
  }

  private static func readyFeed(_ name: String) throws(Fault) -> FeedView {
    let deadline = Timestamp.wallClock() + Int64(startMillisecondsMax) * 1_000_000
    while true {
      // Mapped anew each time: the clock in the header is settled only when the feed runs.
      let view = try FeedView(feed: name)
      switch view.state {
      case .running: return view
      case .halted:
        throw Fault(.unavailable, "feed '\(name)' halted: \(view.haltReason ?? "no reason given")")
      case .ended: throw Fault(.unavailable, "feed '\(name)' has ended; start `tickring ingest` first")
      default: break
      }
      guard view.isProducerAlive else {
        throw Fault(
          .unavailable,
          "feed '\(name)' was left by process \(view.producerPID), which died; start `tickring ingest` first")
      }
      guard Timestamp.wallClock() < deadline else {
        throw Fault(.unavailable, "feed '\(name)' was not ready within \(startMillisecondsMax / 1000) s")
      }
      usleep(20_000)
    }
  }
}
