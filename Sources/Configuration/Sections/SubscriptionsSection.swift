public import MarketData

extension FeedConfiguration {
  /// How much of each instrument a venue is asked for, and when an instrument's silence is suspicious.
  public struct Subscriptions: Sendable, Hashable {
    /// The mode of instruments that none of the lists names.
    public var mode = FeedMode.full
    /// Instruments of which the last price alone is asked.
    public var ltp: [Symbol] = []
    /// Instruments of which price, volume and the day's prices are asked.
    public var quote: [Symbol] = []
    /// Instruments of which all is asked.
    public var full: [Symbol] = []
    /// Seconds within a session after which an instrument without any tick is mute; 0 for never.
    public var muteSeconds = 60

    /// Bounds of ``muteSeconds``.
    public static let muteSecondsBounds = 0...86_400

    /// Makes the section with its defaults.
    public init() {}

    /// The configured mode of every instrument that the lists name.
    public var modes: [Symbol: FeedMode] {
      var modes: [Symbol: FeedMode] = [:]
      for (mode, symbols) in [(FeedMode.ltp, ltp), (.quote, quote), (.full, full)] {
        for symbol in symbols { modes[symbol] = mode }
      }
      return modes
    }
  }
}

extension FeedConfiguration.Subscriptions: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "mode", \.mode, .word, "How much is asked of an instrument that no list below names; candles need full"),
    ConfigurationKey("ltp", \.ltp, .symbols, "Instruments of which the last price alone is asked"),
    ConfigurationKey(
      "quote", \.quote, .symbols, "Instruments of which price, volume and the day's prices are asked"),
    ConfigurationKey("full", \.full, .symbols, "Instruments of which all is asked, depth and times included"),
    ConfigurationKey(
      "mute_seconds", \.muteSeconds, .wholeNumber(muteSecondsBounds),
      "Seconds within a session after which a subscribed instrument without any tick is told as mute, 0 for never"
    ),
  ]
}
