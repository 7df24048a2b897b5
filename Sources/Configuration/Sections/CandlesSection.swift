extension FeedConfiguration {
  /// Candle building, and its comparison with the venue's own candles.
  public struct Candles: Sendable, Hashable {
    /// Whose candle stands where there are several of one minute.
    public enum Preference: String, Sendable, Hashable, CaseIterable {
      /// The venue's once it is final, ours while it has none.
      case venue
      /// Ours, the venue's where there is none.
      case built
    }

    /// How long after its end a candle still takes late ticks before it is sealed.
    public var graceMilliseconds = 3000
    /// Whether the venue's own candles of the observed instruments are fetched while the feed runs.
    public var reconcile = true
    /// How long after its end a minute is asked for.
    public var reconcileAfterSeconds = 15
    /// Whose candle stands.
    public var prefer = Preference.venue

    /// Bounds of ``graceMilliseconds``.
    public static let graceMillisecondsBounds = 0...60_000
    /// Bounds of ``reconcileAfterSeconds``: a venue's minute is not complete earlier (candle rule 18).
    public static let reconcileAfterSecondsBounds = 10...3600

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Candles: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "grace_milliseconds", \.graceMilliseconds, .wholeNumber(graceMillisecondsBounds),
      "How long after its end a candle still takes late ticks before it is sealed"),
    ConfigurationKey(
      "reconcile", \.reconcile, .trueOrFalse,
      "Whether the venue's own candles of the observed instruments are fetched each minute and after the close, as many "
        + "as the venue's limit of requests allows, the others in turn"),
    ConfigurationKey(
      "reconcile_after_seconds", \.reconcileAfterSeconds, .wholeNumber(reconcileAfterSecondsBounds),
      "How long after its end a minute is asked for"),
    ConfigurationKey(
      "prefer", \.prefer, .word,
      "Whose candle of a minute stands where both are there: the venue's once it is final, or the one built here; both "
        + "are kept"),
  ]
}
