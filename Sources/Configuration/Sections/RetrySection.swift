extension FeedConfiguration {
  /// What happens when the connection to the venue is lost.
  public struct Retry: Sendable, Hashable {
    /// Delay before the first new attempt; it doubles with each that fails.
    public var firstDelayMilliseconds = 500
    /// The longest delay between attempts; not below the first.
    public var delayMillisecondsMax = 30_000
    /// Attempts in a row that may fail before the feed halts.
    public var attemptsMax = 20
    /// Seconds without any message, heartbeats included, after which a connection is dead.
    public var silenceSecondsMax = 10

    /// Bounds of ``firstDelayMilliseconds``.
    public static let firstDelayMillisecondsBounds = 1...600_000
    /// Bounds of ``delayMillisecondsMax``.
    public static let delayMillisecondsMaxBounds = 1...3_600_000
    /// Bounds of ``attemptsMax``.
    public static let attemptsMaxBounds = 1...10_000
    /// Bounds of ``silenceSecondsMax``.
    public static let silenceSecondsMaxBounds = 1...3600

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Retry: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "first_delay_milliseconds", \.firstDelayMilliseconds, .wholeNumber(firstDelayMillisecondsBounds),
      "Delay before the first new attempt to connect; it grows with each that fails"),
    ConfigurationKey(
      "delay_milliseconds_max", \.delayMillisecondsMax, .wholeNumber(delayMillisecondsMaxBounds),
      "The longest delay between two attempts"),
    ConfigurationKey(
      "attempts_max", \.attemptsMax, .wholeNumber(attemptsMaxBounds),
      "Attempts in a row that may fail before the feed halts"),
    ConfigurationKey(
      "silence_seconds_max", \.silenceSecondsMax, .wholeNumber(silenceSecondsMaxBounds),
      "Seconds without any message, heartbeats included, after which a connection is dead"),
  ]
}
