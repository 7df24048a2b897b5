internal import Foundation
internal import MarketData
internal import Synchronization

/// Lines to standard output and standard error, written at once and whole.
enum Console {
  private static let isOutputClosed = Atomic<Bool>(false)
  private static let output = Mutex<Void>(())

  /// True once whoever read standard output has gone away: there is no more point in printing.
  static var isClosed: Bool { isOutputClosed.load(ordering: .relaxed) }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  static func line(_ text: String) { write(text + "\n") }

  static func write(_ text: String) {
    output.withLock { _ in
      if !writeAll(Array(text.utf8), to: STDOUT_FILENO) { isOutputClosed.store(true, ordering: .relaxed) }
    }
  }

  static func error(_ message: String) {
    _ = writeAll(Array("tickring: \(message)\n".utf8), to: STDERR_FILENO)
  }

  /// Text for people that is neither result nor complaint.
  static func errorText(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }

  /// Prints a value as one line of JSON with its keys in order.
  static func json(_ value: some Encodable) throws(Fault) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      throw Fault(.software, "cannot write \(type(of: value)) as JSON")
    }
    line(String(decoding: data, as: UTF8.self))
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return false
      }
      written += count
    }
    return true
  }
}

/// Numbers as people read them.
enum Format {
  /// `1 234 567`.
  static func count(_ value: some BinaryInteger) -> String {
    let digits = String(value)
    var grouped = ""
    for (position, digit) in digits.enumerated() {
      if position > 0, (digits.count - position) % 3 == 0, digit != "-" { grouped += " " }
      grouped.append(digit)
    }
    return grouped
  }

  /// A decimal with so many digits after the point.
  static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// Nanoseconds in the unit that suits them: `830 ns`, `12.4 us`, `3.1 ms`.
  static func duration(_ nanoseconds: Int64) -> String {
    let value = Double(nanoseconds)
    switch abs(value) {
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<1_000_000: return decimal(value / 1_000, 1) + " us"
    case ..<1_000_000_000: return decimal(value / 1_000_000, 1) + " ms"
    default: return decimal(value / 1_000_000_000, 2) + " s"
    }
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func leftPadded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
