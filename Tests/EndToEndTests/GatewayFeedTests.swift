import Foundation
import Testing

/// A feed on a gateway process and one on a simulated OpenAlgo server: from the venue through the feed handler into a
/// lane and a strategy, as processes.
@Suite(.serialized) struct GatewayFeedTests {
  /// The example of the article on gateways, as it stands there.
  private static func exampleGateway() throws -> String {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let article = try String(
      contentsOf: package.appendingPathComponent("Sources/Venues/Venues.docc/Gateways.md"), encoding: .utf8)
    let parts = article.components(separatedBy: "```python\n")
    guard parts.count == 2, let code = parts[1].components(separatedBy: "```").first else {
      throw Unexpected("the article holds no example")
    }
    return code
  }

  private final class Feed {
    let name = "test-\(UUID().uuidString.prefix(8).lowercased())"
    let directory: TemporaryDirectory
    var ingest: Running?

    init(source: String, instruments: String, sessions: Int = 1) throws {
      directory = try TemporaryDirectory()
      _ = try directory.write(
        """
        feed: \(name)
        data_directory: data
        source:
        \(source)
        instruments: \(instruments)
        history:
          sessions: \(sessions)
        recorder:
          seal_seconds: 1
        retry:
          first_delay_milliseconds: 50
          delay_milliseconds_max: 200
          attempts_max: 1000
          on_halt: exit

        """, to: "tickring.yaml")
    }

    var configurationFile: String { directory.path + "/tickring.yaml" }

    func start(_ environment: [String: String] = [:]) throws -> Running {
      let running = try Running(["ingest", "--config", configurationFile], environment: environment)
      ingest = running
      return running
    }

    func counter(_ counter: String) -> UInt64 {
      guard let outcome = try? Tool.run(["status", "--feed", name, "--json"]), outcome.code == 0,
        let object = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
        let counters = object["counters"] as? [String: Any]
      else { return 0 }
      return (counters[counter] as? NSNumber)?.uint64Value ?? 0
    }

    /// Lines of the archive that tell of outages.
    func gaps() throws -> [[Substring]] {
      try Tool.run(["archive", "cat", directory.path + "/data/archive"]).output.split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }.filter { $0.last == "1" }
    }

