import Foundation
import Testing

/// `tickring query candles`: what is stored, rolled up, and what is said of a range in which there can be nothing.
@Suite struct QueryCandlesTests {
  private let directory: TemporaryDirectory

  /// Half an hour of minutes from 09:15, a lot traded in each.
  init() throws {
    directory = try TemporaryDirectory()
    let rows = (15..<45).map { "2026-11-23T09:\($0):00+05:30,100,101,99,100.5,10" }
    let file = try directory.write(
      (["timestamp,open,high,low,close,volume"] + rows).joined(separator: "\n") + "\n", to: "minutes.csv")
    let imported = try Tool.run(
      ["import", "candles", "--data", directory.path + "/data", "--instrument", "NSE:A", file])
    try #require(imported.code == 0, "\(imported)")
  }

  private func query(_ options: String...) throws -> Tool.Outcome {
    try Tool.run(["query", "candles", "NSE:A", "--data", directory.path + "/data"] + options)
  }

  @Test func longerCandlesAreRolledUpFromTheSessionsStart() throws {
    let quarters = try query("--interval", "15m")
    #expect(quarters.code == 0, "\(quarters)")
    let lines = quarters.output.split(separator: "\n")
    #expect(lines.map { $0.prefix(16) } == ["2026-11-23T09:15", "2026-11-23T09:30"])
    #expect(lines.allSatisfy { $0.contains(" 150  final") }, "\(quarters)")
    let last = try query("--interval", "10m", "--last", "1")
    #expect(last.output.hasPrefix("2026-11-23T09:35") && last.output.contains(" 100  "), "\(last)")
    let unknown = try query("--interval", "7m")
    #expect(unknown.code == 64 && unknown.errors.contains("choose one of 1m, 3m, 5m"), "\(unknown)")
  }

  /// A Saturday on which the exchange moved to its second site at noon.
  @Test func eachOfTwoSessionsOfADayIsAnAnchor() throws {
    let minutes = (15..<60).map { "09:\($0)" } + (30..<60).map { "11:\($0)" } + (10..<30).map { "12:\($0)" }
    let rows = minutes.map { "2024-03-02T\($0):00+05:30,100,101,99,100.5,10" }
    let file = try directory.write(
      (["timestamp,open,high,low,close,volume"] + rows).joined(separator: "\n") + "\n", to: "saturday.csv")
    #expect(
      try Tool.run(
        ["import", "candles", "--data", directory.path + "/data", "--instrument", "NSE:A", file]
      ).code == 0)
    for (interval, expected) in [
      ("60m", ["09:15:00 450", "11:30:00 500"]), ("1d", ["09:15:00 950"]),
      ("30m", ["09:15:00 300", "09:45:00 150", "11:30:00 300", "12:00:00 200"]),
    ] {
      let found = try query("--interval", interval, "--from", "2024-03-02", "--to", "2024-03-02", "--json")
      let candles = try found.output.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      let told = candles.map { candle in
        "\((candle["start"] as? String ?? "").dropFirst(11).prefix(8)) \(candle["volume"] ?? "")"
      }
      #expect(told == expected, "\(found)")
    }
  }

  @Test func aRangeThatRunsBackwardsOrLiesOutsideTheDataIsOneSentence() throws {
    let backwards = try query("--from", "2026-11-24", "--to", "2026-11-23")
    #expect(backwards.code == 64 && backwards.errors.contains("--from must lie before --to"), "\(backwards)")
    for day in ["2020-01-01", "2031-01-01"] {
      let outside = try query("--from", day, "--to", day)
      #expect(outside.code == 66 && outside.output.isEmpty, "\(outside)")
      #expect(
        outside.errors.contains("from 2026-11-23T09:15:00+05:30 to 2026-11-23T09:44:00+05:30"), "\(outside)")
    }
    let both = try query("--last", "3", "--from", "2026-11-23")
    #expect(both.code == 64, "\(both)")
    // A stretch inside the data without a candle is an answer, not a mistake.
    let between = try query("--from", "2026-11-23T09:16:01+05:30", "--to", "2026-11-23T09:16:30+05:30")
    #expect(between.code == 0 && between.output.isEmpty, "\(between)")
  }
}
