import Testing

@testable import FeedHandler

@Suite struct RetryPolicyTests {
  private struct Low: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0 }
  }
  private struct High: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
  }

  @Test func delaysDoubleUpToTheirCapAndEndWithTheBudget() {
    var policy = RetryPolicy(firstDelayMilliseconds: 100, delayMillisecondsMax: 1000, attemptsMax: 6)
    var generator = High()
    let delays = (0..<7).map { _ in policy.nextDelayMilliseconds(using: &generator) }
    #expect(delays == [100, 200, 400, 800, 1000, 1000, nil])
  }

  @Test func jitterTakesAtMostHalf() {
    var policy = RetryPolicy(firstDelayMilliseconds: 100, delayMillisecondsMax: 1000, attemptsMax: 3)
    var generator = Low()
    #expect(policy.nextDelayMilliseconds(using: &generator) == 50)
    #expect(policy.nextDelayMilliseconds(using: &generator) == 100)
  }

  @Test func healthRestoresTheBudgetAndTheFirstDelay() {
    var policy = RetryPolicy(firstDelayMilliseconds: 100, delayMillisecondsMax: 1000, attemptsMax: 2)
    var generator = High()
    _ = policy.nextDelayMilliseconds(using: &generator)
    _ = policy.nextDelayMilliseconds(using: &generator)
    #expect(policy.nextDelayMilliseconds(using: &generator) == nil)
    policy.noteHealthy()
    #expect(policy.nextDelayMilliseconds(using: &generator) == 100)
  }
}
