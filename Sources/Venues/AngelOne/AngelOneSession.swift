internal import FoundationEssentials
public import MarketData
internal import Synchronization

/// The words that a login gives, good for a day.
public struct AngelOneTokens: Sendable, Hashable {
  /// Opens the REST interface and, with the feed token, the stream; without `Bearer`.
  let jwt: String
  /// Opens the stream.
  let feed: String
  /// When they were given.
  let given: Timestamp
  /// When the token itself says that it ends; nil when it does not say.
  let end: Timestamp?

  /// A token is not used for its last seconds, in which it could end on the way.
  private static let marginNanoseconds = 60 * Timestamp.nanosecondsPerSecond

  /// False once the Indian day of the login is over, which is when the venue ends sessions at the latest known, or the
  /// token's own end is near.
  func areGood(at now: Timestamp) -> Bool {
    guard CivilTime(now).dayNumber == CivilTime(given).dayNumber else { return false }
    return end.map { now < $0 + -Self.marginNanoseconds } ?? true
  }
}

/// A customer's session at Angel One, shared by the stream and the history: logs in when there is no token, when the
/// day of the last one is over, and when the venue called it dead.
///
/// Logging in needs no person, so the vendor's renewal by refresh token, which can fail where a login does not, is not
/// used. Callers wait for each other: there is one login at a time, and at most one a second.
public final class AngelOneSession: Sendable {
  /// The vendor's own server.
  public static let vendorURL = "https://apiconnect.angelone.in"
  /// Logins a second that the vendor allows.
  public static let loginsPerSecondMax = 1
  private static let loginPath = "/rest/auth/angelbroking/user/v1/loginByPassword"

  /// Who logs in.
  let credentials: AngelOneCredentialsProvider

  private struct State {
    var tokens: AngelOneTokens?
    /// The 30 seconds whose password was refused: each is good once only, so the next try waits for the next.
    var refusedStep: Int64?
    /// The credentials were refused, which is repeated without asking until this time.
    var refusal: (fault: Fault, until: Timestamp)?
  }

  /// Repeated logins with a wrong PIN block the customer, so after a refusal nobody asks for so long.
  private static let refusalNanoseconds = 60 * Timestamp.nanosecondsPerSecond

  private let state = Mutex(State())
  private let baseURL: String
  private let budget: RequestBudget
  private let now: @Sendable () -> Timestamp
  private let send: @Sendable (HTTPRequest) throws(Fault) -> HTTPResponse

  /// Makes a session that is not logged in. `send` carries a request to the venue, on any thread.
  public init(
    credentials: @escaping AngelOneCredentialsProvider, baseURL: String = AngelOneSession.vendorURL,
    budget: RequestBudget = RequestBudget([
      RateLimit(requests: AngelOneSession.loginsPerSecondMax, per: .seconds(1))
    ]),
    now: @escaping @Sendable () -> Timestamp = { .wallClock() },
    send: @escaping @Sendable (HTTPRequest) throws(Fault) -> HTTPResponse
  ) {
    self.credentials = credentials
    self.baseURL = baseURL
    self.budget = budget
    self.now = now
    self.send = send
  }

  /// The present tokens, after a login where one is needed.
  ///
  /// - Throws: `Fault` of kind `refused` when the venue rejects the credentials, `unavailable` when it does not answer,
  ///   has too much to do, or refused a one-time password for the first time, `protocolViolation` when its answer
  ///   cannot be understood; and what the credentials' provider throws.
  public func tokens() throws(Fault) -> AngelOneTokens {
    try state.withLock { (state) throws(Fault) in
      if let tokens = state.tokens, tokens.areGood(at: now()) { return tokens }
      state.tokens = nil
      if let refusal = state.refusal, now() < refusal.until { throw refusal.fault }
      do throws(Fault) {
        let tokens = try logIn(&state)
        state.tokens = tokens
        state.refusal = nil
        return tokens
      } catch {
        if error.kind == .refused { state.refusal = (error, now() + Self.refusalNanoseconds) }
        throw error
      }
    }
  }

  /// Notes that the venue called these tokens dead; others, given since, stay.
  public func discard(_ tokens: AngelOneTokens) { discard(jwt: tokens.jwt) }

