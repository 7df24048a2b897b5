import MarketData

/// Tags trades of auctions and of the time after the close, which count in the day's volume only (candle rule 16).
///
/// No rule, since there is nothing wrong with such a trade: it is seated before the chosen rules wherever the calendar
/// is known, and is not counted. The trade's own time decides.
struct AuctionTag: TickRule {
  static let name = "auction"
  static let purpose = "it was traded outside of continuous trading"
  static var flag: TickFlags { .auction }

  let phases: MarketPhases

  /// The stretch of unchanging phase that held the last tick.
  typealias Memory = MarketPhases.Window
  static var freshMemory: Memory { .none }

  init(_ values: RuleValues) {
    phases = values.phases
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    let time = tick.eventTime
    if !memory.contains(time) { memory = phases.window(of: tick.instrument, at: time) }
    return memory.flags.contains(.auction)
  }
}
