/// How long to wait before the next attempt to reach a venue: growing, jittered, bounded, with a budget that is
/// whole again once the venue has been healthy. A pure value; time and randomness are passed in.
struct RetryPolicy: Sendable {
  let firstDelayMilliseconds: Int
  let delayMillisecondsMax: Int
  let attemptsMax: Int
  private(set) var attempts = 0

  init(firstDelayMilliseconds: Int, delayMillisecondsMax: Int, attemptsMax: Int) {
    self.firstDelayMilliseconds = firstDelayMilliseconds
    self.delayMillisecondsMax = delayMillisecondsMax
    self.attemptsMax = attemptsMax
  }

  /// The delay before the next attempt in milliseconds, or nil when the budget is spent.
  ///
  /// The delay doubles from the first, is capped, and is then drawn from its upper half, so that many clients cut
  /// off at one instant do not come back at one instant.
  mutating func nextDelayMilliseconds(using generator: inout some RandomNumberGenerator) -> Int? {
    guard attempts < attemptsMax else { return nil }
    let full = fullDelayMilliseconds
    attempts += 1
    return Int.random(in: full / 2...max(full, 1), using: &generator)
  }

  /// The delay before an attempt that costs nothing of the budget, while no market is open: the longest, jittered.
  func idleDelayMilliseconds(using generator: inout some RandomNumberGenerator) -> Int {
    Int.random(in: delayMillisecondsMax / 2...max(delayMillisecondsMax, 1), using: &generator)
  }

  /// A connection has ended that delivered for so long. Longer than the delay before the next attempt would be is health,
  /// and the budget is whole again; a venue that breaks off after each first tick is given up like a dead one.
  mutating func noteDelivered(forNanoseconds lived: Int64) {
    if lived > Int64(fullDelayMilliseconds) * 1_000_000 { renew() }
  }

  /// Restores the budget.
  mutating func renew() { attempts = 0 }

  /// The next delay before it is drawn from.
  private var fullDelayMilliseconds: Int {
    min(firstDelayMilliseconds << min(attempts, Self.doublingsMax), delayMillisecondsMax)
  }

  /// Beyond, no delay that may be configured would grow.
  private static let doublingsMax = 20
}
