import MarketData
import Testing
import TickRing

/// The handler on a script.
@Suite struct HandlerTests {
  private static let open = ScriptedFeed.open
  private static func minute(_ number: Int64) -> Timestamp { open + number * 60_000_000_000 }

  /// Five minutes of trades of one instrument, one a second, a point up each.
  private static func fiveMinutes() -> [Tick] {
    (0..<300).map { ScriptedFeed.tick(Double($0), 100 + Double($0), volume: Int64($0) * 5 + 5) }
  }

  @Test func rule20ACandleIsSeenAtItsSealingAndNotBefore() async throws {
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes()))
    try await data.observe("NSE:RELIANCE")
    var finals: [Timestamp] = []
    for await event in data.events(of: .ticks, .candles(.minute)) {
      let now = data.now
      switch event {
      case .tick(let tick):
        #expect(tick.receiveTime == now)
        #expect(data.latest("NSE:RELIANCE")?.tick == tick)
        #expect(data.latest("NSE:RELIANCE")?.ageNanoseconds == 0)
      case .candle(let candle) where candle.state == .final:
        #expect(now >= candle.end + 3_000_000_000)
        finals.append(candle.start)
      default: break
      }
      // What a strategy may peek at: everything that there is, asked for without a bound.
      let all = try await data.candles("NSE:RELIANCE", from: Self.open, to: Self.minute(1000))
      for candle in all.candles { #expect(candle.end <= now) }
      let forming = try await data.candles("NSE:RELIANCE", last: 1000, forming: true).last
      if let forming, forming.state == .forming { #expect(forming.start <= now) }
    }
    #expect(finals == [0, 1, 2, 3, 4].map(Self.minute))
  }

  @Test func storedCandlesOfAnInstrumentWithoutTicksAppearAtTheirSealing() async throws {
    let stored = (0..<5 as Range<Int64>).map { ScriptedFeed.candle($0, instrument: 1) }
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes(), stored: stored))
    var seen: [Candle] = []
    for await event in data.events(of: .candles(.minute)) {
      guard case .candle(let candle) = event, candle.instrument.rawValue == 1 else { continue }
      #expect(data.now == candle.end + 3_000_000_000)
      seen.append(candle)
      let known = try await data.candles("NSE:TCS", from: Self.open, to: Self.minute(1000))
      #expect(known.candles == seen)
    }
    #expect(seen == stored)
  }

  @Test func aMinuteMadeOfTicksIsNotToldAgainFromTheStore() async throws {
    let stored = (0..<5 as Range<Int64>).map { ScriptedFeed.candle($0, close: 7) }
    // From before the open, so that the first minute is whole.
    let before = ScriptedFeed.tick(-30, 99, volume: 1)
    let data = DataHandler(on: ScriptedFeed(ticks: [before] + Self.fiveMinutes(), stored: stored))
    var closes: [Price] = []
    for await event in data.events(of: .candles(.minute)) {
      if case .candle(let candle) = event, candle.state == .final, candle.start >= Self.minute(1),
        candle.start <= Self.minute(3)
      {
        closes.append(candle.close)
      }
    }
    #expect(closes == [219, 279, 339].map { Price(units: $0 * 1_000_000_000) })
  }

  @Test func twoRunsAndBothDoorsGiveTheSameEvents() async throws {
    let stored = (0..<5 as Range<Int64>).map { ScriptedFeed.candle($0, instrument: 1) }
    func script() -> ScriptedFeed { ScriptedFeed(ticks: Self.fiveMinutes(), stored: stored) }
    var hashes: [UInt64] = []
    for _ in 0..<2 {
      var hash = MarketEventHash()
      for await event in DataHandler(on: script()).events(
        of: .ticks, .candles(.minute), .candles(.minutes(5)), .gaps)
      {
        hash.update(event)
      }
      #expect(hash.count > 300)
      hashes.append(hash.value)
    }
    let poller = DataPoller(
      on: script(), wanted: [.ticks, .candles(.minute), .candles(.minutes(5)), .gaps, .halts])
    var hash = MarketEventHash()
    while poller.isOpen { poller.poll(max: 7) { if $0 != .ended { hash.update($0) } } }
    hashes.append(hash.value)
    #expect(Set(hashes).count == 1)
  }

  @Test func severalSubscribersOfABacktestGoInStep() async throws {
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes()))
    let ticks = data.events(of: .ticks)
    let candles = data.events(of: .candles(.minute))
    async let tickCount = ticks.reduce(0) { count, _ in count + 1 }
    async let candleCount = candles.reduce(0) { count, event in
      if case .candle(let candle) = event { #expect(data.now < candle.end + 63_000_000_000) }
      return count + 1
    }
    #expect(await tickCount == 300)
    #expect(await candleCount >= 9)
  }

  @Test func oneThatLeavesDoesNotStopTheOthers() async throws {
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes()))
    let all = data.events(of: .ticks)
    let leaving = Task {
      var count = 0
      for await _ in data.events(of: .ticks) {
        count += 1
        if count == 10 { break }
      }
      return count
    }
    #expect(await all.reduce(0) { count, _ in count + 1 } == 300)
    // It may have come late, but never hung.
    #expect(await leaving.value <= 10)
  }

  @Test(.timeLimit(.minutes(1))) func oneWhoseTaskIsCancelledDoesNotStopTheOthersThoughItIsKept() async throws
  {
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes()))
    let kept = data.events(of: .ticks)
    let all = data.events(of: .ticks)
    let cancelled = Task { await kept.reduce(0) { count, _ in count + 1 } }
    cancelled.cancel()
    #expect(await all.reduce(0) { count, _ in count + 1 } == 300)
    #expect(await cancelled.value <= 300)
    #expect(kept.dropped == 0)
  }

  @Test func othersAreAnsweredWhileAPacedBacktestWaits() async throws {
    let hold = Hold()
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes(), hold: hold))
    let ticks = data.events(of: .ticks)
    let count = Task { await ticks.reduce(0) { count, _ in count + 1 } }
    while !hold.isAsked { await Task.yield() }
    #expect(data.latest("NSE:RELIANCE") == nil)
    #expect(hold.isHolding, "the answer came when the wait was over")
    hold.letGo()
    #expect(await count.value == 300)
  }

  @Test func aPacedBacktestThatWaitsCanBeClosed() async throws {
    let hold = Hold()
    let data = DataHandler(on: ScriptedFeed(ticks: Self.fiveMinutes(), hold: hold))
    let ticks = data.events(of: .ticks)
    let count = Task { await ticks.reduce(0) { count, _ in count + 1 } }
    while !hold.isAsked { await Task.yield() }
    await data.close()
    #expect(await count.value == 0)
    #expect(hold.isHolding, "it was closed when the wait was over")
  }

  @Test func cancellingATaskEndsItsSubscription() async throws {
    let data = DataHandler(on: ScriptedFeed(mode: .live, last: nil))
    let task = Task {
      var count = 0
      for await _ in data.events(of: .ticks) { count += 1 }
      return count
    }
    task.cancel()
    #expect(await task.value == 0)
    await data.close()
  }

  @Test func aSlowSubscriberOfLiveDataSlowsNobody() async throws {
    let data = DataHandler(on: ScriptedFeed(mode: .live, ticks: Self.fiveMinutes()))
    let slow = data.events(of: .ticks, capacity: 4, whenFull: .dropOldest)
    let fast = data.events(of: .ticks, capacity: 1000)
    // The slow one takes nothing before the fast one has everything it subscribed in time for.
    let seen = await fast.reduce(0) { count, _ in count + 1 }
    let late = await slow.reduce(into: [Tick]()) { if case .tick(let tick) = $1 { $0.append(tick) } }
    #expect(late.count == 4)
    #expect(late.last?.lastPrice == Price(units: 399_000_000_000))
    #expect(slow.dropped == 296)
    #expect(seen <= 300)
  }

  @Test func aHaltReachesItsSubscribersAndEndsTheSequence() async throws {
    let data = DataHandler(on: ScriptedFeed(mode: .live, last: .halt(reason: "credentials refused")))
    var events: [MarketEvent] = []
    for await event in data.events(of: .halts) { events.append(event) }
    #expect(events == [.halt(reason: "credentials refused")])
    for await _ in data.events(of: .ticks) { Issue.record("an event after the end") }
  }

  @Test func whatAFullLaneLostIsToldAsAGap() {
    var late = ScriptedFeed.tick(5, 101, volume: 20)
    late.flags.insert(.gapBefore)
    let first = ScriptedFeed.tick(1, 100, volume: 10)
    let poller = DataPoller(on: ScriptedFeed(mode: .live, ticks: [first, late]), wanted: [.ticks, .gaps])
    var events: [MarketEvent] = []
    poller.poll { events.append($0) }
    let gap = FeedGap(start: first.receiveTime, end: late.receiveTime, cause: .laneFull)
    #expect(events == [.tick(first), .gap(gap), .tick(late)])
  }

  @Test func paperIsLiveDataWithAMark() {
    #expect(DataHandler(on: ScriptedFeed(mode: .paper)).mode == .paper)
  }
}

