public import MarketData
internal import Synchronization

/// All rules that a configuration can name: TickRing's own, and those that a program has registered.
public enum RuleCatalogue {
  /// TickRing's own rules in the order in which they judge by default.
  static let ownRules: [any TickRule.Type] = [
    NotPositiveRule.self, CachedOnSubscribeRule.self, DuplicateRule.self, OutOfOrderRule.self, StaleRule.self,
    ClockSkewRule.self, OutsideSessionRule.self, VolumeResetRule.self, SequenceGapRule.self,
    InferredGapRule.self,
    OffBandRule.self,
  ]

  private static let userRules = Mutex<[any TickRule.Type]>([])

  /// Adds a rule of the user's own, or puts it in place of the registered one of the same name; to be called before
  /// the configuration that names it is read.
  public static func register(_ rule: any TickRule.Type) {
    precondition(!ownRules.contains { $0.name == rule.name }, "'\(rule.name)' is one of TickRing's own rules")
    userRules.withLock { rules in
      rules.removeAll { $0.name == rule.name }
      rules.append(rule)
    }
  }

  /// Every rule there is.
  public static var all: [any TickRule.Type] { ownRules + userRules.withLock { $0 } }

  /// The rule of that name; nil when there is none.
  public static func rule(named name: String) -> (any TickRule.Type)? { all.first { $0.name == name } }

  /// Makes the rules that settings choose.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when one is not there, is chosen twice, has no such parameter, has a
  ///   value out of its bounds, or cannot correct although it should.
  public static func make(_ settings: [RuleSetting], phases: MarketPhases) throws(Fault) -> [ChosenRule] {
    var chosen: [ChosenRule] = []
    for setting in settings {
      guard let type = rule(named: setting.rule) else {
        throw Fault(.configuration, "there is no quality rule '\(setting.rule)'")
      }
      guard !chosen.contains(where: { $0.name == setting.rule }) else {
        throw Fault(.configuration, "the quality rule '\(setting.rule)' is chosen twice")
      }
      guard setting.action != .correct || type.canCorrect else {
        throw Fault(
          .configuration, "the quality rule '\(setting.rule)' cannot correct; it can flag or reject")
      }
      var values: [String: Int] = [:]
      for parameter in type.parameters { values[parameter.name] = parameter.standard }
      for (name, value) in setting.values {
        guard let parameter = type.parameters.first(where: { $0.name == name }),
          parameter.bounds.contains(value)
        else {
          throw Fault(.configuration, "the quality rule '\(setting.rule)' cannot have \(name) \(value)")
        }
        values[name] = value
      }
      chosen.append(ChosenRule(rule: type.init(RuleValues(values, phases: phases)), action: setting.action))
    }
    return chosen
  }
}

/// A rule and what happens to ticks that break it.
public struct ChosenRule: Sendable {
  /// The rule.
  public let rule: any TickRule
  /// What happens.
  public let action: RuleAction

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
