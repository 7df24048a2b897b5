import FlyingFox
import Foundation
import MarketData
import Synchronization

/// Answers the requests of Angel One's REST interface, and the stream's upgrade at `/smart-stream`.
struct AngelOneRest: Sendable {
  let core: VenueCore
  let configuration: SimulatedVenue.Configuration
  let list: AngelOneList
  let oneTimePassword: SimulatedOneTimePassword

  private static let userPath = "/rest/secure/angelbroking/user/v1"
  private static let historyPath = "/rest/secure/angelbroking/historical/v1"

  init(core: VenueCore, configuration: SimulatedVenue.Configuration, list: AngelOneList) {
    self.core = core
    self.configuration = configuration
    self.list = list
    oneTimePassword = SimulatedOneTimePassword(base32: configuration.angelOne.totpSecret)
  }

  /// Answers a request, refusals included.
  func answer(_ request: HTTPRequest, effects: FaultEffects) async throws -> HTTPResponse {
    do {
      if let status = effects.status { throw AngelOneError.status(status) }
      return try await answer(request)
    } catch let error as AngelOneError {
      return error.response
    }
  }

  private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
    switch (request.method, request.path) {
    case (.GET, SimulatedVenue.Vendor.angelone.websocketPath): return try await upgrade(request)
    case (.GET, "/OpenAPI_File/files/OpenAPIScripMaster.json"):
      return HTTPResponse(
        statusCode: .ok, headers: [.contentType: "application/json"], body: Data(list.json.utf8))
    case (.POST, "/rest/auth/angelbroking/user/v1/loginByPassword"): return try await logIn(request)
    case (.POST, "/rest/auth/angelbroking/jwt/v1/generateTokens"): return try await renew(request)
    case (.POST, Self.userPath + "/logout"):
      let jwt = try customer(request).jwt
      core.state.withLock { $0.accounts.logOut(jwt: jwt) }
      return AngelOneError.json(["status": true, "message": "SUCCESS", "errorcode": "", "data": ""])
    case (.GET, Self.userPath + "/getProfile"):
      _ = try customer(request)
      return Self.success([
        "clientcode": configuration.angelOne.clientCode, "name": "SIMULATED CUSTOMER", "email": "",
        "mobileno": "",
        "exchanges": ["nse_cm", "nse_fo", "bse_cm", "bse_fo", "mcx_fo", "cde_fo"], "products": [],
        "broker": "",
      ])
    case (.POST, Self.historyPath + "/getCandleData"): return try await candles(request)
    case (.POST, Self.historyPath + "/getOIData"):
      _ = try customer(request)
      return Self.success([])
    default: throw AngelOneError.noSuchRoute
    }
  }

  private static func success(_ data: Any) -> HTTPResponse {
    AngelOneError.json(["status": true, "message": "SUCCESS", "errorcode": "", "data": data])
  }

  // MARK: Sessions

  private struct Login: Decodable {
    let clientcode: String
    let password: String
    let totp: String
  }

  private func logIn(_ request: HTTPRequest) async throws -> HTTPResponse {
    try checkKey(request)
    let now = Timestamp.wallClock()
    guard core.state.withLock({ $0.accounts.admitsLogin(now: now) }) else { throw AngelOneError.rateExceeded }
    guard let login = try? JSONDecoder().decode(Login.self, from: try await request.bodyData) else {
      throw AngelOneError.input("clientcode, password and totp are needed")
    }
    let customer = configuration.angelOne
    guard login.clientcode == customer.clientCode, login.password == customer.pin else {
      throw AngelOneError.wrongPassword
    }
    guard oneTimePassword.accepts(login.totp, at: now) else { throw AngelOneError.wrongOneTimePassword }
    return Self.success(Self.members(core.state.withLock { $0.accounts.issue(now: now) }))
  }

  private struct Renewal: Decodable {
    let refreshToken: String
  }

  private func renew(_ request: HTTPRequest) async throws -> HTTPResponse {
    try checkKey(request)
    let now = Timestamp.wallClock()
    guard let renewal = try? JSONDecoder().decode(Renewal.self, from: try await request.bodyData) else {
      throw AngelOneError.badRefreshToken
    }
    let tokens = core.state.withLock { state in
      state.accounts.tokens(refresh: renewal.refreshToken).map { _ in state.accounts.issue(now: now) }
    }
    guard let tokens else { throw AngelOneError.badRefreshToken }
    return Self.success(Self.members(tokens))
  }

  private static func members(_ tokens: AngelOneAccounts.Tokens) -> [String: String] {
    ["jwtToken": tokens.jwt, "refreshToken": tokens.refresh, "feedToken": tokens.feed]
  }

  private func checkKey(_ request: HTTPRequest) throws {
    guard request.headers[HTTPHeader("X-PrivateKey")] == configuration.apiKey else {
      throw AngelOneError.badKey
    }
  }

  /// The tokens of a secured request.
  private func customer(_ request: HTTPRequest) throws -> AngelOneAccounts.Tokens {
    try checkKey(request)
    let jwt = Self.jwt(request.headers[.authorization] ?? "")
    return try core.state.withLock { state throws(AngelOneError) in
      if let tokens = state.accounts.tokens(jwt: jwt) { return tokens }
      throw state.accounts.wasIssued(jwt: jwt) ? .expiredToken : .badToken
    }
  }

  /// The vendor's own stream client sends the word that its login made of it, with or without the prefix.
  private static func jwt(_ field: String) -> String {
    let prefix = "Bearer "
    return field.hasPrefix(prefix) ? String(field.dropFirst(prefix.utf8.count)) : field
  }

  // MARK: The stream

  private func upgrade(_ request: HTTPRequest) async throws -> HTTPResponse {
    if let reason = refusal(of: request) { return reason }
    let handler = TickerHandler(
      core: core, drainTimeoutMilliseconds: configuration.drainTimeoutMilliseconds,
      socket: RawSocket(request))
    return try await WebSocketHTTPHandler(handler: handler).handleRequest(request)
  }

  /// Credentials come in header fields, or in the query without the JSON web token.
  private func refusal(of request: HTTPRequest) -> HTTPResponse? {
    func word(_ header: String, _ query: String) -> String? {
      request.headers[HTTPHeader(header)] ?? request.query.first { $0.name == query }?.value
    }
    guard word("x-api-key", "apiKey") == configuration.apiKey else {
      return Self.refusal(401, "Invalid Api Key")
    }
    guard word("x-client-code", "clientCode") == configuration.angelOne.clientCode else {
      return Self.refusal(401, "Invalid Client Code")
    }
    let (feed, jwt) = (word("x-feed-token", "feedToken") ?? "", request.headers[.authorization].map(Self.jwt))
    let limit = configuration.angelOne.connectionsMax
    return core.state.withLock { state in
      guard let tokens = state.accounts.tokens(feed: feed) else {
        return Self.refusal(401, "Invalid Feed Token")
      }
      guard jwt == nil || jwt == tokens.jwt else { return Self.refusal(401, "Invalid Auth Token") }
      guard state.connections.count < limit else {
        return Self.refusal(429, "Maximum of \(limit) connections reached")
      }
      return nil
    }
  }

  private static func refusal(_ status: Int, _ reason: String) -> HTTPResponse {
    HTTPResponse(
      statusCode: HTTPStatusCode(status, phrase: KiteError.phrase(status)),
      headers: [HTTPHeader("x-error-message"): reason], body: Data())
  }

  // MARK: Candles

  private func candles(_ request: HTTPRequest) async throws -> HTTPResponse {
    _ = try customer(request)
    let now = Timestamp.wallClock()
    switch core.state.withLock({ $0.accounts.admitsCandles(now: now) }) {
    case .admitted: break
    case .refusedByGateway: throw AngelOneError.rateExceeded
    case .refusedByBusiness: throw AngelOneError.tryLater
    }
    guard let wanted = try? JSONDecoder().decode(AngelOneCandleRequest.self, from: try await request.bodyData)
    else { throw AngelOneError.input("exchange, symboltoken, interval, fromdate and todate are needed") }
    guard let interval = AngelOneCandleRequest.interval(wanted.interval) else {
      throw AngelOneError.input("Invalid interval")
    }
    let material = core.state.withLock {
      $0.historicalMaterial(exchange: wanted.exchange, token: wanted.symboltoken, now: now)
    }
    guard let material else { throw AngelOneError.noSuchSymbol }
    guard let from = AngelOneCandleRequest.time(wanted.fromdate),
      let to = AngelOneCandleRequest.time(wanted.todate), from <= to
    else { throw AngelOneError.input("Invalid fromdate or todate") }
    guard to.seconds - from.seconds <= Int64(interval.daysMax) * 86_400 else {
      throw AngelOneError.input("The range exceeds the limit of \(interval.daysMax) days")
    }
    let answer = AngelOneCandleAnswer(
      rows: material.rows(interval: interval, from: from, to: to),
      divisor: material.instrument.segment.priceDivisor)
    return HTTPResponse(
      statusCode: .ok, headers: [.contentType: "application/json"], body: Data(answer.bytes))
  }
}
