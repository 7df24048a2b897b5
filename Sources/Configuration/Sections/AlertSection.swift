extension FeedConfiguration {
  /// A command that is run when something happens that a person may want to know.
  public struct Alert: Sendable, Hashable {
    /// What happens.
    public enum Event: String, Sendable, Hashable, CaseIterable {
      /// The feed, or a part of it, halted.
      case halt
      /// A HALT was resumed.
      case resumed
      /// The feed went down.
      case gap
      /// The feed is back.
      case recovered
      /// The minutes of an outage were fetched.
      case repaired
      /// Subscribed instruments send nothing.
      case mute
    }

    /// Program and arguments; empty for none. No shell is between.
    public var command: [String] = []
    /// What it is run for.
    public var events = Event.allCases
    /// Seconds after which it is killed.
    public var secondsMax = 10
    /// Runs in a minute at most; what comes beyond is counted and told with the next.
    public var perMinuteMax = 10

    /// Bounds of ``secondsMax``.
    public static let secondsMaxBounds = 1...300
    /// Bounds of ``perMinuteMax``.
    public static let perMinuteMaxBounds = 1...600

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Alert: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "command", \.command, .texts,
      "Program and arguments, run without a shell; what happened is in TICKRING_EVENT, "
        + "TICKRING_REASON and so on, and as one line of JSON on standard input"),
    ConfigurationKey("events", \.events, .words(), "What it is run for"),
    ConfigurationKey(
      "seconds_max", \.secondsMax, .wholeNumber(secondsMaxBounds), "Seconds after which it is killed"),
    ConfigurationKey(
      "per_minute_max", \.perMinuteMax, .wholeNumber(perMinuteMaxBounds),
      "Runs in a minute at most; what comes beyond is counted and told with the next"),
  ]
}
