extension FeedConfiguration {
  /// What happens when the connection to the venue is lost.
  public struct Retry: Sendable, Hashable {
    /// What a feed does once it has halted because of its venue.
    public enum OnHalt: String, Sendable, Hashable, CaseIterable {
      /// It stays: strategies, status and storage go on, and `tickring resume` or a new token ends the HALT.
      case wait
      /// It ends, with the HALT's exit code.
      case exit
    }

    /// Delay before the first new attempt; it doubles with each that fails.
    public var firstDelayMilliseconds = 500
    /// The longest delay between attempts; not below the first.
    public var delayMillisecondsMax = 30_000
    /// Attempts in a row that may fail before the feed halts.
    public var attemptsMax = 20
    /// Seconds without any message, heartbeats included, after which a connection is dead.
    public var silenceSecondsMax = 10
    /// What follows a HALT because of the venue.
    public var onHalt = OnHalt.wait

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
    ConfigurationKey(
      "on_halt", \.onHalt, .word,
      "After a HALT because of the venue (attempts spent, credentials refused): wait for `tickring resume` or a new "
        + "token, or exit. Storage that fails ends the feed in any case"),
  ]
}
