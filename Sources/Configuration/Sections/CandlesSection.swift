extension FeedConfiguration {
  /// Candle building.
  public struct Candles: Sendable, Hashable {
    /// How long after its end a candle still takes late ticks before it is sealed.
    public var graceMilliseconds = 3000

    /// Bounds of ``graceMilliseconds``.
    public static let graceMillisecondsBounds = 0...60_000

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Candles: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "grace_milliseconds", \.graceMilliseconds, .wholeNumber(graceMillisecondsBounds),
      "How long after its end a candle still takes late ticks before it is sealed")
  ]
}
