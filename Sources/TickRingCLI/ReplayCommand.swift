internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import Foundation
internal import MarketData

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract:
      "Read archived ticks back in their order, rebuild the candles, and print the stream's fingerprint.",
    discussion: """
      The same range gives the same fingerprint. With --check the rebuilt candles are compared with those in \
      SQLite, which must agree bit for bit; exit code 1 when they do not.
      """)

  @OptionGroup var data: DataOptions
  @OptionGroup var range: RangeOptions
  @Option(help: "Name of the feed; may be left out with --config.") var feed: String?
  @Flag(help: "Compare the rebuilt candles with those in SQLite.") var check = false
  @Flag(help: "Print the rebuilt candles, oldest first.") var candles = false
  @Flag(help: "Print JSON.") var json = false

  private struct Answer: Encodable {
    var records: UInt64
    var ticks: UInt64
    var seconds: Double
    var hash: String
    var candles: Int
    var candlesDiffering: Int?

    enum CodingKeys: String, CodingKey {
      case records, ticks, seconds, hash, candles
      case candlesDiffering = "candles_differing"
    }
  }

  func validate() throws {
    guard !check || (range.from == nil && range.to == nil) else {
      throw ValidationError("--check compares everything: leave --from and --to out")
    }
  }

  func run() throws {
    let (from, to) = try range.parse()
    let settings = try data.config.map { path throws(Fault) in try loadConfiguration(path) }
    let started = Timestamp.wallClock()
    let replay = try ArchiveReplay(
      directory: data.archiveDirectory(), feed: feed ?? settings?.feed, from: from, to: to,
      graceNanoseconds: settings.map { Int64($0.candles.graceMilliseconds) * 1_000_000 })
    let seconds = Double(Timestamp.wallClock() - started) / 1e9
    let differing = check ? try countDifferences(replay) : nil
    if candles {
      for candle in replay.candles.values.sorted(by: Self.isBefore) {
        if Console.isClosed { return }
        Console.line("\(Format.leftPadded("\(candle.instrument.rawValue)", 6))  \(Format.candle(candle))")
      }
    }
    let answer = Answer(
      records: replay.records, ticks: replay.ticks, seconds: seconds, hash: replay.hash.text,
      candles: replay.candles.count, candlesDiffering: differing)
    if json {
      try Console.json(answer)
    } else {
      Console.line(
        "\(Format.count(answer.records)) records, \(Format.count(answer.ticks)) ticks in "
          + "\(Format.decimal(seconds, 2)) s; fingerprint \(answer.hash); \(Format.count(answer.candles)) candles"
      )
      if let differing { Console.line("\(differing) candles differ from those in SQLite") }
    }
    guard differing ?? 0 == 0 else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }

  private func countDifferences(_ replay: ArchiveReplay) throws(Fault) -> Int {
    let store = try CandleStore(path: data.candlesFile(), mode: .readOnly)
    var unmatched = replay.candles
    var differing = 0
    try store.forEachCandle(origin: .built) { candle in
      if unmatched.removeValue(forKey: CandleKey(candle)) != candle { differing += 1 }
    }
    return differing + unmatched.count
  }

  private static func isBefore(_ left: Candle, _ right: Candle) -> Bool {
    (left.start, left.instrument) < (right.start, right.instrument)
  }
}
