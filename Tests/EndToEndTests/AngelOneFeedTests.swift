import Foundation
import Testing
import TickRing

/// Angel One from its login to the archive: a simulated venue and a feed handler as two processes.
@Suite(.serialized) struct AngelOneFeedTests {
  /// The venue's report when it has stopped: ticks by what its clients call the instrument.
  private static func sent(_ outcome: Tool.Outcome) throws -> [String: UInt64] {
    struct Line: Decodable {
      struct Report: Decodable { var ticksByToken: [String: UInt64] }
      var report: Report?
    }
    for line in outcome.output.split(separator: "\n").reversed() {
      if let report = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).report {
        return report.ticksByToken
      }
    }
    throw Unexpected("no report in \(outcome.output)")
  }

  @Test func everyTickThatTheVenueSentIsInTheArchive() throws {
    let feed = try LiveFeed(
      ["--speed", "20", "--rate-limits"], broker: .angelone, extra: "log_level: debug")
    let ingest = try feed.startAndWaitForTicks(atLeast: 500)
    let latest = try Tool.run(["query", "latest", "--feed", feed.name, "--json"])
    #expect(latest.output.contains(#""symbol":"NSE:SIM0020""#), "\(latest.output)")
    #expect(latest.output.contains(#""symbol":"NSE:SIM50""#))
    let watch = try Tool.run(["watch", "--feed", feed.name, "--count", "3", "--json", "NSE:SIM0014"])
    #expect(watch.code == 0 && watch.output.split(separator: "\n").count == 3, "\(watch.errors)")
    let sent = try Self.sent(try feed.stopVenue())
    try ingest.wait { _ in (feed.counter("ticks") ?? 0) >= sent.values.reduce(0, +) }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    #expect(sent.keys.contains("1/1020") && sent.keys.contains("13/1201") && sent.keys.contains("1/99926001"))
    let total = try Tool.run(["archive", "cat", feed.dataDirectory + "/archive"]).output.split(
      separator: "\n"
    )
    .dropFirst().count { $0.split(separator: ",", omittingEmptySubsequences: false).last == "0" }
    #expect(UInt64(total) == sent.values.reduce(0, +))
    for secret in ["0000\"", "GEZDGNBVGY3TQOJQ"] { #expect(!ingest.errors.contains(secret)) }
    #expect(try feed.leftovers() == [])
  }

  @Test func pastMinutesAreLoadedBeforeTheFeedStarts() throws {
    let feed = try LiveFeed(["--speed", "20"], broker: .angelone)
    var text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    text = text.replacingOccurrences(of: "sessions: 0", with: "sessions: 1\n  requests_per_second: 0")
    text = text.replacingOccurrences(of: "instruments: all", with: "instruments: [NSE:SIM0020, NSE:SIM50]")
    try text.write(toFile: feed.configurationFile, atomically: true, encoding: .utf8)
    let ingest = try feed.startAndWaitForTicks(atLeast: 10)
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    let candles = try Tool.run([
      "query", "candles", "--data", feed.dataDirectory, "--last", "2000", "NSE:SIM0020",
    ])
    #expect(
      candles.output.split(separator: "\n").count >= 375, "\(candles.output.prefix(500)) \(candles.errors)")
  }

  @Test func aSessionThatExpiresIsRenewedByItself() throws {
    let feed = try LiveFeed(["--speed", "20"], broker: .angelone)
    let ingest = try feed.startAndWaitForTicks()
    let before = try #require(feed.counter("ticks"))
    let post = "import sys, urllib.request as r; r.urlopen(sys.argv[1], sys.argv[2].encode())"
    let request = try Running(
      ["python3", "-c", post, "http://127.0.0.1:\(feed.port)/simulator/faults", "token-expiry"],
      executable: URL(fileURLWithPath: "/usr/bin/env"))
    #expect(try request.wait().code == 0)
    try ingest.wait { _ in (feed.counter("connects") ?? 0) >= 2 && (feed.counter("ticks") ?? 0) > before + 100
    }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
  }

  @Test func aCutConnectionIsRestoredWithAllItsSubscriptions() throws {
    let feed = try LiveFeed(["--fault", "cut:300", "--speed", "10"], broker: .angelone)
    let ingest = try feed.startAndWaitForTicks(atLeast: 1200)
    #expect(try #require(feed.counter("connects")) >= 4)
    #expect(try #require(feed.counter("gaps")) >= 3)
    #expect(feed.counter("bad-frames") == 0 && feed.counter("unknown-instruments") == 0)
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    let replay = try Tool.run(["replay", "--config", feed.configurationFile, "--check"])
    #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
  }

  @Test func instrumentsBeyondOneConnectionAreSpreadAndThoseBeyondAllAreRefused() throws {
    let feed = try LiveFeed(["--instruments", "2100"], broker: .angelone)
    let ingest = try feed.startAndWaitForTicks(atLeast: 5000)
    let answer = try feed.askVenue("/simulator/subscriptions")
    let connections = try #require(answer as? [String: [String: String]])
    #expect(connections.count == 3 && connections.values.allSatisfy { (1...1000).contains($0.count) })
    let total = try #require(feed.counter("instruments"))
    #expect(total > 2000 && connections.values.reduce(0) { $0 + $1.count } == Int(total))
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    #expect(!ingest.errors.contains("complains"), "\(ingest.errors)")

    let large = try LiveFeed(["--instruments", "3100"], broker: .angelone)
    let refused = try large.start()
    #expect(try refused.wait().code == 78)
    #expect(refused.errors.contains("angelone carries 3000 at most"), "\(refused.errors)")
  }

  @Test func oneLostConnectionIsRestoredAloneAndItsInstrumentsAreRepaired() throws {
    let feed = try LiveFeed(
      ["--instruments", "1010", "--speed", "20"], broker: .angelone,
      history: "requests_per_second: 0\n  requests_per_minute: 0\n  requests_per_hour: 0",
      extra: "repair:\n  after_seconds: 5\ncandles:\n  grace_milliseconds: 1000\n  reconcile: false")
    func subscriptions() -> [String: [String: String]] {
      (try? feed.askVenue("/simulator/subscriptions")) as? [String: [String: String]] ?? [:]
    }
    let ingest = try feed.startAndWaitForTicks(atLeast: 2000)
    let total = Int(try #require(feed.counter("observed")))
    try ingest.wait { _ in subscriptions().values.reduce(0) { $0 + $1.count } == total }
    let before = subscriptions()
    #expect(before.count == 2)
    try feed.spoil("cut-one")
    try ingest.wait { $0.errors.contains("instruments are without ticks, the others go on") }
    try ingest.wait { $0.errors.contains("connection 2 of angelone is back with") }
    try ingest.wait { _ in subscriptions().values.reduce(0) { $0 + $1.count } == total }
    let after = subscriptions()
    let kept = before.keys.filter { after[$0] != nil }
    #expect(after.count == 2 && kept.count == 1, "the other connection is the one of before")
    let lost = try #require(before.first { after[$0.key] == nil }?.value)
    let isRestored = after.values.contains(lost)
    #expect(isRestored, "each instrument in its mode")
    try ingest.wait { _ in feed.counter("repaired") == 1 && feed.counter("repair-waiting") == 0 }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0, "\(ingest.errors)")

    let lines = try Tool.run(["gaps", "--data", feed.dataDirectory]).output.split(separator: "\n")
    #expect(lines.count == 2 && lines[1].contains("whole feed") && lines[1].contains("stopped"), "\(lines)")
    #expect(lines[0].hasPrefix("\(lost.count) instruments") && lines[0].contains("repaired with"), "\(lines)")
    let rows = try Tool.run(["gaps", "--data", feed.dataDirectory, "--json"]).output.split(separator: "\n")
    #expect(rows.count { $0.contains("\"disconnected\"") && $0.contains("\"repaired\"") } == lost.count)
    let date = try #require(rows.first?.split(separator: "\"").first { $0.hasPrefix("20") }).prefix(10)
    let day = try Tool.run(
      ["quality", "report", "--date", String(date), "--config", feed.configurationFile])
    #expect(day.output.contains("\(lost.count) instruments"), "\(day.output.suffix(1500))\(day.errors)")
  }

  @Test func aConnectionThatIsGivenUpHaltsAloneUntilItIsResumed() throws {
    let feed = try LiveFeed(
      ["--instruments", "1010", "--speed", "20"], broker: .angelone,
      extra: "repair:\n  enabled: false\ncandles:\n  reconcile: false")
    let ingest = try feed.startAndWaitForTicks(atLeast: 2000)
    try feed.spoil("status:503\ncut-one")
    try ingest.wait { $0.errors.contains("HALT (connection 2 of angelone): gave up on it after 4 attempts") }
    let status = try Tool.run(["status", "--feed", feed.name])
    #expect(
      status.code == 0 && status.output.contains("HALT of connection 2 of angelone"), "\(status.output)")
    let before = try #require(feed.counter("ticks"))
    try ingest.wait { _ in (feed.counter("ticks") ?? 0) > before + 500 }
    #expect(feed.counter("connects") == 1, "the other connection is the one of before")
    try feed.mend()
    #expect(try Tool.run(["resume", "--feed", feed.name]).code == 0)
    try ingest.wait { $0.errors.contains("connection 2 of angelone is back with") }
    #expect(feed.counter("halts") == 0)
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0, "\(ingest.errors)")
  }

  @Test func aKillRightAfterAPartialLossLeavesNoGapOpen() throws {
    let feed = try LiveFeed(
      ["--instruments", "1010", "--speed", "20"], broker: .angelone,
      extra: "repair:\n  enabled: false\ncandles:\n  reconcile: false")
    let first = try feed.startAndWaitForTicks(atLeast: 2000)
    try feed.spoil("status:503\ncut-one")
    try first.wait { $0.errors.contains("instruments are without ticks, the others go on") }
    first.signal(SIGKILL)
    _ = try first.wait()
    try feed.mend()
    // What the first run said of the loss waits in its lane still, or is in the archive, but not in the store.
    let second = try feed.startAndWaitForTicks(atLeast: 2000)
    second.signal(SIGTERM)
    #expect(try second.wait().code == 0, "\(second.errors)")
    let rows = try Tool.run(["gaps", "--data", feed.dataDirectory, "--json"]).output.split(separator: "\n")
    let partial = try rows.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.filter { $0["cause"] as? String == "disconnected" }
    #expect(partial.count > 400, "the instruments of one connection of two")
    #expect(partial.allSatisfy { $0["to"] is String }, "\(partial.prefix(3))")
  }

  @Test func aVenueThatIsNotSimulatedIsNamedWithThoseThatAre() throws {
    for command in ["simulate", "demo"] {
      let outcome = try Tool.run([command, "--venue", "upstox"])
      #expect(outcome.code == 64)
      #expect(outcome.errors.contains("--venue 'upstox' is not one of kite, angelone"), "\(outcome.errors)")
    }
  }

  @Test func wrongCredentialsEndTheStartWithOneSentence() throws {
    let feed = try LiveFeed(broker: .angelone)
    var credentials = LiveFeed.Broker.angelone.credentials
    credentials["TICKRING_ANGELONE_PIN"] = "hunter2"
    let outcome = try Tool.run(["ingest", "--config", feed.configurationFile], environment: credentials)
    #expect(outcome.code == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("AB1007") && !outcome.errors.contains("hunter2"))
    credentials["TICKRING_ANGELONE_PIN"] = ""
    let missing = try Tool.run(["ingest", "--config", feed.configurationFile], environment: credentials)
    #expect(missing.code == 78 && missing.errors.contains("TICKRING_ANGELONE_PIN is not set"))
  }
}
