extension FeedConfiguration {
  /// The minutes of an outage, fetched from the venue once it has them.
  public struct Repair: Sendable, Hashable {
    /// Whether gaps are repaired.
    public var isEnabled = true
    /// Seconds after a minute's end before it is asked for; Kite's is not complete before ten.
    public var afterSeconds = 15
    /// Attempts for one gap before it is given up.
    public var attemptsMax = 8
    /// Gaps that ended so many days ago are left as they are.
    public var daysMax = 5

    /// Bounds of ``afterSeconds``.
    public static let afterSecondsBounds = 5...3600
    /// Bounds of ``attemptsMax``.
    public static let attemptsMaxBounds = 1...1000
    /// Bounds of ``daysMax``.
    public static let daysMaxBounds = 1...60

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Repair: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("enabled", \.isEnabled, .trueOrFalse, "Whether the minutes of an outage are fetched"),
    ConfigurationKey(
      "after_seconds", \.afterSeconds, .wholeNumber(afterSecondsBounds),
      "Seconds after a minute's end before the venue is asked for it (Kite needs ten)"),
    ConfigurationKey(
      "attempts_max", \.attemptsMax, .wholeNumber(attemptsMaxBounds),
      "Attempts for one gap before it is given up, which is a HALT of the instruments concerned"),
    ConfigurationKey(
      "days_max", \.daysMax, .wholeNumber(daysMaxBounds), "Gaps that ended longer ago are left as they are"),
  ]
}
