internal import Foundation
public import MarketData
internal import Synchronization

/// A process that this one started: its output by lines, its end, and the promise that it does not outlive us.
///
/// The child gets a pipe as standard input and stops when that ends, so even a `kill -9` of this process leaves
/// nothing behind. Foundation puts it into a process group of its own, so that Ctrl-C reaches this process alone,
/// which then stops its children in order.
public final class ChildProcess: @unchecked Sendable {
  // @unchecked: Process is only used by the thread that started it; lines are collected under a lock.

  /// What it is called in messages.
  public let name: String
  private let process = Process()
  private let input = Pipe()
  private let lines: LineCollector

  /// Starts `executable`.
  ///
  /// - Parameters:
  ///   - name: what to call it in messages.
  ///   - environment: variables set in addition to this process's own.
  ///   - onLine: called with each line of standard output; the last lines of standard error are kept for a
  ///     message should it fail.
  /// - Throws: ``Fault`` of kind `missingInput` when it cannot be started.
  public init(
    name: String, executable: String, arguments: [String], environment: [String: String] = [:],
    onLine: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(Fault) {
    self.name = name
    lines = LineCollector(onLine: onLine)
    let output = Pipe()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    lines.follow(output.fileHandleForReading, isError: false)
    lines.follow(errors.fileHandleForReading, isError: true)
    do {
      try process.run()
    } catch {
      throw Fault(.missingInput, "cannot start \(name) (\(executable)): \(error.localizedDescription)")
    }
  }

  /// Its process identifier.
  public var pid: Int32 { process.processIdentifier }

  /// True until it has ended.
  public var isRunning: Bool { process.isRunning }

  /// What it said on standard error, the last few lines.
  public var errorText: String { lines.errorText }

  /// Asks it to stop in good order.
  public func terminate() {
    if process.isRunning { process.terminate() }
  }

  /// Waits for its end and returns its exit code; kills it when it takes longer, and returns nil.
  public func waitForExit(timeoutSeconds: Double) -> Int32? {
    let deadline = Date().addingTimeInterval(timeoutSeconds)
    while process.isRunning, Date() < deadline { usleep(5_000) }
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      return nil
    }
    process.waitUntilExit()
    lines.waitForEnd()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }
}

/// Cuts what a child writes into lines.
private final class LineCollector: @unchecked Sendable {
  private struct State {
    var errors: [String] = []
    var open = 0
  }

  private let state = Mutex(State())
  private let onLine: @Sendable (String) -> Void
  private static let errorLinesMax = 20

  init(onLine: @escaping @Sendable (String) -> Void) { self.onLine = onLine }

  var errorText: String { state.withLock { $0.errors.joined(separator: "\n") } }

  func follow(_ handle: FileHandle, isError: Bool) {
    state.withLock { $0.open += 1 }
    Thread.detachNewThread { [self] in
      var partial: [UInt8] = []
      while case let data = handle.availableData, !data.isEmpty {
        partial += data
        while let end = partial.firstIndex(of: UInt8(ascii: "\n")) {
          let line = String(decoding: partial[..<end], as: UTF8.self)
          partial.removeSubrange(...end)
          if isError { keep(line) } else { onLine(line) }
        }
      }
      state.withLock { $0.open -= 1 }
    }
  }

  func waitForEnd() {
    while state.withLock({ $0.open > 0 }) { usleep(1_000) }
  }

  private func keep(_ line: String) {
    state.withLock { state in
      state.errors.append(line)
      if state.errors.count > Self.errorLinesMax { state.errors.removeFirst() }
    }
  }
}
