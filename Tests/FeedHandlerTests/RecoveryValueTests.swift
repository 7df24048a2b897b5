import MarketData
import Testing

@testable import FeedHandler

private func instrument(_ number: UInt32, _ symbol: String = "NSE:A") throws -> Instrument {
  Instrument(
    id: InstrumentID(rawValue: number), symbol: try Symbol(symbol), venueToken: "\(number)", priceTick: .zero,
    lotSize: 1)
}

@Suite struct SubscriptionBookTests {
  private let second: Int64 = 1_000_000_000

  @Test func aSubscriptionGoesFromRequestedToTicking() throws {
    var book = SubscriptionBook()
    book.want([Subscription(try instrument(1))])
    #expect(book.counts == [.requested: 1])
    book.noteSent(at: 0) { _ in 5 }
    #expect(book.counts == [.sent: 1])
    var found = book.look(at: second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 5 })
    #expect(found.mute.isEmpty && book.counts == [.sent: 1], "old ticks do not count")
    found = book.look(at: second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 6 })
    #expect(found.mute.isEmpty && found.recovered.isEmpty && book.counts == [.ticking: 1])
  }

  @Test func acceptedButMuteIsToldOnceAndOnlyWhileTheMarketIsOpen() throws {
    var book = SubscriptionBook()
    let quiet = try instrument(1)
    book.want([Subscription(quiet)])
    book.noteSent(at: 0) { _ in 0 }
    let closed = book.look(
      at: 100 * second, muteNanoseconds: 10 * second, isOpen: { _ in false }, ticks: { _ in 0 })
    #expect(closed.mute.isEmpty, "nobody ticks at night")
    let early = book.look(
      at: 105 * second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 0 })
    #expect(early.mute.isEmpty, "the waiting begins with the session")
    let late = book.look(
      at: 111 * second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 0 })
    #expect(late.mute == [quiet] && book.counts == [.mute: 1])
    let again = book.look(
      at: 200 * second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 0 })
    #expect(again.mute.isEmpty)
    let back = book.look(
      at: 201 * second, muteNanoseconds: 10 * second, isOpen: { _ in true }, ticks: { _ in 1 })
    #expect(back.recovered == [quiet] && book.counts == [.ticking: 1])
  }

  @Test func aLossOrAnotherModeAsksAgain() throws {
    var book = SubscriptionBook()
    let one = try instrument(1)
    let two = try instrument(2, "NSE:B")
    book.want([Subscription(one), Subscription(two)])
    book.noteSent(at: 0) { _ in 0 }
    _ = book.look(at: 1, muteNanoseconds: nil, isOpen: { _ in true }, ticks: { _ in 1 })
    book.want([Subscription(one, mode: .quote), Subscription(two)])
    #expect(book.all.map(\.standing) == [.requested, .ticking])
    book.noteLost()
    #expect(book.counts == [.requested: 2])
    book.want([Subscription(two)])
    #expect(book.all.map(\.subscription) == [Subscription(two)])
  }
}

@Suite struct OutageLogTests {
  @Test func anOutageBeginsWithTheLastSignOfLifeAndKeepsItsMostTellingCause() {
    var outage = OutageLog(start: Timestamp(seconds: 1), cause: .start)
    let first = outage.noteLoss(lastAlive: Timestamp(seconds: 2), cause: .token)
    #expect(!first && outage.start == Timestamp(seconds: 1) && outage.cause == .start, "down from before")
    outage.noteConnected()
    let second = outage.noteLoss(lastAlive: Timestamp(seconds: 9), cause: .stalled)
    #expect(second && outage.start == Timestamp(seconds: 9) && outage.cause == .stalled)
    let third = outage.noteLoss(lastAlive: Timestamp(seconds: 10), cause: .disconnected)
    #expect(!third && outage.cause == .stalled && outage.start == Timestamp(seconds: 9))
    _ = outage.noteLoss(lastAlive: Timestamp(seconds: 11), cause: .token)
    #expect(outage.cause == .token)
  }

  @Test func faultsSayWhyTheFeedIsDown() {
    let causes: [(Fault.Kind, Bool, GapCause)] = [
      (.unavailable, true, .disconnected), (.refused, true, .token), (.configuration, true, .token),
      (.protocolViolation, true, .refused), (.protocolViolation, false, .brokenProtocol),
    ]
    for (kind, isConnecting, cause) in causes {
      #expect(OutageLog.cause(of: Fault(kind, ""), whileConnecting: isConnecting) == cause)
    }
  }
}

