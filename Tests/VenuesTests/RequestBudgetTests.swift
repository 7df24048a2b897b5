import MarketData
import Synchronization
import Testing

@testable import Venues

/// A clock that moves only when it is told to.
final class ManualClock: Sendable {
  private let time = Mutex<Int64>(0)

  var now: @Sendable () -> Int64 { { self.time.withLock { $0 } } }

  func advance(milliseconds: Int64) { time.withLock { $0 += milliseconds * 1_000_000 } }
}

@Suite struct RequestBudgetTests {
  private let clock = ManualClock()

  private func budget(_ limits: RateLimit...) -> RequestBudget { RequestBudget(limits, now: clock.now) }

  private func wait(_ budget: RequestBudget, _ urgency: CandleUrgency = .routine) -> Int64 {
    (budget.takeTurn(urgency) + 999_999) / 1_000_000
  }

  @Test func noSpanHoldsMoreTurnsThanTheLimit() {
    let budget = budget(RateLimit(requests: 3, per: .seconds(1)))
    #expect((0..<4).map { _ in wait(budget) } == [0, 0, 0, 1050], "a twentieth more than the venue's second")
    clock.advance(milliseconds: 1049)
    #expect(wait(budget) == 1)
    clock.advance(milliseconds: 1)
    #expect((0..<4).map { _ in wait(budget) } == [0, 0, 0, 1050])
    clock.advance(milliseconds: 100_000)
    #expect((0..<4).map { _ in wait(budget) } == [0, 0, 0, 1050], "idle time saves up no turns")
  }

  @Test func allLimitsHoldAtOnce() {
    let budget = budget(
      RateLimit(requests: 3, per: .seconds(1)), RateLimit(requests: 5, per: .seconds(60)),
      RateLimit(requests: 8, per: .seconds(3600)))
    var turns: [Int64] = []
    var time: Int64 = 0
    while turns.count < 9 {
      let pause = wait(budget)
      if pause == 0 { turns.append(time) }
      clock.advance(milliseconds: pause)
      time += pause
    }
    #expect(turns == [0, 0, 0, 1050, 1050, 60_100, 60_100, 60_100, 3_600_100])
  }

  @Test func noLimitGrantsAlwaysButPausesHold() {
    let budget = budget()
    #expect((0..<100).allSatisfy { _ in wait(budget) == 0 })
    budget.postpone(nanoseconds: 2_000_000_000)
    #expect(wait(budget) == 2000)
    clock.advance(milliseconds: 2000)
    #expect((0..<100).allSatisfy { _ in wait(budget) == 0 })
  }

  @Test func theMoreUrgentGoFirstAndTheOthersAreNotForgotten() {
    let budget = budget(RateLimit(requests: 1, per: .seconds(1)))
    #expect(wait(budget) == 0)
    #expect(wait(budget, .routine) == 1050)
    #expect(wait(budget, .repair) == 1050)
    clock.advance(milliseconds: 1050)
    #expect(wait(budget, .routine) > 0, "somebody more urgent waits for this turn")
    #expect(wait(budget, .repair) == 0)
    clock.advance(milliseconds: 1050)
    #expect(wait(budget, .routine) == 0)
    #expect(wait(budget, .repair) > 0)
    clock.advance(milliseconds: 5000)
    #expect(wait(budget, .routine) == 0, "who never came back for its turn holds nobody up")
  }
}
