internal import Logging
internal import MarketData
internal import SharedRing
internal import Synchronization

/// Looks after the feed some times a second, off its threads: mute subscriptions, the market's opening and close, and
/// once a day the end of the calendar.
final class FeedSupervisor: Sendable {
  private struct State {
    var session: SessionWatch
    var standing: SessionWatch.Standing?
    var lastLook: Int64 = 0
    /// The day of whose calendar was spoken.
    var noticedDay = Int.min
  }

  private let board: SubscriptionBoard
  private let market: MarketHours
  private let segment: FeedSegment
  private let clock: FeedClock
  private let logger: Logger
  private let state: Mutex<State>

  private static let intervalNanoseconds: Int64 = 250_000_000

  init(
    board: SubscriptionBoard, session: SessionWatch, market: MarketHours, segment: FeedSegment,
    clock: FeedClock, logger: Logger
  ) {
    self.board = board
    self.market = market
    self.segment = segment
    self.clock = clock
    self.logger = logger
    state = Mutex(State(session: session))
  }

  /// Looks, if it is time to.
  func look() {
    let now = clock.now()
    let monotonic = Timestamp.monotonicNanoseconds()
    let change = state.withLock { state -> (SessionWatch.Standing, String?)?? in
      guard monotonic - state.lastLook >= Self.intervalNanoseconds else { return nil }
      state.lastLook = monotonic
      let standing = state.session.standing(at: now)
      guard standing != state.standing else { return .some(nil) }
      state.standing = standing
      return (standing, state.session.complaint)
    }
    guard let change else { return }
    if let (standing, complaint) = change { tell(standing, complaint) }
    board.look(feedTime: now)
    noticeCalendar(at: now)
  }

  private func noticeCalendar(at now: Timestamp) {
    let today = CivilTime(now).dayNumber
    let isNews = state.withLock { state in
      defer { state.noticedDay = today }
      return state.noticedDay != today
    }
    if isNews { for notice in market.notices(at: now) { logger.warning("\(notice)") } }
  }

  private func tell(_ standing: SessionWatch.Standing, _ complaint: String?) {
    segment.set(.session, standing.rawValue)
    switch standing {
    case .open: logger.info("the market is open")
    case .closed: logger.info("the market is closed; silence is no fault until it opens")
    case .unknown: logger.warning("whether the market is open is not known: \(complaint ?? "no calendar")")
    }
  }
}
