internal import Configuration
internal import Foundation
public import MarketData
public import TimeSeries

/// A strategy's one door to market data: latest prices, history, and events; the same in live trading, paper trading
/// and back-tests.
///
/// ```swift
/// let data = try await DataHandler(configuration: .file("tickring.yaml"))
/// try await data.observe("NSE:RELIANCE")
/// for await event in data.events(of: .candles(.minutes(1)), .gaps, .halts) {
///   guard case .candle(let candle) = event else { continue }
///   let closes = try await data.candles(data.symbol(candle.instrument), .minutes(5), last: 200).closes
///   print(closes.ema(20).last ?? .nan)
/// }
/// ```
///
/// It may be used from any number of tasks. It knows nothing of strategies, portfolios or risk.
///
/// **Back-tests** run in step with their subscribers: the clock goes on when every subscription has taken its events
/// and asks for the next one, so that what is asked in between (``latest(_:)``, candles) is answered as of the event
/// being handled, and never from the future. A subscription that is kept but not read stops the clock.
///
/// **Live and paper data** come as they come; a subscriber that is too slow meets its ``FullBufferPolicy``.
public final class DataHandler: Sendable {
  private final class Core: @unchecked Sendable {
    // @unchecked: everything but the lock is touched under the lock alone.
    let poller: DataPoller
    var mailboxes: [EventMailbox] = []
    /// True once a thread drives the subscribers: of live data, and of a paced back-test.
    var isDriven = false
    var isClosed = false
    private let lock = NSLock()

    init(_ poller: DataPoller) { self.poller = poller }

    func withLock<Answer, Failure: Error>(_ body: (Core) throws(Failure) -> Answer) throws(Failure) -> Answer
    {
      lock.lock()
      defer { lock.unlock() }
      return try body(self)
    }

    func updateWanted() {
      let wanted = mailboxes.reduce(into: Set<EventKind>()) { $0.formUnion($1.kinds) }
      if poller.wanted != wanted { poller.wanted = wanted }
    }
  }

  /// Where the data come from; what places orders must look at it.
  public let mode: DataMode
  private let core: Core
  private let defaults: FeedConfiguration.Strategy

  /// More events than one step of a back-test makes: a tick or a candle, and what is rolled up from it.
  private static let stepCapacity = 4096
  /// Between two looks at a lane in which there was nothing.
  private static let idleMicroseconds: UInt32 = 50

  /// Opens what a configuration names: a running feed (`mode: live` or `paper`), or the recorded past
  /// (`mode: backtest` with its section `backtest`).
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the file is wrong, `unavailable` when the feed does not run,
  ///   `held` when another process uses the lane, `missingInput` when there are no recorded data.
  public convenience init(configuration: ConfigurationSource) async throws(Fault) {
    let values = try configuration.values()
    self.init(on: try DataPoller(configuration: values), defaults: values.strategy)
  }

  /// Makes a handler on any feed: the door for tests, which need no network, clock or disk.
  public convenience init(on feed: sending any MarketFeed) {
    self.init(on: DataPoller(on: feed, wanted: []), defaults: FeedConfiguration.Strategy())
  }

  private init(on poller: sending DataPoller, defaults: FeedConfiguration.Strategy) {
    mode = poller.mode
    poller.wanted = []
    self.defaults = defaults
    core = Core(poller)
  }

  /// Observes more instruments.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the feed does not know, naming the nearest.
  public func observe(_ symbols: String...) async throws(Fault) {
    try ask { (poller) throws(Fault) in try poller.observe(symbols) }
  }

  /// Stops observing instruments.
  public func unobserve(_ symbols: String...) async throws(Fault) {
    try ask { (poller) throws(Fault) in try poller.unobserve(symbols) }
  }

  /// Every symbol that the feed knows, observed or not.
  public var symbols: [String] { core.withLock { $0.poller.symbols } }
  /// The symbol of an instrument; its number in words when the feed does not know it.
  public func symbol(_ instrument: InstrumentID) -> String { core.withLock { $0.poller.symbol(instrument) } }
  /// The number of a symbol; nil when the feed does not know it.
  public func instrument(_ symbol: String) -> InstrumentID? { core.withLock { $0.poller.instrument(symbol) } }
  /// The feed's time now; in a back-test the time of the event that was handed out last.
  public var now: Timestamp { core.withLock { $0.poller.now } }

