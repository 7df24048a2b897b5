import Foundation
import Testing

/// The command line as a user types it: right answers, and one clear sentence for each wrong input.
@Suite struct CommandTests {
  @Test func everyVerbExplainsItself() throws {
    let verbs = [
      "demo", "simulate", "ingest", "watch", "observe", "unobserve", "query", "query latest", "query candles",
      "replay", "archive", "archive info", "archive verify", "archive cat", "import", "import candles",
      "status", "resume",
      "subscriptions", "gaps", "config reload", "decode", "decode kite", "debug", "debug websocket-echo",
      "config", "config check", "config example",
    ]
    for verb in verbs {
      let outcome = try Tool.run(verb.split(separator: " ").map(String.init) + ["--help"])
      #expect(outcome.code == 0, "\(verb)")
      #expect(outcome.output.contains("USAGE: tickring \(verb)"), "\(verb): \(outcome.output)")
    }
  }

  @Test func theExampleConfigurationIsCorrect() throws {
    let directory = try TemporaryDirectory()
    let example = try Tool.run(["config", "example"])
    let file = try directory.write(example.output, to: "tickring.yaml")
    let check = try Tool.run(["config", "check", file])
    #expect(check.code == 0, "\(check.errors)")
  }

  @Test(arguments: [
    ("feed: [", "line"), ("", "empty"), ("feed: nse\nfeeed: x\n", "feed"),
    ("feed: nse\nretry:\n  attempts_max: many\n", "retry.attempts_max"),
    ("feed: nse\nshared_memory:\n  lane_slots: 1000\n", "power of two"),
  ])
  func aWrongConfigurationNamesItsFault(text: String, hint: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(text, to: "wrong.yaml")
    for arguments in [["config", "check", file], ["ingest", "--config", file]] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 78)
      #expect(outcome.errors.contains(hint), "\(outcome.errors)")
      #expect(outcome.errors.contains("wrong.yaml"))
    }
  }

  @Test(arguments: [
    ("calendar_file: none.csv\n", Int32(66), "the calendar file '"),
    ("source: {ca_file: none.pem}\n", 78, "the file of certificates '"),
  ])
  func aFileThatAConfigurationNamesMustBeThere(text: String, code: Int32, hint: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("feed: nse\n" + text, to: "names.yaml")
    let outcome = try Tool.run(["config", "check", file])
    #expect(outcome.code == code, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains(hint), "\(outcome.errors)")
  }

  /// Runs `tickring` by a shell, with its streams as the user redirects them.
  private func run(_ arguments: String, _ redirection: String) throws -> Tool.Outcome {
    try Running(
      ["-c", "exec \(Tool.tickring.path) \(arguments) \(redirection)"],
      executable: URL(fileURLWithPath: "/bin/sh")
    ).wait()
  }

  @Test func outputThatIsLostIsNoSuccess() throws {
    for command in ["config example", "calendar --json 2026-11-23", "quality rules"] {
      let outcome = try run(command, "> /dev/full")
      #expect(outcome.code == 74, "\(command)")
      #expect(
        outcome.errors
          == "tickring: standard output cannot be written, so it is incomplete: No space left on device\n")
    }
    let reader = try run("config example", "| head -n 1")
    #expect(reader.code == 0 && reader.errors.isEmpty)
  }

  @Test func noFileTakesThePlaceOfAMissingStandardStream() throws {
    let venue = try Running(
      ["-c", "exec \(Tool.tickring.path) simulate --json 2>&-"], executable: URL(fileURLWithPath: "/bin/sh"))
    try venue.wait { $0.output.contains("listening") }
    let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(venue.pid)/fd/2")
    #expect(target == "/dev/null")
    venue.signal(SIGTERM)
    #expect(try venue.wait().code == 0)
  }

  /// Signals that a process ignores or handles, as bits; none before it runs.
  private func signalsMinded(by process: Running) -> UInt64 {
    let status = (try? String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)) ?? ""
    return status.matches(of: #/Sig(?:Ign|Cgt):\s+([0-9a-f]+)/#).reduce(0) {
      $0 | (UInt64($1.output.1, radix: 16) ?? 0)
    }
  }

  @Test func aStopAtTheEarliestMomentIsNotLost() throws {
    for _ in 0..<20 {
      let venue = try Running(["simulate", "--json"])
      try venue.wait(timeoutSeconds: 20, pollMicroseconds: 0) {
        signalsMinded(by: $0) & 1 << UInt64(SIGTERM - 1) != 0
      }
      venue.signal(SIGTERM)
      #expect(try venue.wait(timeoutSeconds: 20).code == 0)
    }
  }

  @Test(arguments: ["kite", "angelone", "openalgo"])
  func theSimulatedVenueSaysHowAFeedReachesIt(venue: String) throws {
    let simulated = try Running(["simulate", "--venue", venue, "--instruments", "20"])
    try simulated.wait { $0.output.contains("clock: simulator\n") }
    let section = simulated.output.drop { $0 != "\n" }
    let directory = try TemporaryDirectory()
    let feed = "says-\(UUID().uuidString.prefix(8).lowercased())"
    let file = try directory.write(
      "feed: \(feed)\ndata_directory: .\ninstruments: all\(section)", to: "tickring.yaml")
    let credentials = LiveFeed.Broker.kite.credentials.merging(LiveFeed.Broker.angelone.credentials) { $1 }
      .merging(["TICKRING_OPENALGO_API_KEY": "demo"]) { $1 }
    let ingest = try Running(["ingest", "--config", file], environment: credentials)
    try ingest.wait { $0.errors.contains("connected to \(venue)") }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    simulated.signal(SIGTERM)
    #expect(try simulated.wait().code == 0)
  }

  @Test func aMissingConfigurationIsNamed() throws {
    let outcome = try Tool.run(["ingest", "--config", "/nonexistent/tickring.yaml"])
    #expect(outcome.code != 0)
    #expect(outcome.errors.contains("/nonexistent/tickring.yaml"))
  }

  @Test(arguments: [
    (
      ["simulate", "--speed", "abc"], "the value 'abc' is invalid for '--speed",
      "see `tickring simulate --help`"
    ),
    (
      ["watch", "--feed", "f", "NSE:X", "--wait", "nap"], "one of 'spin', 'yield' or 'futex'",
      "`tickring watch --help`"
    ),
    (["decode", "zebra"], "unexpected argument 'zebra'", "see `tickring decode --help`"),
    (["gaps", "--config", "x", "--zebra"], "unknown option '--zebra'", "see `tickring gaps --help`"),
    (
      ["query", "candles", "NSE:X"], "--config FILE or --data DIRECTORY",
      "see `tickring query candles --help`"
    ),
    (
      ["archive", "cat", "d", "--from", "2026-11-31"], "neither a date, as in 2026-11-23, nor a time",
      "+05:30"
    ),
    (
      ["archive", "redecode", "a", "--into", "b", "--differences-max=-1"],
      "--differences-max must not be negative", "archive redecode --help`"
    ),
    (
      ["archive", "redecode", "a", "--into", "b", "--venue", "nse"],
      "--venue 'nse' is not one of kite, angelone", "archive redecode --help`"
    ),
    (["history", "load", "--config", "nope", "--from"], "missing value for '--from", "history load --help`"),
  ])
  func aWrongFlagIsOneSentence(arguments: [String], what: String, help: String) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.contains(what) && outcome.errors.contains(help), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("tickring: ") && outcome.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func aFeedThatDoesNotRunIsNamed() throws {
    for arguments in [
      ["status", "--feed", "nowhere"], ["watch", "--feed", "nowhere", "NSE:X"],
      ["query", "latest", "--feed", "nowhere"], ["observe", "--feed", "nowhere", "NSE:X"],
    ] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 69, "\(arguments)")
      #expect(outcome.errors.contains("there is no feed 'nowhere'"))
    }
  }

  @Test func instrumentsWithoutDefinitionAreTold() throws {
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("TickArchiveTests/Resources/golden-v3.tka").path
    let warning = "are named #NUMBER, because their definitions are not in '\(golden)'"
    let cat = try Tool.run(["archive", "cat", golden])
    #expect(cat.code == 0 && cat.output.contains(",#1,"))
    #expect(cat.errors.contains(warning))
    let stats = try Tool.run(["archive", "stats", golden])
    #expect(stats.code == 0 && stats.output.contains("  #1\n"), "\(stats.output)")
    #expect(stats.errors.contains(warning))
    let directory = try TemporaryDirectory()
    let file = directory.path + "/golden.csv"
    let export = try Tool.run(["archive", "export", golden, "--output", file])
    #expect(export.code == 0 && export.errors.contains(warning), "\(export.errors)")
    #expect(try String(contentsOfFile: file, encoding: .utf8).contains(",#1,"))
  }

  @Test func whatIsNoArchiveIsSaidSo() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("a,b\n", to: "table.csv")
    let cat = try Tool.run(["archive", "cat", file])
    #expect(cat.code == 65)
    #expect(cat.errors.contains("not an archive segment"))
    let empty = try TemporaryDirectory()
    let info = try Tool.run(["archive", "info", empty.path])
    #expect(info.code == 66)
    #expect(info.errors.contains("holds no archive segments"))
    let absent = try Tool.run(["archive", "verify", "/nonexistent"])
    #expect(absent.code == 66)
    for arguments in [[], [empty.path, "--config", "tickring.yaml"]] {
      let both = try Tool.run(["archive", "info"] + arguments)
      #expect(both.code == 64, "\(both)")
      #expect(both.errors.contains("name the archive by either its path or --config FILE"), "\(both.errors)")
    }
    let unconfigured = try Tool.run(["archive", "info", "--config", "/nonexistent.yaml"])
    #expect(unconfigured.code == 66 && unconfigured.errors.contains("/nonexistent.yaml"), "\(unconfigured)")
  }

  @Test func theDemoPassesOnWhatItsVenueCouldNotDo() throws {
    let outcome = try Tool.run(["demo", "--ticks", "/nonexistent.csv"])
    #expect(outcome.code == 66, "\(outcome.errors)")
    #expect(outcome.errors.contains("/nonexistent.csv"))
  }

  @Test func decodeGoesOnAfterABadFrameAndSaysSo() throws {
    let good = "000100080000640100002710"
    let outcome = try Tool.run(["decode", "kite"], input: "\(good)\nzz\n00010008\n\(good)\n")
    #expect(outcome.code == 1)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(
      lines.allSatisfy { $0.contains("\"instrument_token\":25601") && $0.contains("\"last_price\":100") })
    #expect(outcome.errors.contains("line 2:") && outcome.errors.contains("line 3:"))
  }

  @Test func realCandlesAreImportedAndQueried() throws {
    guard let file = Tool.sharedData("nse_minute_yesbank_20190709.csv") else {
      print("skipped: ../shared/data/nse_minute_yesbank_20190709.csv is absent")
      return
    }
    let directory = try TemporaryDirectory()
    for _ in 0..<2 {
      let outcome = try Tool.run(
        ["import", "candles", file, "--instrument", "NSE:YESBANK", "--data", directory.path, "--json"])
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("\"first\":\"2019-07-09T09:15:00+05:30\""))
    }
    let query = try Tool.run([
      "query", "candles", "NSE:YESBANK", "--data", directory.path, "--json",
      "--from", "2019-07-09T09:15:00+05:30", "--to", "2019-07-09T09:17:00+05:30",
    ])
    let lines = query.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].contains("\"open\":\"95\"") && lines[0].contains("\"low\":\"93.9\""))
    #expect(lines[1].contains("\"volume\":1355593"))
  }

  @Test func aBadCandleFileNamesTheLine() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      "timestamp,open,high,low,close,volume\n2019-07-09T09:15:00+05:30,1,2,3,1,5\n", to: "bad.csv")
    let outcome = try Tool.run(["import", "candles", file, "--instrument", "NSE:X", "--data", directory.path])
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("bad.csv") && outcome.errors.contains("2"))
    let unknown = try Tool.run(["import", "candles", file, "--instrument", "X", "--data", directory.path])
    #expect(unknown.code == 64)
  }
}
