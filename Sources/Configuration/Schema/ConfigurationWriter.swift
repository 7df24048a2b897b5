/// Writes keys and values as YAML, with or without a comment above each key.
struct ConfigurationWriter {
  /// What was written so far.
  private(set) var text = ""

  private let withComments: Bool
  private var indentation = ""

  /// The longest line of a comment, in characters.
  private static let columnsMax = 100

  init(withComments: Bool) {
    self.withComments = withComments
  }

  /// Writes a key with a value that is already YAML; an empty value leaves the key without one, and one that begins
  /// with a new line goes on below the key, indented.
  mutating func value(_ name: String, _ value: String, comment: String) {
    self.comment(comment)
    if value.hasPrefix("\n") {
      text +=
        "\(indentation)\(name):" + value.split(separator: "\n").map { "\n\(indentation)  \($0)" }.joined()
        + "\n"
      return
    }
    text += value.isEmpty ? "\(indentation)\(name):\n" : "\(indentation)\(name): \(value)\n"
  }

  /// Writes a section's key, and its keys indented below.
  mutating func section(_ name: String, comment: String, _ writeKeys: (inout ConfigurationWriter) -> Void) {
    blankLine()
    self.comment(comment)
    text += "\(indentation)\(name):\n"
    let outer = indentation
    indentation += "  "
    writeKeys(&self)
    indentation = outer
    blankLine()
  }

  /// Sets off what follows by one blank line; nothing when comments are off.
  mutating func blankLine() {
    if withComments, !text.hasSuffix("\n\n") { text += "\n" }
  }

  /// Writes a comment, broken into lines between words; nothing when comments are off.
  mutating func comment(_ comment: String) {
    guard withComments else { return }
    var line = "\(indentation)#"
    for word in comment.split(separator: " ") {
      if line.count + 1 + word.count > Self.columnsMax {
        text += "\(line)\n"
        line = "\(indentation)#"
      }
      line += " \(word)"
    }
    text += "\(line)\n"
  }
}

/// A text as a YAML scalar: plain where that is safe without doubt, else in double quotes with escapes.
func yamlScalar(_ text: String) -> String {
  let wordsOfYAML = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
  let isPlain =
    text.utf8.allSatisfy { isASCIILetterOrDigit($0) || "._/:-".utf8.contains($0) }
    && text.utf8.first.map { isASCIILetterOrDigit($0) || "./".utf8.contains($0) } == true
    && text.utf8.last != UInt8(ascii: ":") && !wordsOfYAML.contains(text.lowercased())
  if isPlain { return text }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0x22, 0x5C: quoted += "\\\(scalar)"
    case 0x20...0x7E, 0xA1...0x2027, 0x202A...0xD7FF: quoted.unicodeScalars.append(scalar)
    default:
      let digits = String(scalar.value, radix: 16)
      quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }
  return quoted + "\""
}

private func isASCIILetterOrDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default: false
  }
}
