internal import CandleStore
internal import FeedControl
internal import Glibc
internal import MarketData
internal import SharedRing

/// A running feed: a lane of its own in shared memory, the table of last values, and the feed handler's store.
final class LiveFeed: MarketFeed {
  let mode: DataMode
  private var view: FeedView
  private let lane: String
  private var reader: LaneReader
  private var control: ControlClient
  private var observed: Set<String>
  private var store: CandleStore?
  private let returnSecondsMax: Int
  private var feedReturn: FeedReturn?
  private var isProducerGone = false
  private var isAtEnd = false
  /// The HALT that was told is not the end: the feed handler waits in it.
  private(set) var canResume = false
  private var lastLook: Int64 = 0
  /// Raises ``instrumentVersion`` above that of the feed handlers before.
  private var versionBase: UInt64 = 0

  /// How long a change of the observed instruments may take to be in force.
  private static let filterNanosecondsMax: Int64 = 2_000_000_000
  /// How long a feed handler that is still preparing is waited for.
  private static let startMillisecondsMax = 60_000
  /// Machine time between two looks at whether the feed handler lives.
  private static let lifeNanoseconds: Int64 = 100_000_000

  init(
    feed: String, lane: String, observing symbols: [String], fromLatest: Bool, returnSecondsMax: Int,
    mode: DataMode
  ) throws(Fault) {
    try SegmentNames.check(lane, what: "lane")
    let view = try Self.readyFeed(feed)
    let control = try ControlClient(path: view.controlSocket)
    let answer = try control.attach(LaneRequest(lane: lane, symbols: symbols))
    var reader = try LaneReader(feed: feed, lane: lane)
    _ = reader.waitForFilter(version: answer.filterVersion, nanosecondsMax: Self.filterNanosecondsMax)
    if fromLatest { reader.skipToLatest() }
    self.mode = mode
    self.view = view
    self.lane = lane
    self.control = control
    self.reader = reader
    self.observed = Set(symbols)
    self.returnSecondsMax = returnSecondsMax
  }

  var clock: FeedClock { view.clock }
  var now: Timestamp { view.clock.now() }
  var instruments: [(id: InstrumentID, symbol: Symbol)] {
    view.instruments().map { ($0.id, $0.symbol) }
  }
  var instrumentVersion: UInt64 { versionBase + view.value(.instrumentVersion) }
  var backlog: (waiting: UInt64, lost: UInt64) { (reader.lag, reader.dropped) }

  func observe(_ symbols: [String]) throws(Fault) {
    let answer = try control.observe(symbols, lane: lane)
    observed.formUnion(symbols)
    _ = reader.waitForFilter(
      version: answer.filterVersion ?? 0, nanosecondsMax: Self.filterNanosecondsMax)
  }

  func unobserve(_ symbols: [String]) throws(Fault) {
    _ = try control.unobserve(symbols, lane: lane)
    observed.subtract(symbols)
  }

  func read(max: Int, _ body: (Span<Tick>) -> Void) -> Int { reader.read(max: max, body) }
  func release() { reader.release(upTo: reader.position) }

  // Live data have the machine's clock, and every candle that appears is built here.
  func note(_: Tick) {}
  func advance(to _: Timestamp) {}
  var quietUntil: Timestamp { .unknown }
  func nextStoredCandle() throws(Fault) -> (candle: Candle, time: Timestamp)? { nil }
  func skipStoredCandle() {}

  func wait(_ strategy: WaitStrategy, nanosecondsMax: Int64) {
    reader.wait(strategy, nanosecondsMax: nanosecondsMax)
  }

  func skipToLatest() -> UInt64 { reader.skipToLatest() }

