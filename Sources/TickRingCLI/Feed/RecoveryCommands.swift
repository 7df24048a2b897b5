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
    for group in json ? try store.storedGaps().map({ [$0] }) : Self.grouped(try store.storedGaps()) {
      let stored = group[0]
      let single =
        stored.gap.instrument == .all ? "whole feed" : symbols[stored.gap.instrument] ?? "unknown"
      let line = Line(
        symbol: group.count == 1 ? single : "\(group.count) instruments",
        from: stored.gap.start.rfc3339, to: stored.gap.end?.rfc3339, cause: stored.gap.cause.name,
        repair: stored.repair.name, repaired: stored.repairTime?.rfc3339,
        candles: group.reduce(0) { $0 + $1.candles })
      if json {
        try Console.json(line)
        continue
      }
      let end = line.to ?? "now"
      let repair =
        stored.repair == .repaired
        ? "repaired with \(line.candles) candles at \(line.repaired ?? "?")" : line.repair
      Console.line(
        "\(Format.padded(line.symbol, 16)) \(line.from) to \(end)  \(Format.padded(line.cause, 16)) \(repair)"
      )
    }
  }

  /// What one lost connection carried is one line for people.
  private static func grouped(_ gaps: [StoredGap]) -> [[StoredGap]] {
    var groups: [[StoredGap]] = []
    for gap in gaps {
      if let last = groups.last?.last, last.gap.instrument != .all, gap.gap.instrument != .all,
        last.gap.start == gap.gap.start, last.gap.end == gap.gap.end, last.gap.cause == gap.gap.cause,
        last.repair == gap.repair
      {
        groups[groups.count - 1].append(gap)
      } else {
        groups.append([gap])
      }
    }
    return groups
  }
}

/// HALTs as people read them.
enum HaltText {
  static func line(_ halt: HaltLine) -> String {
    "HALT of \(halt.scope)\(halt.subject.isEmpty ? "" : " \(halt.subject)"): \(halt.reason); \(halt.resume)"
  }
}
