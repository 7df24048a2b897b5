internal import MarketData

/// A quality report as a page for people.
struct QualityText {
  private(set) var text = ""

  private let report: QualityReport
  private static let labelWidth = 18

  init(_ report: QualityReport, top: Int, isDetailed: Bool) {
    self.report = report
    let subject = isDetailed ? " of \(report.instruments.first?.symbol ?? "the symbol")" : ""
    line("Quality\(subject) on \(report.weekday), \(report.date)")
    line("")
    summary()
    gaps()
    rules("Rules for ticks", report.rules, what: "ticks")
    candles()
    if isDetailed { details() } else { worst(top) }
  }

  private mutating func summary() {
    guard !report.instruments.isEmpty else {
      label(
        "nothing recorded",
        report.isOpen
          ? "the market was open" : "the market was closed" + (report.note.map { ": \($0)" } ?? ""))
      return
    }
    let sessions = report.sessions.map { "\($0.segment) \($0.start.prefix(5))-\($0.end.prefix(5))" }
    label("sessions", sessions.isEmpty ? "as the calendar has them" : sessions.joined(separator: ", "))
    if let note = report.note { label("note", note) }
    if let first = report.firstCandle, let last = report.lastCandle {
      label(
        "candles built",
        "\(Self.clock(first)) to \(Self.clock(last)), \(Self.count(report.instruments.count, "instrument"))")
    } else {
      label(
        "candles built",
        "none; \(Self.count(report.instruments.count, "instrument")) with candles of the venue")
    }
    label(
      "coverage",
      "\(Self.percent(report.coverage)) of trading time with a living feed, \(Self.count(report.gaps.count, "gap"))"
    )
    label("verdict", verdict)
  }

  /// The day in one sentence.
  private var verdict: String {
    var complaints: [String] = []
    let left = report.gaps.reduce(0) { $0 + $1.minutes - $1.minutesRepaired }
    if left > 0 { complaints.append("\(Self.count(left, "minute")) in gaps not repaired") }
    let rejected = report.rules.reduce(0) { $0 + $1.rejected }
    if rejected > 0 { complaints.append("\(Self.count(rejected, "tick")) rejected") }
    let corrected = report.rules.reduce(0) { $0 + $1.corrected }
    if corrected > 0 { complaints.append("\(Self.count(corrected, "tick")) corrected") }
    let differing = report.differences.differing
    if differing > 0 {
      complaints.append(
        "\(Self.percent(Double(differing) * 100 / Double(max(report.differences.compared, 1)))) of the candles differ "
          + "from the venue's")
    }
    return complaints.isEmpty ? "nothing to complain of" : complaints.joined(separator: ", ")
  }

  private mutating func gaps() {
    guard !report.gaps.isEmpty else { return }
    title("Gaps")
    table(
      ["scope", "from", "to", "length", "cause", "repaired"],
      report.gaps.map { gap in
        let repair =
          gap.minutes == 0
          ? "outside of trading"
          : "\(gap.repair), \(Format.count(gap.minutesRepaired)) of \(Self.count(gap.minutes, "minute"))"
        return [
          gap.scope, Self.clock(gap.start, of: report.date),
          gap.end.map { Self.clock($0, of: report.date) } ?? "still open",
          gap.seconds > 0 ? Self.length(gap.seconds) : "-", gap.cause, repair,
        ]
      })
  }

  private mutating func rules(_ name: String, _ rules: [QualityReport.Rule], what: String) {
    guard !rules.isEmpty else { return }
    title(name)
    table(
      ["rule", ">flagged", ">corrected", ">rejected", ">instruments"],
      rules.map {
        [
          $0.rule, Self.number($0.flagged), Self.number($0.corrected), Self.number($0.rejected),
          Format.count($0.instruments),
        ]
      })
    if report.quarantined > 0 {
      line(
        "  \(Self.count(report.quarantined, "record")) in quarantine: view quarantine_readable of candles.sqlite"
      )
    }
  }

