internal import CandleStore
internal import Logging
internal import MarketData
internal import Synchronization
internal import TickQuality
internal import TradingCalendar

/// When the markets of a feed's instruments trade: the calendar, and which instrument keeps whose hours.
final class MarketHours: Sendable {
  let calendar: TradingCalendar
  let phases: MarketPhases
  private let auctions = Mutex<Set<Symbol>>([])

  /// The end of the calendar is told so many days before.
  private static let warningDays = 30

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

  /// Sees that the calendar knows the day of an instant, and warns when it soon will not.
  ///
  /// - Throws: ``Fault`` of kind `configuration` that names the file.
  func check(at now: Timestamp, logger: Logger) throws(Fault) {
    for segment in Set(phases.groups.map(\.segment)) {
      _ = try calendar.tradingDay(at: now, of: MarketGroup(segment))
      guard let last = calendar.range(of: segment)?.upperBound else { continue }
      let left = last - CivilTime(now).dayNumber
      if left < Self.warningDays {
        logger.warning(
          "\(calendar.file) ends with \(CivilTime(dayNumber: last).dateText) for \(segment.rawValue), in \(left) days; name a newer calendar_file before"
        )
      }
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
