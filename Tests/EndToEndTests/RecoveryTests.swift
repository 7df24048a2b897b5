import Foundation
import Testing

/// HALTs that are waited in, ended and told; silence, dead tokens, mute subscriptions; the configuration read again.
@Suite(.serialized) struct RecoveryTests {
  private func json(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try Tool.run(arguments)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return try #require(object, "\(outcome.errors)")
  }

  private func lines(_ path: String) -> [[String: String]] {
    ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
      try? JSONDecoder().decode([String: String].self, from: Data($0.utf8))
    }
  }

  @Test func aHaltIsWaitedInShownEverywhereAndResumed() throws {
    let feed = try LiveFeed(
      ["--speed", "10"], onHalt: "wait",
      extra: "alert:\n  command: [/bin/sh, -c, 'cat >> \"$0\"', alerts.jsonl]\n  per_minute_max: 600")
    let alerts = FileManager.default.currentDirectoryPath + "/alerts.jsonl"
    try? FileManager.default.removeItem(atPath: alerts)
    defer { try? FileManager.default.removeItem(atPath: alerts) }
    let ingest = try feed.startAndWaitForTicks()
    let watch = try Running(["watch", "--feed", feed.name, "NSE:SIM50"])
    try watch.wait { $0.output.contains("SIM50") }
    // Longer than four attempts take, and the connection goes.
    try feed.spoil("status:503\ncut")
    try ingest.wait { $0.errors.contains("HALT (venue kite): gave up on kite after 4 attempts") }
    let status = try Tool.run(["status", "--feed", feed.name])
    #expect(status.code == 1 && status.errors.contains("halted: gave up on kite"))
    #expect(status.output.contains("HALT of venue kite: gave up on kite"), "\(status.output)")
    #expect(status.output.contains("tickring resume --feed \(feed.name)"))
    let machine = try json(["status", "--feed", feed.name, "--json"])
    let halt = try #require((machine["halts"] as? [[String: Any]])?.first)
    #expect(halt["scope"] as? String == "venue" && halt["exitCode"] as? Int == 69)
    try watch.wait { $0.errors.contains("waiting for it to be resumed") }

    // What is asked for meanwhile is there afterwards.
    let observe = try Tool.run(["unobserve", "--feed", feed.name, "NSE:SIM50"])
    #expect(observe.code == 0, "\(observe.errors)")
    try feed.mend()
    let resume = try Tool.run(["resume", "--feed", feed.name])
    #expect(resume.code == 0 && resume.output.contains("resumed: HALT of venue kite"), "\(resume.errors)")
    try watch.wait { $0.errors.contains("the feed goes on") }
    let before = feed.counter("ticks") ?? 0
    try ingest.wait { _ in (feed.counter("ticks") ?? 0) > before + 100 }
    #expect(feed.counter("halts") == 0)
    let again = try Tool.run(["resume", "--feed", feed.name])
    #expect(again.code == 64 && again.errors.contains("has no HALT to resume"))
    watch.signal(SIGTERM)
    _ = try watch.wait()
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    let gaps = try Tool.run(["gaps", "--data", feed.dataDirectory])
    #expect(gaps.output.contains("disconnected"), "\(gaps.output)\(gaps.errors)")
    let events = lines(alerts).compactMap { $0["event"] }
    #expect(
      events.contains("gap") && events.contains("halt") && events.contains("resumed")
        && events.contains("recovered"))
  }

  @Test func aDeadTokenStopsTheRetriesAndTheExitCodeTellsOfIt() throws {
    let feed = try LiveFeed(["--speed", "10"], onHalt: "wait")
    let ingest = try feed.startAndWaitForTicks()
    try feed.spoil("token-expiry:another")
    try ingest.wait { $0.errors.contains("HALT (venue kite)") }
    #expect(ingest.errors.contains("403") && ingest.errors.contains("run `tickring login kite`"))
    let connects = try Tool.run(["status", "--feed", feed.name, "--json"])
    usleep(500_000)
    // The thread that compares candles meets the same refusal, and says so once.
    let told = ingest.errors.split(separator: "\n").filter { $0.contains("403") }
    let compared = told.filter { $0.contains("candles cannot be compared") }
    #expect(compared.count <= 1 && told.count - compared.count <= 2, "a refusal is not retried blindly")
    #expect(connects.output.contains("\"token\"") || connects.code == 1)
    ingest.signal(SIGTERM)
    let outcome = try ingest.wait()
    #expect(outcome.code == 77, "\(outcome.errors)")
    let gaps = try Tool.run(["gaps", "--data", feed.dataDirectory, "--json"])
    #expect(gaps.output.contains("\"cause\":\"stopped\""))
  }

  /// The common morning: past candles are asked for first, and meet yesterday's token.
  @Test func aStartWithYesterdaysTokenWaitsForTodaysAndThenGoesOn() throws {
    let feed = try LiveFeed(["--speed", "10"], onHalt: "wait", history: "requests_per_second: 0")
    let text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      text.replacingOccurrences(of: "sessions: 0", with: "sessions: 1"), to: "tickring.yaml")
    let tokens = ["TICKRING_TOKEN_DIRECTORY": feed.directory.path + "/tokens"]
    let ingest = try Running(
      ["ingest", "--config", feed.configurationFile],
      environment: tokens.merging([
        "TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "yesterdays",
      ]) { $1 })
    try ingest.wait { $0.errors.contains("HALT (venue kite)") }
    #expect(ingest.errors.contains("run `tickring login kite`; the feed goes on by itself then"))
    #expect(!ingest.errors.contains("run `tickring login kite`; run"), "\(ingest.errors)")
    let halted = try Tool.run(["status", "--feed", feed.name])
    #expect(halted.code == 1 && halted.errors.contains("403"), "\(halted.errors)")
    let early = try Tool.run(["observe", "--feed", feed.name, "NSE:SIM0001"])
    #expect(early.code == 69 && early.errors.contains("it is starting"), "\(early.errors)")
    #expect(halted.output.contains("HALT of venue kite"), "\(halted.output)")
    let resume = try Tool.run(["resume", "--feed", feed.name])
    #expect(resume.code == 0 && resume.output.contains("resumed: HALT of venue kite"), "\(resume.errors)")
    // The token is still yesterday's, so the HALT is latched anew.
    try ingest.wait { $0.errors.components(separatedBy: "HALT (venue kite)").count == 3 }
    #expect(ingest.errors.contains("resumed (venue): by request"), "\(ingest.errors)")

    let page = try KiteLoginPage.answer(port: feed.port)
    let login = try Tool.run(
      ["login", "kite", page, "--config", feed.configurationFile],
      environment: tokens.merging([
        "TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_API_SECRET": "demo", "TICKRING_KITE_ACCESS_TOKEN": "",
      ]) { $1 })
    #expect(login.code == 0, "\(login.errors)")
    try ingest.wait { _ in (feed.counter("ticks") ?? 0) >= 100 }
    #expect(ingest.errors.contains("resumed (venue): there are new credentials"), "\(ingest.errors)")
    #expect(ingest.errors.contains("candles loaded"), "\(ingest.errors)")
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
  }

  @Test func aStartThatIsStoppedWhileItWaitsForATokenEndsWithTheRefusal() throws {
    let feed = try LiveFeed(onHalt: "wait")
    let text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      text.replacingOccurrences(of: "sessions: 0", with: "sessions: 1"), to: "tickring.yaml")
    let ingest = try Running(
      ["ingest", "--config", feed.configurationFile],
      environment: ["TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "yesterdays"])
    try ingest.wait { $0.errors.contains("HALT (venue kite)") }
    ingest.signal(SIGTERM)
    let outcome = try ingest.wait()
    #expect(outcome.code == 77, "\(outcome.errors)")
    let resume = try Tool.run(["resume", "--feed", feed.name])
    #expect(resume.code == 69 && resume.errors.contains("halted"), "\(resume.errors)")
    let told = resume.errors.components(separatedBy: "start `tickring ingest` again").count - 1
    #expect(told == 1, "\(resume.errors)")
  }

  @Test func aHalfOpenConnectionCountsAsDeadAndItsGapBeginsWithTheLastSignOfLife() throws {
    let feed = try LiveFeed(
      ["--speed", "10"], history: "requests_per_second: 0",
      extra: "repair:\n  after_seconds: 5\ncandles:\n  grace_milliseconds: 1000")
    let text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      text.replacingOccurrences(of: "attempts_max: 4", with: "attempts_max: 4\n  silence_seconds_max: 2"),
      to: "tickring.yaml")
    let ingest = try feed.startAndWaitForTicks()
    try feed.spoil("half-open")
    try ingest.wait { $0.errors.contains("sent nothing, not even a heartbeat") }
    try ingest.wait { _ in feed.counter("repaired") == 1 }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    let gaps = try Tool.run(["gaps", "--data", feed.dataDirectory, "--json"]).output.split(separator: "\n")
    let stalled = try #require(gaps.first { $0.contains("stalled") })
    let gap = try JSONSerialization.jsonObject(with: Data(stalled.utf8)) as? [String: Any]
    #expect(gap?["repair"] as? String == "repaired")
    let format = ISO8601DateFormatter()
    format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    let from = try #require(format.date(from: gap?["from"] as? String ?? ""))
    let to = try #require(format.date(from: gap?["to"] as? String ?? ""))
    #expect(
      to.timeIntervalSince(from) > 19, "two seconds of silence at ten times the speed belong to the gap")
  }

  @Test func aGapThatCannotBeRepairedHaltsHistoryAloneUntilItIsResumed() throws {
    let feed = try LiveFeed(
      ["--speed", "20"], history: "requests_per_second: 0",
      extra: "repair:\n  after_seconds: 5\n  attempts_max: 1\ncandles:\n  grace_milliseconds: 1000")
    let ingest = try feed.startAndWaitForTicks()
    try feed.spoil("wrong-content-type\ncut")
    try ingest.wait { $0.errors.contains("HALT (instrument") && $0.errors.contains("could not be repaired") }
    let ticks = try Tool.run(["status", "--feed", feed.name])
    #expect(ticks.code == 0, "ticks go on: \(ticks.errors)")
    #expect(ticks.output.contains("HALT of instrument") && ticks.output.contains("running"))
    // The recorder writes what became of a gap with its next commit.
    try ingest.wait { _ in
      (try? Tool.run(["gaps", "--data", feed.dataDirectory]))?.output.contains("given up") == true
    }
    try feed.mend()
    #expect(try Tool.run(["resume", "--feed", feed.name]).code == 0)
    try ingest.wait { _ in feed.counter("repaired") == 1 && feed.counter("halts") == 0 }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    #expect(try Tool.run(["gaps", "--data", feed.dataDirectory]).output.contains("repaired with"))
  }

  @Test func aMuteSubscriptionIsToldAndAsksNothingOfTheOthers() throws {
    let feed = try LiveFeed(["--fault", "mute:20"], extra: "subscriptions:\n  mute_seconds: 1")
    let ingest = try feed.startAndWaitForTicks()
    try ingest.wait { $0.errors.contains("but sends no tick") }
    let mute = try #require(feed.counter("mute"))
    #expect((1...20).contains(mute) && feed.counter("ticking") == 40 - mute)
    let waiting = try Tool.run(["subscriptions", "--feed", feed.name, "--waiting"])
    #expect(waiting.output.split(separator: "\n").count == Int(mute))
    try feed.mend()
    try feed.spoil("cut")
    try ingest.wait { _ in feed.counter("ticking") == 40 }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
  }

  @Test func aConfigurationGivenByARelativePathIsReadAgain() throws {
    let feed = try LiveFeed(["--speed", "10"])
    let ingest = try Running(
      [
        "-c", "cd \"$0\" && exec \"$1\" ingest --config tickring.yaml --stop-with-standard-input",
        feed.directory.path, Tool.tickring.path,
      ], environment: LiveFeed.credentials, executable: URL(fileURLWithPath: "/bin/sh"))
    try ingest.wait { _ in (feed.counter("ticks") ?? 0) >= 5 }
    let reload = try Tool.run(["config", "reload", "--feed", feed.name])
    #expect(reload.code == 0 && reload.output == "nothing differs\n", "\(reload.errors)")
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
  }

  @Test func aFeedThatHaltedAtItsStartSaysWhyToWhoeverAsks() throws {
    let feed = try LiveFeed()
    let original = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      original.replacingOccurrences(of: "instruments: all", with: "instruments: [NSE:NOWHERE]"),
      to: "tickring.yaml")
    #expect(try feed.start().wait().code == 64)
    for command in [["observe", "NSE:SIM50"], ["subscriptions"], ["resume"], ["config", "reload"]] {
      let outcome = try Tool.run(command + ["--feed", feed.name])
      #expect(outcome.code == 69)
      #expect(
        outcome.errors.contains("halted: kite lists no instrument NSE:NOWHERE"), "\(outcome.errors)")
    }
  }

  @Test func theConfigurationIsReadAgainAndWhatCannotChangeIsNamed() throws {
    let feed = try LiveFeed(["--speed", "10"])
    let original = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      original.replacingOccurrences(of: "instruments: all", with: "instruments: [NSE:SIM50]"),
      to: "tickring.yaml")
    let ingest = try feed.startAndWaitForTicks(atLeast: 5)
    #expect(feed.counter("observed") == 1)
    let symbols = try Tool.run(["config", "reload", "--feed", feed.name])
    #expect(symbols.code == 0 && symbols.output == "nothing differs\n", "\(symbols.errors)")

    _ = try feed.directory.write(original + "subscriptions:\n  mode: quote\n", to: "tickring.yaml")
    let reload = try Tool.run(["config", "reload", "--feed", feed.name])
    #expect(reload.code == 0, "\(reload.errors)")
    #expect(reload.output.contains("changed: instruments, subscriptions.mode"), "\(reload.output)")
    #expect(feed.counter("observed") == 40)
    try ingest.wait { _ in feed.counter("ticking") == 40 }

    _ = try feed.directory.write(
      original.replacingOccurrences(of: "attempts_max: 4", with: "attempts_max: 5"), to: "tickring.yaml")
    let refused = try Tool.run(["config", "reload", "--feed", feed.name])
    #expect(refused.code == 78)
    #expect(
      refused.errors.contains("retry.attempts_max is 4 and cannot become 5 while the feed runs"),
      "\(refused.errors)")
    #expect(feed.counter("observed") == 40, "nothing was changed")

    // A signal does the same, and the log tells.
    _ = try feed.directory.write(
      original.replacingOccurrences(of: "instruments: all", with: "instruments: [NSE:SIM50]"),
      to: "tickring.yaml")
    ingest.signal(SIGHUP)
    try ingest.wait { $0.errors.contains("configuration reloaded: instruments") }
    #expect(feed.counter("observed") == 1)
    _ = try feed.directory.write("feed: [", to: "tickring.yaml")
    ingest.signal(SIGHUP)
    try ingest.wait { $0.errors.contains("the configuration is not reloaded") }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
  }
}
