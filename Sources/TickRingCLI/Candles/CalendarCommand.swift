internal import ArgumentParser
internal import Configuration
internal import MarketData
internal import TradingCalendar

struct CalendarCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calendar",
    abstract: "When a market trades on a date: sessions and phases, holidays by name.",
    discussion: """
      The calendar is a file that ships with tickring; --print-file shows it, and --calendar replaces it.
      """)

  @OptionGroup var calendar: CalendarOptions
  @Option(help: "Segment: cash, fno, currency or commodity.") var segment = "cash"
  @Flag(help: "The hours of instruments that take part in the closing auction.") var closingAuction = false
  @Flag(help: "The next trading day after DATE, or after today.") var next = false
  @Flag(help: "Print the calendar file itself.") var printFile = false
  @Flag(help: "Print one JSON object.") var json = false
  @Argument(help: "Date, as in 2026-11-23; today unless given.") var date: String?

  func run() throws {
    if printFile {
      Console.write(TradingCalendar.shippedText)
      return
    }
    let loaded = try calendar.load()
    let group = MarketGroup(try MarketSegment(named: segment), hasClosingAuction: closingAuction)
    let asked = try CivilTime.parseDay(date, option: "the date") ?? CivilTime(.wallClock()).dayNumber
    let day =
      next ? try loaded.nextTradingDay(after: asked, of: group) : try loaded.tradingDay(asked, of: group)
    let line = DayLine(day, group: group, file: loaded.file)
    if json { return try Console.json(line) }
    for text in line.text { Console.line(text) }
  }
}

extension MarketSegment {
  /// A segment from the command line.
  init(named name: String) throws(Fault) {
    guard let segment = MarketSegment(rawValue: name) else {
      let all = Self.allCases.map(\.rawValue)
      let near = nearest(to: name, among: all, count: 1).first.map { "; did you mean \($0)?" } ?? ""
      throw Fault(
        .usage, "there is no segment '\(name)'; choose one of \(all.joined(separator: ", "))\(near)")
    }
    self = segment
  }
}

/// Which calendar a command uses.
struct CalendarOptions: ParsableArguments {
  @Option(help: "Calendar file in place of the shipped one.") var calendar: String?

  func load() throws(Fault) -> TradingCalendar {
    guard let calendar else { return .shipped }
    return try TradingCalendar.load(path: calendar)
  }
}

extension CivilTime {
  /// The day number of a date from the command line.
  static func parseDay(_ text: String?, option: String) throws(Fault) -> Int? {
    guard let text else { return nil }
    guard let day = CivilTime.dayNumber(date: text) else {
      throw Fault(.usage, "\(option) '\(text)' is not a date, as in 2026-11-23")
    }
    return day
  }
}

/// A day of the calendar for output.
private struct DayLine: Encodable {
  struct Phase: Encodable {
    var phase: String
    var start: String
    var end: String
  }

  struct Session: Encodable {
    var name: String
    var phases: [Phase]
  }

  var date: String
  var weekday: String
  var segment: String
  var closingAuction: Bool
  var open: Bool
  var note: String?
  var sessions: [Session]
  var file: String

  enum CodingKeys: String, CodingKey {
    case date, weekday, segment, open, note, sessions, file
    case closingAuction = "closing_auction"
  }

  private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  init(_ day: TradingDay, group: MarketGroup, file: String) {
    let civil = CivilTime(dayNumber: day.dayNumber)
    date = civil.dateText
    weekday = Self.weekdays[civil.isoWeekday - 1]
    segment = group.segment.rawValue
    closingAuction = group.hasClosingAuction
    open = day.isOpen
    note = day.note
    sessions = day.sessions.map { session in
      Session(
        name: session.name,
        phases: session.phases.map {
          Phase(phase: $0.phase.rawValue, start: $0.start.rfc3339, end: $0.end.rfc3339)
        })
    }
    self.file = file
  }

  var text: [String] {
    let head = "\(date) \(weekday)  \(segment)  \(open ? "open" : "closed")\(note.map { ": \($0)" } ?? "")"
    return [head]
      + sessions.flatMap { session in
        session.phases.map { phase in
          let hours = "\(phase.start.dropFirst(11).prefix(5))-\(phase.end.dropFirst(11).prefix(5))"
          return "  \(hours)  \(Format.padded(phase.phase, 16))\(session.name)"
        }
      }
  }
}
