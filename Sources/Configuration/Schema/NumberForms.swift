import Yams

extension ValueForm where Value == Int {
  /// A whole decimal number within bounds. Leading zeros are refused, since YAML reads them as octal.
  static func wholeNumber(_ bounds: ClosedRange<Int>) -> ValueForm {
    ValueForm(
      "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)",
      scalar: { scalar in
        guard scalar.style == .plain, let number = Int(scalar.string), String(number) == scalar.string,
          bounds.contains(number)
        else { return nil }
        return number
      }, text: { String($0) })
  }

  /// A power of two within bounds.
  static func powerOfTwo(_ bounds: ClosedRange<Int>) -> ValueForm {
    let number = wholeNumber(bounds)
    return ValueForm(
      "a power of two from \(bounds.lowerBound) to \(bounds.upperBound)",
      read: { node, complaints in
        var ignored: [ValueComplaint] = []
        if let value = number.read(node, &ignored), value.nonzeroBitCount == 1 { return value }
        complaints.append(ValueComplaint(found: node.outline))
        return nil
      }, text: number.text)
  }
}

extension ValueForm where Value == UInt32 {
  /// A file mode in octal, in quotes or not, with or without a leading zero: the owner reads and writes, no special
  /// bits.
  static var fileMode: ValueForm {
    ValueForm(
      "an octal file mode from \"0600\" to \"0777\" that lets the owner read and write",
      scalar: { scalar in
        let digits = scalar.string.hasPrefix("0o") ? scalar.string.dropFirst(2) : scalar.string[...]
        guard (3...4).contains(digits.utf8.count), digits.utf8.first != UInt8(ascii: "+"),
          let mode = UInt32(digits, radix: 8), mode <= 0o777, mode & 0o600 == 0o600
        else { return nil }
        return mode
      }, text: { "\"0\(String($0, radix: 8))\"" })
  }
}

extension ValueForm where Value == Bool {
  /// One of two words.
  static var trueOrFalse: ValueForm {
    ValueForm(
      "true or false", scalar: { $0.style == .plain ? Bool($0.string) : nil }, text: { $0 ? "true" : "false" }
    )
  }
}
