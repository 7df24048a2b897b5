import TickQuality
import Yams

extension ValueForm where Value == [RuleSetting] {
  /// A list of rules for ticks; each is a rule's name, or a mapping of `rule`, `action` and the rule's parameters.
  static var rules: ValueForm {
    rules(example: "[not-positive, {rule: stale, action: reject, seconds: 30}]") {
      RuleCatalogue.all.map { KnownRule(name: $0.name, canCorrect: $0.canCorrect, parameters: $0.parameters) }
    }
  }

  /// The same of rules for candles.
  static var candleRules: ValueForm {
    rules(example: "[outliers, {rule: invariants, action: reject}]") {
      CandleRuleCatalogue.all.map { KnownRule(name: $0.name, canCorrect: false, parameters: $0.parameters) }
    }
  }

  private static func rules(example: String, known: @escaping @Sendable () -> [KnownRule]) -> ValueForm {
    ValueForm(
      "a list of rules such as \(example)",
      read: { node, complaints in
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        var settings: [RuleSetting] = []
        for (index, element) in elements.enumerated() {
          var reader = RuleReader(place: "[\(index)]", known: known())
          if let setting = reader.read(element) {
            if settings.contains(where: { $0.rule == setting.rule }) {
              reader.complain(".rule", "'\(setting.rule)' again", "named only once", element)
            } else {
              settings.append(setting)
            }
          }
          complaints += reader.complaints
        }
        return settings
      },
      text: { settings in settings.isEmpty ? "[]" : settings.map { "\n- \(flow($0))" }.joined() })
  }

  private static func flow(_ setting: RuleSetting) -> String {
    var parts = ["rule: \(yamlScalar(setting.rule))", "action: \(setting.action.rawValue)"]
    for name in setting.values.keys.sorted() { parts.append("\(name): \(setting.values[name] ?? 0)") }
    return "{\(parts.joined(separator: ", "))}"
  }
}

/// What the form of a list has to know of a rule.
private struct KnownRule {
  let name: String
  let canCorrect: Bool
  let parameters: [RuleParameter]
}

/// Reads one element of a list of rules and complains of whatever is wrong in it.
private struct RuleReader {
  let place: String
  let known: [KnownRule]
  private(set) var complaints: [ValueComplaint] = []

  private static let suggestionCount = 1

  init(place: String, known: [KnownRule]) {
    self.place = place
    self.known = known
  }

  mutating func read(_ element: Node) -> RuleSetting? {
    switch element {
    case .scalar(let scalar) where !element.isEmptyValue:
      return rule(scalar.string, element).map { RuleSetting($0.name) }
    case .mapping(let mapping): return read(mapping, element)
    default:
      complain(
        "", element.outline, "a rule's name, or a mapping such as {rule: stale, action: flag}", element)
      return nil
    }
  }

  private mutating func read(_ mapping: Node.Mapping, _ element: Node) -> RuleSetting? {
    guard let name = mapping["rule"]?.scalar?.string else {
      complain("", "a mapping without the key rule", "a mapping such as {rule: stale, action: flag}", element)
      return nil
    }
    guard let type = rule(name, mapping["rule"] ?? element) else { return nil }
    var setting = RuleSetting(type.name)
    for (key, value) in mapping {
      let word = YAMLText.withoutRepetitionMark(key.scalar?.string ?? "")
      switch word {
      case "rule": break
      case "action": readAction(value, of: type, into: &setting)
      default: readParameter(word, key, value, of: type, into: &setting)
      }
    }
    return setting
  }

  private mutating func rule(_ name: String, _ node: Node) -> KnownRule? {
    if let rule = known.first(where: { $0.name == name }) { return rule }
    let names = known.map(\.name)
    let near = nearest(to: name, among: names, count: Self.suggestionCount).first
    complain(
      ".rule", "'\(name)'",
      "one of \(names.joined(separator: ", "))" + (near.map { "; did you mean \($0)?" } ?? ""), node)
    return nil
  }

  private mutating func readAction(_ node: Node, of type: KnownRule, into setting: inout RuleSetting) {
    let allowed = RuleAction.allCases.filter { $0 != .correct || type.canCorrect }
    guard let action = node.scalar.flatMap({ RuleAction(rawValue: $0.string) }), allowed.contains(action)
    else {
      let words = allowed.map(\.rawValue).joined(separator: " or ")
      complain(
        ".action", node.outline, "\(words)" + (type.canCorrect ? "" : ": \(type.name) cannot correct"), node)
      return
    }
    setting.action = action
  }

  private mutating func readParameter(
    _ word: String, _ key: Node, _ node: Node, of type: KnownRule, into setting: inout RuleSetting
  ) {
    guard let parameter = type.parameters.first(where: { $0.name == word }) else {
      let names = ["action"] + type.parameters.map(\.name)
      complain(
        ".\(word)", "no key of the rule \(type.name)", "one of rule, \(names.joined(separator: ", "))", key)
      return
    }
    let form = ValueForm<Int>.wholeNumber(parameter.bounds)
    var problems: [ValueComplaint] = []
    if let value = form.read(node, &problems) { setting.values[word] = value }
    for problem in problems { complain(".\(word)", problem.found, form.expectation, node) }
  }

  mutating func complain(_ suffix: String, _ found: String, _ expectation: String, _ node: Node) {
    complaints.append(
      ValueComplaint(
        found: found, element: place + suffix, line: node.mark?.line, expectation: expectation))
  }
}
