import Foundation
import MarketData

/// Who is logged in at the simulated Angel One, and how often the REST interface was asked. A value without a clock.
struct AngelOneAccounts: Sendable {
  /// What a login gives.
  struct Tokens: Sendable, Hashable {
    let jwt: String
    let refresh: String
    let feed: String
  }

  private let configuration: SimulatedVenue.AngelOneConfiguration
  private var issued: [Tokens] = []
  private var expired: Set<String> = []
  private var count = 0
  private var logins: [Timestamp] = []
  private var candleRequests: [Timestamp] = []
  private var refusedCandleRequests = 0

  init(_ configuration: SimulatedVenue.AngelOneConfiguration) { self.configuration = configuration }

  // MARK: Tokens

  /// Logs in, or renews; the numbers make each token another one.
  mutating func issue(now: Timestamp) -> Tokens {
    count += 1
    let claims = Data(
      #"{"username":"\#(configuration.clientCode)","iat":\#(now.seconds),"exp":\#(Self.end(of: now).seconds)}"#
        .utf8)
    let tokens = Tokens(
      jwt: "\(Self.base64URL(Data(#"{"alg":"HS512"}"#.utf8))).\(Self.base64URL(claims)).sim\(count)",
      refresh: "refresh-\(count)", feed: "feed-\(count)")
    issued.append(tokens)
    return tokens
  }

  /// All tokens are good no more.
  mutating func expire() {
    expired.formUnion(issued.map(\.jwt))
    issued = []
  }

  mutating func logOut(jwt: String) { issued.removeAll { $0.jwt == jwt } }

  /// True for a token that was good once.
  func wasIssued(jwt: String) -> Bool { expired.contains(jwt) }

  /// The tokens to which the JSON web token belongs; nil when it is not good.
  func tokens(jwt: String) -> Tokens? { issued.first { $0.jwt == jwt } }

  func tokens(refresh: String) -> Tokens? { issued.first { $0.refresh == refresh } }

  func tokens(feed: String) -> Tokens? { issued.first { $0.feed == feed } }

  /// Sessions end with the Indian day.
  private static func end(of now: Timestamp) -> Timestamp {
    CivilTime(dayNumber: CivilTime(now).dayNumber + 1).timestamp()
  }

  private static func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(
      of: "/", with: "_"
    )
    .replacingOccurrences(of: "=", with: "")
  }

  // MARK: Limits

  /// What becomes of a request for candles.
  enum Admission: Sendable, Equatable {
    case admitted
    /// Refused as a gateway does it, in plain text.
    case refusedByGateway
    /// Refused as the business does it, with "try later".
    case refusedByBusiness
  }

  /// Counts a login; false when it is one too many.
  mutating func admitsLogin(now: Timestamp) -> Bool {
    guard configuration.keepsRateLimits else { return true }
    return Self.admit(&logins, now: now, limits: [(Self.loginsPerSecond, 1)])
  }

  /// Counts a request for candles. Those beyond the limits are refused in the two ways that the vendor has, by turns.
  mutating func admitsCandles(now: Timestamp) -> Admission {
    guard configuration.keepsRateLimits,
      !Self.admit(&candleRequests, now: now, limits: Self.candleLimits)
    else { return .admitted }
    refusedCandleRequests += 1
    return refusedCandleRequests % 2 == 1 ? .refusedByGateway : .refusedByBusiness
  }

  static let loginsPerSecond = 1
  /// Requests within so many seconds.
  static let candleLimits: [(count: Int, seconds: Int64)] = [(3, 1), (500, 60), (5000, 3600)]

  private static func admit(
    _ times: inout [Timestamp], now: Timestamp, limits: [(count: Int, seconds: Int64)]
  ) -> Bool {
    let longest = limits.map(\.seconds).max() ?? 0
    let first = times.firstIndex { now - $0 < longest * Timestamp.nanosecondsPerSecond } ?? times.count
    times.removeFirst(first)
    for limit in limits where times.count >= limit.count {
      let oldest = times[times.count - limit.count]
      if now - oldest < limit.seconds * Timestamp.nanosecondsPerSecond { return false }
    }
    times.append(now)
    return true
  }
}
