import Foundation
import MarketData
import Testing

@testable import Venues

/// Requests for Angel One's candles and what is made of the answers. Sending is the engine's business.
@Suite struct AngelOneCandlesTests {
  private static func service() throws -> AngelOneCandles {
    let credentials = try AngelOneCredentials(
      apiKey: "key-1234", clientCode: "C1234", pin: "98765", totpSecret: "GEZDGNBVGY3TQOJQ")
    let session = AngelOneSession(
      credentials: { credentials },
      budget: RequestBudget([])
    ) { (_) throws(Fault) in
      HTTPResponse(
        status: 200,
        body: Array(#"{"status":true,"data":{"jwtToken":"jwt-\#(UUID())","feedToken":"f"}}"#.utf8))
    }
    return AngelOneCandles(baseURL: "https://venue.example", session: session)
  }

  private static func part(
    _ interval: Interval = .minute, _ from: String = "2021-02-08T10:07:00+05:30",
    _ to: String = "2021-02-08T10:17:00+05:30", token: String = "1/3045"
  ) throws -> CandleRequest {
    CandleRequest(
      Instrument(
        id: InstrumentID(rawValue: 7), symbol: try Symbol("NSE:SBIN"), venueToken: token, priceTick: .zero,
        lotSize: 1), interval: interval, from: try #require(Timestamp(rfc3339: from)),
      to: try #require(Timestamp(rfc3339: to)))
  }

  private static func body(_ request: HTTPRequest) throws -> [String: String] {
    try JSONDecoder().decode([String: String].self, from: Data(request.body))
  }

  @Test func theRequestIsWhatTheVendorWants() throws {
    let request = try Self.service().request(for: try Self.part())
    #expect(
      request.url == "https://venue.example/rest/secure/angelbroking/historical/v1/getCandleData"
        && request.method == .post)
    // The venue counts both ends in.
    #expect(
      try Self.body(request) == [
        "exchange": "NSE", "symboltoken": "3045", "interval": "ONE_MINUTE", "fromdate": "2021-02-08 10:07",
        "todate": "2021-02-08 10:16",
      ])
    let authorization = request.headers.first { $0.name == "Authorization" }?.value
    #expect(authorization?.hasPrefix("Bearer jwt-") == true)
  }

  @Test(
    arguments: [
      (600, "1/3045", "10:07", "09:15"), (600, "5/3045", "10:07", "09:00"), (600, "1/3045", "09:05", "09:05"),
      (86_400, "1/3045", "00:00", "00:00"), (60, "1/3045", "10:07", "10:07"),
    ])
  func longerCandlesAreAskedForFromTheSessionsBeginning(
    seconds: Int, token: String, from: String, asked: String
  ) throws {
    let part = try Self.part(
      Interval(seconds: seconds), "2021-02-08T\(from):00+05:30", "2021-02-09T15:30:00+05:30", token: token)
    #expect(
      try Self.body(try Self.service().request(for: part))["fromdate"] == "2021-02-08 \(asked)")
  }

  @Test func theVenuesLimitsAndWordsAreKnown() throws {
    let service = try Self.service()
    let days = try [60, 180, 300, 600, 900, 1800, 3600, 86_400].map {
      try service.daysMax(of: Interval(seconds: $0))
    }
    #expect(days == [30, 60, 100, 100, 200, 200, 400, 2000])
    let unknown = #expect(throws: Fault.self) { try service.daysMax(of: Interval(seconds: 120)) }
    #expect(unknown?.kind == .usage)
    let words = try ["1/1", "2/1", "3/1", "4/1", "5/1", "7/1", "13/1"].map {
      try Self.body(try service.request(for: try Self.part(token: $0)))["exchange"]
    }
    #expect(words == ["NSE", "NFO", "BSE", "BFO", "MCX", "NCDEX", "CDS"])
    let foreign = #expect(throws: Fault.self) { try service.request(for: try Self.part(token: "9/1")) }
    #expect(foreign?.kind == .configuration)
  }

