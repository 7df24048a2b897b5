public import MarketData

/// Sessions, phases and holidays of the Indian markets, from a date-effective file.
///
/// The shipped file says its source and its range at its head; a user replaces it by a file of the same form. What
/// the file does not cover is an error that names the file, never an open or a closed market.
public struct TradingCalendar: SessionSchedule {
  /// Where the calendar came from, for messages.
  public let file: String
  /// Who says so, as the file puts it.
  public let source: String

  private let records: CalendarRecords

  /// The longest that ``nextTradingDay(after:of:)`` looks ahead.
  public static let searchDaysMax = 60

  init(file: String, records: CalendarRecords) {
    self.file = file
    source = records.source
    self.records = records
  }

  /// The first and last date, as day numbers, of what is known of a segment; nil for none.
  public func range(of segment: MarketSegment) -> ClosedRange<Int>? { records.ranges[segment] }

  /// Sessions and note of a date.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the date is outside of the file's range.
  public func tradingDay(_ dayNumber: Int, of group: MarketGroup) throws(Fault) -> TradingDay {
    try check(dayNumber, group.segment)
    let key = CalendarRecords.DayKey(segment: group.segment, dayNumber: dayNumber)
    if let lines = records.specials[key] {
      let sessions = Self.sessions(lines, on: dayNumber, of: group)
      return TradingDay(dayNumber: dayNumber, sessions: sessions, note: lines.first?.name)
    }
    if let holiday = records.holidays[key] {
      return TradingDay(dayNumber: dayNumber, sessions: [], note: holiday)
    }
    let weekday = CivilTime(dayNumber: dayNumber).isoWeekday
    guard weekday <= 5 else {
      return TradingDay(dayNumber: dayNumber, sessions: [], note: weekday == 6 ? "Saturday" : "Sunday")
    }
    let lines = records.hours(of: group.segment, on: dayNumber)
    return TradingDay(dayNumber: dayNumber, sessions: Self.sessions(lines, on: dayNumber, of: group))
  }

  /// The first day after `dayNumber` that has a session.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the file ends before.
  public func nextTradingDay(after dayNumber: Int, of group: MarketGroup) throws(Fault) -> TradingDay {
    for next in dayNumber + 1...dayNumber + Self.searchDaysMax {
      let day = try tradingDay(next, of: group)
      if day.isOpen { return day }
    }
    throw Fault(
      .configuration,
      "\(file) has no session of \(group.segment.rawValue) in the \(Self.searchDaysMax) days after "
        + CivilTime(dayNumber: dayNumber).dateText)
  }

  /// The `count`-th day before `dayNumber` that has a session.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the file begins after it.
  public func tradingDay(_ count: Int, before dayNumber: Int, of group: MarketGroup) throws(Fault)
    -> TradingDay
  {
    precondition(count > 0, "at least one day back")
    var left = count
    var number = dayNumber
    while true {
      number -= 1
      let day = try tradingDay(number, of: group)
      if day.isOpen { left -= 1 }
      if left == 0 { return day }
    }
  }

  /// What a person does about a day that the file does not know: half a sentence.
  public var remedy: String {
    file == Self.shippedName
      ? """
      save it with `tickring calendar --print-file`, add what the exchange has published, and name the file as \
      calendar_file or with --calendar
      """ : "add what the exchange has published to it"
  }

  private func check(_ dayNumber: Int, _ segment: MarketSegment) throws(Fault) {
    let date = CivilTime(dayNumber: dayNumber).dateText
    guard let range = records.ranges[segment] else {
      throw Fault(.configuration, "\(file) says nothing of the segment \(segment.rawValue)")
    }
    guard range.contains(dayNumber) else {
      let isPast = dayNumber > range.upperBound
      let bound = CivilTime(dayNumber: isPast ? range.upperBound : range.lowerBound).dateText
      throw Fault(
        .configuration,
        "\(date) is \(isPast ? "past the end" : "before the beginning") of the trading calendar: \(file) "
          + "\(isPast ? "ends with" : "begins with") \(bound) for \(segment.rawValue); \(remedy)")
    }
  }

  private static func sessions(
    _ lines: [CalendarRecords.Span], on dayNumber: Int, of group: MarketGroup
  ) -> [TradingSession] {
    let midnight = CivilTime(dayNumber: dayNumber).timestamp()
    let wanted = lines.filter { $0.audience.includes(group) }
    return Set(wanted.map(\.session)).sorted().compactMap { number in
      let own = wanted.filter { $0.session == number }
      let phases = own.map { span in
        PhaseSpan(
          span.phase, from: midnight + Int64(span.startMinute) * Interval.minute.nanoseconds,
          to: midnight + Int64(span.endMinute) * Interval.minute.nanoseconds)
      }.sorted { $0.start < $1.start }
      let name = own.first?.isSpecial == true ? own[0].name : "regular"
      return TradingSession(name: name, phases: phases)
    }.sorted { $0.start < $1.start }
  }
}
