internal import MarketData
internal import SharedRing

/// Stands still, latched, while a venue refuses the token of the day before there is a feed that could: past candles are
/// asked for first, and a start in the morning finds yesterday's token.
struct TokenWait {
  let venue: Venue
  let latch: HaltLatch
  /// Where somebody may ask for another attempt.
  let desk: StartDesk
  let shouldStop: @Sendable () -> Bool

  private static let lookMilliseconds = 200

  /// Does what needs the token, and again with each new one, or on request, as long as it is refused.
  ///
  /// - Throws: ``Fault`` of kind `refused` when told to stop meanwhile; everything else that `step` throws, at once.
  func run<Value>(_ step: () throws(Fault) -> Value) async throws(Fault) -> Value {
    while true {
      let mark = venue.credentialsMark()
      do throws(Fault) { return try step() } catch {
        guard error.kind == .refused else { throw error }
        try await wait(while: mark, because: error)
      }
    }
  }

  private func wait(while mark: Int?, because fault: Fault) async throws(Fault) {
    _ = desk.takeResume()
    latch.latch(
      Halt(
        scope: .venue, subject: venue.name, fault: fault, rule: .newToken(advice: venue.loginAdvice),
        since: .wallClock()))
    var reason = "there are new credentials"
    while venue.credentialsMark().map({ $0 == mark }) ?? true {
      if shouldStop() { throw fault }
      if desk.takeResume() {
        reason = "by request"
        break
      }
      // Not the thread: the control socket's server may have no other one.
      try? await Task.sleep(for: .milliseconds(Self.lookMilliseconds))
    }
    latch.release(.venue, as: .starting, because: reason)
  }
}
