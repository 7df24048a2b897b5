internal import Glibc
internal import MarketData
internal import SharedRing

/// Stands still, latched, while a venue refuses the token of the day before there is a feed that could: past candles are
/// asked for first, and a start in the morning finds yesterday's token.
struct TokenWait {
  let venue: Venue
  let latch: HaltLatch
  let shouldStop: @Sendable () -> Bool

  private static let lookMicroseconds: UInt32 = 200_000

  /// Does what needs the token, and again with each new one as long as it is refused.
  ///
  /// - Throws: ``Fault`` of kind `refused` when told to stop meanwhile; everything else that `step` throws, at once.
  func run<Value>(_ step: () throws(Fault) -> Value) throws(Fault) -> Value {
    while true {
      let mark = venue.credentialsMark()
      do throws(Fault) { return try step() } catch {
        guard error.kind == .refused else { throw error }
        try wait(while: mark, because: error)
      }
    }
  }

  private func wait(while mark: Int?, because fault: Fault) throws(Fault) {
    latch.latch(
      Halt(
        scope: .venue, subject: venue.name, fault: fault, rule: .newToken(advice: venue.loginAdvice),
        since: .wallClock()))
    while true {
      if let present = venue.credentialsMark(), present != mark { break }
      if shouldStop() { throw fault }
      usleep(Self.lookMicroseconds)
    }
    latch.release(.venue, as: .starting, because: "there are new credentials")
  }
}