  private static func candles(_ status: Int, _ body: String) throws -> [Candle] {
    try service().candles(in: HTTPResponse(status: status, body: Array(body.utf8)), for: try part())
  }

  @Test func rowsAreReadExactly() throws {
    let candles = try Self.candles(
      200,
      #"{"status":true,"message":"SUCCESS","errorcode":"","data":[["2021-05-14T09:45:00+05:30",1704.5,1705,1703.05,1704.45,120],["2021-05-14T09:46:00+05:30",0.0025,1,0.0025,1,0]]}"#
    )
    #expect(candles.map(\.start.rfc3339) == ["2021-05-14T09:45:00+05:30", "2021-05-14T09:46:00+05:30"])
    #expect(candles.map(\.open.description) == ["1704.5", "0.0025"])
    #expect(candles.map(\.low.description) == ["1703.05", "0.0025"])
    #expect(candles.map(\.volume) == [120, 0])
    #expect(candles.allSatisfy { $0.instrument.rawValue == 7 && $0.origin == .venue })
  }

  @Test(arguments: ["[]", "null", "\"\""]) func noDataIsNoFault(data: String) throws {
    #expect(
      try Self.candles(200, #"{"status":true,"message":"SUCCESS","errorcode":"","data":\#(data)}"#) == [])
  }

  @Test(
    arguments: [
      (403, "Access denied because of exceeding access rate", Fault.Kind.unavailable, .slowDown),
      (200, #"{"status":false,"message":"m","errorcode":"AB1004","data":null}"#, .unavailable, .slowDown),
      (429, "", .unavailable, .slowDown),
      (200, #"{"success":false,"message":"m","errorCode":"AG8001","data":""}"#, .refused, .newCredentials),
      (200, #"{"success":false,"message":"m","errorCode":"AG8002","data":""}"#, .refused, .newCredentials),
      (200, #"{"status":false,"message":"m","errorcode":"AB1010","data":null}"#, .refused, .newCredentials),
      (403, "Forbidden", .refused, .newCredentials),
      (200, #"{"status":false,"message":"m","errorcode":"AB2001","data":null}"#, .unavailable, .retry),
      (503, "<html>", .unavailable, .retry), (200, "<html>", .protocolViolation, .retry),
      (200, #"{"status":true,"data":[["2021-05-14",1,1,1,1,1]]}"#, .protocolViolation, .retry),
      (200, #"{"status":true,"data":[[]]}"#, .protocolViolation, .retry),
      (200, #"{"status":false,"message":"m","errorcode":"AB1009","data":null}"#, .protocolViolation, .none),
    ] as [(Int, String, Fault.Kind, CandleRefusal.Remedy)])
  func everyRefusalHasItsRemedy(status: Int, body: String, kind: Fault.Kind, remedy: CandleRefusal.Remedy)
    throws
  {
    let refusal = try #require(#expect(throws: CandleRefusal.self) { try Self.candles(status, body) })
    #expect(refusal.fault.kind == kind, "\(refusal.fault)")
    #expect(refusal.remedy == remedy)
    #expect(refusal.fault.message.hasPrefix("Angel One's 1m candles of NSE:SBIN: "))
  }

  @Test func aRefusedTokenIsReplacedUnlessThatHasHappened() throws {
    let service = try Self.service()
    let part = try Self.part()
    func token(_ request: HTTPRequest) -> String? {
      request.headers.first { $0.name == "Authorization" }?.value
    }
    let first = try service.request(for: part)
    #expect(token(try service.request(for: part)) == token(first))
    service.credentialsWereRefused(in: first)
    let second = try service.request(for: part)
    #expect(token(second) != token(first))
    service.credentialsWereRefused(in: first)
    #expect(token(try service.request(for: part)) == token(second))
  }
}
