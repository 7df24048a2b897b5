extension FeedConfiguration {
  /// The dotted names of the values that differ, in the annotated example's order, with both values as YAML.
  public func differences(to other: FeedConfiguration) -> [(key: String, old: String, new: String)] {
    let old = Self.values(yamlText)
    let new = Self.values(other.yamlText)
    let texts = Dictionary(new, uniquingKeysWith: { first, _ in first })
    let known = Set(old.map(\.key))
    return old.compactMap { entry in
      let text = texts[entry.key] ?? ""
      return text == entry.value ? nil : (entry.key, entry.value, text)
    } + new.filter { !known.contains($0.key) }.map { ($0.key, "", $0.value) }
  }

  /// What follows each key in written YAML; lines indented further belong to the key above.
  private static func values(_ yaml: String) -> [(key: String, value: String)] {
    var values: [(key: String, value: String)] = []
    var section = ""
    for line in yaml.split(separator: "\n") where !line.hasPrefix("#") {
      let indentation = line.prefix { $0 == " " }.count
      let text = line.dropFirst(indentation)
      guard indentation <= 2, let colon = text.firstIndex(of: ":"), !text.hasPrefix("- ") else {
        if !values.isEmpty { values[values.count - 1].value += "\n" + text }
        continue
      }
      let name = String(text[..<colon])
      if indentation == 0 { section = name }
      let key = indentation == 0 ? name : "\(section).\(name)"
      let value = text[text.index(after: colon)...].drop { $0 == " " }
      values.append((key, String(value)))
    }
    return values
  }
}
