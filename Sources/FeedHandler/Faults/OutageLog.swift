internal import MarketData

/// Since when the feed is down, and why: what its gap records say. A value without a clock.
struct OutageLog {
  /// True until connected, and from each loss to the next connection.
  private(set) var isDown = true
  /// The last sign of life before the outage, by the feed's clock.
  private(set) var start: Timestamp
  /// The most telling cause so far.
  private(set) var cause: GapCause

  /// The feed is down from before the first connection.
  init(start: Timestamp, cause: GapCause) {
    self.start = start
    self.cause = cause
  }

  /// Notes a loss, or that an attempt to come back failed; true when an outage begins with it.
  mutating func noteLoss(lastAlive: Timestamp, cause newCause: GapCause) -> Bool {
    if isDown {
      // Why the venue cannot be reached says more than that the connection went; where the gap began before this
      // process, its start is its cause.
      if cause != .start, [.token, .refused].contains(newCause) { cause = newCause }
      return false
    }
    isDown = true
    start = lastAlive
    cause = newCause
    return true
  }

  mutating func noteConnected() { isDown = false }

  /// What a fault says about why the feed is down.
  static func cause(of fault: Fault, whileConnecting: Bool) -> GapCause {
    switch fault.kind {
    case .refused, .configuration, .missingInput: .token
    case .protocolViolation: whileConnecting ? .refused : .brokenProtocol
    default: .disconnected
    }
  }
}
