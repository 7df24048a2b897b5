import FlyingFox
import FlyingSocks
import Foundation
public import MarketData
import Synchronization

/// A simulated OpenAlgo server on the loopback interface: its websocket's JSON and its REST paths for instruments and
/// candles, on one port where the real one has two.
///
/// | path | answer |
/// |---|---|
/// | `/` | the stream, by websocket upgrade |
/// | `GET /api/v1/instruments?apikey=…` | the list of instruments, JSON |
/// | `POST /api/v1/history` | candles, JSON |
/// | `/simulator/clock` | as at the simulated Kite |
///
/// The market stands still until a client first asks for the clock or subscribes.
public final class OpenAlgoVenue: Sendable {
  /// What can be set.
  public struct Configuration: Sendable {
    /// Port to listen on; 0 for any that is free.
    public var port: UInt16 = 0
    /// The key that clients need.
    public var apiKey = "demo"
    /// Seconds of the market in one second of the machine.
    public var speed = 1.0
    /// Drops each connection after so many ticks; nil for never.
    public var cutAfterTicks: Int?

    /// Makes a configuration of defaults.
    public init() {}
  }

  let configuration: Configuration
  let state: Mutex<OpenAlgoState>
  private let server: HTTPServer
  private let tasks = Mutex<[Task<Void, Never>]>([])

  private static let stepMilliseconds = 5

  /// Prepares a server for a market.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when there is no loopback interface.
  public init(configuration: Configuration, market: some SimulatedMarket) throws(Fault) {
    self.configuration = configuration
    state = Mutex(OpenAlgoState(configuration: configuration, market: market))
    do {
      server = HTTPServer(
        config: .init(
          address: try .inet(ip4: "127.0.0.1", port: configuration.port), pool: SocketPoller(),
          logger: .disabled))
    } catch {
      throw Fault(.cannotCreate, "cannot listen on 127.0.0.1: \(error)")
    }
  }

  /// Listens, and returns the port.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when the port is in use.
  public func start() async throws(Fault) -> UInt16 {
    await server.appendRoute("/", to: .webSocket(OpenAlgoStream(venue: self)))
    await server.appendRoute("*", to: OpenAlgoRequests(venue: self))
    let failure = Mutex<String?>(nil)
    let serving = Task { [server] in
      do { try await server.run() } catch { failure.withLock { $0 = "\(error)" } }
    }
    let stepping = Task { [weak self] in
      while !Task.isCancelled {
        self?.state.withLock { $0.step(now: .wallClock()) }
        try? await Task.sleep(for: .milliseconds(Self.stepMilliseconds))
      }
    }
    tasks.withLock { $0 = [serving, stepping] }
    while true {
      if case .ip4(_, let port) = await server.listeningAddress { return port }
      if let reason = failure.withLock({ $0 }) {
        throw Fault(.cannotCreate, "cannot listen on 127.0.0.1:\(configuration.port): \(reason)")
      }
      try? await Task.sleep(for: .milliseconds(1))
    }
  }

  /// Ends all connections.
  public func stop() async {
    state.withLock { $0.drop() }
    for task in tasks.withLock({ $0 }) { task.cancel() }
    await server.stop(timeout: 0)
  }

  /// Ticks sent up to now.
  public var ticksSent: Int { state.withLock { $0.ticksSent } }
}

/// The websocket's side of one client.
private struct OpenAlgoStream: WSMessageHandler {
  let venue: OpenAlgoVenue

  func makeMessages(for client: AsyncStream<WSMessage>) async throws -> AsyncStream<WSMessage> {
    AsyncStream { continuation in
      let id = venue.state.withLock { state in
        state.connect { text in
          if let text { return _ = continuation.yield(.text(text)) }
          // Finishing calls back into the state, which is in the middle of a call here.
          Task { continuation.finish() }
        }
      }
      let reading = Task {
        for await message in client {
          guard case .text(let text) = message else { continue }
          venue.state.withLock { $0.take(text, from: id, now: .wallClock()) }
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in
        reading.cancel()
        venue.state.withLock { $0.disconnect(id) }
      }
    }
  }
}

/// The REST paths.
private struct OpenAlgoRequests: HTTPHandler {
  let venue: OpenAlgoVenue

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    switch (request.method, request.path) {
    case (.GET, "/simulator/clock"):
      let isPeek = request.query.contains { $0.name == "peek" }
      let clock = venue.state.withLock {
        isPeek ? $0.plannedClock(now: .wallClock()) : $0.startClock(now: .wallClock())
      }
      return Self.json(
        .ok,
        [
          "feed_origin_ns": clock.feedOrigin.nanoseconds, "wall_origin_ns": clock.wallOrigin.nanoseconds,
          "speed": clock.speed,
        ])
    case (.GET, "/api/v1/instruments"):
      guard request.query.first(where: { $0.name == "apikey" })?.value == venue.configuration.apiKey else {
        return Self.refusal
      }
      let rows = venue.state.withLock { $0.instrumentRows }
      return Self.json(
        .ok, ["status": "success", "message": "Found \(rows.count) instruments", "data": rows])
    case (.POST, "/api/v1/history"):
      let members = try? JSONSerialization.jsonObject(with: await request.bodyData) as? [String: String]
      guard let members, members["apikey"] == venue.configuration.apiKey else { return Self.refusal }
      return history(members)
    default: return Self.json(.notFound, ["status": "error", "message": "Not Found"])
    }
  }

  private func history(_ members: [String: String]) -> HTTPResponse {
    guard let interval = Self.intervals[members["interval"] ?? ""].flatMap(KiteInterval.init(word:)) else {
      return Self.json(
        .badRequest, ["status": "error", "message": ["interval": ["Must be one of: 1m, 3m, 5m, D."]]])
    }
    guard let first = members["start_date"].flatMap({ CivilTime.dayNumber(date: $0) }),
      let last = members["end_date"].flatMap({ CivilTime.dayNumber(date: $0) })
    else {
      return Self.json(.badRequest, ["status": "error", "message": ["start_date": ["Not a valid date."]]])
    }
    let name = "\(members["exchange"] ?? ""):\(members["symbol"] ?? "")"
    guard let material = venue.state.withLock({ $0.material(of: name, now: .wallClock()) }) else {
      return Self.json(.internalServerError, ["status": "error", "message": "Symbol not found: \(name)"])
    }
    let rows = material.rows(
      interval: interval, from: CivilTime(dayNumber: first).timestamp(),
      to: CivilTime(dayNumber: last + 1).timestamp() + -1)
    let divisor = Double(material.instrument.segment.priceDivisor)
    let data = rows.map { row in
      [
        "timestamp": Double(row.start.seconds), "open": Double(row.candle.open) / divisor,
        "high": Double(row.candle.high) / divisor, "low": Double(row.candle.low) / divisor,
        "close": Double(row.candle.close) / divisor, "volume": Double(row.candle.volume),
        "oi": Double(row.candle.openInterest),
      ]
    }
    return Self.json(.ok, ["status": "success", "data": data])
  }

  private static let intervals = [
    "1m": "minute", "3m": "3minute", "5m": "5minute", "10m": "10minute", "15m": "15minute", "30m": "30minute",
    "1h": "60minute", "D": "day",
  ]

  private static let refusal = json(.forbidden, ["status": "error", "message": "Invalid openalgo apikey"])

  private static func json(_ status: HTTPStatusCode, _ value: [String: Any]) -> HTTPResponse {
    let body = (try? JSONSerialization.data(withJSONObject: value, options: .sortedKeys)) ?? Data()
    return HTTPResponse(statusCode: status, headers: [.contentType: "application/json"], body: body)
  }
}
