import FlyingFox
import FlyingSocks
import Foundation
public import MarketData
import Synchronization

/// A simulated broker on the loopback interface: Zerodha Kite's ticker over websockets, byte for byte, and its REST
/// paths for instruments and historical candles, on one port; or the same of Angel One, whose paths ``AngelOneRest``
/// has.
///
/// | path | answer |
/// |---|---|
/// | `/?api_key=…&access_token=…` | the ticker, by websocket upgrade |
/// | `/instruments`, `/instruments/{exchange}` | the instruments dump, CSV |
/// | `/instruments/historical/{token}/{interval}` | candles, JSON |
/// | `/simulator/clock` | the feed's clock, which this fixes if nobody has yet: `feed_origin_ns`, `wall_origin_ns`, `speed` |
/// | `/simulator/clock?peek=1` | the same without fixing it |
/// | `/simulator/report` | ``SimulationReport`` |
/// | `/simulator/subscriptions` | by connection and token, the mode of what is subscribed to |
/// | `/simulator/faults` | the faults that are there, and those that have been; POST adds some, one a line; DELETE ends all |
///
/// The market stands still until the feed's origin, which comes a short lead after a client first asks for the clock
/// or subscribes. A venue starts once and stops once.
public final class SimulatedVenue: Sendable {
  private enum Life {
    case idle
    case running(server: HTTPServer, serving: Task<Void, Never>, stepping: Task<Void, Never>)
    case stopped
  }

  private let configuration: Configuration
  private let core: VenueCore
  private let dump: InstrumentsDump
  private let angelOne: AngelOneRest?
  private let life = Mutex(Life.idle)

  /// Prepares a venue for a market.
  ///
  /// - Throws: ``Fault`` of kind `usage` when a setting is out of its bounds, or the market cannot be unpaced.
  public init(configuration: Configuration, market: some SimulatedMarket) throws(Fault) {
    try configuration.check()
    guard !configuration.isUnpaced || market.tradesOnDemand else {
      throw Fault(.usage, "a recorded tick file cannot be sent unpaced; raise the speed instead")
    }
    self.configuration = configuration
    core = VenueCore(configuration: configuration, market: market)
    dump = InstrumentsDump(instruments: market.instruments)
    let directory = AngelOneDirectory(market.instruments)
    angelOne =
      configuration.vendor == .angelone
      ? AngelOneRest(
        core: core, configuration: configuration,
        list: AngelOneList(instruments: market.instruments, directory: directory)) : nil
  }

  /// Listens on 127.0.0.1 and returns the port.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when the port is in use or cannot be listened on.
  public func start() async throws(Fault) -> UInt16 {
    let failure = Mutex<String?>(nil)
    let server: HTTPServer
    do {
      server = HTTPServer(
        config: .init(
          address: try .inet(ip4: "127.0.0.1", port: configuration.port), pool: SocketPoller(),
          logger: .disabled),
        handler: RequestHandler(core: core, configuration: configuration, dump: dump, angelOne: angelOne))
    } catch {
      throw Fault(.cannotCreate, "cannot listen on 127.0.0.1: \(error)")
    }
    let serving = Task {
      do { try await server.run() } catch { failure.withLock { $0 = Self.reason(error) } }
    }
    let port: UInt16
    do {
      port = try await Self.awaitPort(of: server, failure: { failure.withLock { $0 } })
    } catch {
      serving.cancel()
      throw Fault(.cannotCreate, "cannot listen on 127.0.0.1:\(configuration.port): \(error.message)")
    }
    let stepping = Task { [core, configuration] in
      while !Task.isCancelled {
        let isMoreDue = core.state.withLock { $0.step(now: .wallClock()) }
        // The lock is not fair: a stepper that lags behind must leave it long enough for the writers to get in.
        try? await Task.sleep(
          for: isMoreDue ? .microseconds(50) : .milliseconds(configuration.stepMilliseconds))
      }
    }
    life.withLock { $0 = .running(server: server, serving: serving, stepping: stepping) }
    return port
  }

