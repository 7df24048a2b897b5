import MarketData

/// The stretch of time that one candle of a rolled-up interval covers.
struct CandleBounds: Equatable {
  var start: Timestamp
  var end: Timestamp
  /// The continuous trading in it, in order of time: what coverage is a share of.
  var spans: [Span]
  /// True when the session ends before the interval's full length.
  var isShort: Bool

  struct Span: Equatable {
    var start: Timestamp
    var end: Timestamp
  }

  func contains(_ instant: Timestamp) -> Bool { start <= instant && instant < end }
}

/// Cuts time into the candles of rolled-up intervals, anchored to the starts of the sessions (rule 17).
///
/// Minutes outside of all sessions have candles of their own, counted from the session before or, early in the morning,
/// backwards from the first; where the day has none, from the segment's usual start. They are in no day and no week. A day runs from its first session's start to its last session's end, a week from its
/// first day's start to its last day's end.
struct SessionGrid {
  private let schedule: any SessionSchedule
  private var days: [MarketGroup: [Int: TradingDay]] = [:]

  /// Days kept; more than a week's, so that one week is never asked for twice.
  private static let daysMax = 64

  init(schedule: any SessionSchedule) {
    self.schedule = schedule
  }

  /// The candle of `interval` to which the minute that starts at `minute` belongs.
  mutating func bounds(of minute: Timestamp, interval: Interval, group: MarketGroup) -> CandleBounds {
    let dayNumber = CivilTime(minute).dayNumber
    switch interval {
    case .day: return bounds(from: dayNumber, count: 1, group: group)
    case .week:
      let monday = dayNumber - (CivilTime(dayNumber: dayNumber).isoWeekday - 1)
      return bounds(from: monday, count: 7, group: group)
    default: return bounds(within: dayNumber, minute: minute, length: interval.nanoseconds, group: group)
    }
  }

  private mutating func bounds(
    within dayNumber: Int, minute: Timestamp, length: Int64, group: MarketGroup
  ) -> CandleBounds {
    let anchor = day(dayNumber, group).anchor(at: minute) ?? (usualStart(dayNumber, group), nil)
    let distance = minute - anchor.start
    let steps = distance >= 0 ? distance / length : -((-distance + length - 1) / length)
    let start = anchor.start + steps * length
    let end = anchor.end.map { min($0, start + length) } ?? start + length
    return CandleBounds(
      start: start, end: end, spans: [.init(start: start, end: end)], isShort: end - start < length)
  }

  private mutating func bounds(from first: Int, count: Int, group: MarketGroup) -> CandleBounds {
    var spans: [CandleBounds.Span] = []
    for number in first..<first + count {
      spans += day(number, group).sessions.map { CandleBounds.Span(start: $0.start, end: $0.end) }
    }
    if let begin = spans.first?.start, let end = spans.last?.end {
      return CandleBounds(start: begin, end: end, spans: spans, isShort: false)
    }
    let start = usualStart(first, group)
    let end = CivilTime(dayNumber: first + count).timestamp()
    return CandleBounds(start: start, end: end, spans: [.init(start: start, end: end)], isShort: false)
  }

  /// When the segment's market begins on most days.
  private func usualStart(_ dayNumber: Int, _ group: MarketGroup) -> Timestamp {
    let midnight = CivilTime(dayNumber: dayNumber).timestamp()
    let minutes: Int64 = group.segment == .cash || group.segment == .fno ? 9 * 60 + 15 : 9 * 60
    return midnight + minutes * Interval.minute.nanoseconds
  }

  /// What the schedule says; a day that it does not know has no session.
  private mutating func day(_ dayNumber: Int, _ group: MarketGroup) -> TradingDay {
    if let known = days[group]?[dayNumber] { return known }
    let day =
      (try? schedule.tradingDay(dayNumber, of: group)) ?? TradingDay(dayNumber: dayNumber, sessions: [])
    if days[group, default: [:]].count >= Self.daysMax { days[group] = [:] }
    days[group, default: [:]][dayNumber] = day
    return day
  }
}
