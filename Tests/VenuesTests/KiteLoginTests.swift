import MarketData
import Testing

@testable import Venues

/// Kite's login, as requests and answers.
@Suite struct KiteLoginTests {
  private let login = KiteLogin(apiKey: "k y", baseURL: "https://venue.example")

  @Test func thePageIsKites() {
    #expect(login.loginURL() == "https://kite.zerodha.com/connect/login?api_key=k%20y&v=3")
  }

  @Test(arguments: [
    "Abc123", "  Abc123\n", "https://127.0.0.1/?request_token=Abc123&action=login&status=success",
    "http://localhost:8000/back?status=success&request_token=Abc123#top", "127.0.0.1/?request_token=Abc123",
  ])
  func theTokenIsFoundInWhatIsPasted(text: String) throws {
    #expect(try KiteLogin.requestToken(in: text) == "Abc123")
  }

  @Test(arguments: [
    ("", Fault.Kind.usage), ("   ", .usage), ("a b?c", .usage), ("https://127.0.0.1/?action=login", .usage),
    ("https://127.0.0.1/?status=cancelled&request_token=x", .refused), ("tok&en", .usage),
    ("https://127.0.0.1/?request_token=&status=success", .usage),
  ])
  func anythingElseIsExplained(text: String, kind: Fault.Kind) {
    #expect(throws: Fault.self) { _ = try KiteLogin.requestToken(in: text) }
    do { _ = try KiteLogin.requestToken(in: text) } catch { #expect(error.kind == kind) }
  }

  @Test func theChecksumIsTheSHA256OfAllThree() {
    let request = login.exchange(requestToken: "req", apiSecret: "s")
    #expect(request.url == "https://venue.example/session/token")
    #expect(request.method == .post)
    // printf 'k yreqs' | sha256sum
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "api_key=k%20y&request_token=req&checksum=fdaa976e8adb5b35f244aae6d66d66778bdc378827aca2c1a0beeae595a2e345"
    )
    #expect(!request.url.contains("req&") && !request.headers.contains { $0.value.contains("checksum") })
  }

  @Test func theSessionIsReadAndRefusalsAreTold() throws {
    func session(_ text: String, _ status: Int = 200) throws(Fault) -> KiteLogin.Session {
      try login.session(in: HTTPResponse(status: status, body: Array(text.utf8)))
    }
    let good =
      #"{"status":"success","data":{"user_id":"AB1","access_token":"tok","x":null,"exchanges":["NSE"]}}"#
    #expect(try session(good) == KiteLogin.Session(accessToken: "tok", user: "AB1"))
    for (text, status, kind) in [
      (
        #"{"status":"error","message":"Token is invalid","error_type":"TokenException","data":null}"#, 403,
        Fault.Kind.refused
      ),
      (#"{"status":"error","message":"Missing","error_type":"InputException","data":null}"#, 400, .refused),
      ("<html>", 502, .unavailable), ("{}", 200, .protocolViolation), (good, 500, .unavailable),
      (#"{"status":"success","data":{}}"#, 200, .protocolViolation),
      (#"{"status":"success","data":{"access_token":"x\u007F"}}"#, 200, .protocolViolation),
      ("", 200, .protocolViolation),
    ] {
      let fault = #expect(throws: Fault.self) { _ = try session(text, status) }
      #expect(fault?.kind == kind, "\(text)")
    }
  }

  @Test func theStoredTokenKnowsItsEnd() {
    let morning = CivilTime(year: 2026, month: 11, day: 25, hour: 8).timestamp()
    let stored = login.stored(KiteLogin.Session(accessToken: "t", user: "u"), obtained: morning)
    #expect(stored.words == ["api_key": "k y", "access_token": "t"])
    #expect(stored.expires == CivilTime(year: 2026, month: 11, day: 26, hour: 6).timestamp())
  }
}
