public import MarketData

/// All candle rules that a configuration can name: TickRing's own, and those that a program has registered.
public enum CandleRuleCatalogue {
  private static let registry = RuleRegistry<any CandleRule.Type>(
    "candle rule",
    own: [
      CandleInvariantRule.self, MissingMinutesRule.self, RepeatedCandleRule.self, OutlierRule.self,
      VenueDisagreementRule.self,
    ]
  ) { $0 }

  /// Every rule there is.
  public static var all: [any CandleRule.Type] { registry.all }

  /// The rule of that name; nil when there is none.
  public static func rule(named name: String) -> (any CandleRule.Type)? { registry.rule(named: name) }

  /// Adds a rule of the user's own, or puts it in place of the registered one of the same name; to be called before
  /// the configuration that names it is read.
  public static func register(_ rule: any CandleRule.Type) { registry.register(rule) }

  /// The settings of TickRing's own rules: they flag, but for a candle of the venue that cannot be one, which is
  /// rejected.
  public static var standard: [RuleSetting] {
    registry.own.map { RuleSetting($0.name, $0 == CandleInvariantRule.self ? .reject : .flag) }
  }

  /// Makes the rules that settings choose.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when one is not there, is chosen twice, should correct, has no such
  ///   parameter, or has a value out of its bounds.
  public static func make(_ settings: [RuleSetting]) throws(Fault) -> [ChosenCandleRule] {
    try registry.choose(settings).map {
      ChosenCandleRule(rule: $0.kind.init(CandleRuleValues($0.values)), action: $0.action)
    }
  }
}

/// A candle rule and what happens to a candle of the venue that breaks it.
public struct ChosenCandleRule: Sendable {
  /// The rule.
  public let rule: any CandleRule
  /// ``RuleAction/reject`` keeps a candle of the venue out of the store; candles that are stored are never taken away.
  public let action: RuleAction

  /// The rule's name.
  public var name: String { type(of: rule).name }
}

extension [ChosenCandleRule] {
  /// Everything that is wrong with a day, by time.
  public func findings(in day: CandleDay) -> [CandleFinding] {
    flatMap { $0.rule.findings(in: day) }.sorted { ($0.start, $0.rule) < ($1.start, $1.rule) }
  }

  /// Parts the venue's candles of a day into those to be stored, flagged where a rule that flags has something to say of
  /// the candle itself, and those that a rule rejects, with the finding.
  public func sift(_ day: CandleDay) -> (
    accepted: [Candle], rejected: [(candle: Candle, finding: CandleFinding)]
  ) {
    var rejected: [(candle: Candle, finding: CandleFinding)] = []
    var left = day
    for chosen in self where chosen.action == .reject {
      for finding in chosen.rule.findings(in: left) where finding.origin == .venue {
        guard let position = left.venue.firstIndex(where: { $0.start == finding.start }) else { continue }
        rejected.append((left.venue.remove(at: position), finding))
      }
    }
    let suspects = Set(
      filter { $0.action == .flag && $0.rule is OutlierRule }
        .flatMap { $0.rule.findings(in: left) }.filter { $0.origin == .venue }.map(\.start))
    let accepted = left.venue.map { candle in
      var candle = candle
      if suspects.contains(candle.start) { candle.flags.insert(.suspect) }
      return candle
    }
    return (accepted, rejected)
  }
}
