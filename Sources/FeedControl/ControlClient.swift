internal import Foundation
public import MarketData
internal import Venues

/// Asks a running feed handler over its control socket.
public final class ControlClient {
  private let http: HTTPClient
  private let path: String

  /// How long an answer may take.
  private static let timeoutMilliseconds = 10_000

  /// Makes a client of the feed handler that listens on the Unix-domain socket `path`.
  ///
  /// - Throws: ``Fault`` of kind `system` when libcurl cannot be set up.
  public init(path: String) throws(Fault) {
    self.path = path
    http = try HTTPClient()
  }

  /// What the feed handler is doing.
  public func status() throws(Fault) -> ControlStatus { try ask(.get, "/status") }

  /// Makes a lane, or takes over the one that an earlier consumer of this name left.
  public func attach(_ request: LaneRequest) throws(Fault) -> LaneAnswer { try ask(.post, "/lanes", request) }

  /// Removes a lane and all that it observes.
  public func detach(lane: String) throws(Fault) {
    let _: Acknowledgement = try ask(.delete, "/lanes/\(lane)")
  }

  /// Adds symbols to what a lane observes or, without a lane, to what is recorded.
  ///
  /// - Parameter mode: `ltp`, `quote` or `full`; nil for what is configured.
  public func observe(_ symbols: [String], lane: String? = nil, mode: String? = nil) throws(Fault)
    -> ObserveAnswer
  {
    try ask(.post, prefix(lane) + "/observe", SymbolsRequest(symbols: symbols, mode: mode))
  }

  /// Takes symbols away from what a lane observes or, without a lane, from what is recorded.
  public func unobserve(_ symbols: [String], lane: String? = nil) throws(Fault) -> ObserveAnswer {
    try ask(.post, prefix(lane) + "/unobserve", SymbolsRequest(symbols: symbols))
  }

  /// How far each subscription has come.
  public func subscriptions() throws(Fault) -> SubscriptionsAnswer { try ask(.get, "/subscriptions") }

  /// Ends the HALTs that are latched.
  public func resume() throws(Fault) -> ResumeAnswer { try ask(.post, "/resume", Acknowledgement()) }

  /// Lets the feed handler read its configuration file again.
  public func reloadConfiguration() throws(Fault) -> ReloadAnswer {
    try ask(.post, "/configuration/reload", Acknowledgement())
  }

  /// What a replayed feed is doing.
  public func replayStatus() throws(Fault) -> ReplayStatus { try ask(.get, "/replay") }

  /// Halts a replay where it is.
  public func pauseReplay() throws(Fault) -> ReplayStatus {
    try ask(.post, "/replay/pause", Acknowledgement())
  }

  /// Lets a paused replay go on.
  public func resumeReplay() throws(Fault) -> ReplayStatus {
    try ask(.post, "/replay/resume", Acknowledgement())
  }

  /// Lets a replay go on by so many records, or so much time, and pause then.
  public func stepReplay(_ request: ReplayStepRequest) throws(Fault) -> ReplayStatus {
    try ask(.post, "/replay/step", request)
  }

  /// Lets a replay go on from elsewhere in its range.
  public func seekReplay(_ request: ReplaySeekRequest) throws(Fault) -> ReplayStatus {
    try ask(.post, "/replay/seek", request)
  }

  /// Changes the speed of a replay.
  public func setReplaySpeed(_ speed: ReplaySpeed) throws(Fault) -> ReplayStatus {
    try ask(.post, "/replay/speed", ReplaySpeedRequest(speed: speed.description))
  }

  /// Ends a replay in good order.
  public func stopReplay() throws(Fault) -> ReplayStatus { try ask(.post, "/replay/stop", Acknowledgement()) }

  private func prefix(_ lane: String?) -> String { lane.map { "/lanes/\($0)" } ?? "" }

  private func ask<Answer: Decodable>(_ method: HTTPRequest.Method, _ resource: String) throws(Fault)
    -> Answer
  {
    try ask(method, resource, body: nil)
  }

  private func ask<Answer: Decodable>(
    _ method: HTTPRequest.Method, _ resource: String, _ request: some Encodable
  )
    throws(Fault) -> Answer
  {
    guard let body = try? JSONEncoder().encode(request) else {
      throw Fault(.software, "cannot write the request for \(resource) as JSON")
    }
    return try ask(method, resource, body: [UInt8](body))
  }

  private func ask<Answer: Decodable>(_ method: HTTPRequest.Method, _ resource: String, body: [UInt8]?)
    throws(Fault)
    -> Answer
  {
    var message = HTTPRequest(
      method, "http://tickring\(resource)",
      headers: body == nil ? [] : [("Content-Type", "application/json")], body: body ?? [])
    message.timeoutMilliseconds = Self.timeoutMilliseconds
    message.unixSocketPath = path
    let response: HTTPResponse
    do {
      response = try http.send(message)
    } catch {
      if access(path, R_OK | W_OK) != 0, errno == EACCES {
        throw Fault(
          .refused,
          "this user may not open the feed handler's control socket '\(path)': it takes the group that "
            + "shared_memory.group names, and a shared_memory.mode that lets groups read and write")
      }
      throw Fault(
        error.kind,
        "the feed handler does not answer on its control socket '\(path)': it is starting, stopping, or stuck; its log "
          + "says which")
    }
    let data = Data(response.body)
    if let answer = try? JSONDecoder().decode(Answer.self, from: data), response.status == 200 {
      return answer
    }
    if let refusal = try? JSONDecoder().decode(Refusal.self, from: data) {
      throw Fault(Fault.Kind(rawValue: refusal.kind) ?? .software, refusal.error)
    }
    throw Fault(
      .protocolViolation, "control socket '\(path)' answered \(resource) with status \(response.status)")
  }
}
