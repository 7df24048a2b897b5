/// The names of Kite's secrets, which never stand in a configuration file.
enum KiteSecrets {
  /// The environment variable that holds the application's key.
  static let apiKeyVariable = "TICKRING_KITE_API_KEY"
  /// The environment variable that holds the day's token.
  static let accessTokenVariable = "TICKRING_KITE_ACCESS_TOKEN"

  /// The variables to set instead of a key that looks like a secret; nil when it does not.
  static func variables(forKey key: String) -> String? {
    let key = key.lowercased()
    if key.contains("token") { return accessTokenVariable }
    if key.contains("api_key") || key.contains("apikey") { return apiKeyVariable }
    let isSecret = ["secret", "password", "credential"].contains { key.contains($0) }
    return isSecret ? "\(apiKeyVariable) and \(accessTokenVariable)" : nil
  }
}
