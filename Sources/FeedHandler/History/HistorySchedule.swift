internal import Configuration
internal import MarketData

/// The trading days by which history is counted.
enum HistorySchedule {
  /// The feed's calendar; a simulated venue without one knows weekends, but no holidays and no closing hours.
  ///
  /// - Throws: ``Fault`` when the calendar's file cannot be read.
  static func of(_ configuration: FeedConfiguration) throws(Fault) -> any SessionSchedule {
    if configuration.calendarFile == nil, configuration.source.clock == .simulator { return WholeWeekdays() }
    return try FeedGuard.schedule(configuration)
  }
}

/// A market that trades from midnight to midnight, Monday to Friday.
struct WholeWeekdays: SessionSchedule {
  func tradingDay(_ dayNumber: Int, of group: MarketGroup) -> TradingDay {
    guard CivilTime(dayNumber: dayNumber).isoWeekday <= 5 else {
      return TradingDay(dayNumber: dayNumber, sessions: [], note: "weekend")
    }
    return AlwaysOpen().tradingDay(dayNumber, of: group)
  }
}
