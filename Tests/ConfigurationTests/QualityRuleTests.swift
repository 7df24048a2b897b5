import Configuration
import MarketData
import Testing
import TickQuality

/// The list of quality rules in a configuration file.
@Suite struct QualityRuleTests {
  private func rules(_ text: String) throws -> [RuleSetting] {
    try FeedConfiguration.parse("quality:\n  rules: \(text)", file: "feed.yaml").quality.rules
  }

  @Test func rulesAreChosenOrderedAndTuned() throws {
    let listed = try rules(
      "[off-band, {rule: stale, action: reject, seconds: 30}, {action: correct, rule: not-positive}]")
    #expect(
      listed == [
        RuleSetting("off-band"), RuleSetting("stale", .reject, values: ["seconds": 30]),
        RuleSetting("not-positive", .correct),
      ])
    #expect(try rules("[]").isEmpty)
  }

  @Test func withoutAListAllOwnRulesFlag() throws {
    let standard = FeedConfiguration().quality.rules
    #expect(
      standard.map(\.rule) == [
        "not-positive", "cached", "duplicate", "out-of-order", "stale", "clock-skew", "outside-session",
        "volume-reset", "sequence-gap", "inferred-gap", "off-band",
      ])
    #expect(standard.allSatisfy { $0.action == .flag && $0.values.isEmpty })
    #expect(try FeedConfiguration.parse("quality: {rules: }", file: "feed.yaml").quality.rules == standard)
  }

  @Test func aListComesBackAsItWasWritten() throws {
    var configuration = FeedConfiguration()
    configuration.quality.rules = [
      RuleSetting("stale", .reject, values: ["seconds": 30]), RuleSetting("duplicate"),
    ]
    let text = configuration.yamlText
    #expect(text.contains("\n    - {rule: stale, action: reject, seconds: 30}\n"))
    #expect(try FeedConfiguration.parse(text, file: "feed.yaml") == configuration)
  }

  @Test(
    arguments: [
      (
        "stail",
        "feed.yaml:2: quality.rules[0].rule is 'stail', but must be one of not-positive, cached, duplicate, "
      ),
      ("stail", "; did you mean stale?"),
      ("stale, stale", "quality.rules[1].rule is 'stale' again, but must be named only once"),
      (
        "{rule: duplicate, action: correct}",
        "quality.rules[0].action is 'correct', but must be flag or reject: duplicate cannot correct"
      ),
      ("{rule: off-band, action: drop}", "action is 'drop', but must be flag or correct or reject"),
      (
        "{rule: stale, second: 3}",
        "quality.rules[0].second is no key of the rule stale, but must be one of rule, action, seconds"
      ),
      (
        "{rule: stale, seconds: 0}",
        "quality.rules[0].seconds is '0', but must be a whole number from 1 to 86400"
      ),
      ("{action: flag}", "quality.rules[0] is a mapping without the key rule, but must be a mapping such as"),
      ("[stale]", "quality.rules[0] is a list, but must be a rule's name, or a mapping such as"),
    ])
  func whatIsWrongWithARuleIsSaidWithItsPlace(text: String, part: String) {
    let all = sentences("quality:\n  rules: [\(text)]")
    #expect(all.count == 1)
    #expect(all.first?.contains(part) == true, "\(all)")
  }

  @Test func theKeysOfEarlierVersionsGoOnWorking() throws {
    let quality = try FeedConfiguration.parse(
      "quality: {stale_seconds: 30, band_percent: 0}", file: "feed.yaml"
    ).quality
    #expect(quality.rules.first { $0.rule == "stale" }?.values == ["seconds": 30])
    #expect(!quality.rules.contains { $0.rule == "off-band" })
    #expect(
      sentences("quality:\n  rules: [stale]\n  stale_seconds: 30") == [
        "feed.yaml:3: quality.stale_seconds is given beside quality.rules; remove it, and write "
          + "{rule: stale, seconds: …} there"
      ])
  }
}
