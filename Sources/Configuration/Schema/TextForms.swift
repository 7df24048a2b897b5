import FoundationEssentials
import MarketData
import Yams

extension ValueForm where Value == String {
  /// A short name that may stand in file names: `a` to `z`, digits and hyphens.
  static func name(_ lengths: ClosedRange<Int>) -> ValueForm {
    ValueForm(
      "\(lengths.lowerBound) to \(lengths.upperBound) of the characters a-z, 0-9 and -",
      scalar: { scalar in
        let isOfName = scalar.string.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        return isOfName && lengths.contains(scalar.string.utf8.count) ? scalar.string : nil
      }, text: yamlScalar)
  }

  /// A group of users, by its name or number.
  static func groupName(bytesMax: Int) -> ValueForm {
    ValueForm(
      "the name or number of a group of users, at most \(bytesMax) of the characters a-z, A-Z, 0-9, _, . and -",
      scalar: { scalar in
        let isName = scalar.string.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_.-".utf8.contains(byte)
        }
        let isStart =
          scalar.string.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") } ?? false
        return isName && isStart && scalar.string.utf8.count <= bytesMax ? scalar.string : nil
      }, text: yamlScalar)
  }

  /// A path in the file system.
  static func path(bytesMax: Int) -> ValueForm {
    ValueForm(
      "a path of 1 to \(bytesMax) bytes without control characters",
      scalar: { scalar in
        let isPath = scalar.string.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isPath && (1...bytesMax).contains(scalar.string.utf8.count) ? scalar.string : nil
      }, text: yamlScalar)
  }

  /// The root of a service: scheme, host and perhaps port and path. Anything behind could be a credential, which is
  /// why such an address is not repeated in the complaint.
  static func url(schemes: [String], example: String) -> ValueForm {
    let expectation =
      "an address that begins with \(schemes.map { "\($0)://" }.joined(separator: " or ")), without user, query or "
      + "fragment, such as \(example)"
    return ValueForm(
      expectation,
      read: { node, complaints in
        guard case .scalar(let scalar) = node, !node.isEmptyValue else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        if scalar.string.contains(where: { "@?#".contains($0) }) {
          complaints.append(ValueComplaint(found: "an address with a user, a query or a fragment"))
          return nil
        }
        guard let parts = URLComponents(string: scalar.string), schemes.contains(parts.scheme ?? ""),
          parts.host?.isEmpty == false, (1...65_535).contains(parts.port ?? 1)
        else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        return scalar.string
      }, text: yamlScalar)
  }
}

extension ValueForm where Value == String {
  /// Any text on one line, which may be empty.
  static func text(bytesMax: Int) -> ValueForm {
    ValueForm(
      "a text of at most \(bytesMax) bytes, or empty",
      read: { node, complaints in
        if node.isEmptyValue { return "" }
        guard case .scalar(let scalar) = node, scalar.string.utf8.count <= bytesMax,
          scalar.string.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        return scalar.string
      }, text: { $0.isEmpty ? "" : yamlScalar($0) })
  }
}

extension ValueForm where Value == [String] {
  /// A list of texts, which may be empty.
  static func texts(countMax: Int, example: String) -> ValueForm {
    ValueForm(
      "a list of at most \(countMax) texts such as \(example)",
      read: { node, complaints in
        guard case .sequence(let elements) = node, elements.count <= countMax else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
          guard case .scalar(let scalar) = element, !scalar.string.contains("\0") else {
            complaints.append(
              ValueComplaint(
                found: element.outline, element: "[\(index)]", line: element.mark?.line,
                expectation: "a text without a zero byte"))
            continue
          }
          texts.append(scalar.string)
        }
        return texts
      }, text: { "[\($0.map(yamlScalar).joined(separator: ", "))]" })
  }
}

extension ValueForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of a few words.
  static var word: ValueForm {
    ValueForm(
      Value.allCases.count == 1
        ? "\(Value.allCases.map(\.rawValue)[0]) (nothing else exists yet)"
        : "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
      scalar: { Value(rawValue: $0.string) }, text: { yamlScalar($0.rawValue) })
  }
}

extension ValueForm where Value == Timestamp {
  /// An instant with its zone.
  static var instant: ValueForm {
    ValueForm(
      "a time with its zone, such as 2026-11-23T09:15:00+05:30",
      scalar: { Timestamp(rfc3339: $0.string) }, text: { $0.rfc3339 })
  }
}

extension ValueForm {
  /// A list of words of a few, without repetition.
  static func words<Word: CaseIterable & RawRepresentable & Hashable & Sendable>() -> ValueForm<[Word]>
  where Value == [Word], Word.RawValue == String {
    let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
    return ValueForm<[Word]>(
      "a list of words out of \(known)",
      read: { node, complaints in
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        var words: [Word] = []
        for (index, element) in elements.enumerated() {
          guard case .scalar(let scalar) = element, let word = Word(rawValue: scalar.string),
            !words.contains(word)
          else {
            complaints.append(
              ValueComplaint(
                found: element.outline, element: "[\(index)]", line: element.mark?.line,
                expectation: "one of \(known), named only once"))
            continue
          }
          words.append(word)
        }
        return words
      }, text: { "[\($0.map(\.rawValue).joined(separator: ", "))]" })
  }
}