    deinit {
      ingest?.signal(SIGKILL)
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
      where entry.contains(name) {
        unlink("/dev/shm/" + entry)
      }
    }
  }

  /// Processes whose command line holds `text`.
  private static func pids(holding text: String) -> [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter {
      pid in
      guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains(text)
    }
  }

  @Test func aKilledGatewayIsAGapAndTheNextOneGoesOn() throws {
    guard
      FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
        || ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").contains(where: {
          FileManager.default.isExecutableFile(atPath: "\($0)/python3")
        }) == true
    else { try Test.cancel("there is no python3, in which the gateway is written") }
    let feed = try Feed(
      source: "  venue: gateway\n  gateway_command: [python3, ./gateway.py]\n", instruments: "[SIM:A, SIM:B]")
    let script = try feed.directory.write(Self.exampleGateway(), to: "gateway.py")
    // The script is an argument, which is not resolved: only a program's path is.
    let file = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      file.replacingOccurrences(of: "./gateway.py", with: script), to: "tickring.yaml")
    let ingest = try feed.start()
    try ingest.wait { _ in feed.counter("ticks") > 50 }
    // The strategy maps its lane and reads from it.
    let strategy = try Running(
      [feed.name, "walk", "SIM:A", "--json"],
      executable: Tool.products.appendingPathComponent("tickring-example-strategy"))
    try strategy.wait { $0.output.contains("\"type\":\"price\"") && $0.output.contains("SIM:A") }
    strategy.signal(SIGKILL)
    _ = try strategy.wait()
    for round in 1...2 {
      // The process of the history has the same command line; the one that brings the ticks was started later.
      let victim = try #require(Self.pids(holding: script).max())
      let before = feed.counter("ticks")
      kill(victim, SIGKILL)
      try ingest.wait { _ in feed.counter("connects") > round && feed.counter("ticks") > before + 20 }
    }
    #expect(ingest.errors.contains("was ended by signal 9"))
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0, "\(ingest.errors)")
    #expect(Self.pids(holding: script) == [], "no gateway outlives the feed")
    // The start's, two for each kill, and the stop's.
    let gaps = try feed.gaps()
    #expect(gaps.count == 6, "\(gaps)")
    let replay = try Tool.run(["replay", "--config", feed.configurationFile, "--check"])
    #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
    // One session of candles came from the gateway before the start.
    #expect(ingest.errors.contains("candles"), "\(ingest.errors)")
  }

  @Test func aGatewayThatFailsIsStartedAgainAndItsLastWordsAreTold() throws {
    let feed = try Feed(
      source: "  venue: gateway\n  gateway_command: [sh, -c, \"echo no luck >&2; exit 9\"]\n",
      instruments: "[SIM:A]", sessions: 0)
    // The list of instruments is asked for first, before there is anything to retry.
    let outcome = try feed.start().wait()
    #expect(outcome.code == 69, "\(outcome.errors)")
    #expect(outcome.errors.contains("ended with exit code 9; its last words: no luck"), "\(outcome.errors)")
    // This one answers for instruments and fails at ticks.
    let script =
      "read line; case $line in *history*) echo '{\\\"type\\\":\\\"hello\\\",\\\"protocol\\\":1,"
      + "\\\"capabilities\\\":[]}'; read line;; *) echo no luck >&2; exit 9;; esac"
    let second = try Feed(
      source: "  venue: gateway\n  gateway_command: [sh, -c, \"\(script)\"]\n", instruments: "[SIM:A]",
      sessions: 0)
    let ingest = try second.start()
    try ingest.wait { $0.errors.components(separatedBy: "its last words: no luck").count > 3 }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0, "\(ingest.errors)")
  }

  @Test func aFeedOnOpenAlgoOutlivesCutsAndRecordsThem() throws {
    let venue = try Running([
      "simulate", "--venue", "openalgo", "--port", "0", "--json", "--instruments", "30", "--speed", "20",
      "--fault",
      "cut:400",
    ])
    defer { venue.signal(SIGKILL) }
    try venue.wait { $0.output.contains("\"listening\"") }
    let port = try #require(try #/"port":(\d+)/#.firstMatch(in: venue.output)?.output.1)
    let feed = try Feed(
      source:
        "  venue: openalgo\n  websocket_url: ws://127.0.0.1:\(port)\n  api_url: http://127.0.0.1:\(port)\n"
        + "  clock: simulator\n", instruments: "all")
    let ingest = try feed.start(["TICKRING_OPENALGO_API_KEY": "demo"])
    try ingest.wait { _ in feed.counter("connects") >= 3 && feed.counter("ticks") > 900 }
    #expect(feed.counter("bad-frames") == 0 && feed.counter("unknown-instruments") == 0)
    let watch = try Tool.run(["watch", "--feed", feed.name, "--count", "5", "--json", "NSE:SIM0021"])
    #expect(
      watch.code == 0 && watch.output.split(separator: "\n").count == 5, "\(watch.output)\(watch.errors)")
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0, "\(ingest.errors)")
    #expect(try feed.gaps().count >= 6)
    let replay = try Tool.run(["replay", "--config", feed.configurationFile, "--check"])
    #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
  }

  @Test func aWrongKeyOfOpenAlgoStopsAtOnce() throws {
    let venue = try Running([
      "simulate", "--venue", "openalgo", "--port", "0", "--json", "--instruments", "5",
    ])
    defer { venue.signal(SIGKILL) }
    try venue.wait { $0.output.contains("\"listening\"") }
    let port = try #require(try #/"port":(\d+)/#.firstMatch(in: venue.output)?.output.1)
    let feed = try Feed(
      source:
        "  venue: openalgo\n  websocket_url: ws://127.0.0.1:\(port)\n  api_url: http://127.0.0.1:\(port)\n",
      instruments: "[NSE:SIM0001]")
    let outcome = try feed.start(["TICKRING_OPENALGO_API_KEY": "hunter2"]).wait()
    #expect(outcome.code == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("Invalid openalgo apikey") && !outcome.errors.contains("hunter2"))
  }
}
