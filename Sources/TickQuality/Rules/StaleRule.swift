import MarketData

/// Flags a tick that was received longer after its exchange time than a threshold.
struct StaleRule: TickRule {
  static let name = "stale"
  static let purpose = "it was received long after its exchange time"
  static var flag: TickFlags { .stale }

  /// The greatest age that is still fresh, in nanoseconds.
  let ageMaxNanoseconds: Int64

  static let parameters = [RuleParameter("seconds", 1...86_400, standard: 60)]

  init(_ values: RuleValues) {
    ageMaxNanoseconds = Int64(values["seconds"]) * Timestamp.nanosecondsPerSecond
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory _: inout NoMemory) -> Bool {
    tick.exchangeTime.isKnown && tick.receiveTime - tick.exchangeTime > ageMaxNanoseconds
  }

  func reason(for tick: Tick) -> String {
    let age = (tick.receiveTime - tick.exchangeTime) / Timestamp.nanosecondsPerSecond
    return "it was received \(age) s after its exchange time; "
      + "up to \(ageMaxNanoseconds / Timestamp.nanosecondsPerSecond) s are accepted"
  }
}
