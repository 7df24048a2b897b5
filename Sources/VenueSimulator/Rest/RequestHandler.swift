import FlyingFox
import Foundation
import MarketData
import Synchronization

/// Answers every request of the venue: the ticker's upgrade at `/`, Kite's REST paths, and the simulator's own.
struct RequestHandler: HTTPHandler {
  let core: VenueCore
  let configuration: SimulatedVenue.Configuration
  let dump: InstrumentsDump

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    do {
      return try await answer(request)
    } catch let error as KiteError {
      return error.response
    }
  }

  private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
    guard request.method == .GET else { throw KiteError.noSuchRoute }
    let path = request.path.split(separator: "/").map(String.init)
    switch path {
    case ["simulator", "report"]: return try Self.json(core.state.withLock { $0.report })
    case ["simulator", "clock"]:
      let now = Timestamp.wallClock()
      // A client that first has to load history wants to know the market's day without starting it.
      let isPeek = request.value("peek") != nil
      return try Self.json(
        ClockAnswer(core.state.withLock { isPeek ? $0.plannedClock(now: now) : $0.startClock(now: now) }))
    default: break
    }
    if configuration.fault == .refuse { throw KiteError.badCredentials }
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
    guard request.value("api_key") == configuration.apiKey,
      request.value("access_token") == configuration.accessToken
    else { throw KiteError.badCredentials }
    let handler = TickerHandler(
      core: core, drainTimeoutMilliseconds: configuration.drainTimeoutMilliseconds)
    return try await WebSocketHTTPHandler(handler: handler).handleRequest(request)
  }

  private func historical(_ request: HTTPRequest, token: String, interval: String) throws -> HTTPResponse {
    guard request.headers[.authorization] == "token \(configuration.apiKey):\(configuration.accessToken)"
    else {
      throw KiteError.badCredentials
    }
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
    guard to - from <= Int64(interval.daysMax) * 86_400_000_000_000 else {
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

extension HTTPRequest {
  /// The first value of a query item.
  fileprivate func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// A query item of the form `yyyy-mm-dd HH:MM:SS` in Indian time; forms encode the space as `+`.
  fileprivate func time(_ name: String) -> Timestamp? {
    value(name).flatMap { Timestamp(rfc3339: $0.replacingOccurrences(of: "+", with: " ") + "+05:30") }
  }
}
