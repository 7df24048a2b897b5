import MarketData
import Yams

/// Turns text into a tree of YAML nodes, or into a sentence about what is wrong with the text.
struct YAMLText {
  /// The file's name for messages.
  let file: String
  /// The text, line by line.
  private var lines: [String]

  /// Follows the name of a repeated key, and is followed by its line; a character for private use.
  private static let repetitionMark: Character = "\u{E000}"
  /// Repeated keys that are looked for in one file.
  private static let repetitionsMax = 100

  /// Splits a file's text.
  init(_ text: String, file: String) {
    self.file = file
    lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
  }

  /// A key as it stands in the file.
  static func withoutRepetitionMark(_ key: String) -> String {
    key.firstIndex(of: repetitionMark).map { String(key[..<$0]) } ?? key
  }

  /// The document's root node.
  ///
  /// The parser refuses a text as a whole for one repeated key, naming only the line of the first. So that the
  /// second can be reported by its own line and full name, and other faults beside it, the second is renamed and
  /// the text parsed again.
  mutating func compose() throws(ConfigurationFaults) -> Node {
    for _ in 0..<Self.repetitionsMax {
      do {
        guard let node = try Yams.compose(yaml: lines.joined(separator: "\n")) else {
          throw fault(line: nil, "the file is empty, but must hold keys with values, such as feed: nse")
        }
        return node
      } catch let error as YamlError {
        try renameRepetition(orExplain: error)
      } catch let faults as ConfigurationFaults {
        throw faults
      } catch {
        throw fault(line: nil, "the file cannot be read as YAML: \(error)")
      }
    }
    throw fault(line: nil, "more than \(Self.repetitionsMax) keys are given twice")
  }

  private mutating func renameRepetition(orExplain error: YamlError) throws(ConfigurationFaults) {
    guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first else {
      throw explanation(of: error)
    }
    let indentation = String(repeating: " ", count: max(0, context.mark.column - 1))
    var index = context.mark.line
    while index < lines.count {
      let rest = lines[index].drop { $0 == " " }
      let isDeeper = lines[index].hasPrefix(indentation)
      if !isDeeper, !rest.isEmpty, !rest.hasPrefix("#") { break }
      if isDeeper, isKey(name, at: lines[index].dropFirst(indentation.count)) {
        let end = lines[index].index(lines[index].startIndex, offsetBy: indentation.count + name.count)
        lines[index].insert(contentsOf: "\(Self.repetitionMark)\(index + 1)", at: end)
        return
      }
      index += 1
    }
    throw fault(line: context.mark.line, "\(name) is given twice in one mapping; one of the two must go")
  }

  /// Whether a line's rest begins with a plain key of that name.
  private func isKey(_ name: String, at rest: Substring) -> Bool {
    rest.hasPrefix(name) && rest.dropFirst(name.count).drop { $0 == " " }.first == ":"
  }

  private func explanation(of error: YamlError) -> ConfigurationFaults {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let surroundings = context.map { "\($0.text) from line \($0.mark.line): " } ?? ""
      let line = min(max(mark.line, 1), lines.count)
      let isTabbed = lines[line - 1].drop { $0 == " " }.first == "\t"
      let advice = isTabbed ? "; YAML is indented by spaces, never by tabs" : ""
      return fault(line: line, "this is not YAML: \(surroundings)\(problem)\(advice)")
    case .reader(let problem, let offset, _, let text):
      let line = offset.map { text.prefix($0).count(where: \.isNewline) + 1 }
      return fault(line: line, "this is not YAML: \(problem)")
    default:
      return fault(line: nil, "this is not YAML: \(String(describing: error).split(separator: "\n")[0])")
    }
  }

  private func fault(line: Int?, _ text: String) -> ConfigurationFaults {
    ConfigurationFaults(Fault(.configuration, "\(file):\(line.map { "\($0):" } ?? "") \(text)"))
  }
}
