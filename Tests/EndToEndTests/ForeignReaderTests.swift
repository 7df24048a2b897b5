import Foundation
import Testing
import TickRing

/// Readers in C and Python on a live feed, each held against what a Swift strategy saw of the same instruments.
@Suite(.serialized) struct ForeignReaderTests {
  private static let ticks = 300
  private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
      "CShims/CSharedRing/examples")

  @Test(arguments: ["gcc", "clang"]) func aProgramInCReadsWhatSwiftReads(compiler: String) throws {
    let directory = try TemporaryDirectory()
    let program = try compile(in: directory, by: compiler)
    try compare { arguments in try run(program, arguments) }
  }

  @Test func pythonReadsWhatSwiftReads() throws {
    guard let python = try pythonWithNumpy() else {
      print("skipped: numpy is not installed and PyPI cannot be reached")
      return
    }
    try compare { arguments in try run(python, [Self.examples.path + "/read_lane.py"] + arguments) }
  }

  @Test func anAbsentFeedIsSaidInC() throws {
    let directory = try TemporaryDirectory()
    let program = try compile(in: directory)
    let absent = try run(program, ["no-such-feed", "lane", "1", "NSE:X"])
    #expect(absent.code == 1 && absent.errors.contains("there is no shared memory"))
  }

  @Test func theHolderOfALaneIsNamedToAndByForeignReaders() throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks()
    let data = try DataPoller(feed: feed.name, lane: "mine")
    let symbol = try #require(data.symbols.first)
    let directory = try TemporaryDirectory()
    let program = try compile(in: directory)
    let script = Self.examples.path + "/read_lane.py"
    let python = try pythonWithNumpy()
    for (reader, leading) in [(program, [])] + (python.map { [($0, [script])] } ?? []) {
      let refused = try run(reader, leading + [feed.name, "mine", "1", symbol])
      #expect(refused.code == 1 && refused.errors.contains("is being read by process \(getpid())"))
      let holder = try Running(
        leading + [feed.name, "theirs", "1000000", symbol],
        environment: ["PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"],
        executable: URL(fileURLWithPath: reader))
      defer { holder.signal(SIGKILL) }
      try holder.wait { $0.output.contains("tick,") }
      let watch = try Tool.run(["watch", "--feed", feed.name, "--lane", "theirs", "--count", "1", symbol])
      #expect(watch.errors.contains("is being read by process \(holder.pid);"), "\(reader): \(watch.errors)")
      holder.signal(SIGKILL)
      _ = try holder.wait()
    }
  }

  /// The reader in C, compiled with every warning an error.
  private func compile(in directory: TemporaryDirectory, by compiler: String = "gcc") throws -> String {
    let program = directory.path + "/read_lane"
    let compilation = try run(
      "/usr/bin/env",
      [
        compiler, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-I",
        Self.examples.path + "/../include", Self.examples.path + "/read_lane.c", "-o", program,
      ])
    try #require(compilation.code == 0, "\(compilation.errors)")
    return program
  }

  /// Runs a reader beside a strategy in this process and compares, tick by tick.
  private func compare(_ read: ([String]) throws -> Tool.Outcome) throws {
    let feed = try LiveFeed(["--speed", "20"])
    _ = try feed.startAndWaitForTicks()
    let symbols = Array(try DataPoller(feed: feed.name, lane: "probe").symbols.prefix(5))
    // Its lane holds all that comes meanwhile.
    let strategy = try DataPoller(feed: feed.name, lane: "strategy", observing: symbols)
    let outcome = try read([feed.name, "foreign", "\(Self.ticks)"] + symbols)
    try #require(outcome.code == 0, "\(outcome.output.suffix(400))\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    let foreign = lines.filter { $0[0] == "tick" }.map { $0.dropFirst().joined(separator: ",") }
    let first = try #require(lines.first { $0[0] == "tick" }.flatMap { UInt64($0[1]) })
    let last = try #require(lines.last { $0[0] == "tick" }.flatMap { UInt64($0[1]) })
    var mine: [String] = []
    var newest: UInt64 = 0
    let deadline = Date().addingTimeInterval(30)
    while newest < last, Date() < deadline {
      strategy.poll { event in
        guard case .tick(let tick) = event else { return }
        newest = tick.sequence
        if (first...last).contains(tick.sequence) {
          mine.append("\(tick.sequence),\(strategy.symbol(tick.instrument)),\(tick.lastPrice.units)")
        }
      }
    }
    #expect(foreign.count == Self.ticks)
    #expect(foreign == mine)
    #expect(lines.contains { $0[0] == "last" })
    let counted = lines.first { $0[0] == "counter" && $0[1] == "sequence" }.flatMap { UInt64($0[2]) }
    // The counter is moved when a whole batch has been published.
    #expect((counted ?? 0) >= first)
  }

  private func run(_ program: String, _ arguments: [String]) throws -> Tool.Outcome {
    try Running(
      arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"], executable: URL(fileURLWithPath: program)
    ).wait(timeoutSeconds: 90)
  }

  /// A Python that can import numpy: the system's, or one in an environment that is made once and kept under the
  /// temporary directory. Nil when there is neither.
  private func pythonWithNumpy() throws -> String? {
    let environment = NSTemporaryDirectory() + "tickring-numpy"
    let candidates = ["/usr/bin/python3", environment + "/bin/python3"]
    func usable() throws -> String? {
      try candidates.first {
        try FileManager.default.isExecutableFile(atPath: $0) && run($0, ["-c", "import numpy"]).code == 0
      }
    }
    if let python = try usable() { return python }
    _ = try run("/usr/bin/env", ["python3", "-m", "venv", environment])
    if FileManager.default.isExecutableFile(atPath: candidates[1]) {
      _ = try run(
        candidates[1], ["-m", "pip", "install", "--quiet", "--timeout", "10", "--retries", "1", "numpy"])
    }
    return try usable()
  }
}