/// Questions for candles.
@Suite struct CandleQueryTests {
  private static func minute(_ number: Int64) -> Timestamp { ScriptedFeed.open + number * 60_000_000_000 }

  /// Ten stored minutes, of which the feed sees the last two again as ticks, and two more that are not stored yet.
  private func pollerAtTheSeam() -> DataPoller {
    let stored = (0..<10 as Range<Int64>).filter { $0 != 4 }.map { ScriptedFeed.candle($0) }
    let ticks = (450..<725).map { ScriptedFeed.tick(Double($0), 200, volume: Int64($0)) }
    let poller = DataPoller(on: ScriptedFeed(mode: .live, ticks: ticks, stored: stored, last: nil))
    poller.poll { _ in }
    return poller
  }

  @Test func historyTodayAndFormingHaveOneSeamWithNoMinuteMissingOrDouble() throws {
    let poller = pollerAtTheSeam()
    let candles = try poller.candles("NSE:RELIANCE", last: 100, forming: true)
    #expect(
      candles.candles.map { ($0.start - Self.minute(0)) / 60_000_000_000 } == [
        0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12,
      ])
    #expect(candles.last?.state == .forming)
    // The venue's final candle stands where both have the minute.
    #expect(candles[8].origin == .venue && candles[9].origin == .built)
    #expect(try poller.candles("NSE:RELIANCE", last: 100).count == 11)
    #expect(try poller.candles("NSE:RELIANCE", last: 2, forming: true).count == 2)
    let range = try poller.candles("NSE:RELIANCE", from: Self.minute(8), to: Self.minute(11))
    #expect(range.candles.map(\.start) == [8, 9, 10].map(Self.minute))
  }

  @Test func longerCandlesAreRolledUpAcrossTheSeam() throws {
    let five = try pollerAtTheSeam().candles("NSE:RELIANCE", .minutes(5), last: 2, forming: true)
    #expect(five.candles.map(\.start) == [5, 10].map(Self.minute))
    #expect(five.candles.map(\.state) == [.final, .forming])
    #expect(five[0].volume == 50)
  }

  @Test func fillingsAreMarked() throws {
    let filled = try pollerAtTheSeam().candles(
      "NSE:RELIANCE", from: Self.minute(3), to: Self.minute(6), fill: .flat)
    #expect(filled.candles.map(\.start) == [3, 4, 5].map(Self.minute))
    #expect(filled.filled == [false, true, false])
    #expect(filled[1].volume == 0)
  }

  @Test func severalInstrumentsShareOneTimeAxis() throws {
    let stored =
      [0, 2].map { ScriptedFeed.candle($0) }
      + [1, 2].map { ScriptedFeed.candle($0, close: 50, instrument: 1) }
    let poller = DataPoller(on: ScriptedFeed(mode: .live, stored: stored))
    let both = try poller.candles(["NSE:RELIANCE", "NSE:TCS"], from: Self.minute(0), to: Self.minute(9))
    #expect(both.times == [0, 1, 2].map(Self.minute))
    #expect(both.closes("NSE:RELIANCE")?.values.map(\.isNaN) == [false, true, false])
    #expect(both.closes("NSE:TCS")?.values.map(\.isNaN) == [true, false, false])
    #expect(both.closes("NSE:INFY") == nil)
  }

  @Test func theCandleAtATimeIsTheOneThatHoldsIt() throws {
    let poller = pollerAtTheSeam()
    #expect(try poller.candle("NSE:RELIANCE", at: Self.minute(2) + 59)?.start == Self.minute(2))
    #expect(try poller.candle("NSE:RELIANCE", at: Self.minute(4) + 59) == nil)
    #expect(try poller.candle("NSE:RELIANCE", .minutes(5), at: Self.minute(7))?.start == Self.minute(5))
  }

  @Test func wrongQuestionsAreAnsweredInOneSentence() throws {
    let poller = pollerAtTheSeam()
    func message(_ ask: () throws -> Void) -> String {
      do {
        try ask()
        return "nothing was wrong"
      } catch { return "\(error)" }
    }
    #expect(message { _ = try poller.candles("NSE:RELIANSE", last: 1) }.contains("did you mean NSE:RELIANCE"))
    #expect(
      message { _ = try poller.candles("NSE:TCS", from: Self.minute(2), to: Self.minute(1)) }.contains(
        "runs backwards"))
    #expect(
      message { _ = try poller.candles("NSE:TCS", from: "2026-11-23T09:15:00", to: "2026-11-23T10:15:00") }
        .contains("not a time with its zone"))
    #expect(
      message { _ = try poller.candles("NSE:TCS", Interval(seconds: 90), last: 1) }.contains(
        "whole number of minutes"))
    #expect(message { _ = try poller.candles("NSE:TCS", last: 0) }.contains("at least 1"))
    #expect(message { _ = try poller.candles("NSE:TCS", .minutes(1500), last: 1) }.contains("of a week, 1w"))
    #expect(try poller.candles("NSE:TCS", from: Self.minute(90_000), to: Self.minute(90_001)).isEmpty)
  }

  @Test func aRangeOutsideTheDataIsToldFromOneWithoutATrade() throws {
    let poller = pollerAtTheSeam()
    let known = try #require(try poller.dataRange("NSE:RELIANCE"))
    let all = try poller.candles("NSE:RELIANCE", from: Self.minute(-90_000), to: Self.minute(90_000))
    #expect(known.lowerBound == all.candles.first?.start)
    #expect(known.upperBound == all.last?.start)
    #expect(try poller.dataRange("NSE:INFY") == nil)
    #expect(throws: Fault.self) { _ = try poller.dataRange("NSE:NOPE") }
  }

  @Test func anIntervalThatDoesNotDivideTheSessionLeavesItAShortLastCandle() throws {
    let stored = (0..<375 as Range<Int64>).map { ScriptedFeed.candle($0 - 3 * 1440) }
    let poller = DataPoller(on: ScriptedFeed(mode: .live, stored: stored))
    let sevens = try poller.candles("NSE:RELIANCE", .minutes(7), last: 60)
    #expect(sevens.count == 54)
    #expect(sevens.last?.start == Self.minute(53 * 7 - 3 * 1440))
    #expect(sevens.last?.flags.contains(.short) == true)
    #expect(sevens.candles.dropLast().allSatisfy { !$0.flags.contains(.short) })
  }

  @Test func daysAndWeeksAreMadeOfMinutesWhereTheVenueHasNone() throws {
    // Monday the 16th to Monday the 23rd of November 2026; on the last there is nothing but the first minute.
    let stored =
      [-7, -6, -5, -4, -3].flatMap { day in
        (0..<375 as Range<Int64>).map { ScriptedFeed.candle(day * 1440 + $0, close: Double(100 + $0 % 7)) }
      } + [ScriptedFeed.candle(0)]
    let poller = DataPoller(on: ScriptedFeed(mode: .live, stored: stored))
    let days = try poller.candles("NSE:RELIANCE", .day, from: Self.minute(-7 * 1440), to: Self.minute(-1440))
    #expect(days.candles.map(\.start) == [-7, -6, -5, -4, -3].map { Self.minute($0 * 1440) })
    #expect(days.candles.allSatisfy { $0.volume == 3750 && $0.coverage == 100 && $0.state == .final })
    let weeks = try poller.candles(
      "NSE:RELIANCE", .week, from: Self.minute(-7 * 1440), to: Self.minute(-1440))
    #expect(weeks.candles.map(\.start) == [Self.minute(-7 * 1440)])
    #expect(weeks.candles.first?.volume == 18_750)
    #expect(weeks.candles.first?.high == Price(units: 106_000_000_000))
    #expect(weeks.candles.first?.state == .final)
  }
}