@Suite struct WatchdogTests {
  @Test func silenceCountsOnlyWhileAMarketIsOpen() {
    var watchdog = Watchdog(silenceMillisecondsMax: 10, now: 0)
    #expect(watchdog.deadSilence(at: 10_000_000, isMarketOpen: true) == nil)
    #expect(watchdog.deadSilence(at: 10_000_001, isMarketOpen: true) == 10_000_001)
    #expect(watchdog.deadSilence(at: 10_000_001, isMarketOpen: false) == nil)
    watchdog.noteAlive(at: 10_000_001)
    #expect(watchdog.deadSilence(at: 20_000_000, isMarketOpen: true) == nil)
  }
}

/// A market that trades from 09:15 to 15:30 with a pre-open on every day but day 3, and that nobody knows from day 10.
private struct Hours: SessionSchedule {
  static func time(_ day: Int, _ hour: Int, _ minute: Int) -> Timestamp {
    var time = CivilTime(dayNumber: day)
    (time.hour, time.minute) = (hour, minute)
    return time.timestamp()
  }

  func tradingDay(_ day: Int, of group: MarketGroup) throws(Fault) -> TradingDay {
    guard day < 10 else { throw Fault(.configuration, "the calendar ends") }
    let phases = [
      PhaseSpan(.preOpen, from: Self.time(day, 9, 0), to: Self.time(day, 9, 15)),
      PhaseSpan(.continuous, from: Self.time(day, 9, 15), to: Self.time(day, 15, 30)),
    ]
    let session = TradingSession(name: "regular", phases: phases)
    return TradingDay(dayNumber: day, sessions: day == 3 ? [] : session.map { [$0] } ?? [])
  }
}

@Suite struct SessionWatchTests {
  @Test func theMarketIsOpenInEachPhaseAndClosedAtNightOnHolidaysAndInNoDoubt() {
    var watch = SessionWatch(Hours(), segments: [.cash])
    let times: [(Int, Int, Int, SessionWatch.Standing)] = [
      (1, 8, 59, .closed), (1, 9, 0, .open), (1, 9, 15, .open), (1, 15, 29, .open), (1, 15, 30, .closed),
      (1, 23, 0, .closed), (2, 9, 1, .open), (3, 10, 0, .closed), (4, 10, 0, .open), (10, 10, 0, .unknown),
    ]
    for (day, hour, minute, expected) in times {
      #expect(watch.standing(at: Hours.time(day, hour, minute)) == expected, "day \(day) \(hour):\(minute)")
    }
    #expect(watch.complaint == "the calendar ends")
    #expect(watch.standing(at: Hours.time(1, 10, 0)) == .open, "time may go back")
  }
}

@Suite struct RepairPlanTests {
  private let plan = RepairPlan(
    schedule: Hours(), delayNanoseconds: 15_000_000_000, marginNanoseconds: 3_000_000_000, daysMax: 5)

  @Test func aGapBecomesTheWholeMinutesAroundItWithAMargin() throws {
    let share = try instrument(1)
    let gap = FeedGap(
      start: Hours.time(1, 10, 0) + 30_000_000_000, end: Hours.time(1, 10, 1) + 58_000_000_000,
      cause: .disconnected)
    let job = try #require(
      plan.job(for: gap, instruments: [share], loadedUntil: nil, now: Hours.time(1, 10, 2)))
    #expect(
      job.work == [RepairJob.Work(instrument: share, from: Hours.time(1, 10, 0), to: Hours.time(1, 10, 3))],
      "two seconds before a minute's end the next one may lack something")
    #expect(job.due == Hours.time(1, 10, 3) + 15_000_000_000)
  }

  @Test func onlyMinutesOfSessionsAreAskedFor() throws {
    let share = try instrument(1)
    let night = FeedGap(start: Hours.time(1, 18, 0), end: Hours.time(2, 8, 0), cause: .start)
    #expect(plan.job(for: night, instruments: [share], loadedUntil: nil, now: Hours.time(2, 8, 0)) == nil)
    let overnight = FeedGap(start: Hours.time(1, 15, 0), end: Hours.time(2, 9, 20), cause: .start)
    let job = try #require(
      plan.job(for: overnight, instruments: [share], loadedUntil: nil, now: Hours.time(2, 9, 20)))
    #expect(job.work.map(\.from) == [Hours.time(1, 14, 59)] && job.work.map(\.to) == [Hours.time(2, 9, 21)])
  }

  @Test func whatWasLoadedBeforeTheStartIsNotAskedForAgain() throws {
    let share = try instrument(1)
    let gap = FeedGap(start: Hours.time(1, 10, 0), end: Hours.time(2, 9, 30), cause: .start)
    let job = try #require(
      plan.job(for: gap, instruments: [share], loadedUntil: Hours.time(2, 9, 29), now: Hours.time(2, 9, 30)))
    #expect(job.work.map(\.from) == [Hours.time(2, 9, 28)])
    let first = FeedGap(start: .unknown, end: Hours.time(2, 9, 30), cause: .start)
    let seam = try #require(
      plan.job(for: first, instruments: [share], loadedUntil: Hours.time(2, 9, 29), now: Hours.time(2, 9, 30))
    )
    #expect(seam.work.map(\.from) == [Hours.time(2, 9, 28)], "the seam of history and live is closed as well")
  }

  @Test func aGapOfOneInstrumentConcernsItAloneAndAnOldOneNobody() throws {
    let shares = [try instrument(1), try instrument(2, "NSE:B")]
    var gap = FeedGap(
      instrument: shares[1].id, start: Hours.time(1, 10, 0), end: Hours.time(1, 10, 1), cause: .missed)
    let job = try #require(
      plan.job(for: gap, instruments: shares, loadedUntil: nil, now: Hours.time(1, 10, 2)))
    #expect(job.work.map(\.instrument) == [shares[1]])
    let both = try #require(
      plan.job(
        for: gap, of: shares.map(\.id), instruments: shares, loadedUntil: nil, now: Hours.time(1, 10, 2)))
    #expect(both.work.map(\.instrument) == shares && both.gaps.map(\.instrument) == shares.map(\.id))
    gap.end = nil
    #expect(plan.job(for: gap, instruments: shares, loadedUntil: nil, now: Hours.time(1, 10, 2)) == nil)
    gap.end = Hours.time(1, 10, 1)
    #expect(plan.job(for: gap, instruments: shares, loadedUntil: nil, now: Hours.time(8, 10, 2)) == nil)
  }
}

