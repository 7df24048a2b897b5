import Foundation
import MarketData
import Synchronization
import Testing

@testable import Venues

/// Logging in: what is sent, how long tokens are used, and what each refusal leads to.
@Suite struct AngelOneSessionTests {
  /// Answers logins from a script, and counts them; the last answer is repeated.
  private final class Venue: Sendable {
    let requests = Log<HTTPRequest>()
    let time = Mutex(Timestamp(rfc3339: "2026-11-25T09:00:05+05:30") ?? .unknown)
    private let answers: Mutex<[(status: Int, body: String)]>

    init(_ answers: [(status: Int, body: String)]) { self.answers = Mutex(answers) }

    func session() throws -> AngelOneSession {
      let credentials = try AngelOneCredentials(
        apiKey: "key-1234", clientCode: "C\"1234", pin: "98765",
        totpSecret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
      return AngelOneSession(
        credentials: { credentials },
        baseURL: "https://venue.example", budget: RequestBudget([]),
        now: { self.time.withLock { $0 } }
      ) { (request) throws(Fault) in
        self.requests.append(request)
        let answer = self.answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return HTTPResponse(status: answer.status, body: Array(answer.body.utf8))
      }
    }

    func advance(seconds: Int64) { time.withLock { $0 = $0 + seconds * Timestamp.nanosecondsPerSecond } }
  }

  private static func success(jwt: String = "a.b.c", feed: String = "feed-1") -> (Int, String) {
    (
      200,
      #"{"status":true,"message":"SUCCESS","errorcode":"","data":{"jwtToken":"\#(jwt)","refreshToken":"r","feedToken":"\#(feed)","state":null}}"#
    )
  }

  private static func refusal(_ code: String, _ message: String = "no") -> (Int, String) {
    (200, #"{"status":false,"message":"\#(message)","errorcode":"\#(code)","data":null}"#)
  }

  @Test func theLoginIsWhatTheVendorWants() throws {
    let venue = Venue([Self.success()])
    let tokens = try venue.session().tokens()
    #expect(tokens.jwt == "a.b.c" && tokens.feed == "feed-1")
    let request = try #require(venue.requests.all.first)
    #expect(
      request.url == "https://venue.example/rest/auth/angelbroking/user/v1/loginByPassword"
        && request.method == .post)
    let code = try OneTimePassword(base32: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").code(
      at: venue.time.withLock { $0 })
    #expect(
      try JSONDecoder().decode([String: String].self, from: Data(request.body)) == [
        "clientcode": "C\"1234", "password": "98765", "totp": code,
      ])
    let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
    #expect(headers["X-PrivateKey"] == "key-1234" && headers["X-UserType"] == "USER")
    #expect(headers["X-SourceID"] == "WEB" && headers["Authorization"] == nil)
    for name in ["X-ClientLocalIP", "X-ClientPublicIP", "X-MACAddress"] { #expect(headers[name] != nil) }
  }

  @Test func oneLoginLastsForTheDayAndNoLonger() throws {
    let venue = Venue([Self.success(), Self.success(jwt: "Bearer d.e.f")])
    let session = try venue.session()
    let first = try session.tokens()
    venue.advance(seconds: 14 * 3600)
    #expect(try session.tokens() == first)
    #expect(venue.requests.all.count == 1)
    // 23:00 and an hour: the next Indian day.
    venue.advance(seconds: 3600)
    #expect(try session.tokens().jwt == "d.e.f")
    #expect(venue.requests.all.count == 2)
  }

