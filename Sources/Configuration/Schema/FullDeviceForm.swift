import Yams

extension ValueForm where Value == [FeedConfiguration.Archive.FullDeviceStep] {
  /// A list of steps without repetition, the last of which always helps.
  static var fullDeviceSteps: ValueForm {
    ValueForm(
      "a list of delete-oldest, stop-archive and halt, each at most once and one of the last two at its end, such as "
        + "[delete-oldest, halt]",
      read: { node, complaints in
        guard case .sequence(let elements) = node else {
          complaints.append(ValueComplaint(found: node.outline))
          return nil
        }
        let steps = elements.compactMap { element in
          element.scalar.flatMap { FeedConfiguration.Archive.FullDeviceStep(rawValue: $0.string) }
        }
        let endings = steps.filter { $0 != .deleteOldest }
        guard steps.count == elements.count, Set(steps).count == steps.count, endings.count == 1,
          steps.last == endings.first
        else {
          let words = elements.map(\.outline).joined(separator: ", ")
          complaints.append(ValueComplaint(found: "the list of \(words.isEmpty ? "nothing" : words)"))
          return nil
        }
        return steps
      }, text: { "[\($0.map(\.rawValue).joined(separator: ", "))]" })
  }
}

extension ValueForm where Value == Bool {
  /// Yes or no, in the words that YAML 1.2 has for it.
  static var flag: ValueForm {
    ValueForm(
      "true or false",
      scalar: { $0.style == .plain ? ["true": true, "false": false][$0.string] : nil },
      text: { $0 ? "true" : "false" })
  }
}
