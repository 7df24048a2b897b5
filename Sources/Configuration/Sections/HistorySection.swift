extension FeedConfiguration {
  /// Past candles that are fetched from the venue.
  public struct History: Sendable, Hashable {
    /// Past trading days to load before the feed starts; 0 loads none.
    public var sessions = 1
    /// Most requests in a second; 0 sets no limit.
    public var requestsPerSecond = 3

    /// Bounds of ``sessions``.
    public static let sessionsBounds = 0...250
    /// Bounds of ``requestsPerSecond``.
    public static let requestsPerSecondBounds = 0...1000

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.History: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "sessions", \.sessions, .wholeNumber(sessionsBounds),
      "Past trading days whose candles are loaded before the feed starts, 0 for none"),
    ConfigurationKey(
      "requests_per_second", \.requestsPerSecond, .wholeNumber(requestsPerSecondBounds),
      "Most requests for past candles in a second, 0 for no limit (Kite allows 3)"),
  ]
}
