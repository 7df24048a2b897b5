extension FeedConfiguration {
  /// How long the candle store keeps what it has.
  public struct Store: Sendable, Hashable {
    /// Days that 1-minute candles are kept; for ever when nil.
    public var minuteDays: Int?
    /// Days that longer candles are kept; for ever when nil.
    public var longerDays: Int?

    /// Bounds of both.
    public static let daysBounds = 1...36_500

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Store: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "minute_days", \.minuteDays, .optional(.wholeNumber(daysBounds)),
      "Days that 1-minute candles, their revisions and quarantined records are kept; for ever when empty"),
    ConfigurationKey(
      "longer_days", \.longerDays, .optional(.wholeNumber(daysBounds)),
      "Days that longer candles are kept; for ever when empty"),
  ]
}