  private mutating func candles() {
    guard !report.instruments.isEmpty else { return }
    title("Candles of a minute")
    let all = report.instruments
    func sum(_ value: (QualityReport.Instrument) -> Int) -> Int { all.reduce(0) { $0 + value($1) } }
    label(
      "built",
      "\(Format.count(sum(\.built))), of them \(Format.count(sum(\.partial))) partial, \(Format.count(sum(\.revised))) revised"
    )
    label("of the venue", Format.count(sum(\.venue)))
    label(
      "without a candle",
      "\(Self.count(sum(\.withoutTrade), "minute")) without a trade, \(Self.count(sum(\.withoutFeed), "minute")) without feed"
    )
    let withheld = all.reduce(0) { $0 + $1.withheldVolume }
    if withheld > 0 {
      label("in outages", "a volume of \(Format.count(withheld)) was traded, and is in no candle")
    }
    let differences = report.differences
    if differences.compared > 0 {
      label(
        "compared",
        "\(Format.count(differences.compared)) with the venue's, \(Format.count(differences.differing)) differ: open "
          + "\(Format.count(differences.open)), high \(Format.count(differences.high)), low \(Format.count(differences.low)), "
          + "close \(Format.count(differences.close)), volume \(Format.count(differences.volume))")
    }
    for rule in report.findings {
      label(rule.rule, "\(Format.count(rule.flagged)) of \(Self.count(rule.instruments, "instrument"))")
    }
  }

  private mutating func worst(_ top: Int) {
    let ranked = report.instruments.sorted { left, right in
      let (mine, other) = (Self.weight(left), Self.weight(right))
      return mine == other ? left.symbol < right.symbol : mine > other
    }
    let shown = ranked.prefix(top)
    guard !shown.isEmpty else { return }
    title(
      shown.count < ranked.count
        ? "Instruments: the \(shown.count) of \(Format.count(ranked.count)) with most to say" : "Instruments")
    table(
      [
        "symbol", ">coverage", ">built", ">venue", ">no feed", ">no trade", ">flagged", ">corrected",
        ">rejected",
        ">differ",
      ],
      shown.map {
        [
          $0.symbol, Self.percent($0.coverage), Format.count($0.built), Self.number($0.venue),
          Self.number($0.withoutFeed), Self.number($0.withoutTrade), Self.number($0.flagged),
          Self.number($0.corrected), Self.number($0.rejected), Self.number($0.differences.differing),
        ]
      })
  }

  private mutating func details() {
    guard !report.details.isEmpty else { return }
    title("Findings")
    table(
      ["minute", "candle", "rule", "finding"],
      report.details.map { [Self.clock($0.start), $0.candle ?? "none", $0.rule, $0.sentence] })
  }

  /// How much there is to say of an instrument: what is wrong for good before what was only remarked.
  private static func weight(_ instrument: QualityReport.Instrument) -> Int {
    instrument.rejected * 1000 + instrument.corrected * 1000 + instrument.withoutFeed * 100
      + instrument.differences.differing * 10 + instrument.flagged
  }

  // MARK: - Layout

  private mutating func line(_ content: String) { text += content + "\n" }

  private mutating func title(_ name: String) { text += "\n\(name)\n" }

  private mutating func label(_ name: String, _ value: String) {
    line("  \(Format.padded(name, Self.labelWidth)) \(value)")
  }

  /// Columns as wide as their widest cell; a head that begins with `>` is flush right.
  private mutating func table(_ heads: [String], _ rows: [[String]]) {
    let isRight = heads.map { $0.hasPrefix(">") }
    let names = heads.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
    let widths = names.indices.map { column in
      max(names[column].count, rows.map { $0[column].count }.max() ?? 0)
    }
    for row in [names] + rows {
      let cells = row.indices.map { column in
        if isRight[column] { return Format.leftPadded(row[column], widths[column]) }
        return column == row.count - 1 ? row[column] : Format.padded(row[column], widths[column])
      }
      line("  " + cells.joined(separator: "  "))
    }
  }

  private static func number(_ value: Int) -> String { value == 0 ? "-" : Format.count(value) }

  private static func count(_ value: Int, _ noun: String) -> String {
    "\(Format.count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  private static func percent(_ value: Double) -> String {
    // What is not all of it is never rounded up to it.
    let shown = value < 100 && value > 99.9 ? 99.9 : value
    return "\(Format.decimal(shown, 1)) %"
  }

  /// The time of day; with its date where that is another.
  private static func clock(_ time: String, of date: String? = nil) -> String {
    let clock = String(time.dropFirst(11).prefix(8))
    guard let date, !time.hasPrefix(date) else { return clock }
    return "\(time.prefix(10)) \(clock)"
  }

  private static func length(_ seconds: Double) -> String {
    switch seconds {
    case ..<60: "\(Format.decimal(seconds, 1)) s"
    case ..<3600: "\(Format.decimal(seconds / 60, 1)) min"
    default: "\(Format.decimal(seconds / 3600, 1)) h"
    }
  }
}
