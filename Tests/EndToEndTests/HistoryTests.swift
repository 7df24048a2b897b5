import Foundation
import Testing

/// The past and the venue's lists, as users get at them: against a simulated venue in a process of its own.
@Suite struct HistoryTests {
  /// A venue and a configuration of it in the machine's time.
  private final class Scene {
    let directory: TemporaryDirectory
    let venue: Running
    let port: Int
    let configuration: String

    init(_ arguments: [String] = [], instruments: String = "all", extra: String = "") throws {
      directory = try TemporaryDirectory()
      venue = try Running(["simulate", "--port", "0", "--json", "--instruments", "12"] + arguments)
      try venue.wait { $0.output.contains("\"listening\"") }
      guard let match = try #/"port":(\d+)/#.firstMatch(in: venue.output), let port = Int(match.output.1)
      else {
        throw Unexpected("no port in \(venue.output)")
      }
      self.port = port
      configuration = try directory.write(
        """
        feed: test-\(UUID().uuidString.prefix(8).lowercased())
        data_directory: data
        source:
          websocket_url: ws://127.0.0.1:\(port)
          api_url: http://127.0.0.1:\(port)
        credentials:
          directory: tokens
        instruments: \(instruments)
        history:
          requests_per_second: 0
        \(extra)

        """, to: "tickring.yaml")
    }

    func run(
      _ arguments: [String], input: String = "", environment: [String: String] = LiveFeed.credentials
    ) throws -> Tool.Outcome {
      try Tool.run(arguments + ["--config", configuration], input: input, environment: environment)
    }

    /// What a statement yields, as the Python of the system reads the store.
    func sql(_ statement: String) throws -> String {
      let script = "import sqlite3,sys\nprint(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())"
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
      process.arguments = ["-c", script, directory.path + "/data/candles.sqlite", statement]
      process.standardOutput = pipe
      try process.run()
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit { venue.signal(SIGKILL) }
  }

  private struct Load: Decodable {
    var instruments: Int
    var requests: Int
    var candles: Int
    var failed: Int
    var stopped: Bool
  }

  private func load(_ scene: Scene, _ arguments: [String]) throws -> Load {
    let outcome = try scene.run(["history", "load", "--json"] + arguments)
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(Load.self, from: Data(outcome.output.utf8))
  }

  @Test func aRangeIsLoadedOnceAndExtendedByWhatIsMissing() throws {
    let scene = try Scene()
    // The simulated venue trades on holidays too, which lie between the sessions that are asked for.
    let first = try load(scene, ["--from", "2026-11-09", "--to", "2026-11-12"])
    #expect(first.instruments == 12 && first.requests == 12 && !first.stopped && first.failed == 0)
    #expect(first.candles > 12 * 2 * 375 && first.candles % 12 == 0)
    let again = try load(scene, ["--from", "2026-11-09", "--to", "2026-11-12"])
    #expect(again.requests == 0 && again.candles == 0)
    let more = try load(scene, ["--from", "2026-11-09", "--to", "2026-11-13"])
    #expect(more.requests == 12 && more.candles == 12 * 375)
    let stored = try scene.sql("SELECT count(*), count(DISTINCT start || ':' || instrument_id) FROM candles")
    #expect(stored == "(\(first.candles + more.candles), \(first.candles + more.candles))")
    let days = try load(scene, ["--from", "2026-11-09", "--to", "2026-11-13", "--interval", "1d"])
    #expect(days.candles == (first.candles + more.candles) / 375)
  }

