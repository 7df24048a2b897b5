import MarketData

/// Infers from cumulative volume that snapshots were missed, for venues whose messages have no numbers.
///
/// A venue sends a snapshot soon after a trade. When nothing of an instrument arrived for longer than a threshold, at
/// most one trade, the one that this snapshot tells of, should have happened: a volume that rose by more than its last
/// quantity proves others, whose snapshots never came. Silence is measured by our clock, between two receipts. What is
/// across a subscription, or comes with a fallen volume, proves nothing.
struct InferredGapRule: TickRule {
  static let name = "inferred-gap"
  static let purpose = "volume rose by more than the last trade while nothing arrived"
  static var flag: TickFlags { .missedBefore }
  static let parameters = [RuleParameter("silence_seconds", 1...86_400, standard: 10)]

  /// Silence that proves nothing, in nanoseconds.
  let silence: Int64

  /// The previous tick in order; its receive time is unknown when there is none to compare with.
  struct Memory: BitwiseCopyable {
    var received = Timestamp.unknown
    var dayVolume: Int64 = 0
  }
  static var freshMemory: Memory { Memory() }

  init(_ values: RuleValues) {
    silence = Int64(values["silence_seconds"]) * Timestamp.nanosecondsPerSecond
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    if !tick.flags.isDisjoint(with: [.outOfOrder, .withoutVolume, .cachedOnSubscribe]) { return false }
    let before = memory
    memory = Memory(received: tick.receiveTime, dayVolume: tick.dayVolume)
    guard before.received.isKnown, tick.receiveTime - before.received > silence else { return false }
    return tick.dayVolume &- before.dayVolume > Int64(tick.lastQuantity)
  }

  func noteSubscribed(at _: Timestamp, memory: inout Memory) { memory = Memory() }
}
