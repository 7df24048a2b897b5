import Foundation
import Testing

/// Runs the built executables as a user would.
enum Tool {
  struct Outcome: Equatable {
    var code: Int32
    var output: String
    var errors: String
  }

  /// Directory of the executables: the release products that `make test` names, else what lies beside this test.
  static let products: URL = {
    if let path = ProcessInfo.processInfo.environment["TICKRING_PRODUCTS"] {
      return URL(fileURLWithPath: path)
    }
    return URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
      .deletingLastPathComponent()
  }()

  /// True when the executables were built with optimisation, without which counts of allocations mean nothing.
  static var areProductsOptimized: Bool { products.path.contains("release") }

  static var tickring: URL { products.appendingPathComponent("tickring") }

  /// Runs `tickring` to its end.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    timeoutSeconds: Double = 120
  ) throws -> Outcome {
    let running = try Running(arguments, environment: environment)
    running.input.write(Data(input.utf8))
    try? running.input.close()
    return try running.wait(timeoutSeconds: timeoutSeconds)
  }

  /// A file of the shared test data, or nil where there is none.
  static func sharedData(_ name: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.deletingLastPathComponent().appendingPathComponent("shared/data/\(name)")
    return FileManager.default.fileExists(atPath: file.path) ? file.path : nil
  }
}

/// A running `tickring` whose output goes to files, so that nothing blocks on a full pipe.
final class Running {
  let process = Process()
  let input: FileHandle
  private let directory: URL

  init(_ arguments: [String], environment: [String: String] = [:], executable: URL = Tool.tickring) throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("tickring-run-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for name in ["out", "err"] {
      _ = FileManager.default.createFile(atPath: directory.appendingPathComponent(name).path, contents: nil)
    }
    let pipe = Pipe()
    input = pipe.fileHandleForWriting
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.standardInput = pipe
    process.standardOutput = try FileHandle(forWritingTo: directory.appendingPathComponent("out"))
    process.standardError = try FileHandle(forWritingTo: directory.appendingPathComponent("err"))
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: directory)
  }

  var pid: Int32 { process.processIdentifier }
  var output: String { text("out") }
  var errors: String { text("err") }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits until `condition` holds for what the process has said.
  func wait(
    timeoutSeconds: Double = 60, pollMicroseconds: UInt32 = 10_000, until condition: (Running) -> Bool
  ) throws {
    let deadline = Date().addingTimeInterval(timeoutSeconds)
    while !condition(self) {
      guard Date() < deadline, process.isRunning || condition(self) else {
        throw Unexpected("the process said only:\n\(output)\n\(errors)")
      }
      usleep(pollMicroseconds)
    }
  }

  func wait(timeoutSeconds: Double = 60) throws -> Tool.Outcome {
    let deadline = Date().addingTimeInterval(timeoutSeconds)
    while process.isRunning {
      guard Date() < deadline else {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        throw Unexpected("still running after \(timeoutSeconds) s:\n\(output)\n\(errors)")
      }
      usleep(10_000)
    }
    process.waitUntilExit()
    let code =
      process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Tool.Outcome(code: code, output: output, errors: errors)
  }

  private func text(_ name: String) -> String {
    (try? String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)) ?? ""
  }
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A directory that goes when its owner goes.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("tickring-test-\(UUID())").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws -> String {
    let file = path + "/" + name
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}
