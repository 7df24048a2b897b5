internal import Foundation
internal import MarketData
internal import ProcessControl
internal import Synchronization

/// A simulated venue, as a process of its own, that sends as fast as its client reads.
final class BenchmarkVenue {
  let port: Int
  private let process: ChildProcess

  private static let startSeconds = 30.0
  private static let stopSeconds = 10.0

  /// What the venue takes as API key and access token.
  static let credential = "demo"

  init(instruments: Int) throws(Fault) {
    let box = PortBox()
    process = try ChildProcess(
      name: "the simulated venue", executable: Self.product("tickring"),
      arguments: [
        "simulate", "--port", "0", "--json", "--unpaced", "--instruments", "\(instruments)",
        "--stop-with-standard-input",
      ],
      onLine: { line in
        if let match = line.firstMatch(of: #/"port":(\d+)/#) {
          box.port.withLock { $0 = Int(match.output.1) }
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

  /// A product built beside this one.
  static func product(_ name: String) -> String {
    let own =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
  }
}

private final class PortBox: Sendable {
  let port = Mutex<Int?>(nil)
}
