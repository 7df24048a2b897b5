/// How long to wait before the next attempt to reach a venue: growing, jittered, bounded, with a budget that is
/// whole again once the venue has been healthy. A pure value; randomness is passed in.
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
    let doublings = min(attempts, 20)
    attempts += 1
    let full = min(firstDelayMilliseconds << doublings, delayMillisecondsMax)
    return Int.random(in: full / 2...max(full, 1), using: &generator)
  }

  /// The delay before an attempt that costs nothing of the budget, while no market is open: the longest, jittered.
  func idleDelayMilliseconds(using generator: inout some RandomNumberGenerator) -> Int {
    Int.random(in: delayMillisecondsMax / 2...max(delayMillisecondsMax, 1), using: &generator)
  }

  /// Restores the budget: the venue has sent data.
  mutating func noteHealthy() { attempts = 0 }
}
