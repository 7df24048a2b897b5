import MarketData
import Yams

/// Walks the nodes of a YAML document into sections, and collects everything that is wrong on the way.
struct ConfigurationWalker {
  /// The file's name for messages.
  let file: String

  /// Something wrong, and the line to which it belongs.
  private struct Problem {
    let line: Int?
    let text: String
  }
  private var problems: [Problem] = []
  private var lines: [String: Int] = [:]

  /// Starts a walk through one file.
  init(file: String) {
    self.file = file
  }

  /// What was wrong so far, in the order of the lines; nil when nothing was.
  var faults: ConfigurationFaults? {
    let ordered = problems.enumerated().sorted {
      ($0.element.line ?? .max, $0.offset) < ($1.element.line ?? .max, $1.offset)
    }
    let all = ordered.map { _, problem in
      Fault(.configuration, "\(file):\(problem.line.map { "\($0):" } ?? "") \(problem.text)")
    }
    guard let first = all.first else { return nil }
    return ConfigurationFaults(first, Array(all.dropFirst()))
  }

  /// Notes a problem that belongs to a line, or to the file as a whole.
  mutating func report(line: Int?, _ text: String) {
    problems.append(Problem(line: line, text: text))
  }

  /// Notes a problem with a value that is well-formed by itself; it belongs to the key's line, if the file has one.
  mutating func report(key: String, _ text: String) {
    report(line: lines[key], "\(key) \(text)")
  }

  /// Takes a whole document into the section of its root.
  mutating func walkDocument<Section: ConfigurationSection>(_ root: Node, into section: inout Section) {
    walk(root, into: &section, at: KeyLocation(path: "", line: root.mark?.line ?? 1))
  }

  /// Takes a mapping's keys into a section. A key without a value is an empty section: all its keys are commented
  /// out.
  mutating func walk<Section: ConfigurationSection>(
    _ node: Node, into section: inout Section, at location: KeyLocation
  ) {
    guard case .mapping(let mapping) = node else {
      if !location.path.isEmpty, node.isEmptyValue { return }
      let subject = location.path.isEmpty ? "the file" : location.path
      let names = Section.keys.map(\.name).joined(separator: ", ")
      report(
        line: location.line, "\(subject) is \(node.outline), but must hold keys, each with a value: \(names)")
      return
    }
    for (keyNode, valueNode) in mapping {
      let line = keyNode.mark?.line ?? location.line
      guard case .scalar(let scalar) = keyNode else {
        report(line: line, "a key is \(keyNode.outline), but must be a word")
        continue
      }
      let name = YAMLText.withoutRepetitionMark(scalar.string)
      let path = location.path(of: name)
      if let firstLine = lines[path] {
        report(line: line, "\(path) is given twice, first in line \(firstLine); one of the two must go")
      } else if let key = Section.keys.first(where: { $0.name == name }) {
        lines[path] = line
        key.read(valueNode, KeyLocation(path: path, line: line), &section, &self)
      } else {
        lines[path] = line
        reportUnknown(name, in: Section.self, at: KeyLocation(path: path, line: line), section: location)
      }
    }
  }

  /// Reads a value of a form; nil when it is not of that form, which is then noted.
  mutating func value<Value>(of node: Node, form: ValueForm<Value>, at location: KeyLocation) -> Value? {
    var complaints: [ValueComplaint] = []
    let value = form.read(node, &complaints)
    for complaint in complaints {
      report(
        line: complaint.line ?? location.line,
        "\(location.path)\(complaint.element) is \(complaint.found), but must be "
          + (complaint.expectation ?? form.expectation))
    }
    return complaints.isEmpty ? value : nil
  }

  private mutating func reportUnknown<Section: ConfigurationSection>(
    _ name: String, in _: Section.Type, at location: KeyLocation, section: KeyLocation
  ) {
    if let variables = KiteSecrets.variables(forKey: name) {
      report(
        line: location.line,
        "\(location.path) is a secret, which must not stand in a file; remove it, and set \(variables) in the "
          + "environment")
      return
    }
    let names = Section.keys.map(\.name)
    let advice: String
    if let elsewhere = FeedConfiguration.dottedKeys.first(where: { $0.hasSuffix(".\(name)") }) {
      advice = "did you mean \(elsewhere)?"
    } else if let near = nearest(to: name, among: names, count: 1).first {
      advice = "did you mean \(section.path(of: near))?"
    } else {
      advice = "valid here are \(names.joined(separator: ", "))"
    }
    report(line: location.line, "\(location.path) is not a key; \(advice)")
  }
}
