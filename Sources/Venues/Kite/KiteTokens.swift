public import MarketData

/// Where Kite's credentials come from: the environment, or the file that `tickring login kite` writes.
///
/// They are looked up anew each time, so that a token obtained while the process runs is taken up by itself. The rule:
/// a token in the environment counts, until a file is written after the process has started; without one in the
/// environment the file counts. A file's token that has expired never does.
public struct KiteTokens: Sendable {
  private let store: TokenStore
  private let environment: [String: String]
  private let started: Timestamp
  private let now: @Sendable () -> Timestamp

  /// The venue's name in the token store.
  public static let venue = "kite"
  /// Holds the application's key.
  public static let apiKeyVariable = "TICKRING_KITE_API_KEY"
  /// Holds the day's token.
  public static let accessTokenVariable = "TICKRING_KITE_ACCESS_TOKEN"
  /// Holds the application's secret, which only a login needs.
  public static let apiSecretVariable = "TICKRING_KITE_API_SECRET"
  /// What a person does about a dead or missing token.
  public static let advice = "run `tickring login kite`"
  /// Names of the words in the token's file.
  static let (apiKeyWord, accessTokenWord) = ("api_key", "access_token")
  /// The hour of India's day at which the venue ends all tokens.
  private static let expiryHour = 6

  /// - Parameters:
  ///   - started: When the process started, which is how old its environment is.
  ///   - now: The machine's clock.
  public init(
    store: TokenStore, environment: [String: String], started: Timestamp = .wallClock(),
    now: @escaping @Sendable () -> Timestamp = { .wallClock() }
  ) {
    self.store = store
    self.environment = environment
    self.started = started
    self.now = now
  }

  /// The credentials of the moment.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when there are none or those that there are do not fit together,
  ///   `refused` when the only token has expired, and what reading the file throws.
  public func credentials() throws(Fault) -> KiteCredentials {
    let stored = try store.read(Self.venue)
    let isStoredAlive = stored.map { !$0.token.isExpired(at: now()) } ?? false
    let isStoredNewer = isStoredAlive && (stored?.written ?? started) > started
    if let token = try value(Self.accessTokenVariable), !isStoredNewer {
      guard let apiKey = try value(Self.apiKeyVariable) else {
        throw Fault(
          .configuration,
          "\(Self.accessTokenVariable) is set, but \(Self.apiKeyVariable), without which Kite accepts no token, is not"
        )
      }
      return KiteCredentials(apiKey: apiKey, accessToken: token)
    }
    let path = store.path(of: Self.venue)
    guard let stored else {
      throw Fault(
        .configuration,
        "there is no access token of Kite: \(Self.accessTokenVariable) is not set and '\(path)' does not exist; "
          + Self.advice)
    }
    guard isStoredAlive else {
      let expiry = stored.token.expires.map { " at \($0.rfc3339)" } ?? ""
      throw Fault(.refused, "the access token of Kite in '\(path)' has expired\(expiry); \(Self.advice)")
    }
    guard let apiKey = stored.token.words[Self.apiKeyWord],
      let accessToken = stored.token.words[Self.accessTokenWord]
    else {
      throw Fault(.badData, "the token file '\(path)' lacks api_key or access_token; \(Self.advice)")
    }
    if let other = try value(Self.apiKeyVariable), other != apiKey {
      throw Fault(
        .configuration,
        "the access token in '\(path)' is for another API key than the one in \(Self.apiKeyVariable); \(Self.advice)"
      )
    }
    return KiteCredentials(apiKey: apiKey, accessToken: accessToken)
  }

  /// A word of the environment; nil where there is none. Only visible ASCII may go into a header or an address.
  private func value(_ name: String) throws(Fault) -> String? {
    guard let text = environment[name], !text.isEmpty else { return nil }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Fault(
        .configuration, "\(name) holds white space or characters that no such word has; set it anew")
    }
    return text
  }

  /// When a token obtained at an instant stops working: at the next 06:00 in India.
  public static func expiry(ofTokenObtained obtained: Timestamp) -> Timestamp {
    var civil = CivilTime(dayNumber: CivilTime(obtained).dayNumber)
    civil.hour = expiryHour
    let today = civil.timestamp()
    return today > obtained ? today : today + 86_400 * Timestamp.nanosecondsPerSecond
  }
}
