import MarketData

/// Flags a tick whose exchange time is older than the newest one seen of its instrument.
///
/// Equal times are in order: the wire counts whole seconds. A time further in the future of the receive time than
/// ``futureToleranceNanoseconds`` does not count as seen, since one such slip would put every later tick of the
/// instrument out of order.
struct OutOfOrderRule: TickRule {
  static let name = "out-of-order"
  static let purpose = "its exchange time is older than one seen before"
  static var flag: TickFlags { .outOfOrder }

  /// How far the venue's clock may be ahead of ours and still be believed: one minute.
  static let futureToleranceNanoseconds: Int64 = 60_000_000_000

  /// The newest exchange time seen.
  struct Memory: BitwiseCopyable {
    var newest = Timestamp.unknown
  }
  static var freshMemory: Memory { Memory() }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    guard tick.exchangeTime.isKnown else { return false }
    if tick.exchangeTime < memory.newest { return true }
    if tick.exchangeTime - tick.receiveTime <= Self.futureToleranceNanoseconds {
      memory.newest = tick.exchangeTime
    }
    return false
  }

  func reason(for tick: Tick) -> String {
    "its exchange time \(tick.exchangeTime.rfc3339) is older than one seen before"
  }
}
