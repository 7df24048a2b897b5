import MarketData

/// Flags a trade that happened while the market was closed by its calendar. The trade's own time decides; what the venue
/// replays on subscription is not judged, for it may be from any day.
struct OutsideSessionRule: TickRule {
  static let name = "outside-session"
  static let purpose = "it was traded while the market was closed"
  static var flag: TickFlags { .outsideSession }

  let phases: MarketPhases

  /// The stretch of unchanging phase that held the last tick.
  typealias Memory = MarketPhases.Window
  static var freshMemory: Memory { .none }

  init(_ values: RuleValues) {
    phases = values.phases
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    if tick.flags.contains(.cachedOnSubscribe) { return false }
    let time = tick.eventTime
    if !memory.contains(time) { memory = phases.window(of: tick.instrument, at: time) }
    return memory.flags.contains(.outsideSession)
  }

  func reason(for tick: Tick) -> String {
    "it was traded at \(tick.eventTime.rfc3339), when the market was closed"
  }
}
