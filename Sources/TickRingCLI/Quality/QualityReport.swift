internal import CandleStore
internal import Configuration
internal import MarketData
internal import TickQuality
internal import TradingCalendar

/// What the store knows of one day's quality, put together for output. The words of its JSON are a promise.
struct QualityReport: Encodable {
  struct Session: Encodable {
    var segment: String
    var start: String
    var end: String
    var source: String
  }

  struct Gap: Encodable {
    /// The symbol, or `whole feed`.
    var scope: String
    var start: String
    var end: String?
    var seconds: Double
    var cause: String
    /// Minutes of continuous trading that it touched, of all instruments concerned.
    var minutes: Int
    /// Of these, minutes in which a candle of the venue stands.
    var minutesRepaired: Int
    /// What became of its repair: `pending`, `repaired`, `given up` or `not needed`.
    var repair: String

    enum CodingKeys: String, CodingKey {
      case scope, start, end, seconds, cause, minutes, repair
      case minutesRepaired = "minutes_repaired"
    }
  }

  struct Rule: Encodable {
    var rule: String
    var flagged = 0
    var corrected = 0
    var rejected = 0
    var instruments = 0
  }

  struct Finding: Encodable {
    var symbol: String
    var rule: String
    var start: String
    var candle: String?
    var sentence: String
  }

  struct Differences: Encodable {
    /// Minutes of which there is a candle of ours and the venue's.
    var compared = 0
    /// Of these, minutes in which something differs.
    var differing = 0
    var open = 0
    var high = 0
    var low = 0
    var close = 0
    var volume = 0

    mutating func add(_ other: Differences) {
      compared += other.compared
      differing += other.differing
      open += other.open
      high += other.high
      low += other.low
      close += other.close
      volume += other.volume
    }
  }

  struct Instrument: Encodable {
    var symbol: String
    /// Percent of continuous trading with a living feed.
    var coverage: Double
    var minutes: Int
    var built: Int
    var venue: Int
    /// Minutes that touch an outage and for which no candle of anybody stands.
    var withoutFeed = 0
    /// Minutes with a living feed in which nobody has a candle.
    var withoutTrade = 0
    var partial = 0
    var revised = 0
    var withheldVolume: Int64 = 0
    var rules: [Rule] = []
    var findings: [String: Int] = [:]
    var differences = Differences()

    enum CodingKeys: String, CodingKey {
      case symbol, coverage, minutes, built, venue, partial, revised, rules, findings, differences
      case withoutFeed = "without_feed"
      case withoutTrade = "without_trade"
      case withheldVolume = "withheld_volume"
    }

    var flagged: Int { rules.reduce(0) { $0 + $1.flagged } }
    var corrected: Int { rules.reduce(0) { $0 + $1.corrected } }
    var rejected: Int { rules.reduce(0) { $0 + $1.rejected } }
    var found: Int { findings.values.reduce(0, +) }
  }

  var date: String
  var weekday: String
  var isOpen: Bool
  var note: String?
  var sessions: [Session] = []
  /// From the first to the last candle built.
  var firstCandle: String?
  var lastCandle: String?
  /// Percent of the instruments' continuous trading with a living feed.
  var coverage = 100.0
  var gaps: [Gap] = []
  var rules: [Rule] = []
  var findings: [Rule] = []
  var differences = Differences()
  var quarantined = 0
  var instruments: [Instrument] = []
  /// Each finding; only of a single instrument.
  var details: [Finding] = []

  enum CodingKeys: String, CodingKey {
    case date, weekday, note, sessions, coverage, gaps, rules, findings, differences, quarantined,
      instruments, details
    case isOpen = "open"
    case firstCandle = "first_candle"
    case lastCandle = "last_candle"
  }

  private static let weekdays = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// Puts the report of a day together.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the store does not know, what the store throws, and what the
  ///   calendar throws for a day that it does not know.
  init(
    of day: Int, in store: CandleStore, schedule: TradingCalendar, rules: [ChosenCandleRule],
    only symbol: String?
  ) throws(Fault) {
    let civil = CivilTime(dayNumber: day)
    date = civil.dateText
    weekday = Self.weekdays[civil.isoWeekday - 1]
    let known = try store.instruments()
    if let symbol, !known.contains(where: { $0.symbol.text == symbol }) {
      let near = nearest(to: symbol, among: known.map(\.symbol.text), count: 3)
      let hint = near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"
      throw Fault(.usage, "the store knows no symbol '\(symbol)'\(hint)")
    }
    var reader = DayReader(day: day, store: store, schedule: schedule, rules: rules)
    let cash = try schedule.tradingDay(day, of: MarketGroup(.cash))
    note = cash.note
    try reader.load()
    sessions = reader.stored.map {
      Session(
        segment: $0.segment, start: String(CivilTime($0.start).timeText),
        end: String(CivilTime($0.end).timeText),
        source: $0.source)
    }
    isOpen = cash.isOpen || !reader.stored.isEmpty
    let wanted = known.filter { symbol == nil || $0.symbol.text == symbol }
    for instrument in wanted {
      guard let entry = try reader.report(of: instrument) else { continue }
      instruments.append(entry)
      differences.add(entry.differences)
    }
    details = symbol == nil ? [] : reader.details
    gaps = reader.gaps(
      names: Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0.symbol.text) }), only: symbol)
    self.rules = Self.sum(instruments.map(\.rules))
    findings = Self.sum(
      instruments.map { $0.findings.map { Rule(rule: $0.key, flagged: $0.value) } })
    let total = instruments.reduce(0) { $0 + $1.minutes }
    if total > 0 {
      coverage = instruments.reduce(0) { $0 + $1.coverage * Double($1.minutes) } / Double(total)
    }
    quarantined = try store.quarantined(from: reader.start, to: reader.end).count
    firstCandle = reader.first?.rfc3339
    lastCandle = reader.last?.rfc3339
  }

  private static func sum(_ lists: [[Rule]]) -> [Rule] {
    var sums: [String: Rule] = [:]
    for rule in lists.joined() {
      var sum = sums[rule.rule] ?? Rule(rule: rule.rule)
      sum.flagged += rule.flagged
      sum.corrected += rule.corrected
      sum.rejected += rule.rejected
      sum.instruments += 1
      sums[rule.rule] = sum
    }
    return sums.values.sorted {
      ($0.flagged + $0.rejected + $0.corrected, $1.rule) > ($1.flagged + $1.rejected + $1.corrected, $0.rule)
    }
  }
}
