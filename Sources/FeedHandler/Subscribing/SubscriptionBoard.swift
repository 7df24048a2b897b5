internal import Configuration
internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization

/// The subscriptions' standing, for all threads: control says what is wanted, the receive thread when the venue was
/// asked, the supervisor looks for the mute. The path of a tick never comes here.
final class SubscriptionBoard: Sendable {
  private struct State {
    var book = SubscriptionBook()
    var watches: [MarketSegment: SessionWatch] = [:]
    var muteNanoseconds: Int64?
  }

  private let state: Mutex<State>
  private let schedule: any SessionSchedule
  private let segment: FeedSegment
  private let alerts: AlertHook
  private let logger: Logger

  /// Symbols named in one sentence.
  private static let namedMax = 10

  init(
    schedule: any SessionSchedule, muteSeconds: Int, segment: FeedSegment, alerts: AlertHook, logger: Logger
  ) {
    var state = State()
    state.muteNanoseconds = Self.nanoseconds(muteSeconds)
    self.state = Mutex(state)
    self.schedule = schedule
    self.segment = segment
    self.alerts = alerts
    self.logger = logger
  }

  func configure(muteSeconds: Int) { state.withLock { $0.muteNanoseconds = Self.nanoseconds(muteSeconds) } }

  func want(_ subscriptions: [Subscription]) { state.withLock { $0.book.want(subscriptions) } }

  /// The venue was asked for everything but what the lost parts of the source are to carry.
  func noteSent(except lost: [InstrumentID] = []) {
    let now = Timestamp.monotonicNanoseconds()
    state.withLock { $0.book.noteSent(except: Set(lost), at: now) { segment.tickCount(of: $0) } }
  }

  func noteLost() { state.withLock { $0.book.noteLost() } }

  func noteLost(_ instruments: [InstrumentID]) { state.withLock { $0.book.noteLost(instruments) } }

  /// Looks for the mute, and tells of them. `feedTime` is the feed's clock.
  func look(feedTime: Timestamp) {
    let now = Timestamp.monotonicNanoseconds()
    let (mute, recovered, counts) = state.withLock { state in
      let found = Self.look(&state, now, feedTime, schedule, segment)
      return (found.mute, found.recovered, state.book.counts)
    }
    segment.set(.ticking, UInt64(counts[.ticking] ?? 0))
    segment.set(.mute, UInt64(counts[.mute] ?? 0))
    if !recovered.isEmpty { logger.notice("no longer mute: \(Self.text(recovered))") }
    guard !mute.isEmpty else { return }
    let sentence = "the venue accepted the subscription to \(Self.text(mute)) but sends no tick"
    logger.error("\(sentence)")
    alerts.post(
      AlertEvent(
        .mute, reason: sentence,
        details: ["subject": mute.prefix(Self.namedMax).map(\.symbol.text).joined(separator: " ")]))
  }

  /// Each subscription and how far it is.
  var all: [(subscription: Subscription, standing: SubscriptionBook.Standing)] {
    state.withLock { $0.book.all }
  }

  private static func look(
    _ state: inout State, _ now: Int64, _ feedTime: Timestamp, _ schedule: any SessionSchedule,
    _ segment: FeedSegment
  ) -> (mute: [Instrument], recovered: [Instrument]) {
    var watches = state.watches
    var isOpenNow: [MarketSegment: Bool] = [:]
    let found = state.book.look(at: now, muteNanoseconds: state.muteNanoseconds) { instrument in
      let market = MarketSegment(exchange: instrument.symbol.exchange) ?? .cash
      if let known = isOpenNow[market] { return known }
      let isOpen =
        watches[market, default: SessionWatch(schedule, segments: [market])].standing(at: feedTime) != .closed
      isOpenNow[market] = isOpen
      return isOpen
    } ticks: {
      segment.tickCount(of: $0)
    }
    state.watches = watches
    return found
  }

  private static func text(_ instruments: [Instrument]) -> String {
    let named = instruments.prefix(namedMax).map(\.symbol.text).joined(separator: ", ")
    return instruments.count > namedMax ? "\(named) and \(instruments.count - namedMax) more" : named
  }

  private static func nanoseconds(_ seconds: Int) -> Int64? {
    seconds > 0 ? Int64(seconds) * Timestamp.nanosecondsPerSecond : nil
  }
}
