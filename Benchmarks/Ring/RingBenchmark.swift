internal import ArgumentParser
internal import Foundation
internal import MarketData

/// Lanes between two processes, beside other rings, a socket, and what the machine itself can do.
struct RingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ring",
    abstract: "Latency and throughput of lanes, beside other rings and the machine's limits.",
    discussion: """
      Every measure runs in two processes pinned to two processors, repetition by repetition, ours and the others' in
      turn. Before and after each run one cache line is bounced between the processors: where they are threads of one
      core, near, or far, as a hypervisor may change at any time. Runs are compared within one such placement.
      """)

  @OptionGroup var size: SizeOptions
  @Option(help: "Start no further repetition after this many seconds.") var seconds = 180.0
  @Option(help: "Repetitions at most.") var repetitions = 30
  @Option(help: "Folder with the peers' programs, which `make bench-ring` builds.") var peers: String?
  @Option(help: "The two processors, as in 0,1.") var processors: ProcessorPair = ProcessorPair(
    first: 0, second: 1)
  @Option(help: "Draw the latencies into this SVG file.") var plot: String?

  func validate() throws {
    guard seconds > 0, repetitions > 0 else {
      throw ValidationError("--seconds and --repetitions must be above 0")
    }
    let count = ProcessInfo.processInfo.processorCount
    guard processors.first != processors.second, max(processors.first, processors.second) < count else {
      throw ValidationError(
        "--processors must name two different processors from 0 to \(count - 1), as in --processors 0,1")
    }
  }

  func run() throws {
    var schedule = RingSchedule(
      programs: RingProgram.all(peersIn: peers), isSmoke: size.smoke, processors: processors)
    if !size.json {
      print(Machine.description)
      print(schedule.description)
    }
    let samples = try schedule.run(secondsMax: seconds, repetitionsMax: size.smoke ? 1 : repetitions) {
      repetition, samples in
      guard !size.json, isatty(1) == 1 else { return }
      print("\u{1B}[2K\rrepetition \(repetition), \(samples) runs", terminator: "")
      fflush(nil)
    }
    if !size.json, isatty(1) == 1 { print("\u{1B}[2K\r", terminator: "") }
    let report = RingReport(samples: samples)
    if size.json { try report.printJSON() } else { report.printTables() }
    for note in schedule.notes where !size.json { print("left out: \(note)") }
    if let plot {
      do {
        try Data(RingPlot(report: report, machine: Machine.description).svg.utf8).write(
          to: URL(fileURLWithPath: plot))
      } catch {
        throw Fault(.cannotCreate, "cannot write the drawing to '\(plot)': \(error.localizedDescription)")
      }
      if !size.json { print("drawn: \(plot)") }
    }
  }
}

extension ProcessorPair: ExpressibleByArgument {
  init?(argument: String) {
    let parts = argument.split(separator: ",").map { Int($0) }
    guard parts.count == 2, let first = parts[0], let second = parts[1], first >= 0, second >= 0 else {
      return nil
    }
    self.init(first: first, second: second)
  }

  var defaultValueDescription: String { "\(first),\(second)" }
}

/// One run in a process of its own; not for people.
struct RingPartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ring-part", shouldDisplay: false)

  @Argument var program: String
  @Argument(parsing: .captureForPassthrough) var arguments: [String]

  func run() throws {
    guard let run = RingRun(arguments: arguments) else {
      throw ValidationError("ring-part takes a program and the six arguments that `ring` gives it")
    }
    let part = RingPart(run)
    switch program {
    case RingProgram.limitName: try part.measureLimit()
    case RingProgram.linesName: try part.measureLines()
    default: try part.measureTickRing()
    }
  }
}
