import CandleStore
import Foundation
import MarketData
import Testing

/// Rules that reject, the venue's candles beside ours, sessions and the report, on a feed as a user runs it.
@Suite(.serialized) struct QualityTests {
  @Test func whatIsRejectedIsKeptAndTheReportSaysWhatHappened() throws {
    let feed = try LiveFeed(
      ["--speed", "60"], history: "requests_per_second: 0",
      extra: "quality: {rules: [{rule: cached, action: reject}, not-positive, duplicate, outside-session]}")
    let ingest = try feed.startAndWaitForTicks()
    // Some minutes of the market, and the venue's candles of the first of them.
    let deadline = Date().addingTimeInterval(20)
    while (feed.counter("reconciled") ?? 0) < 80, Date() < deadline { usleep(200_000) }
    #expect((feed.counter("reconciled") ?? 0) >= 80)
    _ = try feed.stopVenue()
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)

    let store = try CandleStore(path: feed.dataDirectory + "/candles.sqlite", mode: .readOnly)
    let everything = (from: Timestamp.unknown, to: Timestamp(nanoseconds: .max))
    let quarantined = try store.quarantined(from: everything.from, to: everything.to)
    // What traded in the very second of the subscription is no replay from the venue's memory.
    #expect((1...40).contains(quarantined.count))
    #expect(quarantined.allSatisfy { $0.rule == "cached" && $0.sequence != nil })
    let day = CivilTime(try #require(quarantined.first).receiveTime).dayNumber
    #expect(try store.sessions(days: day...day).contains { $0.segment == "cash" })

    let date = CivilTime(dayNumber: day).dateText
    let arguments = ["quality", "report", "--date", date, "--config", feed.configurationFile]
    let outcome = try Tool.run(arguments + ["--json"])
    #expect(outcome.code == 0)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let rules = try #require(report["rules"] as? [[String: Any]])
    let cached = try #require(rules.first { $0["rule"] as? String == "cached" })
    #expect(cached["rejected"] as? Int == quarantined.count)
    let differences = try #require(report["differences"] as? [String: Any])
    #expect((differences["compared"] as? Int ?? 0) > 0)
    #expect((report["instruments"] as? [Any])?.count == 40)

    let page = try Tool.run(arguments).output
    for part in ["coverage", "Rules for ticks", "cached", "rejected", "compared", "Instruments"] {
      #expect(page.contains(part), "\(page)")
    }
    let unknown = try Tool.run(arguments + ["--symbol", "NSE:SIM001"])
    #expect(unknown.code == 64)
    #expect(unknown.errors.contains("did you mean"))
  }

  @Test func wrongRulesAreRefusedBeforeTheFeedStarts() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("quality: {rules: [stael]}\n", to: "tickring.yaml")
    let outcome = try Tool.run(["config", "check", file])
    #expect(outcome.code == 78)
    #expect((outcome.errors + outcome.output).contains("did you mean stale?"))
  }

  @Test func everyRuleIsListedWithWhatItCanDo() throws {
    let outcome = try Tool.run(["quality", "rules"])
    #expect(outcome.code == 0)
    for name in [
      "not-positive", "inferred-gap", "silence_seconds 1 to 86400, usually 10", "venue-disagreement",
    ] {
      #expect(outcome.output.contains(name))
    }
  }

  @Test func aStoreOrADateThatIsNotThereIsOneSentence() throws {
    let missing = try Tool.run(["quality", "report", "--data", "/nonexistent"])
    #expect(missing.code == 66)
    let date = try Tool.run(["quality", "report", "--data", "/nonexistent", "--date", "yesterday"])
    #expect(date.code == 64)
    #expect(date.errors.contains("'yesterday' is not a date"))
  }
}
