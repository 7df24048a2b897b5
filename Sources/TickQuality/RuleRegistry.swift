internal import MarketData
internal import Synchronization

/// The rules of one kind by name: TickRing's own, and those that a program has registered.
///
/// `Kind` is the type of types that make them, as in `any TickRule.Type`.
final class RuleRegistry<Kind: Sendable>: Sendable {
  /// TickRing's own, in the order in which they judge by default.
  let own: [Kind]
  private let users = Mutex<[Kind]>([])
  /// What one is called in messages.
  private let title: String
  private let facts: @Sendable (Kind) -> any QualityRule.Type

  init(_ title: String, own: [Kind], facts: @escaping @Sendable (Kind) -> any QualityRule.Type) {
    self.title = title
    self.own = own
    self.facts = facts
  }

  var all: [Kind] { own + users.withLock { $0 } }

  func rule(named name: String) -> Kind? { all.first { facts($0).name == name } }

  /// Adds a rule of the user's own, or puts it in place of the registered one of the same name.
  func register(_ rule: Kind) {
    let name = facts(rule).name
    precondition(!own.contains { facts($0).name == name }, "'\(name)' is one of TickRing's own rules")
    users.withLock { rules in
      rules.removeAll { facts($0).name == name }
      rules.append(rule)
    }
  }

  /// What settings choose: the type of each rule, and a value for each of its parameters.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when one is not there, is chosen twice, has no such parameter, has a
  ///   value out of its bounds, or cannot correct although it should.
  func choose(_ settings: [RuleSetting]) throws(Fault) -> [(
    kind: Kind, values: [String: Int], action: RuleAction
  )] {
    var chosen: [(kind: Kind, values: [String: Int], action: RuleAction)] = []
    var names: Set<String> = []
    for setting in settings {
      guard let kind = rule(named: setting.rule) else {
        throw Fault(.configuration, "there is no \(title) '\(setting.rule)'")
      }
      guard names.insert(setting.rule).inserted else {
        throw Fault(.configuration, "the \(title) '\(setting.rule)' is chosen twice")
      }
      guard setting.action != .correct || facts(kind).canCorrect else {
        throw Fault(.configuration, "the \(title) '\(setting.rule)' cannot correct; it can flag or reject")
      }
      let parameters = facts(kind).parameters
      var values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.standard) })
      for (name, value) in setting.values {
        guard parameters.contains(where: { $0.name == name && $0.bounds.contains(value) }) else {
          throw Fault(.configuration, "the \(title) '\(setting.rule)' cannot have \(name) \(value)")
        }
        values[name] = value
      }
      chosen.append((kind, values, setting.action))
    }
    return chosen
  }
}
