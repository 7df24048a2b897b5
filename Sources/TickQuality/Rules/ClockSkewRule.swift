import MarketData

/// Flags a tick whose exchange or trade time lies further ahead of our clock than a threshold: the venue's clock or ours
/// is wrong. Corrected, the times that lie ahead become the receive time.
struct ClockSkewRule: TickRule {
  static let name = "clock-skew"
  static let purpose = "its time lies ahead of the machine's clock"
  static var flag: TickFlags { .clockSkew }
  static let parameters = [RuleParameter("seconds", 1...86_400, standard: 5)]
  static var canCorrect: Bool { true }

  /// How far ahead is still accepted, in nanoseconds.
  let aheadMax: Int64

  init(_ values: RuleValues) {
    aheadMax = Int64(values["seconds"]) * Timestamp.nanosecondsPerSecond
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory _: inout NoMemory) -> Bool {
    let limit = tick.receiveTime + aheadMax
    return tick.exchangeTime > limit || Timestamp(seconds: Int64(tick.lastTradeSeconds)) > limit
  }

  func correct(_ tick: inout Tick, memory _: inout NoMemory) -> Bool {
    let received = tick.receiveTime
    if tick.exchangeTime > received { tick.exchangeTime = received }
    if Int64(tick.lastTradeSeconds) > received.seconds {
      tick.lastTradeSeconds = UInt32(clamping: received.seconds)
    }
    return true
  }

  func reason(for tick: Tick) -> String {
    let ahead = max(tick.exchangeTime, Timestamp(seconds: Int64(tick.lastTradeSeconds))) - tick.receiveTime
    return
      "its time lies \(ahead / 1_000_000) ms ahead of its receipt; up to \(aheadMax / 1_000_000) ms are accepted"
  }
}
