import MarketData
import Yams

extension ValueForm where Value == [Symbol] {
  /// A list of symbols, which may be empty, without repetition.
  static var symbols: ValueForm {
    ValueForm(
      "a list of symbols such as [NSE:RELIANCE, NSE:INFY], or []",
      read: { node, complaints in
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        var symbols: [Symbol] = []
        for (index, element) in elements.enumerated() {
          guard case .scalar(let scalar) = element, let symbol = try? Symbol(scalar.string),
            !symbols.contains(symbol)
          else {
            complaints.append(
              ValueComplaint(
                found: element.outline, element: "[\(index)]", line: element.mark?.line,
                expectation: "EXCHANGE:SYMBOL as in NSE:RELIANCE, named only once"))
            continue
          }
          symbols.append(symbol)
        }
        return symbols
      }, text: { "[\($0.map { yamlScalar($0.text) }.joined(separator: ", "))]" })
  }
}

extension ValueForm where Value == [String] {
  /// A list of texts, which may be empty.
  static var texts: ValueForm {
    ValueForm(
      "a list of texts such as [/usr/local/bin/notify, --urgent], or []",
      read: { node, complaints in
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
          guard case .scalar(let scalar) = element, !scalar.string.utf8.contains(0),
            !(index == 0 && scalar.string.isEmpty)
          else {
            complaints.append(
              ValueComplaint(
                found: element.outline, element: "[\(index)]", line: element.mark?.line,
                expectation: "a text, the first one the path of a program"))
            continue
          }
          texts.append(scalar.string)
        }
        return texts
      }, text: { "[\($0.map(yamlScalar).joined(separator: ", "))]" })
  }
}
