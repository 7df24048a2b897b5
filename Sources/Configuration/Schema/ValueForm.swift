import Yams

/// The form of a value: what is expected in words, how it is read from YAML and how it is written.
struct ValueForm<Value: Sendable>: Sendable {
  /// Completes the sentence "it must be …" and the key's comment.
  let expectation: String
  /// Reads a value; nil, and at least one complaint, when the node is not of this form.
  let read: @Sendable (Node, inout [ValueComplaint]) -> Value?
  /// Writes a value as YAML.
  let text: @Sendable (Value) -> String

  /// Makes a form from its parts.
  init(
    _ expectation: String, read: @escaping @Sendable (Node, inout [ValueComplaint]) -> Value?,
    text: @escaping @Sendable (Value) -> String
  ) {
    self.expectation = expectation
    self.read = read
    self.text = text
  }

  /// Makes a form of a single scalar that `parse` turns into a value, or into nil when it is not of the form.
  init(
    _ expectation: String, scalar parse: @escaping @Sendable (Node.Scalar) -> Value?,
    text: @escaping @Sendable (Value) -> String
  ) {
    self.init(
      expectation,
      read: { node, complaints in
        if case .scalar(let scalar) = node, !node.isEmptyValue, let value = parse(scalar) { return value }
        complaints.append(ValueComplaint(found: node.outline))
        return nil
      }, text: text)
  }
}

extension ValueForm {
  /// The same form, or nothing at all.
  static func optional<Wrapped: Sendable>(_ form: ValueForm<Wrapped>) -> ValueForm<Wrapped?>
  where Value == Wrapped? {
    ValueForm<Wrapped?>(
      "\(form.expectation), or empty",
      read: { node, complaints in node.isEmptyValue ? .some(nil) : form.read(node, &complaints) },
      text: { $0.map(form.text) ?? "" })
  }
}

/// What is wrong with a value.
struct ValueComplaint {
  /// What was found instead: `'abc'`, `a list`.
  let found: String
  /// Which element of the value, as in `[2]`; empty for the value as a whole.
  var element = ""
  /// The element's line where it differs from the key's.
  var line: Int?
  /// What was expected of the element, where that differs from what is expected of the whole.
  var expectation: String?
}

extension Node {
  /// True for `key:` with nothing behind it, and for `~` and `null`.
  var isEmptyValue: Bool {
    guard case .scalar(let scalar) = self else { return false }
    return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// What the node is, in a few words for a message.
  var outline: String {
    switch self {
    case .scalar(let scalar):
      if isEmptyValue { return "empty" }
      let lengthMax = 60
      let visible = scalar.string.prefix(lengthMax).map { $0.isNewline ? " " : String($0) }.joined()
      let text = scalar.string.count > lengthMax ? "\(visible)…" : visible
      return scalar.style == .plain ? "'\(text)'" : "the text \"\(text)\" in quotes"
    case .sequence: return "a list"
    case .mapping: return "a mapping of keys"
    case .alias: return "an alias"
    }
  }
}
