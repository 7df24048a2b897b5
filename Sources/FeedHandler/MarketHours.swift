internal import CandleStore
internal import MarketData
internal import Synchronization
internal import TickQuality
internal import TradingCalendar

/// When the markets of a feed's instruments trade: the calendar, and which instrument keeps whose hours.
final class MarketHours: Sendable {
  let calendar: TradingCalendar
  let phases: MarketPhases
  private let auctions = Mutex<Set<Symbol>>([])

  /// The end of the calendar is told so many days before: the exchanges publish a year's holidays in the December
  /// before it.
  static let noticeDays = 45

  /// Reads the calendar, the shipped one unless a file is named.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `badData`.
  init(calendarFile: String?) throws(Fault) {
    calendar = try calendarFile.map { path throws(Fault) in try TradingCalendar.load(path: path) } ?? .shipped
    phases = MarketPhases(calendar)
  }

  /// The cash instruments that take part in the closing auction.
  var closingAuction: Set<Symbol> {
    get { auctions.withLock { $0 } }
    set { auctions.withLock { $0 = newValue } }
  }

  /// Tells the phases of instruments; those of an exchange that no calendar covers are always in continuous trading.
  func define(_ instruments: [Instrument]) {
    for instrument in instruments {
      if let group = group(of: instrument.symbol) { phases.define(instrument.id, group: group) }
    }
  }

  /// Whose hours a symbol keeps; nil for an exchange that no calendar covers.
  func group(of symbol: Symbol) -> MarketGroup? {
    guard let segment = MarketSegment(exchange: symbol.exchange) else { return nil }
    return MarketGroup(segment, hasClosingAuction: segment == .cash && closingAuction.contains(symbol))
  }

  private var segments: [MarketSegment] {
    Set(phases.groups.map(\.segment)).sorted { $0.rawValue < $1.rawValue }
  }

  /// Sees that the calendar knows the day of an instant.
  ///
  /// - Throws: ``Fault`` of kind `configuration` that names the file.
  func check(at now: Timestamp) throws(Fault) {
    for segment in segments { _ = try calendar.tradingDay(at: now, of: MarketGroup(segment)) }
  }

  /// What a person should know of the calendar's end, a sentence for each day on which some segments end; nothing
  /// while it is more than ``noticeDays`` away.
  func notices(at now: Timestamp) -> [String] {
    let today = CivilTime(now).dayNumber
    let ends = Dictionary(grouping: segments) { calendar.range(of: $0)?.upperBound ?? .max }
    return ends.filter { $0.key < today + Self.noticeDays }.sorted { $0.key < $1.key }.map { last, segments in
      let names = segments.map(\.rawValue).joined(separator: ", ")
      let date = CivilTime(dayNumber: last).dateText
      guard last >= today else {
        return """
          \(calendar.file) ended with \(date) for \(names): it is not known when these markets trade, so that every \
          tick counts as outside-session, and the feed handler will not start again; \(calendar.remedy)
          """
      }
      return """
        \(calendar.file) ends with \(date) for \(names), \(last == today ? "today" : "in \(last - today) days"): \
        from then on the feed handler does not start; \(calendar.remedy)
        """
    }
  }

  /// The day's sessions of every group that has an instrument.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when the calendar does not know the day.
  func sessions(of day: Int) throws(Fault) -> [StoredSession] {
    var sessions: [StoredSession] = []
    for group in phases.groups {
      let known = try calendar.tradingDay(day, of: group)
      for (number, session) in known.sessions.enumerated() {
        sessions.append(
          StoredSession(
            segment: group.segment.rawValue + (group.hasClosingAuction ? " with closing auction" : ""),
            day: day,
            number: number, start: session.start, end: session.end, source: calendar.file))
      }
    }
    return sessions
  }
}