  /// The newest tick of an instrument and its age; nil when there was none yet, or the symbol is unknown.
  public func latest(_ symbol: String) -> Latest? { core.withLock { $0.poller.latest(symbol) } }

  /// The candle of the running minute; nil when no trade came in it yet. Of live data read from shared memory; see
  /// ``DataPoller/forming(_:)-(String)``.
  public func forming(_ symbol: String) -> Candle? { core.withLock { $0.poller.forming(symbol) } }

  /// Candles that start in `[from, to)`; see ``DataPoller/candles(_:_:from:to:forming:fill:)-(String,_,Timestamp,_,_,_)``.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, from: Timestamp, to: Timestamp, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) async throws(Fault) -> CandleSeries {
    try ask { (poller) throws(Fault) in
      try poller.candles(symbol, interval, from: from, to: to, forming: forming, fill: fill)
    }
  }

  /// The same with its bounds as text with a zone, as in `2026-11-23T09:15:00+05:30`.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, from: String, to: String, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) async throws(Fault) -> CandleSeries {
    try ask { (poller) throws(Fault) in
      try poller.candles(symbol, interval, from: from, to: to, forming: forming, fill: fill)
    }
  }

  /// The last candles of an instrument.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, last count: Int, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) async throws(Fault) -> CandleSeries {
    try ask { (poller) throws(Fault) in
      try poller.candles(symbol, interval, last: count, forming: forming, fill: fill)
    }
  }

  /// The candle whose interval holds an instant; nil when nothing was traded in it, or it is not known yet.
  public func candle(
    _ symbol: String, _ interval: Interval = .minute, at time: Timestamp, forming: Bool = false
  )
    async throws(Fault) -> Candle?
  {
    try ask { (poller) throws(Fault) in try poller.candle(symbol, interval, at: time, forming: forming) }
  }

  /// Candles of several instruments on one time axis.
  public func candles(
    _ symbols: [String], _ interval: Interval = .minute, from: Timestamp, to: Timestamp,
    forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) async throws(Fault) -> AlignedCandles {
    try ask { (poller) throws(Fault) in
      try poller.candles(symbols, interval, from: from, to: to, forming: forming, fill: fill)
    }
  }

  /// What there are candles of; see ``DataPoller/dataRange(_:)``.
  public func dataRange(_ symbol: String) async throws(Fault) -> ClosedRange<Timestamp>? {
    try ask { (poller) throws(Fault) in try poller.dataRange(symbol) }
  }

  /// Subscribes to events. The sequence ends when the feed does, or the back-test's range; leaving the loop ends the
  /// subscription.
  ///
  /// - Parameters:
  ///   - kinds: Which events. A kind that the configuration's `strategy.events` turns off does not come.
  ///   - capacity: Events that may wait, at least 1; by default the configuration's `strategy.buffer_events`.
  ///   - policy: What happens when there is no room; by default the configuration's `strategy.when_full`. Back-tests
  ///     need none, since they run in step.
  public func events(
    of kinds: EventKind..., capacity: Int? = nil, whenFull policy: FullBufferPolicy? = nil
  ) -> MarketEvents {
    let mailbox = EventMailbox(
      kinds: Set(kinds.filter { defaults.allows($0) }),
      capacity: mode == .backtest ? Self.stepCapacity : capacity ?? defaults.bufferEvents,
      policy: mode == .backtest ? .suspend : policy ?? defaults.policy)
    let isOpen = core.withLock { core in
      guard core.poller.isOpen, !core.isClosed else { return false }
      core.mailboxes.append(mailbox)
      core.updateWanted()
      return true
    }
    if !isOpen { mailbox.finish() } else if mode != .backtest { startThread { $0.pump() } }
    return MarketEvents(subscription: Subscription(mailbox: mailbox, handler: self))
  }

  /// Ends all subscriptions and gives the lane back, with all that it observed.
  public func close() async {
    let mailboxes = core.withLock { core in
      if !core.isClosed { core.poller.detach() }
      core.isClosed = true
      return core.mailboxes
    }
    for mailbox in mailboxes { mailbox.finish() }
  }

  private func ask<Answer>(_ question: (DataPoller) throws(Fault) -> Answer) throws(Fault) -> Answer {
    try core.withLock { (core) throws(Fault) in try question(core.poller) }
  }

  func leave(_ mailbox: EventMailbox) {
    mailbox.cancel()
    core.withLock { core in
      core.mailboxes.removeAll { $0 === mailbox }
      core.updateWanted()
    }
    // Others may have waited for the one that left.
    if mode == .backtest { stepTogether() }
  }
}

