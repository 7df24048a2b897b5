import MarketData

/// Flags a price of zero or below: an instrument that never traded, or a venue's slip.
struct NotPositiveRule: TickRule {
  static let name = "not-positive"
  static var flag: TickFlags { .notPositive }

  /// Nothing: the tick alone decides.
  struct Memory: BitwiseCopyable {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    tick.lastPrice.units <= 0
  }
}
