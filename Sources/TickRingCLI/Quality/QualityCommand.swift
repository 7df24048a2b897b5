internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import Foundation
internal import MarketData
internal import TickQuality
internal import TradingCalendar

struct QualityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quality",
    abstract: "What can be said of the recorded data: coverage, gaps, flags, disagreements.",
    subcommands: [Report.self, Rules.self])

  struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "report", abstract: "The quality of one day, in sum and by instrument.",
      discussion: """
        Coverage is the share of continuous trading, by the calendar, in which the feed was alive. A gap is repaired as \
        far as candles of the venue stand in its minutes. Differences are those between the candles built here and the \
        venue's own. Exit code 0, whatever the report says.
        """)

    @OptionGroup var data: DataOptions
    @OptionGroup var calendar: CalendarOptions
    @Option(help: "Date, as in 2026-11-23; today unless given.") var date: String?
    @Option(help: "Only this symbol, with each finding.") var symbol: String?
    @Option(help: "Instruments listed, those with most to say first.") var top = 20
    @Flag(help: "Print one JSON object with every instrument.") var json = false

    func validate() throws {
      guard top >= 0 else { throw ValidationError("--top must not be negative") }
    }

    func run() throws {
      let day = try CivilTime.parseDay(date, option: "--date") ?? CivilTime(.wallClock()).dayNumber
      let configuration = try data.config.map(loadConfiguration)
      let path = calendar.calendar ?? configuration?.calendarFile
      let schedule = try path.map { (path) throws(Fault) in try TradingCalendar.load(path: path) } ?? .shipped
      let rules = try CandleRuleCatalogue.make(
        configuration?.quality.candleRules ?? CandleRuleCatalogue.standard)
      let store = try CandleStore(path: data.candlesFile(), mode: .readOnly)
      let report = try QualityReport(of: day, in: store, schedule: schedule, rules: rules, only: symbol)
      if json { return try Console.json(report) }
      Console.write(QualityText(report, top: top, isDetailed: symbol != nil).text)
    }
  }

  struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rules", abstract: "Every quality rule: what it finds, what it can do, what can be tuned.")

    func run() {
      Console.line("for ticks, under quality.rules, in the order in which they judge by default:")
      for rule in RuleCatalogue.all { line(rule.name, rule.purpose, rule.canCorrect, rule.parameters) }
      Console.line("\nfor minute candles, under quality.candle_rules:")
      for rule in CandleRuleCatalogue.all { line(rule.name, rule.purpose, false, rule.parameters) }
    }

    private func line(_ name: String, _ purpose: String, _ canCorrect: Bool, _ parameters: [RuleParameter]) {
      let tuning = parameters.map {
        "\($0.name) \($0.bounds.lowerBound) to \($0.bounds.upperBound), usually \($0.standard)"
      }.joined(separator: "; ")
      Console.line(
        "  \(Format.padded(name, 19))\(purpose)\(canCorrect ? "; can correct" : "")"
          + (tuning.isEmpty ? "" : "\n  \(Format.padded("", 19))\(tuning)"))
    }
  }
}
