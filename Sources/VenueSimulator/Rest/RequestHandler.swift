import FlyingFox
import Foundation
import MarketData
import Synchronization

/// Answers every request of the venue: the ticker's upgrade at `/`, Kite's REST paths, and the simulator's own.
struct RequestHandler: HTTPHandler {
  let core: VenueCore
  let configuration: SimulatedVenue.Configuration
  let dump: InstrumentsDump
  /// Answers instead of Kite's paths where the vendor is Angel One.
  let angelOne: AngelOneRest?
  private let sessions = SessionDesk()

  init(
    core: VenueCore, configuration: SimulatedVenue.Configuration, dump: InstrumentsDump,
    angelOne: AngelOneRest?
  ) {
    self.core = core
    self.configuration = configuration
    self.dump = dump
    self.angelOne = angelOne
  }

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    do {
      if request.path.hasPrefix("/simulator/") { return try await simulatorAnswer(request) }
      let effects = core.faults.effects
      let answer =
        if let angelOne {
          try await angelOne.answer(request, effects: effects)
        } else {
          try await kiteAnswer(request, effects: effects)
        }
      return try await FaultyAnswer(effects: effects).spoilt(answer)
    } catch let error as KiteError {
      return error.response
    }
  }

  /// The simulator's own paths, which no fault touches.
  private func simulatorAnswer(_ request: HTTPRequest) async throws -> HTTPResponse {
    switch (request.method, request.path) {
    case (.GET, "/simulator/report"): return try Self.json(core.state.withLock { $0.report })
    case (.GET, "/simulator/clock"):
      let now = Timestamp.wallClock()
      // A client that first has to load history wants to know the market's day without starting it.
      let isPeek = request.value("peek") != nil
      return try Self.json(
        ClockAnswer(core.state.withLock { isPeek ? $0.plannedClock(now: now) : $0.startClock(now: now) }))
    case (.GET, "/simulator/subscriptions"):
      return try Self.json(core.state.withLock { $0.subscriptions })
    case (.GET, "/simulator/faults"): break
    case (.POST, "/simulator/faults"):
      let text = String(decoding: try await request.bodyData, as: UTF8.self)
      do throws(Fault) {
        let plan = try FaultPlan(text: text, name: "the request")
        core.faults.schedule.withLock { schedule in
          for fault in plan.faults { schedule.add(fault, origin: .wallClock()) }
        }
      } catch {
        throw KiteError.input(error.message)
      }
    case (.DELETE, "/simulator/faults"): core.faults.schedule.withLock { $0.clear() }
    default: throw KiteError.noSuchRoute
    }
    // The answer means that it is so: whoever subscribes next meets no fault that is over.
    core.state.withLock { $0.beginFaults(now: .wallClock()) }
    return try Self.json(core.faults.schedule.withLock { FaultsAnswer($0) })
  }

  private func kiteAnswer(_ request: HTTPRequest, effects: FaultEffects) async throws -> HTTPResponse {
    if let status = effects.status { throw KiteError.status(status) }
    let login = try await sessions.answer(
      request, configuration, accessToken: accessToken ?? configuration.accessToken)
    if let login { return login }
    guard request.method == .GET else { throw KiteError.noSuchRoute }
    let path = request.path.split(separator: "/").map(String.init)
    switch path {
    case []: return try await upgrade(request)
    case ["instruments"]: return Self.csv(dump.csv() ?? "")
    case _ where path.count == 2 && path[0] == "instruments":
      guard let csv = dump.csv(exchange: path[1]) else { throw KiteError.input("Invalid `exchange`.") }
      return Self.csv(csv)
    case _ where path.count == 4 && path[0] == "instruments" && path[1] == "historical":
      return try historical(request, token: path[2], interval: path[3])
    default: throw KiteError.noSuchRoute
    }
  }

  private func upgrade(_ request: HTTPRequest) async throws -> HTTPResponse {
    guard request.value("api_key") == configuration.apiKey, let accessToken,
      request.value("access_token") == accessToken
    else { throw KiteError.badCredentials }
    let handler = TickerHandler(
      core: core, drainTimeoutMilliseconds: configuration.drainTimeoutMilliseconds,
      socket: RawSocket(request))
    return try await WebSocketHTTPHandler(handler: handler).handleRequest(request)
  }

  /// The only access token that is let in; nil when none is.
  private var accessToken: String? {
    let effects = core.faults.effects
    return effects.isTokenDead ? effects.newToken : configuration.accessToken
  }

  private func historical(_ request: HTTPRequest, token: String, interval: String) throws -> HTTPResponse {
    guard let accessToken, request.headers[.authorization] == "token \(configuration.apiKey):\(accessToken)"
    else { throw KiteError.badCredentials }
    let now = Timestamp.wallClock()
    guard core.state.withLock({ $0.admitsHistoricalRequest(now: now) }) else {
      throw KiteError.tooManyRequests
    }
    guard let interval = KiteInterval(word: interval) else { throw KiteError.input("invalid interval") }
    let material = UInt32(token).flatMap { token in
      core.state.withLock { $0.historicalMaterial(token: token, now: now) }
    }
    guard let material else { throw KiteError.input("invalid token") }
    guard let from = request.time("from") else { throw KiteError.input("invalid from date") }
    guard let to = request.time("to") else { throw KiteError.input("invalid to date") }
    guard from <= to else { throw KiteError.input("from date should not be after to date") }
    guard to.seconds - from.seconds <= Int64(interval.daysMax) * 86_400 else {
      throw KiteError.input("interval exceeds max limit: \(interval.daysMax) days")
    }
    let answer = HistoricalAnswer(
      rows: material.rows(interval: interval, from: from, to: to),
      divisor: material.instrument.segment.priceDivisor, withOpenInterest: request.value("oi") == "1")
    return HTTPResponse(
      statusCode: .ok, headers: [.contentType: "application/json"], body: Data(answer.bytes))
  }

  private static func csv(_ text: String) -> HTTPResponse {
    HTTPResponse(statusCode: .ok, headers: [.contentType: "text/csv"], body: Data(text.utf8))
  }

  private static func json(_ value: some Encodable) throws -> HTTPResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return HTTPResponse(
      statusCode: .ok, headers: [.contentType: "application/json"], body: try encoder.encode(value))
  }
}

/// The body of `GET /simulator/clock`.
private struct ClockAnswer: Encodable {
  let feed_origin_ns: Int64
  let wall_origin_ns: Int64
  let speed: Double

  init(_ clock: FeedClock) {
    feed_origin_ns = clock.feedOrigin.nanoseconds
    wall_origin_ns = clock.wallOrigin.nanoseconds
    speed = clock.speed
  }
}

/// The body of answers about faults.
private struct FaultsAnswer: Encodable {
  struct Fired: Encodable {
    let fault: String
    let wall_ns: Int64
  }

  let active: [String]
  let fired: [Fired]
  /// True when nothing is left that will begin or end by itself.
  let over: Bool

  init(_ schedule: FaultSchedule) {
    active = schedule.activeFaults.map(\.description)
    fired = schedule.fired.map { Fired(fault: $0.fault.description, wall_ns: $0.time.nanoseconds) }
    over = schedule.isOver
  }
}

extension HTTPRequest {
  /// The first value of a query item.
  fileprivate func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// A query item of the form `yyyy-mm-dd HH:MM:SS` in Indian time; forms encode the space as `+`.
  fileprivate func time(_ name: String) -> Timestamp? {
    value(name).flatMap { Timestamp(rfc3339: $0.replacingOccurrences(of: "+", with: " ") + "+05:30") }
  }
}
