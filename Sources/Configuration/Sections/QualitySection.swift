extension FeedConfiguration {
  /// Thresholds of the quality flags.
  public struct Quality: Sendable, Hashable {
    /// Age at receipt beyond which a tick is flagged stale; 0 turns the flag off.
    public var staleSeconds = 60
    /// Distance from the last accepted price beyond which a tick is flagged off band; 0 turns the flag off.
    public var bandPercent = 20

    /// Bounds of ``staleSeconds``.
    public static let staleSecondsBounds = 0...86_400
    /// Bounds of ``bandPercent``.
    public static let bandPercentBounds = 0...10_000

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Quality: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "stale_seconds", \.staleSeconds, .wholeNumber(staleSecondsBounds),
      "Age at receipt beyond which a tick is flagged stale, 0 for never"),
    ConfigurationKey(
      "band_percent", \.bandPercent, .wholeNumber(bandPercentBounds),
      "Distance from the last accepted price beyond which a tick is flagged off band, 0 for never"),
  ]
}
