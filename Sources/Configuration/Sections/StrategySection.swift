extension FeedConfiguration {
  /// What a strategy's `DataHandler` makes of this file.
  public struct Strategy: Sendable, Hashable {
    /// Kinds of events.
    public enum Event: String, Sendable, Hashable, CaseIterable {
      /// Ticks of the observed instruments.
      case ticks
      /// Candles of any interval.
      case candles
      /// Outages.
      case gaps
      /// HALTs.
      case halts
    }

    /// What happens to an event for which a subscriber's buffer has no room.
    public enum WhenFull: String, Sendable, Hashable, CaseIterable {
      /// The feed waits.
      case suspend
      /// The oldest event that waits is dropped.
      case dropOldest = "drop-oldest"
      /// The new event is dropped.
      case dropNewest = "drop-newest"
      /// Only the newest of each instrument waits.
      case latestOnly = "latest-only"
    }

    /// Name of the strategy's lane.
    public var lane = "strategy"
    /// Which events there are.
    public var events = Event.allCases
    /// Events that wait for a subscriber at most.
    public var bufferEvents = 65_536
    /// What happens when more would wait.
    public var whenFull = WhenFull.dropOldest

    /// Lengths of ``lane``.
    public static let laneLengths = 1...32
    /// Bounds of ``bufferEvents``.
    public static let bufferEventsBounds = 1...16_777_216

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Strategy: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("lane", \.lane, .name(laneLengths), "Name of the strategy's lane in shared memory"),
    ConfigurationKey("events", \.events, .words(), "Which events a strategy can subscribe to"),
    ConfigurationKey(
      "buffer_events", \.bufferEvents, .wholeNumber(bufferEventsBounds),
      "Events that wait for one subscriber at most"),
    ConfigurationKey("when_full", \.whenFull, .word, "What happens when more would wait"),
  ]
}
