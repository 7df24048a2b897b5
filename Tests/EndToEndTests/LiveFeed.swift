import Foundation
import Venues

/// A simulated venue and a feed handler on it, as two processes, for tests that look at one feed from outside.
final class LiveFeed {
  let name: String
  let directory: TemporaryDirectory
  private(set) var venue: Running
  private(set) var ingest: Running?
  let port: Int

  /// Whose interfaces the two speak.
  enum Broker: String {
    case kite
    case angelone

    /// What the simulated venue lets in.
    var credentials: [String: String] {
      switch self {
      case .kite: ["TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "demo"]
      case .angelone:
        [
          "TICKRING_ANGELONE_API_KEY": "demo", "TICKRING_ANGELONE_CLIENT_CODE": "DEMO",
          "TICKRING_ANGELONE_PIN": "0000",
          "TICKRING_ANGELONE_TOTP_SECRET": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        ]
      }
    }

    var websocketPath: String { self == .angelone ? "/smart-stream" : "" }
  }

  static let credentials = Broker.kite.credentials
  private let broker: Broker

  var configurationFile: String { directory.path + "/tickring.yaml" }

  /// Starts the venue; `ingest` waits for ``start()``.
  ///
  /// - Parameters:
  ///   - onHalt: `wait` or `exit`.
  ///   - history: further keys of the section history.
  ///   - extra: further sections of the configuration.
  init(
    _ venueArguments: [String] = [], broker: Broker = .kite, onHalt: String = "exit", history: String = "",
    extra: String = ""
  ) throws {
    self.broker = broker
    name = "test-\(UUID().uuidString.prefix(8).lowercased())"
    directory = try TemporaryDirectory()
    venue = try Running(
      ["simulate", "--venue", broker.rawValue, "--port", "0", "--json", "--instruments", "40"]
        + venueArguments)
    try venue.wait { $0.output.contains("\"listening\"") }
    let match = try #/"port":(\d+)/#.firstMatch(in: venue.output)
    guard let text = match?.output.1, let port = Int(text) else {
      throw Unexpected("no port in \(venue.output)")
    }
    self.port = port
    _ = try directory.write(
      """
      feed: \(name)
      data_directory: data
      source:
        venue: \(broker.rawValue)
        websocket_url: ws://127.0.0.1:\(port)\(broker.websocketPath)
        api_url: http://127.0.0.1:\(port)
        clock: simulator
      instruments: all
      history:
        sessions: 0
        \(history)
      recorder:
        seal_seconds: 1
      retry:
        first_delay_milliseconds: 50
        attempts_max: 4
        on_halt: \(onHalt)
      \(extra)

      """, to: "tickring.yaml")
  }

  var dataDirectory: String { directory.path + "/data" }

  func start() throws -> Running {
    let running = try Running(["ingest", "--config", configurationFile], environment: broker.credentials)
    ingest = running
    return running
  }

  /// Starts and waits until ticks flow.
  func startAndWaitForTicks(atLeast count: UInt64 = 100) throws -> Running {
    let running = try start()
    try running.wait { _ in (self.counter("ticks") ?? 0) >= count }
    return running
  }

  /// A counter of the running feed; nil while there is none.
  func counter(_ counter: String) -> UInt64? {
    guard let outcome = try? Tool.run(["status", "--feed", name, "--json"]), outcome.code == 0,
      let object = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
      let counters = object["counters"] as? [String: Any]
    else { return nil }
    return (counters[counter] as? NSNumber)?.uint64Value
  }

  /// A record of an outage, as the archive holds it.
  struct GapRecord {
    var time: Int
    var start: Int
    var isOpen: Bool
  }

  /// The archived records of outages, in their order.
  func gapRecords() throws -> [GapRecord] {
    try Tool.run(["archive", "cat", dataDirectory + "/archive"]).output.split(separator: "\n").compactMap {
      line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.last == "1", let time = Int(fields[0]) else { return nil }
      return GapRecord(time: time, start: Int(fields[1]) ?? 0, isOpen: fields[8].contains("gap-open"))
    }
  }

  /// What the venue says of itself.
  func askVenue(_ path: String) throws -> [String: Any] {
    let response = try HTTPClient().send(HTTPRequest(.get, "http://127.0.0.1:\(port)\(path)"))
    guard let object = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any] else {
      throw Unexpected("no object from \(path)")
    }
    return object
  }

  /// Makes something go wrong at the venue.
  func spoil(_ faults: String) throws {
    let body = Array(faults.utf8)
    let response = try HTTPClient().send(
      HTTPRequest(.post, "http://127.0.0.1:\(port)/simulator/faults", body: body))
    guard response.status == 200 else { throw Unexpected(String(decoding: response.body, as: UTF8.self)) }
  }

  /// Ends what is wrong at the venue.
  func mend() throws {
    _ = try HTTPClient().send(HTTPRequest(.delete, "http://127.0.0.1:\(port)/simulator/faults"))
  }

  func stopVenue() throws -> Tool.Outcome {
    venue.signal(SIGTERM)
    return try venue.wait()
  }

  /// Names of this feed's shared-memory objects and sockets that still exist.
  func leftovers() throws -> [String] {
    let shared = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm").filter { $0.contains(name) }
    let sockets = ((try? FileManager.default.contentsOfDirectory(atPath: dataDirectory)) ?? [])
      .filter { $0.hasSuffix(".sock") }
    return shared + sockets
  }

  deinit {
    ingest?.signal(SIGKILL)
    venue.signal(SIGKILL)
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
    where entry.contains(name) {
      unlink("/dev/shm/" + entry)
    }
  }
}
