import FlyingFox
import Foundation
import MarketData
import Testing

@testable import Venues

/// Candles from the venue's REST answers.
@Suite struct KiteHistoryTests {
  private static func instrument() throws -> Instrument {
    Instrument(
      id: InstrumentID(rawValue: 4), symbol: try Symbol("NSE:INFY"), venueToken: "408065",
      priceTick: Price(units: 50_000_000), lotSize: 1)
  }

  private static let service = KiteCandles { KiteCredentials(apiKey: "key", accessToken: "token") }

  private func candles(_ json: String, status: Int = 200) throws -> [Candle] {
    try Self.service.candles(
      in: Venues.HTTPResponse(status: status, body: Array(json.utf8)),
      for: CandleRequest(try Self.instrument(), from: .unknown, to: Self.start))
  }

  private static func rows(_ rows: String...) -> String {
    "{\"status\":\"success\",\"data\":{\"candles\":[\(rows.joined(separator: ","))]}}"
  }

  // MARK: Reading answers

  @Test func pricesAreTheDigitsOfTheText() throws {
    let candles = try candles(
      """
      { "data" : { "more": [1, {"x": "]"}], "candles" : [
        [ "2017-12-15T09:15:00+0530", 1704.5, 1705, 1699.25, 83.5525001, 2499 ],
        ["2017-12-15T09:16:00+0530",-37.63,0.1,-9223372036,7,1,13667775] ] }, "status":"success" }
      """)
    #expect(candles.map(\.start.rfc3339) == ["2017-12-15T09:15:00+05:30", "2017-12-15T09:16:00+05:30"])
    #expect(
      candles.map { [$0.open, $0.high, $0.low, $0.close].map(\.description) } == [
        ["1704.5", "1705", "1699.25", "83.5525001"], ["-37.63", "0.1", "-9223372036", "7"],
      ])
    #expect(candles.map(\.volume) == [2499, 1])
    #expect(candles.map(\.openInterest) == [0, 13_667_775])
    #expect(candles.allSatisfy { $0.origin == .venue && $0.state == .final && $0.interval == .minute })
  }

  @Test func timesMayComeWithAColonOrFromAnotherDayOrZone() throws {
    let candles = try candles(
      Self.rows(
        "[\"2017-12-15T09:15:00+0530\",1,1,1,1,1]", "[\"2017-12-18T09:15:00+0530\",1,1,1,1,1]",
        "[\"2017-12-18T09:16:00+05:30\",1,1,1,1,1]", "[\"2017-12-18T03:47:00Z\",1,1,1,1,1]",
        "[\"2017-12-18T09:18:00+0530\",1,1,1,1,1]"))
    #expect(
      candles.map(\.start.rfc3339) == [
        "2017-12-15T09:15:00+05:30", "2017-12-18T09:15:00+05:30", "2017-12-18T09:16:00+05:30",
        "2017-12-18T09:17:00+05:30", "2017-12-18T09:18:00+05:30",
      ])
  }

  @Test func noCandlesIsAnAnswer() throws {
    #expect(try candles(Self.rows()).isEmpty)
  }

  @Test(
    arguments: [
      "", "{", "[]", "null", "{\"status\":\"success\"", rows("[]"),
      rows("[\"2017-12-15T09:15:00+0530\",1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00\",1,1,1,1,1]"), rows("[\"2017-13-15T09:15:00+0530\",1,1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00+0530\",1,1,1,1,1.5]"), rows("[\"2017-12-15T09:15:00+0530\",1e3,1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00+0530\",1.0000000001,1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00+0530\",99999999999,1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00+0530\",null,1,1,1,1]"),
      rows("[\"2017-12-15T09:15:00+0530\",1,1,1,1,1],"), rows() + "x", "{\"status\":\"succ\\u00zz\"}",
    ])
  func anythingElseIsAProtocolViolation(json: String) {
    let refusal = #expect(throws: CandleRefusal.self) { _ = try candles(json) }
    #expect(refusal?.fault.kind == .protocolViolation)
  }

  @Test func answersCutOrGarbledAnywhereNeverTrap() throws {
    let whole = Array(
      Self.rows("[\"2017-12-15T09:15:00+0530\",1704.5,1705,1699.25,1702.8,2499,5]").utf8)
    for count in 0..<whole.count {
      #expect(throws: CandleRefusal.self) {
        _ = try candles(String(decoding: whole[..<count], as: UTF8.self))
      }
    }
    var generator = SeededGenerator(seed: 99)
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
          Array("{}[]\",:\\u0-.e \u{7F}".utf8).randomElement(using: &generator) ?? 0
      }
      _ = try? KiteCandleAnswer(bytes, instrument: InstrumentID(rawValue: 0), interval: .minute)
    }
  }

  @Test(
    arguments: [
      (403, "TokenException", Fault.Kind.refused, CandleRefusal.Remedy.newCredentials),
      (403, "PermissionException", .refused, .newCredentials),
      (400, "InputException", .protocolViolation, .none),
      (429, "NetworkException", .unavailable, .slowDown), (502, "DataException", .unavailable, .retry),
      (503, "NetworkException", .unavailable, .retry), (500, "GeneralException", .unavailable, .retry),
      (403, "", .refused, .newCredentials), (504, "", .unavailable, .retry),
      (404, "", .protocolViolation, .none),
    ])
  func theVenuesErrorsAreFaultsOfTheirKind(
    status: Int, type: String, kind: Fault.Kind, remedy: CandleRefusal.Remedy
  ) {
    let refusal = #expect(throws: CandleRefusal.self) {
      _ = try candles(
        "{\"status\":\"error\",\"message\":\"No \\\"luck\\\"\\n\",\"error_type\":\"\(type)\",\"data\":null}",
        status: status)
    }
    #expect(refusal?.fault.kind == kind)
    #expect(refusal?.remedy == remedy)
    #expect(refusal?.fault.message.contains("HTTP status \(status)") == true)
    #expect(refusal?.fault.message.contains("No \"luck\"") == true)
  }

  @Test func aGatewaysPageIsQuoted() {
    let refusal = #expect(throws: CandleRefusal.self) {
      _ = try candles("<html>\n<b>Bad Gateway</b>", status: 502)
    }
    #expect(
      refusal?.fault
        == Fault(.unavailable, "Kite's 1m candles of NSE:INFY: HTTP status 502: <html> <b>Bad Gateway</b>"))
  }

  // MARK: Asking

  /// Answers with candles at the first and last minute of each request, and notes the requests.
  private func withVenue<Value: Sendable>(
    limits: [RateLimit] = [], tooMany: Int = 0, attempts: Int = 3,
    _ body: @escaping @Sendable (RESTHistory) throws -> Value
  ) async throws -> (Value, [String]) {
    let requests = Log<String>()
    let answer: @Sendable (FlyingFox.HTTPRequest) async throws -> FlyingFox.HTTPResponse = { request in
      let query = Dictionary(uniqueKeysWithValues: request.query.map { ($0.name, $0.value) })
      let (from, to) = (query["from"] ?? "", query["to"] ?? "")
      requests.append("\(request.path) \(from) \(to)")
      guard request.headers[HTTPHeader("Authorization")] == "token key:token" else {
        return FlyingFox.HTTPResponse(
          statusCode: .forbidden,
          body: Data("{\"status\":\"error\",\"error_type\":\"TokenException\",\"message\":\"bad\"}".utf8))
      }
      guard requests.all.count > tooMany else {
        return FlyingFox.HTTPResponse(
          statusCode: HTTPStatusCode(429, phrase: "Too many requests"),
          headers: [HTTPHeader("Retry-After"): "1"])
      }
      let rows = [from, String(to.dropLast(2)) + "00"].map {
        "[\"\($0.replacing(" ", with: "T"))+0530\",1,2,0.5,1.5,10]"
      }
      return FlyingFox.HTTPResponse(statusCode: .ok, body: Data(Self.rows(rows.joined(separator: ",")).utf8))
    }
    return try await withServer {
      await $0.appendRoute("/instruments/historical/*", handler: answer)
    } _: { port in
      let value = try await onThread {
        let service = KiteCandles(baseURL: "http://127.0.0.1:\(port)") {
          KiteCredentials(apiKey: "key", accessToken: "token")
        }
        var options = RESTHistory.Options()
        options.retry.attemptsMax = attempts
        let history = RESTHistory(service, budget: RequestBudget(limits), options: options)
        return try body(history)
      }
      return (value, requests.all)
    }
  }

  private static let start = CivilTime(year: 2026, month: 1, day: 1, hour: 9, minute: 15).timestamp()

  @Test func longRangesAreCutAtTheVenuesLimitWithoutHoleOrOverlap() async throws {
    let end = Self.start + 61 * 86_400 * Timestamp.nanosecondsPerSecond
    let (candles, requests) = try await withVenue {
      try $0.candles(of: try Self.instrument(), interval: .minute, from: Self.start, to: end)
    }
    #expect(
      requests == [
        "/instruments/historical/408065/minute 2026-01-01 09:15:00 2026-03-01 23:59:59",
        "/instruments/historical/408065/minute 2026-03-02 00:00:00 2026-03-03 09:14:59",
      ])
    #expect(
      candles.map(\.start.rfc3339) == [
        "2026-01-01T09:15:00+05:30", "2026-03-01T23:59:00+05:30", "2026-03-02T00:00:00+05:30",
        "2026-03-03T09:14:00+05:30",
      ])
  }

  @Test func anEmptyRangeAsksNobody() async throws {
    let (candles, requests) = try await withVenue {
      try $0.candles(of: try Self.instrument(), interval: .minute, from: Self.start, to: Self.start)
    }
    #expect(candles.isEmpty)
    #expect(requests.isEmpty)
  }

  @Test func requestsKeepToTheBudget() async throws {
    let end = Self.start + 179 * 86_400 * Timestamp.nanosecondsPerSecond
    let before = RequestBudget.monotonicNanoseconds()
    let (_, requests) = try await withVenue(limits: [RateLimit(requests: 1, per: .milliseconds(100))]) {
      try $0.candles(of: try Self.instrument(), interval: .minute, from: Self.start, to: end)
    }
    #expect(requests.count == 3)
    #expect(RequestBudget.monotonicNanoseconds() - before >= 200_000_000)
  }

  @Test func tooManyRequestsIsTriedAgainAfterThePauseAskedFor() async throws {
    let end = Self.start + Interval.minute.nanoseconds * 10
    let before = RequestBudget.monotonicNanoseconds()
    let (candles, requests) = try await withVenue(tooMany: 1) {
      try $0.candles(of: try Self.instrument(), interval: .minute, from: Self.start, to: end)
    }
    #expect(candles.count == 2)
    #expect(requests.count == 2)
    #expect(RequestBudget.monotonicNanoseconds() - before >= 1_000_000_000)
  }

  @Test func tooManyRequestsForeverEnds() async throws {
    let end = Self.start + Interval.minute.nanoseconds * 10
    let (fault, requests) = try await withVenue(tooMany: .max, attempts: 2) { history in
      #expect(throws: Fault.self) {
        _ = try history.candles(of: try Self.instrument(), interval: .minute, from: Self.start, to: end)
      }
    }
    #expect(fault?.kind == .unavailable)
    #expect(requests.count == 2)
  }

  @Test func anIntervalThatTheVenueLacksIsAUsageFault() async throws {
    let (fault, _) = try await withVenue { history in
      #expect(throws: Fault.self) {
        _ = try history.candles(
          of: try Self.instrument(), interval: .minutes(2), from: Self.start, to: Self.start + 1)
      }
    }
    #expect(fault?.kind == .usage)
  }
}
