internal import CandleStore
internal import MarketData
internal import TickQuality
internal import TradingCalendar

/// Reads one day out of a store, instrument by instrument.
struct DayReader {
  let day: Int
  let start: Timestamp
  let end: Timestamp
  /// The sessions as they were when the day was recorded.
  private(set) var stored: [StoredSession] = []
  /// When anything was built, first and last.
  private(set) var first: Timestamp?
  private(set) var last: Timestamp?
  private(set) var details: [QualityReport.Finding] = []

  private let store: CandleStore
  private let schedule: TradingCalendar
  private let rules: [ChosenCandleRule]
  private var outages: [FeedGap] = []
  private var repairStates: [FeedGap: GapRepairState] = [:]
  private var counts: [InstrumentID: [QualityCount]] = [:]
  private var withheld: [InstrumentID: Int64] = [:]
  private var repairs: [FeedGap: (minutes: Int, repaired: Int)] = [:]
  private let now: Timestamp

  init(
    day: Int, store: CandleStore, schedule: TradingCalendar, rules: [ChosenCandleRule],
    now: Timestamp = .wallClock()
  ) {
    self.day = day
    self.store = store
    self.schedule = schedule
    self.rules = rules
    self.now = now
    start = CivilTime(dayNumber: day).timestamp()
    end = CivilTime(dayNumber: day + 1).timestamp()
  }

  /// Reads what concerns all instruments.
  mutating func load() throws(Fault) {
    stored = try store.sessions(days: day...day)
    let (start, end) = (start, end)
    let gaps = try store.storedGaps().filter { $0.gap.start < end && ($0.gap.end ?? end) > start }
    outages = gaps.map(\.gap)
    repairStates = Dictionary(gaps.map { ($0.gap, $0.repair) }, uniquingKeysWith: { _, last in last })
    counts = Dictionary(grouping: try store.qualityCounts(day: day), by: \.instrument)
    withheld = try store.withheldVolumes(from: start, to: end)
  }

  /// What can be said of an instrument; nil when nothing of it was recorded, built or fetched on the day.
  mutating func report(of instrument: Instrument) throws(Fault) -> QualityReport.Instrument? {
    let built = try store.candles(
      of: instrument.id, interval: .minute, from: start, to: end, origin: .built)
    let venue = try store.candles(
      of: instrument.id, interval: .minute, from: start, to: end, origin: .venue)
    let counts = counts[instrument.id] ?? []
    guard !built.isEmpty || !venue.isEmpty || !counts.isEmpty else { return nil }
    if let candle = built.first { first = min(first ?? candle.start, candle.start) }
    if let candle = built.last { last = max(last ?? candle.start, candle.start) }

    let gaps = outages.filter { $0.instrument == .all || $0.instrument == instrument.id }
    let candles = CandleDay(
      built: built, venue: venue.filter { $0.state.rawValue >= CandleState.final.rawValue },
      sessions: try sessions(of: instrument.symbol),
      outages: gaps.map { $0.start..<max($0.start, $0.end ?? end) })
    let expected = candles.expectedMinutes
    let ours = Set(built.map(\.start))
    let theirs = Set(candles.venue.map(\.start))
    var entry = QualityReport.Instrument(
      symbol: instrument.symbol.text, coverage: Self.coverage(candles), minutes: expected.count,
      built: built.count, venue: venue.count)
    for minute in expected where !ours.contains(minute) && !theirs.contains(minute) {
      if candles.hadOutage(inMinuteFrom: minute) { entry.withoutFeed += 1 } else { entry.withoutTrade += 1 }
    }
    note(repairs: gaps, expected, theirs)
    entry.partial = built.count { $0.flags.contains(.partial) }
    entry.revised = built.count { $0.revision > 0 }
    entry.withheldVolume = withheld[instrument.id] ?? 0
    entry.rules = counts.map {
      QualityReport.Rule(
        rule: $0.rule, flagged: $0.flagged, corrected: $0.corrected, rejected: $0.rejected, instruments: 1)
    }
    let findings = rules.findings(in: candles)
    for finding in findings { entry.findings[finding.rule, default: 0] += 1 }
    details += findings.map {
      QualityReport.Finding(
        symbol: instrument.symbol.text, rule: $0.rule, start: $0.start.rfc3339,
        candle: $0.origin.map { "\($0)" },
        sentence: $0.sentence)
    }
    entry.differences = Self.differences(candles)
    return entry
  }

