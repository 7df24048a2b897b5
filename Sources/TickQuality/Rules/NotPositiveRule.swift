import MarketData

/// Flags a price of zero or below: an instrument that never traded, or a venue's slip. Corrected, it is the
/// instrument's last positive price.
struct NotPositiveRule: TickRule {
  static let name = "not-positive"
  static let purpose = "the price is zero or negative"
  static var flag: TickFlags { .notPositive }
  static var canCorrect: Bool { true }

  /// The last positive price; zero before the first.
  struct Memory: BitwiseCopyable {
    var price = Price.zero
  }
  static var freshMemory: Memory { Memory() }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    if tick.lastPrice.units <= 0 { return true }
    memory.price = tick.lastPrice
    return false
  }

  func correct(_ tick: inout Tick, memory: inout Memory) -> Bool {
    guard memory.price.units > 0 else { return false }
    tick.lastPrice = memory.price
    tick.flags.remove(.notPositive)
    return true
  }

  func reason(for tick: Tick) -> String { "the price \(tick.lastPrice) is not positive" }
}
