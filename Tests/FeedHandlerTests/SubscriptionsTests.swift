import MarketData
import Testing

@testable import FeedHandler

@Suite struct SubscriptionsTests {
  private func ids(_ numbers: UInt32...) -> [InstrumentID] { numbers.map { InstrumentID(rawValue: $0) } }

  @Test func theUnionHoldsWhatAnyoneObserves() {
    var subscriptions = Subscriptions()
    let first = subscriptions.observe(ids(3, 1), by: .configuration)
    let second = subscriptions.observe(ids(1, 2), by: .lane("a"))
    let third = subscriptions.observe(ids(2, 3), by: .lane("b"))
    #expect([first, second, third] == [true, true, false])
    #expect(subscriptions.union == ids(1, 2, 3))
  }

  @Test func anInstrumentStaysWhileSomeoneStillObservesIt() {
    var subscriptions = Subscriptions()
    _ = subscriptions.observe(ids(1), by: .lane("a"))
    _ = subscriptions.observe(ids(1), by: .lane("b"))
    let first = subscriptions.unobserve(ids(1), by: .lane("a"))
    #expect(!first)
    #expect(subscriptions.union == ids(1))
    let second = subscriptions.unobserve(ids(1), by: .lane("b"))
    #expect(second)
    #expect(subscriptions.union == [])
  }

  @Test func observingTwiceCountsOnceAndLeavingWhatIsNotObservedIsNothing() {
    var subscriptions = Subscriptions()
    _ = subscriptions.observe(ids(1), by: .lane("a"))
    let again = subscriptions.observe(ids(1), by: .lane("a"))
    let unknown = subscriptions.unobserve(ids(9), by: .lane("a"))
    let known = subscriptions.unobserve(ids(1), by: .lane("a"))
    #expect([again, unknown, known] == [false, false, true])
  }

  @Test func aRemovedObserverTakesItsObservationsAlong() {
    var subscriptions = Subscriptions()
    _ = subscriptions.observe(ids(1, 2), by: .lane("a"))
    _ = subscriptions.observe(ids(2), by: .control)
    let changed = subscriptions.remove(.lane("a"))
    #expect(changed)
    #expect(subscriptions.union == ids(2))
    #expect(subscriptions.instruments(of: .lane("a")).isEmpty)
  }

  @Test func theRichestModeThatAnyoneWantsIsAskedFor() {
    var subscriptions = Subscriptions()
    _ = subscriptions.observe(ids(1), by: .configuration, mode: .ltp)
    #expect(subscriptions.mode(of: ids(1)[0]) == .ltp)
    let richer = subscriptions.observe(ids(1), by: .lane("a"), mode: .full)
    let poorer = subscriptions.observe(ids(1), by: .lane("b"), mode: .quote)
    #expect(richer && !poorer, "another mode is a change")
    #expect(subscriptions.mode(of: ids(1)[0]) == .full)
    let left = subscriptions.remove(.lane("a"))
    #expect(left && subscriptions.mode(of: ids(1)[0]) == .quote)
    let changed = subscriptions.observe(ids(1), by: .lane("b"), mode: .ltp)
    #expect(changed)
    #expect(subscriptions.mode(of: ids(1)[0]) == .ltp && subscriptions.unionCount == 1)
  }
}
