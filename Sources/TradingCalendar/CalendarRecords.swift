import MarketData

/// The contents of a calendar file, indexed for asking by date.
struct CalendarRecords: Sendable {
  /// Which instruments of a segment a line speaks of.
  enum Audience: String, CaseIterable {
    case all
    case auction
    case other

    func includes(_ group: MarketGroup) -> Bool {
      switch self {
      case .all: true
      case .auction: group.hasClosingAuction
      case .other: !group.hasClosingAuction
      }
    }
  }

  /// One phase as the file gives it, in minutes from midnight.
  struct Span: Sendable {
    var phase: SessionPhase
    var startMinute: Int
    var endMinute: Int
    var session: Int
    var audience: Audience
    var name: String
    var isSpecial: Bool
  }

  struct DayKey: Hashable {
    var segment: MarketSegment
    var dayNumber: Int
  }

  /// The hours of a segment from a date on.
  struct Hours: Sendable {
    var from: Int
    var spans: [Span]
  }

  var source = ""
  var ranges: [MarketSegment: ClosedRange<Int>] = [:]
  var holidays: [DayKey: String] = [:]
  var specials: [DayKey: [Span]] = [:]
  private var hours: [MarketSegment: [Hours]] = [:]

  init() {}

  /// The phases of an ordinary Monday to Friday.
  func hours(of segment: MarketSegment, on dayNumber: Int) -> [Span] {
    hours[segment]?.last { $0.from <= dayNumber }?.spans ?? []
  }

  /// The first date for which ordinary hours are given; nil for none.
  func hoursBegin(of segment: MarketSegment) -> Int? { hours[segment]?.first?.from }

  /// Adds a line to the hours that are in force from a date; dates must not go back.
  ///
  /// - Returns: False when a later date came before.
  mutating func addHours(_ span: Span, from dayNumber: Int, segment: MarketSegment) -> Bool {
    var all = hours[segment] ?? []
    guard all.last.map({ $0.from <= dayNumber }) ?? true else { return false }
    if all.last?.from == dayNumber {
      all[all.count - 1].spans.append(span)
    } else {
      all.append(Hours(from: dayNumber, spans: [span]))
    }
    hours[segment] = all
    return true
  }
}
