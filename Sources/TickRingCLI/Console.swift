internal import Foundation
internal import MarketData
internal import Synchronization

/// Lines to standard output and standard error, written at once and whole.
enum Console {
  private static let isOutputClosed = Atomic<Bool>(false)
  /// Why standard output took no more, where its reader has not gone away; zero for none.
  private static let outputFailure = Atomic<Int32>(0)
  private static let output = Mutex<Void>(())

  /// True once whoever read standard output has gone away: there is no more point in printing.
  static var isClosed: Bool { isOutputClosed.load(ordering: .relaxed) }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  static func line(_ text: String) { write(text + "\n") }

  static func write(_ text: String) {
    output.withLock { _ in
      let failure = writeAll(Array(text.utf8), to: STDOUT_FILENO)
      guard failure != 0 else { return }
      // Who reads with `head` wants no more; anybody else misses what is not there.
      if failure != EPIPE { outputFailure.store(failure, ordering: .relaxed) }
      isOutputClosed.store(true, ordering: .relaxed)
    }
  }

  /// Sees that everything printed was taken, at the end of a command.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when a part of it is lost, as on a full disk.
  static func checkOutput() throws(Fault) {
    let failure = outputFailure.load(ordering: .relaxed)
    guard failure != 0 else { return }
    throw Fault(
      .inputOutput,
      "standard output cannot be written, so it is incomplete: \(String(cString: strerror(failure)))")
  }

  /// Gives the standard streams that the process was started without a place: else the next file that it opens, be
  /// that an archive's, would take their numbers, and what is printed.
  static func openStandardStreams() {
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) == -1 {
      // The lowest free number is this one: those below are open.
      _ = open("/dev/null", O_RDWR)
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

  /// Zero when everything is written, else why not.
  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      guard count < 0 else {
        written += count
        continue
      }
      switch errno {
      case EINTR: break
      case EAGAIN:
        // Somebody who shares the stream has made it so that it does not block.
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&entry, 1, -1)
      case let failure: return failure
      }
    }
    return 0
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