// MARK: - Back-tests: the last subscriber that has nothing left makes the step

extension DataHandler {
  /// Goes on until somebody has an event, when all subscribers wait for one.
  func stepTogether() {
    if step() { return }
    // A paced back-test has nothing to tell yet. A thread of its own waits for the time to come, so that neither the
    // lock nor the thread of a task is kept from others meanwhile.
    startThread { $0.pace() }
  }

  /// False when all subscribers wait and there is nothing to tell them yet.
  private func step() -> Bool {
    core.withLock { core in
      while !core.mailboxes.isEmpty, core.mailboxes.allSatisfy(\.isIdle) {
        let mailboxes = core.mailboxes
        let step = core.poller.step { event in for mailbox in mailboxes { mailbox.offer(event) } }
        if !core.poller.isOpen {
          for mailbox in mailboxes { mailbox.finish() }
        } else if step == nil {
          return false
        }
      }
      return true
    }
  }

  /// One look at the clock of a paced back-test; false when nothing will follow.
  private func pace() -> Bool {
    _ = step()
    usleep(Self.idleMicroseconds)
    return core.withLock { $0.poller.isOpen && !$0.isClosed }
  }

  /// Starts the thread that drives the subscribers, unless it runs. It does not keep the handler: it ends soon after
  /// the handler has gone, and when `round` says that nothing will follow.
  private func startThread(_ round: @escaping @Sendable (DataHandler) -> Bool) {
    let isFirst = core.withLock { core in
      defer { core.isDriven = true }
      return !core.isDriven
    }
    guard isFirst else { return }
    Thread.detachNewThread { [weak self] in
      while let handler = self, round(handler) {}
    }
  }
}

// MARK: - Live data: a thread reads the lane and gives everybody theirs

extension DataHandler {
  /// One round; false when nothing will follow.
  private func pump() -> Bool {
    var events: [MarketEvent] = []
    let (isOpen, mailboxes) = core.withLock { core in
      if !core.isClosed { core.poller.poll { events.append($0) } }
      return (core.poller.isOpen && !core.isClosed, core.mailboxes)
    }
    // Outside the lock: a subscriber that suspends the feed may ask for candles meanwhile.
    for event in events {
      for mailbox in mailboxes { mailbox.offer(event) }
    }
    guard isOpen else {
      for mailbox in mailboxes { mailbox.finish() }
      return false
    }
    if events.isEmpty { usleep(Self.idleMicroseconds) }
    return true
  }
}

// MARK: - Subscriptions

/// The events of one subscription; one task takes them.
public struct MarketEvents: AsyncSequence, Sendable {
  let subscription: Subscription

  /// Events that this subscription lost because its buffer was full.
  public var dropped: UInt64 { subscription.mailbox.dropped }

  /// Takes the events.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let subscription: Subscription

    /// The next event; nil at the end, and when the task is cancelled.
    public mutating func next() async -> MarketEvent? { await subscription.next() }

    /// The next event; nil at the end, and when the task is cancelled.
    public mutating func next(isolation _: isolated (any Actor)?) async -> MarketEvent? {
      await subscription.next()
    }
  }

  /// Begins to take events.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: subscription) }
}

/// Ends with the last iterator or sequence that refers to it.
final class Subscription: Sendable {
  let mailbox: EventMailbox
  private let handler: DataHandler

  init(mailbox: EventMailbox, handler: DataHandler) {
    self.mailbox = mailbox
    self.handler = handler
  }

  deinit { handler.leave(mailbox) }

  func next() async -> MarketEvent? {
    guard handler.mode == .backtest else { return await mailbox.next() }
    let event = await mailbox.next(beforeWaiting: handler.stepTogether)
    // One who was cancelled will not ask again, though the sequence be kept: the others need not wait for it.
    if mailbox.isCancelled { handler.leave(mailbox) }
    return event
  }
}
