internal import FeedControl
internal import FlyingFox
internal import FlyingSocks
internal import Foundation
internal import MarketData
internal import SharedRing
internal import Synchronization

/// The control socket: HTTP with JSON over a Unix-domain socket, open to those who may open lanes.
final class ControlServer: Sendable {
  /// Who carries out what is asked.
  enum Desk: Sendable {
    case starting(StartDesk)
    /// With a replay's own requests, which a live feed refuses.
    case running(Control, replay: ReplayDesk? = nil)
  }

  private let server: HTTPServer
  private let handler: ControlHandler
  private let path: String
  private let options: SegmentOptions
  /// True while the file at the path is ours.
  private let isBound = Atomic<Bool>(false)

  /// Longest socket path that Linux takes, less the final NUL.
  static let pathBytesMax = 107
  private static let pollMilliseconds = 2

  /// - Parameter options: mode and group of the lanes, which the socket follows: who may not open it gets no lane.
  init(path: String, desk: Desk, options: SegmentOptions) {
    self.path = path
    self.options = options
    handler = ControlHandler(desk)
    server = HTTPServer(address: .unix(path: path), logger: .disabled, handler: handler)
  }

  /// Lets somebody else carry out what is asked from now on.
  func hand(to desk: Desk) { handler.desk.withLock { $0 = desk } }

  /// Starts listening and returns once requests are taken.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when the socket cannot be made, `held` when another process listens there.
  func start() async throws(Fault) {
    guard path.utf8.count <= Self.pathBytesMax else {
      throw Fault(
        .configuration,
        "control_socket '\(path)' has \(path.utf8.count) bytes; Linux takes at most \(Self.pathBytesMax)")
    }
    try ControlSocketFile.clear(path)
    let oldMask = umask(0o177)
    defer { umask(oldMask) }
    let failure = Mutex<String?>(nil)
    Task { [server] in
      do { try await server.run() } catch { failure.withLock { $0 = "\(error)" } }
    }
    while await !server.isListening {
      if let reason = failure.withLock({ $0 }) {
        throw Fault(.cannotCreate, "cannot listen on control socket '\(path)': \(reason)")
      }
      try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
    }
    isBound.store(true, ordering: .relaxed)
    guard chown(path, uid_t.max, options.group ?? gid_t.max) == 0,
      chmod(path, mode_t(options.socketMode)) == 0
    else {
      throw Fault(
        .cannotCreate,
        "cannot give control socket '\(path)' its mode and group: \(String(cString: strerror(errno)))")
    }
  }

  func stop() async {
    await server.stop()
    if isBound.exchange(false, ordering: .relaxed) { unlink(path) }
  }
}

private final class ControlHandler: HTTPHandler {
  let desk: Mutex<ControlServer.Desk>

  init(_ desk: ControlServer.Desk) { self.desk = Mutex(desk) }

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    do {
      switch desk.withLock({ $0 }) {
      case .starting(let desk): return try respond(to: request, desk)
      case .running(let control, let replay): return try await respond(to: request, control, replay)
      }
    } catch let fault as Fault {
      let status: HTTPStatusCode = fault.kind == .held ? .conflict : .badRequest
      return try answer(Refusal(error: fault.message, kind: fault.kind.rawValue), status)
    } catch let error as DecodingError {
      let fault = Fault(.usage, "the request's body is not what \(request.path) takes: \(error.sentence)")
      return try answer(Refusal(error: fault.message, kind: fault.kind.rawValue), .badRequest)
    }
  }

  private func respond(to request: HTTPRequest, _ start: StartDesk) throws -> HTTPResponse {
    switch (request.method, request.path) {
    case (.GET, "/status"): try answer(start.status())
    case (.POST, "/resume"): try answer(start.resume())
    default: throw start.refusal()
    }
  }

  private func respond(to request: HTTPRequest, _ control: Control, _ replay: ReplayDesk?) async throws
    -> HTTPResponse
  {
    let parts = request.path.split(separator: "/").map(String.init)
    switch (request.method, parts.count, parts.first, parts.last) {
    case (.GET, 1, "status", _):
      return try answer(control.status())
    case (.POST, 1, "lanes", _):
      return try answer(control.attach(try await body(of: request)))
    case (.DELETE, 2, "lanes", let lane?):
      try control.detach(lane)
      return try answer(Acknowledgement())
    case (.POST, 3, "lanes", "observe"):
      let symbols: SymbolsRequest = try await body(of: request)
      return try answer(control.observe(symbols.symbols, lane: parts[1], mode: try mode(of: symbols)))
    case (.POST, 3, "lanes", "unobserve"):
      let symbols: SymbolsRequest = try await body(of: request)
      return try answer(control.unobserve(symbols.symbols, lane: parts[1]))
    case (.POST, 1, "observe", _):
      let symbols: SymbolsRequest = try await body(of: request)
      return try answer(control.observe(symbols.symbols, lane: nil, mode: try mode(of: symbols)))
    case (.POST, 1, "unobserve", _):
      let symbols: SymbolsRequest = try await body(of: request)
      return try answer(control.unobserve(symbols.symbols, lane: nil))
    case (.GET, 1, "subscriptions", _): return try answer(control.subscriptions())
    case (.POST, 1, "resume", _): return try answer(control.resume())
    case (.POST, 2, "configuration", "reload"): return try answer(control.reload())
    case (_, 1...2, "replay", let action?):
      guard let replay else {
        throw Fault(
          .usage, "feed '\(control.feed)' is live: only a replay can be paused, moved or set to another speed"
        )
      }
      return try answer(try await replay.carryOut(try await replayRequest(action, request)))
    default:
      throw Fault(.usage, "the control socket knows no \(request.method.rawValue) \(request.path)")
    }
  }

  private func mode(of request: SymbolsRequest) throws(Fault) -> FeedMode? {
    guard let word = request.mode else { return nil }
    guard let mode = FeedMode(rawValue: word) else {
      throw Fault(
        .usage,
        "there is no mode '\(word)'; choose one of \(FeedMode.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return mode
  }

  private func replayRequest(_ action: String, _ request: HTTPRequest) async throws -> ReplayRequest {
    switch (request.method, action) {
    case (.GET, "replay"): return .status
    case (.POST, "pause"): return .pause
    case (.POST, "resume"): return .resume
    case (.POST, "stop"): return .stop
    case (.POST, "step"): return try ReplayRequest(try await body(of: request) as ReplayStepRequest)
    case (.POST, "seek"): return try ReplayRequest(try await body(of: request) as ReplaySeekRequest)
    case (.POST, "speed"):
      return .speed(try ReplaySpeed((try await body(of: request) as ReplaySpeedRequest).speed))
    default: throw Fault(.usage, "the control socket knows no \(request.method.rawValue) \(request.path)")
    }
  }

  private func body<Message: Decodable>(of request: HTTPRequest) async throws -> Message {
    try JSONDecoder().decode(Message.self, from: try await request.bodyData)
  }

  private func answer(_ message: some Encodable, _ status: HTTPStatusCode = .ok) throws -> HTTPResponse {
    HTTPResponse(
      statusCode: status, headers: [.contentType: "application/json"], body: try JSONEncoder().encode(message)
    )
  }
}