  /// Asked when the lane is empty. An end, or a death, counts once the lane was found empty after it: what was
  /// published before is read before it is told.
  func notice() -> MarketEvent? {
    let now = Timestamp.monotonicNanoseconds()
    if feedReturn != nil { return lookForReturn() }
    switch view.state {
    case .ended: return atEnd(.ended)
    case .halted: return haltNotice(now)
    default: break
    }
    if canResume, view.state == .running {
      canResume = false
      return .feedReturned(epoch: view.epoch)
    }
    guard now - lastLook > Self.lifeNanoseconds else { return nil }
    lastLook = now
    guard view.state == .running || view.isSuperseded else { return nil }
    guard isProducerGone else {
      isProducerGone = !view.isProducerAlive || view.isSuperseded
      return nil
    }
    feedReturn = FeedReturn(of: view, secondsMax: returnSecondsMax)
    return .feedLost(reason: "the feed handler (process \(view.producerPID)) died")
  }

  /// A HALT is told when it is seen and, should the feed handler end with it, once more as the end.
  private func haltNotice(_ now: Int64) -> MarketEvent? {
    let reason = view.haltReason ?? "no reason given"
    if canResume {
      guard now - lastLook > Self.lifeNanoseconds else { return nil }
      lastLook = now
    }
    guard view.isProducerAlive, !view.isSuperseded else {
      canResume = false
      return atEnd(.halt(reason: reason))
    }
    defer { canResume = true }
    return canResume ? nil : .halt(reason: reason)
  }

  private func atEnd(_ event: MarketEvent) -> MarketEvent? {
    defer { isAtEnd = true }
    return isAtEnd ? event : nil
  }

  private func lookForReturn() -> MarketEvent? {
    guard let outcome = feedReturn?.look() else { return nil }
    switch outcome {
    case .waiting: return nil
    case .halted(let reason): return .halt(reason: reason)
    case .givenUp:
      return .halt(reason: "the feed handler died and did not come back within \(returnSecondsMax) s")
    case .returned(let returned):
      do throws(Fault) {
        control = try ControlClient(path: returned.controlSocket)
        // A feed handler takes the lanes of living consumers up again; one of another layout or of another
        // configuration may have not.
        if !reader.isProducerAlive {
          _ = try control.attach(LaneRequest(lane: lane, symbols: observed.sorted()))
          if !reader.isProducerAlive { reader = try LaneReader(feed: returned.feed, lane: lane) }
        }
      } catch {
        // Dead again: the next one is waited for.
        guard returned.isProducerAlive else { return nil }
        return .halt(reason: "the feed handler came back without this lane: \(error.message)")
      }
      versionBase = instrumentVersion + 1
      view = returned
      feedReturn = nil
      isProducerGone = false
      isAtEnd = false
      return .feedReturned(epoch: returned.epoch)
    }
  }

  func latest(_ instrument: InstrumentID) -> Tick? { view.latest(instrument) }
  func forming(_ instrument: InstrumentID) -> Candle? { view.forming(instrument, at: now)?.candle }

  func history() throws(Fault) -> any CandleHistory {
    if let store { return store }
    let opened = try CandleStore(path: view.dataDirectory + "/candles.sqlite", mode: .readOnly)
    store = opened
    return opened
  }

  func close() {
    // The lane's memory goes with this process in any case; a feed handler that is gone needs no telling.
    try? control.detach(lane: lane)
  }

  private static func readyFeed(_ name: String) throws(Fault) -> FeedView {
    let deadline = Timestamp.wallClock() + Int64(startMillisecondsMax) * 1_000_000
    while true {
      // Mapped anew each time: the clock in the header is settled only when the feed runs.
      let view = try FeedView(feed: name)
      switch view.state {
      case .running where view.isProducerAlive: return view
      // It waits in its HALT, which is told like any other.
      case .halted where view.isProducerAlive && view.value(.clockVersion) > 0: return view
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

extension CandleStore: CandleHistory {
  package func candles(
    of instrument: InstrumentID, interval: Interval, from: Timestamp, to: Timestamp
  ) throws(Fault) -> [Candle] {
    try candles(of: instrument, interval: interval, from: from, to: to, origin: nil)
  }

  package func latestCandles(of instrument: InstrumentID, interval: Interval, count: Int, before: Timestamp)
    throws(Fault) -> [Candle]
  {
    try latestCandles(of: instrument, interval: interval, count: count, before: before, origin: nil)
  }
}