  /// Stops in order: trading ends, each connection gets what was queued for it and a close frame with code 1001, and
  /// when the clients have closed (or the drain timeout is over) the listener goes.
  ///
  /// A client that has read up to the close frame has received exactly the ticks that ``report`` then tells.
  public func stop() async {
    let previous = life.withLock { life in
      defer { life = .stopped }
      return life
    }
    guard case .running(let server, let serving, let stepping) = previous else { return }
    core.state.withLock { $0.drain() }
    let deadline = ContinuousClock.now + .milliseconds(configuration.drainTimeoutMilliseconds)
    while !core.state.withLock({ $0.hasNoConnections }), ContinuousClock.now < deadline {
      try? await Task.sleep(for: .milliseconds(1))
    }
    stepping.cancel()
    await server.stop(timeout: 0)
    await serving.value
  }

  /// What was sent up to now; final once ``stop()`` has returned.
  public var report: SimulationReport { core.state.withLock { $0.report } }

  /// The feed's clock; nil while no client has asked for it or subscribed.
  public var clock: FeedClock? { core.state.withLock { $0.clock } }

  /// True when the market's last update (the end of a tick file, or the limit on ticks) was sent to all that wanted it.
  public var isFinished: Bool { core.state.withLock { $0.isFinished } }

  /// Returns when ``isFinished`` becomes true, the venue is stopped, or the task is cancelled.
  public func waitUntilFinished() async {
    while !Task.isCancelled, !isFinished {
      if case .stopped = life.withLock({ $0 }) { return }
      try? await Task.sleep(for: .milliseconds(configuration.stepMilliseconds))
    }
  }

  private struct StartFailure: Error {
    let message: String
  }

  private static func awaitPort(
    of server: HTTPServer, failure: () -> String?
  ) async throws(StartFailure) -> UInt16 {
    while true {
      if case .ip4(_, let port) = await server.listeningAddress { return port }
      if let reason = failure() { throw StartFailure(message: reason) }
      do { try await Task.sleep(for: .milliseconds(1)) } catch { throw StartFailure(message: "cancelled") }
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard case SocketError.failed(_, let number, let message) = error else { return "\(error)" }
    return number == EADDRINUSE ? "the port is in use; choose another one, or 0 for any" : message
  }
}

extension SimulatedVenue.Configuration {
  /// Checks the bounds of every setting.
  fileprivate func check() throws(Fault) {
    func require(_ holds: Bool, _ sentence: String) throws(Fault) {
      if !holds { throw Fault(.usage, "the simulator's \(sentence)") }
    }
    try require(speed > 0 && speed.isFinite, "speed is \(speed); it must be above 0")
    try require(leadMilliseconds >= 0, "lead is \(leadMilliseconds) ms; it must not be negative")
    try require(stepMilliseconds >= 1, "step is \(stepMilliseconds) ms; it must be at least 1")
    try require(heartbeatMilliseconds >= 1, "heartbeat is \(heartbeatMilliseconds) ms; it must be at least 1")
    try require(
      (1...DataFrame.packetsLimit).contains(packetsPerFrameMax),
      "packets in a frame are \(packetsPerFrameMax); they must be 1 to \(DataFrame.packetsLimit)")
    try require(
      instrumentsPerConnectionMax >= 1,
      "instruments on a connection are \(instrumentsPerConnectionMax); they must be at least 1")
    try require(queuedBytesMax >= 1, "queue is \(queuedBytesMax) bytes; it must be at least 1")
    try require(
      drainTimeoutMilliseconds >= 0,
      "drain timeout is \(drainTimeoutMilliseconds) ms; it must not be negative")
    if let ticksMax { try require(ticksMax >= 0, "limit is \(ticksMax) ticks; it must not be negative") }
    if let limit = historicalRequestsPerSecondMax {
      try require(limit >= 1, "limit is \(limit) historical requests a second; it must be at least 1")
    }
  }
}
