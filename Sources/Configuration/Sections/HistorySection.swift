extension FeedConfiguration {
  /// Past candles that are fetched from the venue.
  public struct History: Sendable, Hashable {
    /// Past trading days to load before the feed starts; 0 loads none.
    public var sessions = 1
    /// Most requests in a second; nil stands for the venue's own limits, 0 for none.
    public var requestsPerSecond: Int?

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
      "requests_per_second", \.requestsPerSecond, .optional(.wholeNumber(requestsPerSecondBounds)),
      "Most requests for past candles in a second, 0 for no limit; the venue's own limits when empty"),
  ]
}
