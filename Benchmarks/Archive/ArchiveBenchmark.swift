internal import ArgumentParser
internal import CLinux
internal import Foundation
internal import MarketData
internal import TickArchive

/// The archive of a synthetic day beside what its users could choose instead, and replay out of it.
struct ArchiveBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract:
      "Size, writing, scanning, searching and replay of an archived day, beside Parquet, DBN and DuckDB.",
    discussion: """
      The day is made from a seed: 20 million ticks of 2000 instruments. Peers read and write the same records, one core \
      each, in a Python that `make bench-archive` sets up; one that is not there is left out, with its reason. Files are in \
      the page cache, and nothing is forced onto the device.
      """)

  @OptionGroup var size: SizeOptions
  @Option(help: "A Python that has pyarrow, databento-dbn, zstandard or duckdb.") var python: String?
  @Option(
    help:
      "Real trades as CSV, packed by gzip: a header, then receive and exchange time, symbol, price, quantity."
  )
  var trades: String?

  @Option(help: "Beside writing measure this alone: reading, recovery, backtest, peers or lane.")
  var only: ArchivePart?

  func run() throws { try Self.measure(size, python: python, trades: trades, only: only) }

  static func measure(
    _ size: SizeOptions, python: String? = nil, trades: String? = nil, only: ArchivePart? = nil
  ) throws {
    func includes(_ part: ArchivePart) -> Bool { only == nil || only == part }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tickring-archive-\(UUID())"
    ).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var report = ArchiveReport()
    // Children first: a process bound to one processor hands that down.
    let day = try ArchivedDay(size.pick(smoke: 100_000, full: 20_000_000), in: directory, &report)
    if let trades {
      try RealTrades.measure(trades, in: directory + "/real", &report)
    } else if only == nil {
      report.notes.append("size of real trades: --trades names no file")
    }
    if includes(.reading) { try day.measureReading(&report) }
    if includes(.recovery) { try day.measureRecovery(&report) }
    if includes(.backtest) { try day.measureBacktest(&report) }
    if includes(.peers) { try ArchivePeers.measure(day, python: python, directory: directory, &report) }
    if includes(.lane) { try LaneReplay.measure(day, &report) }
    try report.print(size)
  }
}

/// A part of the benchmark that can be measured by itself.
enum ArchivePart: String, CaseIterable, ExpressibleByArgument {
  case reading, recovery, backtest, peers, lane
}
