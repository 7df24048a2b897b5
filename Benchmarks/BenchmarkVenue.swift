internal import Foundation
internal import MarketData
internal import ProcessControl
internal import Synchronization

/// A simulated venue, as a process of its own, that sends as fast as its client reads, or at a pace.
final class BenchmarkVenue {
  let port: Int
  private let process: ChildProcess
  private let box: OutputBox

  private static let startSeconds = 30.0
  private static let stopSeconds = 10.0

  /// What the venue takes as API key and access token.
  static let credential = "demo"

  /// - Parameter updatesPerSecond: of each instrument; nil for as fast as the client reads.
  init(instruments: Int, updatesPerSecond: Double? = nil) throws(Fault) {
    let box = OutputBox()
    self.box = box
    let pace = updatesPerSecond.map { ["--rate", "\($0)"] } ?? ["--unpaced"]
    process = try ChildProcess(
      name: "the simulated venue", executable: Self.product("tickring"),
      arguments: [
        "simulate", "--port", "0", "--json", "--instruments", "\(instruments)",
        "--stop-with-standard-input",
      ] + pace,
      onLine: { line in
        if let match = line.firstMatch(of: #/"port":(\d+)/#) {
          box.port.withLock { $0 = Int(match.output.1) }
        }
        if let last = try? JSONDecoder().decode(LastLine.self, from: Data(line.utf8)) {
          box.sent.withLock { $0 = last.report.ticksByToken.values.reduce(0, +) }
        }
      })
    let deadline = Timestamp.wallClock() + Int64(Self.startSeconds * 1e9)
    while box.port.withLock({ $0 == nil }), process.isRunning, Timestamp.wallClock() < deadline {
      usleep(10_000)
    }
    guard let found = box.port.withLock({ $0 }) else {
      throw Fault(.unavailable, "the simulated venue did not start: \(process.errorText)")
    }
    self.port = found
  }

  func stop() {
    process.terminate()
    _ = process.waitForExit(timeoutSeconds: Self.stopSeconds)
  }

  /// Stops it and returns how many ticks it has sent.
  func stopAndCount() throws(Fault) -> UInt64 {
    process.terminate()
    _ = process.waitForExit(timeoutSeconds: Self.stopSeconds)
    guard let sent = box.sent.withLock({ $0 }) else {
      throw Fault(.software, "the simulated venue did not say what it has sent: \(process.errorText)")
    }
    return sent
  }

  /// What it says when it stops.
  private struct LastLine: Decodable {
    struct Report: Decodable { var ticksByToken: [String: UInt64] }
    var report: Report
  }

  /// A product built beside this one.
  static func product(_ name: String) -> String {
    let own =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
  }
}

private final class OutputBox: Sendable {
  let port = Mutex<Int?>(nil)
  let sent = Mutex<UInt64?>(nil)
}
