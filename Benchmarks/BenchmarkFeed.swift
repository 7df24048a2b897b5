internal import Foundation
internal import MarketData
internal import ProcessControl
internal import SharedRing

/// A feed handler, as a process of its own, on a simulated venue; its files go when it does.
final class BenchmarkFeed {
  /// The feed's name in shared memory.
  let name: String
  let pid: Int32
  /// What it has said on standard error.
  var errorText: String { process.errorText }
  private let process: ChildProcess
  private let directory: URL

  private static let stopSeconds = 60.0

  /// - Parameters:
  ///   - venue: whose instruments, clock and candles it asks for.
  ///   - websocketPort: where it connects to, when that is not the venue itself.
  ///   - instruments: symbols; nil for all that the venue lists.
  ///   - settings: further sections of the configuration, in YAML.
  init(on venue: BenchmarkVenue, websocketPort: Int? = nil, instruments: [String]? = nil, settings: String)
    throws
  {
    name = "bench-\(getpid())"
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("tickring-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let file = directory.appendingPathComponent("tickring.yaml").path
    let list = instruments.map { "[\($0.map { "\"\($0)\"" }.joined(separator: ", "))]" } ?? "all"
    let configuration = """
      feed: \(name)
      data_directory: .
      log_level: warning
      source:
        venue: kite
        websocket_url: ws://127.0.0.1:\(websocketPort ?? venue.port)
        api_url: http://127.0.0.1:\(venue.port)
        clock: simulator
      instruments: \(list)
      history:
        sessions: 0
      \(settings)

      """
    try configuration.write(toFile: file, atomically: true, encoding: .utf8)
    process = try ChildProcess(
      name: "the feed handler", executable: BenchmarkVenue.product("tickring"),
      arguments: ["ingest", "--config", file, "--stop-with-standard-input"],
      environment: [
        "TICKRING_KITE_API_KEY": BenchmarkVenue.credential,
        "TICKRING_KITE_ACCESS_TOKEN": BenchmarkVenue.credential,
      ])
    pid = process.pid
  }

  deinit {
    if process.isRunning {
      process.terminate()
      _ = process.waitForExit(timeoutSeconds: Self.stopSeconds)
    }
    try? FileManager.default.removeItem(at: directory)
  }

  /// Waits until its shared memory shows what is asked for.
  func view(withinSeconds seconds: Double, when isReady: (FeedView) -> Bool) throws -> FeedView {
    let deadline = Timestamp.monotonicNanoseconds() + Int64(seconds * 1e9)
    while Timestamp.monotonicNanoseconds() < deadline, process.isRunning {
      if let view = try? FeedView(feed: name), isReady(view) { return view }
      usleep(20_000)
    }
    throw Fault(.unavailable, "the feed handler did not get going: \(process.errorText)")
  }

  /// Stops it in good order.
  func stop() throws {
    process.terminate()
    guard process.waitForExit(timeoutSeconds: Self.stopSeconds) == 0 else {
      throw Fault(.software, "the feed handler did not stop well: \(process.errorText)")
    }
  }
}
