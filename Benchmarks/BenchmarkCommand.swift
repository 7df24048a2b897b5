internal import ArgumentParser
internal import Foundation
internal import MarketData

/// `tickring-bench`: every number that README.md claims, rerun. Each benchmark prints what it compares itself with
/// in the same run, and a checksum, so that the work can be neither optimised nor edited away.
@main
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tickring-bench", abstract: "Measure TickRing on this machine.",
    subcommands: [
      AllBenchmarks.self, AllocationBenchmark.self, IngestBenchmark.self, RingBenchmark.self,
      RingPartCommand.self,
      StageBenchmark.self, ArchiveBenchmark.self, StoreBenchmark.self, SeriesBenchmark.self,
      HandlerBenchmark.self, DecodeBenchmark.self, BackfillBenchmark.self, ConnectionsBenchmark.self,
      LatencyBenchmark.self,
    ],
    defaultSubcommand: AllBenchmarks.self)
}

/// How much work a benchmark does: little in a test, which only shows that it still runs.
struct SizeOptions: ParsableArguments {
  @Flag(help: "Do little: for the tests, which only show that the benchmarks still run.") var smoke = false
  @Flag(help: "Print one JSON object a line.") var json = false

  func pick<Value>(smoke small: Value, full: Value) -> Value { smoke ? small : full }
}

struct AllBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "all", abstract: "Run every benchmark.")

  @OptionGroup var size: SizeOptions

  func run() throws {
    if !size.json { print(Machine.description) }
    try StageBenchmark.measure(size)
    try DecodeBenchmark.measure(size)
    try ArchiveBenchmark.measure(size)
    try StoreBenchmark.measure(size)
    try SeriesBenchmark.measure(size)
    try HandlerBenchmark.measure(size)
    try BackfillBenchmark.measure(size)
    try AllocationBenchmark.measure(size)
    try IngestBenchmark.measure(size)
    // The last, since it binds this process to a processor.
    try LatencyBenchmark.measure(size)
  }
}

/// The machine, which every result names.
enum Machine {
  static var description: String {
    let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
      .split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return "machine: \(cpu ?? "unknown processor"), \(cores) cores, "
      + "\(ProcessInfo.processInfo.physicalMemory >> 30) GiB"
  }
}

/// One measured figure.
struct Measurement: Encodable {
  var name: String
  var value: Double
  var unit: String
  /// What it is compared with in the same run, if anything.
  var comparison: String?
  var checksum: UInt64

  func report(_ size: SizeOptions) throws {
    if size.json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      print(String(decoding: try encoder.encode(self), as: UTF8.self))
    } else {
      let text = String(format: "%12.2f", value)
      print("\(text) \(unit)  \(name)\(comparison.map { "  (\($0))" } ?? "")  [\(checksum)]")
    }
  }

  /// The median of several runs of `body`, each of which returns nanoseconds.
  static func median(runs: Int, _ body: () throws -> Double) rethrows -> Double {
    var values: [Double] = []
    for _ in 0..<runs { values.append(try body()) }
    return values.sorted()[values.count / 2]
  }
}
