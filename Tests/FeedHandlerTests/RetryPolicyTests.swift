import Testing

@testable import FeedHandler

@Suite struct RetryPolicyTests {
  /// A small seeded generator (SplitMix64), so that each run draws the same delays.
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      return mixed ^ (mixed >> 27)
    }
  }

  private func policy(attemptsMax: Int) -> RetryPolicy {
    RetryPolicy(firstDelayMilliseconds: 100, delayMillisecondsMax: 1000, attemptsMax: attemptsMax)
  }

  @Test func delaysDoubleUpToTheirCapAndEndWithTheBudget() {
    let full = [100, 200, 400, 800, 1000, 1000]
    for seed in UInt64(0)..<200 {
      var generator = Seeded(state: seed)
      var policy = policy(attemptsMax: full.count)
      for delay in full {
        let drawn = policy.nextDelayMilliseconds(using: &generator)
        #expect(drawn.map { (delay / 2...delay).contains($0) } == true)
      }
      #expect(policy.nextDelayMilliseconds(using: &generator) == nil)
    }
  }

  @Test func jitterReachesBothEndsOfItsRange() {
    var generator = Seeded(state: 7)
    let drawn = (0..<5000).map { _ in
      var policy = policy(attemptsMax: 1)
      return policy.nextDelayMilliseconds(using: &generator) ?? 0
    }
    #expect(drawn.min() == 50)
    #expect(drawn.max() == 100)
  }

  @Test func aDeliveryLongerThanTheNextDelayRestoresTheBudgetAndTheFirstDelay() {
    let millisecond: Int64 = 1_000_000
    var policy = policy(attemptsMax: 2)
    var generator = Seeded(state: 1)
    _ = policy.nextDelayMilliseconds(using: &generator)
    _ = policy.nextDelayMilliseconds(using: &generator)
    policy.noteDelivered(forNanoseconds: 400 * millisecond)
    #expect(policy.nextDelayMilliseconds(using: &generator) == nil, "what does not last is no health")
    policy.noteDelivered(forNanoseconds: 400 * millisecond + 1)
    let first = policy.nextDelayMilliseconds(using: &generator)
    #expect(first.map { (50...100).contains($0) } == true)
  }

  @Test func aRenewalRestoresTheBudget() {
    var policy = policy(attemptsMax: 1)
    var generator = Seeded(state: 1)
    _ = policy.nextDelayMilliseconds(using: &generator)
    policy.renew()
    #expect(policy.nextDelayMilliseconds(using: &generator) != nil)
  }
}
