import MarketData
import Yams

extension ValueForm where Value == InstrumentSelection {
  /// A list of symbols without repetition, or the word `all`.
  static var instruments: ValueForm {
    ValueForm(
      "a list of symbols such as [NSE:RELIANCE, NSE:INFY], or the word all",
      read: { node, complaints in
        if case .scalar(let scalar) = node, scalar.string == "all" { return .all }
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        if elements.isEmpty { complaints.append(ValueComplaint(found: "an empty list")) }
        var symbols: [Symbol] = []
        var seen = Set<Symbol>()
        for (index, element) in elements.enumerated() {
          var complaint = ValueComplaint(
            found: element.outline, element: "[\(index)]", line: element.mark?.line,
            expectation: "EXCHANGE:SYMBOL as in NSE:RELIANCE, of at most \(Symbol.utf8CountMax) bytes")
          guard case .scalar(let scalar) = element, let symbol = try? Symbol(scalar.string) else {
            complaints.append(complaint)
            continue
          }
          if seen.insert(symbol).inserted {
            symbols.append(symbol)
          } else {
            complaint.expectation = "named only once"
            complaints.append(complaint)
          }
        }
        return .symbols(symbols)
      },
      text: { selection in
        switch selection {
        case .all: "all"
        case .symbols(let symbols): "[\(symbols.map { yamlScalar($0.text) }.joined(separator: ", "))]"
        }
      })
  }
}
