extension FeedConfiguration {
  /// The thread that reads from the venue.
  public struct Receive: Sendable, Hashable {
    /// How the thread waits for the venue.
    public enum Wait: String, Sendable, Hashable, CaseIterable {
      /// Sleeps in the kernel until bytes arrive.
      case block
      /// Keeps asking, at the price of a whole processor.
      case spin
    }

    /// How the thread waits.
    public var wait = Wait.block
    /// Processor that the thread is pinned to; none when nil.
    public var cpu: Int?

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Receive: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "wait", \.wait, .word,
      "How the thread waits for the venue: block costs a few microseconds, spin costs a processor"),
    ConfigurationKey(
      "cpu", \.cpu, .optional(.wholeNumber(FeedConfiguration.processorBounds)),
      "Processor that the thread is pinned to"),
  ]
}
