import MarketData

/// Flags a tick that was received longer after its exchange time than a threshold.
struct StaleRule: TickRule {
  static let name = "stale"
  static var flag: TickFlags { .stale }

  /// The greatest age that is still fresh, in nanoseconds.
  let ageMaxNanoseconds: Int64

  /// Nothing: the tick alone decides.
  struct Memory: BitwiseCopyable {}

  /// Makes the rule for a threshold in seconds; 0 turns it off.
  init(seconds: Int) {
    self.ageMaxNanoseconds = seconds == 0 ? .max : Int64(seconds) * Timestamp.nanosecondsPerSecond
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    tick.exchangeTime.isKnown && tick.receiveTime - tick.exchangeTime > ageMaxNanoseconds
  }
}
