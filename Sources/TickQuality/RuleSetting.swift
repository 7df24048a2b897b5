/// One rule as the configuration chooses it: which, what happens to ticks that break it, and how it is tuned.
public struct RuleSetting: Sendable, Hashable {
  /// The rule's name.
  public var rule: String
  /// What happens to a tick that breaks it.
  public var action: RuleAction
  /// Values of its parameters that are not the standard ones.
  public var values: [String: Int]

  /// Chooses a rule.
  public init(_ rule: String, _ action: RuleAction = .flag, values: [String: Int] = [:]) {
    self.rule = rule
    self.action = action
    self.values = values
  }

  /// Every rule that TickRing has, in the order in which they judge; all of them only flag.
  ///
  /// The order matters where a rule reads a flag that another raises: volume-reset, off-band and inferred-gap come
  /// after out-of-order.
  public static var standard: [RuleSetting] { RuleCatalogue.ownRules.map { RuleSetting($0.name) } }
}
