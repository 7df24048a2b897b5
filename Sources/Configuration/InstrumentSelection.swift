public import MarketData

/// Which instruments a feed asks its venue for before any strategy has asked.
public enum InstrumentSelection: Sendable, Hashable {
  /// Every instrument that the venue's master lists.
  case all
  /// These, without repetition.
  case symbols([Symbol])
}
