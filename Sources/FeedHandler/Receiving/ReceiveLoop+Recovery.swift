internal import Glibc
internal import Logging
internal import MarketData
internal import SharedRing

// What follows a broken connection: another attempt after a while, or a HALT.
extension ReceiveLoop {
  private static let pollMicroseconds: UInt32 = 10_000
  /// Polls between two readings of the thread's processor time, and between two looks at the credentials.
  private static let pollsPerMeasurement = 10
  private static let pollsPerCredentialsLook = 50

  /// True unless the calendar says that every market of the feed is closed.
  var isMarketOpen: Bool { recovery.session.standing(at: clock.now()) != .closed }

  /// Waits until another attempt makes sense.
  ///
  /// - Throws: The fault, when the feed is to end with it.
  func recover(from fault: Fault) throws(Fault) {
    if [.refused, .configuration, .missingInput].contains(fault.kind) {
      return try halt(fault, rule: .newToken(advice: recovery.loginAdvice))
    }
    let delay: Int
    if isMarketOpen {
      guard let next = retry.nextDelayMilliseconds(using: &generator) else {
        return try halt(
          Fault(
            fault.kind,
            "gave up on \(source.name) after \(retry.attempts) attempts, of which none lasted; the last one ended so: "
              + fault.message),
          rule: .request)
      }
      delay = next
      logger.info("next attempt in \(delay) ms (\(retry.attempts) of \(retry.attemptsMax))")
    } else {
      delay = retry.idleDelayMilliseconds(using: &generator)
      logger.info("next attempt in \(delay) ms; the market is closed, so it does not count")
    }
    let deadline = Timestamp.monotonicNanoseconds() + Int64(delay) * 1_000_000
    try poll { Timestamp.monotonicNanoseconds() < deadline && !self.isResumeRequested }
    isResumeRequested = false
  }

  /// Stands still, latched, until the HALT's rule is met; or ends, where the configuration says so.
  private func halt(_ fault: Fault, rule: Halt.Rule) throws(Fault) {
    if options.exitsOnHalt { throw fault }
    let halt = Halt(scope: .venue, subject: source.name, fault: fault, rule: rule, since: .wallClock())
    isResumeRequested = false
    recovery.latch.latch(halt)
    var polls = 0
    var wasOpen = isMarketOpen
    var reason = "by request"
    try poll {
      if self.isResumeRequested { return false }
      polls += 1
      guard polls % Self.pollsPerCredentialsLook == 0 else { return true }
      if case .newToken = rule, let present = self.recovery.credentialsMark(),
        present != self.credentialsShown
      {
        reason = "there are new credentials"
        return false
      }
      let isOpen = self.isMarketOpen
      if rule == .request, isOpen, !wasOpen {
        reason = "the market opens"
        return false
      }
      wasOpen = isOpen
      return true
    }
    if isStopping {
      haltAtStop = halt
      return
    }
    isResumeRequested = false
    retry.renew()
    recovery.latch.release(.venue, as: hasEverConnected ? .running : .starting, because: reason)
  }

  /// Lets commands be carried out while `condition` holds and nobody wants the thread to stop.
  private func poll(while condition: () -> Bool) throws(Fault) {
    var polls = 0
    while !isStopping, condition() {
      usleep(Self.pollMicroseconds)
      try handleCommands()
      polls += 1
      if polls % Self.pollsPerMeasurement == 0 { measureProcessorTime() }
    }
  }
}