  @Test func aTokensOwnEndIsKept() throws {
    let end = try #require(Timestamp(rfc3339: "2026-11-25T10:00:00+05:30")).seconds
    let payload = Data(#"{"sub":"x?>","exp":\#(end)}"#.utf8).base64EncodedString()
      .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      .replacingOccurrences(of: "=", with: "")
    let venue = Venue([Self.success(jwt: "head.\(payload).signature")])
    let session = try venue.session()
    _ = try session.tokens()
    venue.advance(seconds: 3500)
    _ = try session.tokens()
    #expect(venue.requests.all.count == 1)
    venue.advance(seconds: 60)
    _ = try session.tokens()
    #expect(venue.requests.all.count == 2)
  }

  @Test func onlyTheTokensThatWereCalledDeadAreReplaced() throws {
    let venue = Venue([Self.success(), Self.success(jwt: "d.e.f"), Self.success(jwt: "g.h.i")])
    let session = try venue.session()
    let first = try session.tokens()
    session.discard(first)
    let second = try session.tokens()
    #expect(second.jwt == "d.e.f")
    // Another thread learns late that the first ones are dead.
    session.discard(first)
    #expect(try session.tokens() == second)
  }

  @Test func wrongCredentialsAreNotTriedAgainForAMinute() throws {
    let venue = Venue([Self.refusal("AB1007", "Invalid clientcode or password"), Self.success()])
    let session = try venue.session()
    for _ in 0..<3 {
      let fault = #expect(throws: Fault.self) { try session.tokens() }
      #expect(fault?.kind == .refused)
      #expect(
        fault?.message == "Angel One's login: HTTP status 200 (AB1007): Invalid clientcode or password")
    }
    #expect(venue.requests.all.count == 1)
    venue.advance(seconds: 61)
    _ = try session.tokens()
  }

  @Test func aRefusedOneTimePasswordGetsOneMoreTryWithTheNext() throws {
    let venue = Venue([Self.refusal("AB1050"), Self.success()])
    let session = try venue.session()
    #expect(throws: Fault.self) { try session.tokens() }
    let early = #expect(throws: Fault.self) { try session.tokens() }
    #expect(early?.kind == .unavailable && venue.requests.all.count == 1)
    venue.advance(seconds: 30)
    _ = try session.tokens()
    #expect(venue.requests.all.count == 2)

    let stubborn = Venue([Self.refusal("AB1050")])
    let other = try stubborn.session()
    #expect(throws: Fault.self) { try other.tokens() }
    stubborn.advance(seconds: 30)
    let fault = #expect(throws: Fault.self) { try other.tokens() }
    #expect(fault?.kind == .refused)
    #expect(fault?.message.contains("TICKRING_ANGELONE_TOTP_SECRET") == true)
  }

  @Test(
    arguments: [
      (403, "Access denied because of exceeding access rate", Fault.Kind.unavailable),
      (403, "<html>Forbidden</html>", .refused), (401, "", .refused), (429, "slow down", .unavailable),
      (503, "<html>", .unavailable), (404, "{}", .protocolViolation), (200, "<html>", .protocolViolation),
      (200, "[]", .protocolViolation), (200, #"{"status":true,"data":null}"#, .protocolViolation),
      (200, #"{"status":true,"data":{"jwtToken":"a","feedToken":"x\ny"}}"#, .protocolViolation),
      (200, #"{"status":true,"data":{"jwtToken":"Bearer ","feedToken":"x"}}"#, .protocolViolation),
      (200, #"{"success":false,"message":"Invalid Token","errorCode":"AG8001","data":""}"#, .refused),
      (200, #"{"status":false,"message":"try later","errorcode":"AB1004","data":null}"#, .unavailable),
    ])
  func everyRefusalHasItsKindAndShowsNoSecret(status: Int, body: String, kind: Fault.Kind) throws {
    let session = try Venue([(status, body)]).session()
    let fault = try #require(#expect(throws: Fault.self) { try session.tokens() })
    #expect(fault.kind == kind, "\(fault)")
    for secret in ["key-1234", "98765", "GEZD"] { #expect(!fault.message.contains(secret)) }
  }

  @Test func everyMissingVariableIsNamedAndNothingIsShown() throws {
    let fault = #expect(throws: Fault.self) { try AngelOneCredentials(environment: [:]) }
    #expect(fault?.kind == .configuration)
    for variable in AngelOneCredentials.variables { #expect(fault?.message.contains(variable) == true) }
    var environment = Dictionary(uniqueKeysWithValues: AngelOneCredentials.variables.map { ($0, "hunter2") })
    let secret = AngelOneCredentials.variables[3]
    environment[secret] = "hunter1"
    let bad = #expect(throws: Fault.self) { try AngelOneCredentials(environment: environment) }
    #expect(bad?.message.contains("\(secret): ") == true && bad?.message.contains("hunter") == false)
    environment[secret] = "HUNTERHUNTER"
    let credentials = try AngelOneCredentials(environment: environment)
    var dumped = ""
    dump(credentials, to: &dumped)
    for text in ["\(credentials)", String(reflecting: credentials), dumped] {
      #expect(!text.lowercased().contains("hunter"))
    }
  }
}