  /// The day's outages with what became of their minutes, once every instrument has been read.
  func gaps(names: [InstrumentID: String], only symbol: String?) -> [QualityReport.Gap] {
    let concerned = outages.filter {
      symbol == nil || $0.instrument == .all || names[$0.instrument] == symbol
    }
    return Self.grouped(concerned).map { group in
      let gap = group[0]
      let known = group.reduce((minutes: 0, repaired: 0)) { sum, gap in
        let known = repairs[gap] ?? (0, 0)
        return (sum.minutes + known.minutes, sum.repaired + known.repaired)
      }
      let single =
        gap.instrument == .all
        ? "whole feed" : names[gap.instrument] ?? "instrument \(gap.instrument.rawValue)"
      return QualityReport.Gap(
        scope: group.count == 1 ? single : "\(group.count) instruments",
        start: gap.start.rfc3339, end: gap.end?.rfc3339,
        seconds: Double(max((gap.end ?? min(end, now)) - gap.start, 0)) / 1e9, cause: gap.cause.name,
        minutes: known.minutes,
        minutesRepaired: known.repaired, repair: (repairStates[gap] ?? .pending).name)
    }
  }

  /// Puts together what one lost connection carried.
  private static func grouped(_ gaps: [FeedGap]) -> [[FeedGap]] {
    var groups: [[FeedGap]] = []
    for gap in gaps {
      if let last = groups.last?[0], last.instrument != .all, gap.instrument != .all, last.start == gap.start,
        last.end == gap.end, last.cause == gap.cause
      {
        groups[groups.count - 1].append(gap)
      } else {
        groups.append([gap])
      }
    }
    return groups
  }

  private mutating func note(repairs gaps: [FeedGap], _ expected: [Timestamp], _ venue: Set<Timestamp>) {
    for gap in gaps {
      let touched = expected.filter { $0 < gap.end ?? end && $0 + Interval.minute.nanoseconds > gap.start }
      let before = repairs[gap] ?? (0, 0)
      repairs[gap] = (before.minutes + touched.count, before.repaired + touched.count { venue.contains($0) })
    }
  }

  /// Continuous trading, as far as it is over: as it was kept when the day was recorded, else by the calendar.
  private func sessions(of symbol: Symbol) throws(Fault) -> [Range<Timestamp>] {
    guard let segment = MarketSegment(exchange: symbol.exchange) else { return [] }
    // A day that is still running is looked at up to its last complete minute.
    let minute = Interval.minute.nanoseconds
    let known = stored.filter { $0.segment == segment.rawValue }.map { ($0.start, $0.end) }
    let spans =
      known.isEmpty
      ? try schedule.tradingDay(day, of: MarketGroup(segment)).sessions.map { ($0.start, $0.end) } : known
    let reach = last.map { max($0 + minute, min(now, end)) } ?? min(now, end)
    let limit = Timestamp(nanoseconds: reach.nanoseconds / minute * minute)
    return spans.compactMap { from, to in
      let upper = min(to, limit)
      return from < upper ? from..<upper : nil
    }
  }

  /// Percent of the sessions outside of all outages.
  private static func coverage(_ day: CandleDay) -> Double {
    var total: Int64 = 0
    var lost: Int64 = 0
    for session in day.sessions {
      total += session.upperBound - session.lowerBound
      var cursor = session.lowerBound
      for outage in day.outages.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        let from = max(cursor, outage.lowerBound)
        let to = min(session.upperBound, outage.upperBound)
        guard from < to else { continue }
        lost += to - from
        cursor = to
      }
    }
    return total == 0 ? 100 : Double(total - lost) * 100 / Double(total)
  }

  private static func differences(_ day: CandleDay) -> QualityReport.Differences {
    var differences = QualityReport.Differences()
    let venue = Dictionary(day.venue.map { ($0.start, $0) }, uniquingKeysWith: { _, last in last })
    for ours in day.built {
      guard let theirs = venue[ours.start] else { continue }
      differences.compared += 1
      let before =
        differences.open + differences.high + differences.low + differences.close + differences.volume
      if ours.open != theirs.open { differences.open += 1 }
      if ours.high != theirs.high { differences.high += 1 }
      if ours.low != theirs.low { differences.low += 1 }
      if ours.close != theirs.close { differences.close += 1 }
      if ours.volume != theirs.volume { differences.volume += 1 }
      let after =
        differences.open + differences.high + differences.low + differences.close + differences.volume
      if after > before { differences.differing += 1 }
    }
    return differences
  }
}
