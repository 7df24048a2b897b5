import Synchronization
import Testing

@testable import Venues

/// A clock that moves only when somebody sleeps by it.
final class ManualClock: Sendable {
  private let state = Mutex<(now: Int64, sleeps: [Int64])>((0, []))

  var now: @Sendable () -> Int64 { { self.state.withLock { $0.now } } }

  var sleep: @Sendable (Int64) -> Void {
    { nanoseconds in
      self.state.withLock {
        $0.now += nanoseconds
        $0.sleeps.append(nanoseconds)
      }
    }
  }

  /// How long each sleep was, in milliseconds.
  var sleptMilliseconds: [Int64] { state.withLock { $0.sleeps.map { $0 / 1_000_000 } } }
}

@Suite struct RequestBudgetTests {
  @Test func turnsAreEvenlySpaced() {
    let clock = ManualClock()
    let budget = RequestBudget(requestsPerSecond: 4, now: clock.now, sleep: clock.sleep)
    for _ in 0..<4 { budget.waitForTurn() }
    #expect(clock.sleptMilliseconds == [250, 250, 250])
    clock.sleep(10_000_000_000)
    budget.waitForTurn()
    budget.waitForTurn()
    #expect(clock.sleptMilliseconds == [250, 250, 250, 10_000, 250], "idle time saves up no turns")
  }

  @Test func zeroMeansNoLimitButPausesHold() {
    let clock = ManualClock()
    let budget = RequestBudget(requestsPerSecond: 0, now: clock.now, sleep: clock.sleep)
    for _ in 0..<100 { budget.waitForTurn() }
    #expect(clock.sleptMilliseconds.isEmpty)
    budget.postpone(nanoseconds: 2_000_000_000)
    budget.waitForTurn()
    budget.waitForTurn()
    #expect(clock.sleptMilliseconds == [2000])
  }

  @Test func theSystemsClockReallySleeps() {
    let before = RequestBudget.monotonicNanoseconds()
    RequestBudget.sleepThread(3_000_000)
    #expect(RequestBudget.monotonicNanoseconds() - before >= 3_000_000)
  }
}