@Suite struct LostPartsTests {
  private let retry = RetryPolicy(firstDelayMilliseconds: 100, delayMillisecondsMax: 1000, attemptsMax: 3)
  private let second: Int64 = 1_000_000_000

  private func outage(_ instruments: ClosedRange<UInt32>) -> LostParts.Outage {
    LostParts.Outage(
      gap: FeedGap(start: Timestamp(seconds: 1), end: nil, cause: .disconnected),
      instruments: instruments.map { InstrumentID(rawValue: $0) })
  }

  @Test func aLostPartIsTriedAfterItsDelayUntilItsBudgetIsSpent() throws {
    var parts = LostParts(leftOpen: [], retry: retry)
    var generator = SystemRandomNumberGenerator()
    #expect(parts.isEmpty)
    parts.noteLost(1, outage(1...3), at: 0)
    var delays: [Int] = []
    while let delay = parts.delay(1, at: 0, isIdle: false, using: &generator) {
      delays.append(delay)
      #expect(parts.due(at: Int64(delay) * 1_000_000 - 1).isEmpty)
      #expect(parts.due(at: Int64(delay) * 1_000_000) == [1])
      parts.noteAttempt(1)
      #expect(parts.due(at: .max - 1).isEmpty, "one attempt at a time")
    }
    #expect(delays.count == 3 && delays[2] > delays[0])
    #expect(parts.hasGivenUp && parts.due(at: .max - 1).isEmpty)
    parts.renew(at: 7)
    #expect(!parts.hasGivenUp && parts.due(at: 6).isEmpty && parts.due(at: 7) == [1])
    while parts.delay(1, at: 0, isIdle: false, using: &generator) != nil {}
    #expect(parts.delay(1, at: 0, isIdle: true, using: &generator) != nil, "at night attempts cost nothing")
    #expect(parts.noteRestored(1, at: second)?.instruments.count == 3)
    #expect(parts.isEmpty && !parts.hasGivenUp)

    // Lost again at once it has no budget left; after a healthy while it has.
    parts.noteLost(1, outage(1...3), at: second + 1)
    #expect(parts.delay(1, at: second + 1, isIdle: false, using: &generator) == nil)
    _ = parts.noteRestored(1, at: second + 2)
    parts.noteLost(1, outage(1...3), at: 3 * second)
    #expect(parts.delay(1, at: 3 * second, isIdle: false, using: &generator) != nil)
  }

  @Test func aConnectionOfTheWholeEndsWhatPartsAndTheRunBeforeLeftOpen() {
    let gaps = (1...3).map {
      FeedGap(instrument: InstrumentID(rawValue: $0), start: Timestamp(seconds: 5), end: nil, cause: .stalled)
    }
    var parts = LostParts(leftOpen: gaps, retry: retry)
    parts.noteLost(0, outage(7...8), at: 0)
    let ended = parts.noteConnected(at: second)
    #expect(ended.map(\.instruments.count) == [3, 2])
    #expect(parts.isEmpty && parts.noteConnected(at: second).isEmpty)
  }
}
