import MarketData

/// Which minutes the simulated market trades in, counted without holes.
///
/// The *ordinal* of a minute is its number among all trading minutes, so that price paths run on from one
/// session's end to the next one's start.
public enum TradingMinutes: Sendable, Hashable {
  /// Monday to Friday, 09:15 to 15:29 Indian time; the simulation knows no holidays.
  case indianSession
  /// Every minute of every day, as crypto venues trade.
  case aroundTheClock

  /// Minutes of a session.
  var minutesPerSession: Int {
    switch self {
    case .indianSession: 375
    case .aroundTheClock: 1440
    }
  }

  /// The session's first minute, counted from midnight in India.
  var firstMinuteOfDay: Int {
    switch self {
    case .indianSession: 9 * 60 + 15
    case .aroundTheClock: 0
    }
  }

  /// True when the market opens on the day with this number since 1970-01-01.
  func isOpen(onDay dayNumber: Int) -> Bool {
    self == .aroundTheClock || Self.weekday(dayNumber) < 5
  }

  /// The ordinal of the first minute of the first session on or after the day.
  func firstOrdinal(ofDay dayNumber: Int) -> Int {
    switch self {
    case .aroundTheClock: return dayNumber * minutesPerSession
    case .indianSession:
      let week = (dayNumber + 3 - Self.weekday(dayNumber)) / 7
      return (week * 5 + min(Self.weekday(dayNumber), 5)) * minutesPerSession
    }
  }

  /// The ordinal of the first trading minute that starts at or after `time`, to the minute.
  func ordinal(atOrAfter time: Timestamp) -> Int {
    let civil = CivilTime(time)
    let first = firstOrdinal(ofDay: civil.dayNumber)
    guard isOpen(onDay: civil.dayNumber) else { return first }
    let minute = civil.hour * 60 + civil.minute - firstMinuteOfDay
    return first + min(max(minute, 0), minutesPerSession)
  }

  /// Monday 0 to Sunday 6; day 0 was a Thursday.
  private static func weekday(_ dayNumber: Int) -> Int { ((dayNumber + 3) % 7 + 7) % 7 }
}