  /// Notes that the venue called the tokens with this one among them dead.
  func discard(jwt: String) {
    state.withLock { if $0.tokens?.jwt == jwt { $0.tokens = nil } }
  }

  private func logIn(_ state: inout State) throws(Fault) -> AngelOneTokens {
    let title = "Angel One's login"
    budget.waitForTurn()
    let time = now()
    let step = OneTimePassword.step(at: time)
    guard step != state.refusedStep else {
      throw Fault(
        .unavailable,
        "\(title): the present one-time password was refused; the next one comes within "
          + "\(OneTimePassword.stepSeconds) seconds")
    }
    let response = try send(try request(at: time))
    var words: [String: String] = [:]
    let answer: AngelOneAnswer
    do {
      answer = try AngelOneAnswer(response.body) { (scanner) throws(Fault) in
        try scanner.object { (key, scanner) throws(Fault) in
          guard scanner.peek() == UInt8(ascii: "\"") else { return try scanner.skipValue() }
          words[key] = try scanner.string()
        }
      }
    } catch {
      guard (200...299).contains(response.status) else {
        throw AngelOneRefusal(status: response.status, body: response.body).fault(title)
      }
      throw Fault(.protocolViolation, "\(title): \(error.message)")
    }
    if let refusal = AngelOneRefusal(status: response.status, answer: answer) {
      throw fault(refusal, answer: answer, title: title, step: step, &state)
    }
    state.refusedStep = nil
    return try Self.tokens(words, given: time, title: title)
  }

  /// A first refused one-time password may have come too late for its 30 seconds, by a clock that is a little wrong or
  /// an answer that was slow; a second one is refused for good.
  private func fault(
    _ refusal: AngelOneRefusal, answer: AngelOneAnswer, title: String, step: Int64, _ state: inout State
  ) -> Fault {
    guard answer.code == AngelOneRefusal.wrongPasswordCode else { return refusal.fault(title) }
    defer { state.refusedStep = step }
    guard state.refusedStep == nil else {
      return Fault(
        .refused,
        "\(title): \(refusal.text); check \(AngelOneCredentials.variables[3]) and this machine's clock")
    }
    return Fault(.unavailable, "\(title): \(refusal.text); one more try follows with the next one")
  }

  private func request(at time: Timestamp) throws(Fault) -> HTTPRequest {
    let credentials = try credentials()
    let body = [
      ("clientcode", credentials.clientCode), ("password", credentials.pin),
      ("totp", credentials.oneTimePassword.code(at: time)),
    ]
    let members = body.map { "\(JSONText.quoted($0.0)):\(JSONText.quoted($0.1))" }
    return HTTPRequest(
      .post, baseURL + Self.loginPath, headers: credentials.headers(),
      body: Array("{\(members.joined(separator: ","))}".utf8))
  }

  private static func tokens(_ words: [String: String], given: Timestamp, title: String) throws(Fault)
    -> AngelOneTokens
  {
    func word(_ name: String, behind prefix: String = "") throws(Fault) -> String {
      var word = words[name] ?? ""
      if word.hasPrefix(prefix) { word.removeFirst(prefix.utf8.count) }
      guard !word.isEmpty, word.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
      else { throw Fault(.protocolViolation, "\(title): the answer lacks the word \(name)") }
      return word
    }
    // The vendor's own client hands the token on with this prefix, and simulators may answer in its manner.
    let jwt = try word("jwtToken", behind: "Bearer ")
    return AngelOneTokens(jwt: jwt, feed: try word("feedToken"), given: given, end: end(ofJWT: jwt))
  }

  /// The claim `exp` of a JSON web token (RFC 7519), in whole seconds; nil where there is none. The signature is the
  /// venue's business.
  private static func end(ofJWT jwt: String) -> Timestamp? {
    let parts = jwt.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    var base64 = parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : String($0) }.joined()
    base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    guard let payload = Data(base64Encoded: base64) else { return nil }
    var scanner = JSONScanner(Array(payload))
    var end: Int64?
    do {
      try scanner.object { (key, scanner) throws(Fault) in
        guard key == "exp" else { return try scanner.skipValue() }
        end = try scanner.number(fractionDigits: 0)
      }
    } catch { return nil }
    // What no timestamp can hold says nothing.
    return end.flatMap { (1...9_000_000_000).contains($0) ? Timestamp(seconds: $0) : nil }
  }
}
