extension FeedConfiguration {
  /// Past candles.
  public struct History: Sendable, Hashable {
    /// Who is asked for past candles.
    public enum Source: String, Sendable, Hashable, CaseIterable {
      /// The venue that brings the ticks.
      case venue
      /// A gateway process of its own.
      case gateway
      /// The store or the files that ``FeedConfiguration/Master`` describes.
      case master
    }

    /// Who is asked.
    public var source = Source.venue
    /// The program that ``Source/gateway`` starts, and its arguments; empty for other sources.
    public var gatewayCommand: [String] = []
    /// Past trading days to load before the feed starts; 0 loads none.
    public var sessions = 1
    /// Most requests in any second; nil stands for the venue's own limit, 0 for none.
    public var requestsPerSecond: Int?
    /// Most requests in any minute, likewise.
    public var requestsPerMinute: Int?
    /// Most requests in any hour, likewise.
    public var requestsPerHour: Int?
    /// Requests under way at once.
    public var requestsAtOnce = 6

    /// Bounds of ``sessions``.
    public static let sessionsBounds = 0...250
    /// Bounds of ``requestsPerSecond``.
    public static let requestsPerSecondBounds = 0...1000
    /// Bounds of ``requestsPerMinute``.
    public static let requestsPerMinuteBounds = 0...60_000
    /// Bounds of ``requestsPerHour``.
    public static let requestsPerHourBounds = 0...1_000_000
    /// Bounds of ``requestsAtOnce``.
    public static let requestsAtOnceBounds = 1...64

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.History: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "source", \.source, .word,
      "Who is asked for past candles, venue being the one that brings the ticks, master what the section of that name says"
    ),
    ConfigurationKey(
      "gateway_command", \.gatewayCommand,
      .texts(
        countMax: FeedConfiguration.Source.gatewayCommandCountMax,
        example: "[tickring, gateway, india-stocks-api]"),
      "The program that source: gateway starts and its arguments, without a shell"),
    ConfigurationKey(
      "sessions", \.sessions, .wholeNumber(sessionsBounds),
      "Past trading days whose candles are loaded before the feed starts, 0 for none"),
    ConfigurationKey(
      "requests_per_second", \.requestsPerSecond, .optional(.wholeNumber(requestsPerSecondBounds)),
      "Most requests for past candles in any second, 0 for no limit; the venue's own limit when empty"),
    ConfigurationKey(
      "requests_per_minute", \.requestsPerMinute, .optional(.wholeNumber(requestsPerMinuteBounds)),
      "The same for any minute"),
    ConfigurationKey(
      "requests_per_hour", \.requestsPerHour, .optional(.wholeNumber(requestsPerHourBounds)),
      "The same for any hour"),
    ConfigurationKey(
      "requests_at_once", \.requestsAtOnce, .wholeNumber(requestsAtOnceBounds),
      "Requests for past candles that are under way at once"),
  ]
}
