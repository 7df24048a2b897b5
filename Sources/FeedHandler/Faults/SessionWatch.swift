internal import MarketData

/// Knows whether any market of the feed is open, by the calendar; asks it once a phase, not once a round.
struct SessionWatch: Sendable {
  /// What the calendar says.
  enum Standing: UInt64, Sendable {
    case closed = 0
    case open = 1
    /// The calendar does not cover the day, which must not make anyone deaf: it counts as open.
    case unknown = 2
  }

  private let schedule: any SessionSchedule
  private let groups: [MarketGroup]
  /// Until when the last answer holds.
  private var validFrom = Timestamp(nanoseconds: .max)
  private var validUntil = Timestamp(nanoseconds: .min)
  private var standing = Standing.unknown
  /// What the calendar had to say when it did not know; nil while it knows.
  private(set) var complaint: String?

  /// - Parameter segments: the markets whose hours count; the cash market's when there are none.
  init(_ schedule: any SessionSchedule, segments: Set<MarketSegment>) {
    self.schedule = schedule
    groups = (segments.isEmpty ? [.cash] : segments.sorted { $0.rawValue < $1.rawValue }).flatMap {
      [MarketGroup($0), MarketGroup($0, hasClosingAuction: true)]
    }
  }

  /// The same calendar for the markets of these instruments.
  func watching(_ instruments: some Sequence<Instrument>) -> SessionWatch {
    let segments = Self.segments(of: instruments)
    return Set(groups.map(\.segment)) == segments ? self : SessionWatch(schedule, segments: segments)
  }

  /// The segments of these instruments.
  static func segments(of instruments: some Sequence<Instrument>) -> Set<MarketSegment> {
    Set(instruments.compactMap { MarketSegment(exchange: $0.symbol.exchange) })
  }

  /// Whether any phase of any market is running, auctions included.
  mutating func standing(at instant: Timestamp) -> Standing {
    if instant >= validFrom, instant < validUntil { return standing }
    (standing, validFrom, validUntil) = look(at: instant)
    return standing
  }

  private mutating func look(at instant: Timestamp) -> (Standing, Timestamp, Timestamp) {
    let dayNumber = CivilTime(instant).dayNumber
    let dayEnd = CivilTime(dayNumber: dayNumber + 1).timestamp()
    var next = dayEnd
    var latestEnd: Timestamp?
    complaint = nil
    for group in groups {
      do throws(Fault) {
        for session in try schedule.tradingDay(dayNumber, of: group).sessions {
          for phase in session.phases {
            if phase.contains(instant) { latestEnd = max(latestEnd ?? phase.end, phase.end) }
            if phase.start > instant { next = min(next, phase.start) }
          }
        }
      } catch {
        complaint = error.message
        return (.unknown, instant, dayEnd)
      }
    }
    if let latestEnd { return (.open, instant, min(latestEnd, dayEnd)) }
    return (.closed, instant, next)
  }
}
