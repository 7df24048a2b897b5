import Yams

/// The one declaration of a key: its name, where its value is kept, what form the value has, and what it is for.
///
/// Reading, checking, the nearest valid key, the annotated example and writing all follow from it.
struct ConfigurationKey<Section: ConfigurationSection>: Sendable {
  /// The key's own name, without those of the sections around it.
  let name: String
  /// Dotted names below this key when it is a section; empty for a value.
  let subkeys: [String]
  /// True for a key that only files of earlier versions have.
  var isFormer = false
  /// Takes the key's node into the section; complaints go to the walker.
  let read: @Sendable (Node, KeyLocation, inout Section, inout ConfigurationWalker) -> Void
  /// Writes the key with the section's value.
  let write: @Sendable (Section, inout ConfigurationWriter) -> Void

  /// Declares a key that holds a value.
  init<Value: Sendable>(
    _ name: String, _ property: any WritableKeyPath<Section, Value> & Sendable, _ form: ValueForm<Value>,
    _ purpose: String
  ) {
    self.name = name
    subkeys = []
    read = { node, location, section, walker in
      if let value = walker.value(of: node, form: form, at: location) { section[keyPath: property] = value }
    }
    write = { section, writer in
      writer.value(
        name, form.text(section[keyPath: property]), comment: "\(purpose): \(form.expectation).")
    }
  }

  /// Declares a key of earlier versions: it is still read, and neither shown in the example nor written when unset.
  init<Value: Sendable>(
    former name: String, _ property: any WritableKeyPath<Section, Value?> & Sendable,
    _ form: ValueForm<Value?>
  ) {
    self.name = name
    subkeys = []
    isFormer = true
    read = { node, location, section, walker in
      if let value = walker.value(of: node, form: form, at: location) { section[keyPath: property] = value }
    }
    write = { section, writer in
      guard section[keyPath: property] != nil else { return }
      writer.value(name, form.text(section[keyPath: property]), comment: "Of an earlier version.")
    }
  }

  /// Declares a key that holds a section of keys.
  init<Subsection: ConfigurationSection>(
    section name: String, _ property: any WritableKeyPath<Section, Subsection> & Sendable, _ purpose: String
  ) {
    self.name = name
    subkeys = Subsection.dottedKeys
    read = { node, location, section, walker in
      walker.walk(node, into: &section[keyPath: property], at: location)
    }
    write = { section, writer in
      writer.section(name, comment: "\(purpose).") { writer in
        for key in Subsection.keys { key.write(section[keyPath: property], &writer) }
      }
    }
  }
}

/// Where a key stands: its full dotted name (empty for the file as a whole) and its line.
struct KeyLocation: Sendable {
  let path: String
  let line: Int

  /// The full dotted name of a key inside this one.
  func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
