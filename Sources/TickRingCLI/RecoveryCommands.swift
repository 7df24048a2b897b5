internal import ArgumentParser
internal import CandleStore
internal import FeedControl
internal import MarketData

struct ResumeFeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "End the HALTs of a running feed: it tries again what it had given up.",
    discussion:
      "`tickring status` shows the HALTs and what else would end them. Exit code 64 when there is none.")

  @OptionGroup var options: FeedOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let answer = try options.controlClient().resume()
    if json { return try Console.json(answer) }
    for halt in answer.resumed { Console.line("resumed: \(HaltText.line(halt))") }
  }
}

struct SubscriptionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscriptions", abstract: "Show how far each subscription of a running feed has come.",
    discussion: """
      requested: the venue was not asked yet, or has to be asked again; sent: it was asked; ticking: it answers; mute: \
      it accepted, but sends nothing within the session.
      """)

  @OptionGroup var options: FeedOptions
  @Flag(help: "Only those that do not tick.") var waiting = false
  @Flag(help: "Print one JSON object a line.") var json = false

  func run() throws {
    for line in try options.controlClient().subscriptions().subscriptions {
      if waiting, line.standing == "ticking" { continue }
      if json {
        try Console.json(line)
      } else {
        Console.line(
          "\(Format.padded(line.symbol, 24)) \(Format.padded(line.mode, 6)) \(line.standing)")
      }
    }
  }
}

struct GapsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gaps", abstract: "List the outages of a feed, and what became of their minutes.")

  @OptionGroup var data: DataOptions
  @Flag(help: "Print one JSON object a line.") var json = false

  private struct Line: Encodable {
    var symbol: String
    var from: String
    var to: String?
    var cause: String
    var repair: String
    var repaired: String?
    var candles: Int
  }

  func run() throws {
    let store = try CandleStore(path: try data.candlesFile(), mode: .readOnly)
    let symbols = Dictionary(
      try store.instruments().map { ($0.id, $0.symbol.text) }, uniquingKeysWith: { $1 })
    for stored in try store.storedGaps() {
      let line = Line(
        symbol: stored.gap.instrument == .all ? "whole feed" : symbols[stored.gap.instrument] ?? "unknown",
        from: stored.gap.start.rfc3339, to: stored.gap.end?.rfc3339, cause: stored.gap.cause.name,
        repair: stored.repair.name, repaired: stored.repairTime?.rfc3339, candles: stored.candles)
      if json {
        try Console.json(line)
        continue
      }
      let end = line.to ?? "now"
      let repair =
        stored.repair == .repaired
        ? "repaired with \(line.candles) candles at \(line.repaired ?? "?")" : line.repair
      Console.line(
        "\(Format.padded(line.symbol, 12)) \(line.from) to \(end)  \(Format.padded(line.cause, 16)) \(repair)"
      )
    }
  }
}

/// HALTs as people read them.
enum HaltText {
  static func line(_ halt: HaltLine) -> String {
    "HALT of \(halt.scope)\(halt.subject.isEmpty ? "" : " \(halt.subject)"): \(halt.reason); \(halt.resume)"
  }
}
