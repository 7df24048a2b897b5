import MarketData

/// Flags a tick whose cumulative day volume is lower than before: a new day, or a correction by the venue.
///
/// A tick out of order carries the lower volume of its own time, which is no reset; it neither raises the flag nor
/// changes what the next tick is compared with. Instruments without volume are left alone.
struct VolumeResetRule: TickRule {
  static let name = "volume-reset"
  static let purpose = "cumulative volume fell"
  static var flag: TickFlags { .volumeReset }

  /// The volume of the previous tick in order.
  struct Memory: BitwiseCopyable {
    var dayVolume: Int64 = 0
  }
  static var freshMemory: Memory { Memory() }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    if !tick.flags.isDisjoint(with: [.outOfOrder, .withoutVolume]) { return false }
    let fell = tick.dayVolume < memory.dayVolume
    memory.dayVolume = tick.dayVolume
    return fell
  }
}
