public import TickQuality

extension FeedConfiguration {
  /// Which quality rules judge ticks, in which order, and what becomes of what breaks them.
  public struct Quality: Sendable, Hashable {
    /// The rules as the file lists them; nil for all of TickRing's own, which only flag.
    public var listedRules: [RuleSetting]?
    /// The rules for candles as the file lists them; nil for all of TickRing's own.
    public var listedCandleRules: [RuleSetting]?
    /// Rows of quarantined records that are kept of one day; what comes beyond is counted.
    public var quarantineRowsMax = 100_000
    /// What `quality.stale_seconds` of earlier versions said: the parameter of the rule stale, 0 for no such rule.
    public var staleSeconds: Int?
    /// What `quality.band_percent` of earlier versions said: the parameter of the rule off-band, 0 for no such rule.
    public var bandPercent: Int?

    /// Bounds of ``quarantineRowsMax``.
    public static let quarantineRowsMaxBounds = 0...10_000_000
    /// Bounds of ``staleSeconds``.
    public static let staleSecondsBounds = 0...86_400
    /// Bounds of ``bandPercent``.
    public static let bandPercentBounds = 0...10_000

    /// Makes the section with its defaults.
    public init() {}

    /// The rules that judge, in their order.
    public var rules: [RuleSetting] {
      get {
        var rules = listedRules ?? RuleSetting.standard
        Self.apply(staleSeconds, to: "stale", "seconds", in: &rules)
        Self.apply(bandPercent, to: "off-band", "percent", in: &rules)
        return rules
      }
      set { (listedRules, staleSeconds, bandPercent) = (newValue, nil, nil) }
    }

    /// The rules that judge candles.
    public var candleRules: [RuleSetting] { listedCandleRules ?? CandleRuleCatalogue.standard }

    private static func apply(_ value: Int?, to rule: String, _ name: String, in rules: inout [RuleSetting]) {
      guard let value, let index = rules.firstIndex(where: { $0.rule == rule }) else { return }
      if value == 0 { rules.remove(at: index) } else { rules[index].values[name] = value }
    }
  }
}

extension FeedConfiguration.Quality: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "rules", \.listedRules, .optional(.rules),
      "The rules that judge ticks, in this order, with what becomes of a tick that breaks one; when empty all of "
        + "TickRing's own, which flag"),
    ConfigurationKey(
      "candle_rules", \.listedCandleRules, .optional(.candleRules),
      "The rules that judge minute candles when the venue's are fetched and in reports, with what becomes of a candle of "
        + "the venue that breaks one; when empty all of TickRing's own"),
    ConfigurationKey(
      "quarantine_rows_max", \.quarantineRowsMax, .wholeNumber(quarantineRowsMaxBounds),
      "Rejected records kept in the database for a day, beyond which they are only counted"),
    ConfigurationKey(former: "stale_seconds", \.staleSeconds, .optional(.wholeNumber(staleSecondsBounds))),
    ConfigurationKey(former: "band_percent", \.bandPercent, .optional(.wholeNumber(bandPercentBounds))),
  ]
}
