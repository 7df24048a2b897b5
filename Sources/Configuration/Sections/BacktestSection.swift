public import MarketData

extension FeedConfiguration {
  /// Where a strategy's data come from.
  public enum Mode: String, Sendable, Hashable, CaseIterable {
    /// A running feed.
    case live
    /// A running feed that must not lead to real orders.
    case paper
    /// The recorded past.
    case backtest
  }

  /// The range that a back-test runs over, and how fast.
  public struct Backtest: Sendable, Hashable {
    /// The first instant.
    public var from: Timestamp?
    /// The first instant after the range.
    public var to: Timestamp?
    /// Times as fast as the market was; 0 for as fast as the data can be read.
    public var speed = 0

    /// Bounds of ``speed``.
    public static let speedBounds = 0...1_000_000

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Backtest: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey("from", \.from, .optional(.instant), "The first instant of the range"),
    ConfigurationKey("to", \.to, .optional(.instant), "The first instant after the range"),
    ConfigurationKey(
      "speed", \.speed, .wholeNumber(speedBounds),
      "Times as fast as the market was, 0 as fast as the data can be read"),
  ]
}
