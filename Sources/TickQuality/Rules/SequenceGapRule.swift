import MarketData

/// Counts the ticks before which the venue's own numbering shows that something is missing; the source, which knows
/// the numbering, has flagged them.
struct SequenceGapRule: TickRule {
  static let name = "sequence-gap"
  static let purpose = "the venue's numbering shows that something before it is missing"
  static var flag: TickFlags { .missedBefore }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory _: inout NoMemory) -> Bool { tick.flags.contains(.missedBefore) }
}
