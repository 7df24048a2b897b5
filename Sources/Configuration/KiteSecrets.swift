public import MarketData

/// What Kite wants to know before it lets anyone in. It comes from the environment only, and never shows itself in
/// text.
public struct KiteSecrets: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The application's key.
  public let apiKey: String
  /// The day's token, which a person obtains by logging in.
  public let accessToken: String

  /// The environment variable that holds ``apiKey``.
  public static let apiKeyVariable = "TICKRING_KITE_API_KEY"
  /// The environment variable that holds ``accessToken``.
  public static let accessTokenVariable = "TICKRING_KITE_ACCESS_TOKEN"

  /// Makes the pair.
  public init(apiKey: String, accessToken: String) {
    self.apiKey = apiKey
    self.accessToken = accessToken
  }

  /// Takes both words from an environment.
  ///
  /// - Throws: ``Fault`` of kind `configuration` that names every variable that is missing, empty, or holds anything
  ///   but visible ASCII characters, of which both words consist.
  public init(environment: [String: String]) throws(Fault) {
    var flaws: [String] = []
    func word(_ variable: String) -> String {
      let text = environment[variable] ?? ""
      if text.isEmpty {
        flaws.append("\(variable) is not set")
      } else if !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
        flaws.append("\(variable) holds white space or characters that no such word has")
      }
      return text
    }
    self.init(apiKey: word(Self.apiKeyVariable), accessToken: word(Self.accessTokenVariable))
    guard flaws.isEmpty else {
      throw Fault(
        .configuration,
        "\(flaws.joined(separator: " and ")); the venue kite needs both words, and the token anew each trading day"
      )
    }
  }

  /// The variables to set instead of a key that looks like a secret; nil when it does not.
  static func variables(forKey key: String) -> String? {
    let key = key.lowercased()
    if key.contains("token") { return accessTokenVariable }
    if key.contains("api_key") || key.contains("apikey") { return apiKeyVariable }
    let isSecret = ["secret", "password", "credential"].contains { key.contains($0) }
    return isSecret ? "\(apiKeyVariable) and \(accessTokenVariable)" : nil
  }

  /// Says nothing about the words.
  public var description: String { "Kite secrets (not shown)" }
  /// Says nothing about the words.
  public var debugDescription: String { description }
  /// Shows nothing of the words.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
