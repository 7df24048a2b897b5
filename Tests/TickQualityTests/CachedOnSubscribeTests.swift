import MarketData
import Testing
import TickQuality

/// Which first tick after a subscription counts as a replay from the venue's memory.
@Suite struct CachedOnSubscribeTests {
  private let start = Timestamp(seconds: sessionStartSeconds)

  /// The flags of `ticks` when instrument 0 was subscribed `nanoseconds` after the session's start.
  private func flags(subscribedAfter nanoseconds: Int64, _ ticks: [Tick]) -> [TickFlags] {
    var inspector = makeInspector()
    inspector.noteSubscribed([InstrumentID(rawValue: 0)], at: start + nanoseconds)
    var copy = ticks
    inspector.inspect(&copy)
    return copy.map(\.flags)
  }

  @Test func aStampOfTheSubscriptionsOwnSecondIsFreshAndTheSecondBeforeIsCached() {
    #expect(flags(subscribedAfter: 700_000_000, [makeTick(0)]) == [[]])
    #expect(flags(subscribedAfter: 999_999_999, [makeTick(0)]) == [[]])
    #expect(flags(subscribedAfter: 700_000_000, [makeTick(-1)]) == [.cachedOnSubscribe])
    #expect(flags(subscribedAfter: 1_000_000_000, [makeTick(0)]) == [.cachedOnSubscribe])
  }

  @Test func theLastTradeDecidesEvenWhenTheSnapshotIsNew() {
    var tick = makeTick(10)
    tick.lastTradeSeconds = UInt32(sessionStartSeconds - 60)
    #expect(flags(subscribedAfter: 0, [tick]) == [.cachedOnSubscribe])
  }

  @Test func withoutATradeTimeTheExchangeTimeDecides() {
    var old = makeTick(-1)
    var new = makeTick(0)
    old.lastTradeSeconds = 0
    new.lastTradeSeconds = 0
    #expect(flags(subscribedAfter: 0, [old]) == [.cachedOnSubscribe])
    #expect(flags(subscribedAfter: 0, [new]) == [[]])
  }

  @Test func aFirstTickWithoutAnyTimeIsTakenForCached() {
    var tick = makeTick(0, flags: .noExchangeTime)
    tick.lastTradeSeconds = 0
    tick.exchangeTime = .unknown
    #expect(flags(subscribedAfter: 0, [tick, tick])[0] == [.cachedOnSubscribe, .noExchangeTime])
    #expect(flags(subscribedAfter: 0, [tick, tick])[1] == [.duplicate, .noExchangeTime])
  }

  @Test func onlyTheFirstTickOfEachSubscribedInstrumentIsLookedAt() {
    let ticks = [makeTick(-60), makeTick(-50), makeTick(-60, instrument: 1)]
    #expect(flags(subscribedAfter: 0, ticks) == [.cachedOnSubscribe, [], []])
  }

  @Test func aReconnectArmsTheRuleAgain() {
    var inspector = makeInspector()
    let instruments = [InstrumentID(rawValue: 0)]
    inspector.noteSubscribed(instruments, at: start)
    var first = [makeTick(1), makeTick(2)]
    inspector.inspect(&first)
    inspector.noteSubscribed(instruments, at: start + 10_000_000_000)
    var second = [makeTick(2), makeTick(11)]
    inspector.inspect(&second)
    #expect((first + second).map(\.flags) == [[], [], [.cachedOnSubscribe, .duplicate], []])
  }
}
