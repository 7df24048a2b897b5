/// A mapping in the configuration file: a struct whose initial values are the defaults, and the keys that fill it.
protocol ConfigurationSection: Sendable {
  /// Makes the section with its defaults.
  init()

  /// The section's keys, in the order in which the annotated example shows them.
  static var keys: [ConfigurationKey<Self>] { get }
}

extension ConfigurationSection {
  /// The dotted names of all values in the section, those of sections in it included.
  static var dottedKeys: [String] {
    keys.filter { !$0.isFormer }.flatMap { key in
      key.subkeys.isEmpty ? [key.name] : key.subkeys.map { "\(key.name).\($0)" }
    }
  }
}
