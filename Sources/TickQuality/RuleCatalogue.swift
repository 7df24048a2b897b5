public import MarketData

/// All rules for ticks that a configuration can name: TickRing's own, and those that a program has registered.
public enum RuleCatalogue {
  private static let registry = RuleRegistry<TickRuleKind>(
    "quality rule",
    own: [
      TickRuleKind(NotPositiveRule.self), TickRuleKind(CachedOnSubscribeRule.self),
      TickRuleKind(DuplicateRule.self), TickRuleKind(OutOfOrderRule.self), TickRuleKind(StaleRule.self),
      TickRuleKind(ClockSkewRule.self), TickRuleKind(OutsideSessionRule.self),
      TickRuleKind(VolumeResetRule.self), TickRuleKind(SequenceGapRule.self),
      TickRuleKind(InferredGapRule.self), TickRuleKind(OffBandRule.self),
    ]
  ) { $0.type }

  /// TickRing's own rules in the order in which they judge by default.
  static var ownRules: [any TickRule.Type] { registry.own.map(\.type) }

  /// Every rule there is.
  public static var all: [any TickRule.Type] { registry.all.map(\.type) }

  /// The rule of that name; nil when there is none.
  public static func rule(named name: String) -> (any TickRule.Type)? { registry.rule(named: name)?.type }

  /// Adds a rule of the user's own, or puts it in place of the registered one of the same name; to be called before
  /// the configuration that names it is read.
  public static func register<Rule: TickRule>(_ rule: Rule.Type) { registry.register(TickRuleKind(rule)) }

  /// Makes the rules that settings choose.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when one is not there, is chosen twice, has no such parameter, has a
  ///   value out of its bounds, or cannot correct although it should.
  public static func make(_ settings: [RuleSetting], phases: MarketPhases) throws(Fault) -> [ChosenRule] {
    try registry.choose(settings).map { $0.kind.make(RuleValues($0.values, phases: phases), $0.action) }
  }
}

/// A type of rule, and how one is made of it.
private struct TickRuleKind: Sendable {
  let type: any TickRule.Type
  let make: @Sendable (RuleValues, RuleAction) -> ChosenRule

  init<Rule: TickRule>(_ type: Rule.Type) {
    self.type = type
    make = { ChosenRule(Rule($0), $1) }
  }
}

/// A rule and what happens to ticks that break it.
public struct ChosenRule: Sendable {
  /// The rule.
  public let rule: any TickRule
  /// What happens.
  public let action: RuleAction
  /// Gives the rule its place in the blocks of what rules remember.
  let makeSeat: @Sendable (inout BlockLayout) -> RuleSeat

  init<Rule: TickRule>(_ rule: Rule, _ action: RuleAction) {
    self.rule = rule
    self.action = action
    makeSeat = { $0.seat(rule, action) }
  }

  /// The rule's name.
  public var name: String { type(of: rule).name }
  /// The flag that it raises.
  public var flag: TickFlags { type(of: rule).flag }
}

extension [ChosenRule] {
  /// Which rule took a record of kind ``TickKind/rejected`` or ``TickKind/original`` out of the stream, and why; nil
  /// when none of these can have.
  ///
  /// The record's flags tell: the first rule that rejects, or corrects, and whose flag it carries. Rules of the user's
  /// own share one flag, so that of several that reject the first is named.
  public func verdict(on record: Tick) -> (rule: String, reason: String)? {
    let action: RuleAction = record.kind == .original ? .correct : .reject
    guard let culprit = first(where: { $0.action == action && record.flags.isSuperset(of: $0.flag) }) else {
      return nil
    }
    return (culprit.name, culprit.rule.reason(for: record))
  }
}