  @Test func unknownSymbolsAndIntervalsAreExplained() throws {
    let scene = try Scene()
    let list = try scene.run(["instruments", "list", "--json"])
    let symbol = try #require(list.output.firstMatch(of: #/"symbol":"(NSE:[A-Z]+)"/#)).output.1
    for (arguments, code, words) in [
      (["--symbol", "\(symbol)X"], 64, "the nearest are"), (["--symbol", "nothing"], 64, "EXCHANGE:SYMBOL"),
      (["--interval", "7m"], 64, "there is no interval '7m'"),
      (["--interval", "1w"], 64, "Kite keeps no 1w candles"),
      (["--to", "2026-11-01"], 64, "--to must be later"),
    ] as [([String], Int32, String)] {
      let outcome = try scene.run(["history", "load", "--from", "2026-11-09"] + arguments)
      #expect(outcome.code == code, "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
    let dead = try scene.run(
      ["history", "load", "--from", "2026-11-09"],
      environment: ["TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "yesterdays"])
    #expect(dead.code == 77)
    #expect(dead.errors.contains("run `tickring login kite`"), "\(dead.errors)")
  }

  @Test func instrumentsAreFoundShownAndKeptWhenTheVenueIsGone() throws {
    let scene = try Scene()
    let none = ["TICKRING_KITE_API_KEY": "", "TICKRING_KITE_ACCESS_TOKEN": ""]
    let list = try scene.run(["instruments", "list"], environment: none)
    #expect(list.code == 0, "\(list.errors)")
    let rows = list.output.split(separator: "\n")
    #expect(rows.count == 13)
    #expect(rows[0].split(separator: " ").prefix(3) == ["symbol", "token", "type"])
    let symbol = String(rows[1].split(separator: " ")[0])
    let shown = try scene.run(["instruments", "show", symbol])
    #expect(shown.output.contains("symbol       \(symbol)\n") && shown.output.contains("tick "))
    let word = String(symbol.split(separator: ":")[1].prefix(4)).lowercased()
    #expect(try scene.run(["instruments", "search", word]).output.contains(symbol))
    let wrong = try scene.run(["instruments", "show", symbol + "Z"])
    #expect(wrong.code == 64 && wrong.errors.contains("the nearest are \(symbol)"), "\(wrong.errors)")
    #expect(try scene.run(["instruments", "search", "zzzzqqqq"]).code == 66)

    scene.venue.signal(SIGTERM)
    _ = try scene.venue.wait()
    #expect(try scene.run(["instruments", "list"]).output == list.output, "today's list is kept")
    let stale = try scene.run(["instruments", "list", "--refresh"])
    #expect(stale.code == 0 && stale.output == list.output)
    #expect(stale.errors.contains("since today's cannot be fetched"), "\(stale.errors)")
    #expect(try scene.run(["instruments", "show", symbol, "--day", "2020-01-01"]).code == 66)
  }

  @Test func aLoginKeepsATokenThatTheFeedTakes() throws {
    let scene = try Scene()
    let secrets = [
      "TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_API_SECRET": "demo", "TICKRING_KITE_ACCESS_TOKEN": "",
    ]
    let page = try KiteLoginPage.answer(port: scene.port)
    let login = try scene.run(["login", "kite"], input: page + "\n", environment: secrets)
    #expect(login.code == 0, "\(login.errors)")
    #expect(login.output.contains("https://kite.zerodha.com/connect/login?api_key=demo&v=3\n"))
    #expect(login.output.contains("SIM001 is logged in"))
    let file = scene.directory.path + "/tokens/kite.json"
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
    #expect(mode?.intValue == 0o600)
    #expect(try !String(contentsOfFile: file, encoding: .utf8).contains("secret"))

    let none = ["TICKRING_KITE_API_KEY": "", "TICKRING_KITE_ACCESS_TOKEN": ""]
    let loaded = try scene.run(
      ["history", "load", "--from", "2026-11-12", "--to", "2026-11-12"], environment: none)
    #expect(loaded.code == 0, "\(loaded.errors)")

    let twice = try scene.run(["login", "kite", page], environment: secrets)
    #expect(
      twice.code == 77 && twice.errors.contains("has expired; a request token works once"), "\(twice.errors)")
    let other = try KiteLoginPage.answer(port: scene.port)
    let wrong = try scene.run(
      ["login", "kite", other], environment: secrets.merging(["TICKRING_KITE_API_SECRET": "no"]) { $1 })
    #expect(wrong.code == 77 && wrong.errors.contains("checksum"), "\(wrong.errors)")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    let open = try scene.run(["history", "load", "--from", "2026-11-12"], environment: none)
    #expect(open.code == 78 && open.errors.contains("open to others"), "\(open.errors)")
  }

  @Test func aLoadThatIsInterruptedGoesOnWhereItStopped() throws {
    let scene = try Scene(extra: "")
    let slow = try String(contentsOfFile: scene.configuration, encoding: .utf8)
      .replacing("requests_per_second: 0", with: "requests_per_second: 3")
    _ = try scene.directory.write(slow, to: "tickring.yaml")
    let arguments = ["history", "load", "--json", "--from", "2026-11-09", "--to", "2026-11-13"]
    let running = try Running(
      arguments + ["--config", scene.configuration], environment: LiveFeed.credentials)
    usleep(2_500_000)
    running.signal(SIGINT)
    let stopped = try running.wait()
    #expect(stopped.code == 1, "\(stopped.errors)")
    #expect(stopped.errors.contains("goes on from here"))
    let first = try JSONDecoder().decode(Load.self, from: Data(stopped.output.utf8))
    #expect(first.stopped && first.candles > 0 && first.requests == 12)
    let second = try load(scene, ["--from", "2026-11-09", "--to", "2026-11-13"])
    #expect(second.requests < 12 && second.requests > 0)
    let total = first.candles + second.candles
    #expect(total % 375 == 0 && total / 375 % 12 == 0, "no minute missing, none twice")
    #expect(try scene.sql("SELECT count(*) FROM candles") == "(\(total),)")
  }
}
