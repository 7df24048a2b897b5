internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import Foundation
internal import MarketData

/// `tickring store`: looks after the candles' database.
struct StoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Look after the candles' database.",
    subcommands: [Check.self, Stats.self, Vacuum.self, Prune.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "Read every page and every row; exit code 1 when anything is wrong.")

    @OptionGroup var data: DataOptions
    @Flag(help: "Print JSON.") var json = false

    private struct Report: Encodable {
      var candles: Int
      var problems: [String]
    }

    func run() throws {
      let path = try data.candlesFile()
      let check = try CandleStore(path: path, mode: .readOnly).check()
      if json {
        try Console.json(Report(candles: check.candles, problems: check.problems))
      } else {
        for problem in check.problems { Console.line(problem) }
        Console.line(
          "\(path): \(Format.count(check.candles)) candles, \(check.isSound ? "sound" : "NOT SOUND")")
      }
      if !check.isSound {
        throw Fault(.checkFailed, "'\(path)' is damaged: \(CandleStore.damageRemedy)")
      }
    }
  }

  struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "stats", abstract: "How much of what the store holds.")

    @OptionGroup var data: DataOptions
    @Flag(help: "Print one JSON object a line.") var json = false

    private struct Line: Encodable {
      var interval: String
      var origin: String
      var candles: Int
      var instruments: Int
      var first: String
      var last: String
    }

    private struct Total: Encodable {
      var bytes: Int
      var freeBytes: Int
      var rows: [String: Int]

      enum CodingKeys: String, CodingKey {
        case bytes, rows
        case freeBytes = "free_bytes"
      }
    }

    func run() throws {
      let statistics = try CandleStore(path: data.candlesFile(), mode: .readOnly).statistics()
      for series in statistics.series {
        if json {
          try Console.json(
            Line(
              interval: series.interval.description, origin: "\(series.origin)", candles: series.candles,
              instruments: series.instruments, first: series.first.rfc3339, last: series.last.rfc3339))
        } else {
          Console.line(
            "\(Format.padded(series.interval.description, 6))\(Format.padded("\(series.origin)", 10))"
              + "\(Format.leftPadded(Format.count(series.candles), 14)) candles of "
              + "\(Format.count(series.instruments)) instruments, \(series.first.rfc3339) to \(series.last.rfc3339)"
          )
        }
      }
      if json {
        return try Console.json(
          Total(bytes: statistics.bytes, freeBytes: statistics.freeBytes, rows: statistics.rows))
      }
      let rows = statistics.rows.sorted { $0.key < $1.key }.map { "\(Format.count($0.value)) \($0.key)" }
      Console.line(rows.joined(separator: ", "))
      Console.line(
        "\(Format.count(statistics.bytes / 1024)) KiB, \(Format.count(statistics.freeBytes / 1024)) KiB of it empty"
      )
    }
  }

  struct Vacuum: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "vacuum", abstract: "Write the file anew without its holes; best while no feed runs.")

    @OptionGroup var data: DataOptions

    func run() throws {
      let path = try data.candlesFile()
      let store = try StoreCommand.existing(path)
      let before = try store.statistics().bytes
      try store.vacuum()
      Console.line(
        "\(path): \(Format.count(before / 1024)) KiB before, \(Format.count(try store.statistics().bytes / 1024)) after"
      )
      try store.close()
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune",
      abstract:
        "Delete candles older than the configuration's section `store` allows; nothing where it says nothing."
    )

    @Option(help: "Configuration file of the feed.") var config: String

    func run() throws {
      let configuration = try loadConfiguration(config)
      let path = configuration.dataDirectory + "/candles.sqlite"
      let store = try StoreCommand.existing(path)
      let deleted = try store.prune(
        CandleRetention(
          minuteDays: configuration.store.minuteDays, longerDays: configuration.store.longerDays),
        now: .wallClock())
      Console.line("\(path): \(Format.count(deleted)) candles deleted")
      try store.close()
    }
  }

  /// Opens a store for writing that must be there already.
  fileprivate static func existing(_ path: String) throws(Fault) -> CandleStore {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Fault(.missingInput, "there is no candle store at '\(path)'; a recording run creates it")
    }
    return try CandleStore(path: path, mode: .readWrite)
  }
}
