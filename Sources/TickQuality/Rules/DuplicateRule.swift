import MarketData

/// Flags a tick that repeats its instrument's previous tick in everything the venue said: times, price, volume,
/// last quantity and open interest.
struct DuplicateRule: TickRule {
  static let name = "duplicate"
  static let purpose = "it repeats the instrument's previous tick"
  static var flag: TickFlags { .duplicate }

  /// What the venue said in the previous tick.
  struct Memory: BitwiseCopyable {
    var exchangeTime = Timestamp.unknown
    var lastPrice = Price.zero
    var dayVolume: Int64 = 0
    var lastTradeSeconds: UInt32 = 0
    var lastQuantity: UInt32 = 0
    var openInterest: UInt32 = 0
    var isFilled = false
  }
  static var freshMemory: Memory { Memory() }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    // All differences at once: whether times are equal, taken alone, no processor can foresee.
    let difference =
      (tick.exchangeTime.nanoseconds ^ memory.exchangeTime.nanoseconds)
      | (tick.lastPrice.units ^ memory.lastPrice.units) | (tick.dayVolume ^ memory.dayVolume)
      | Int64(
        (tick.lastTradeSeconds ^ memory.lastTradeSeconds) | (tick.lastQuantity ^ memory.lastQuantity)
          | (tick.openInterest ^ memory.openInterest))
    let isSame = memory.isFilled && difference == 0
    memory = Memory(
      exchangeTime: tick.exchangeTime, lastPrice: tick.lastPrice, dayVolume: tick.dayVolume,
      lastTradeSeconds: tick.lastTradeSeconds, lastQuantity: tick.lastQuantity,
      openInterest: tick.openInterest, isFilled: true)
    return isSame
  }
}
