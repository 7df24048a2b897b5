import CandleBuilding
import MarketData
import Testing

/// Longer candles: rolled up from minutes and anchored to the sessions (rule 17).
@Suite struct RollUpTests {
  /// 09:15 to 15:30 on Monday to Friday; the 25th of November 2026 has two sessions, the 26th none.
  private struct Hours: SessionSchedule {
    func tradingDay(_ dayNumber: Int, of group: MarketGroup) -> TradingDay {
      let civil = CivilTime(dayNumber: dayNumber)
      let midnight = civil.timestamp()
      func session(_ from: Int64, _ to: Int64) -> [TradingSession] {
        let span = PhaseSpan(
          .continuous, from: midnight + from * Interval.minute.nanoseconds,
          to: midnight + to * Interval.minute.nanoseconds)
        return TradingSession(name: "test", phases: [span]).map { [$0] } ?? []
      }
      if civil.isoWeekday > 5 || civil.day == 26 { return TradingDay(dayNumber: dayNumber, sessions: []) }
      if civil.day == 25 {
        return TradingDay(dayNumber: dayNumber, sessions: session(555, 600) + session(690, 750))
      }
      return TradingDay(dayNumber: dayNumber, sessions: session(555, 930))
    }
  }

  private static let instrument = InstrumentID(rawValue: 2)

  private func time(_ text: String) throws -> Timestamp {
    try #require(Timestamp(rfc3339: "2026-11-\(text)+05:30"))
  }

  private func tick(_ text: String, price: Int64, volume: Int64, received: String? = nil) throws -> Tick {
    let traded = try time(text)
    return Tick(
      instrument: Self.instrument, sequence: 1, receiveTime: try received.map(time) ?? traded,
      exchangeTime: traded, lastPrice: Price(units: price * Price.unitsPerOne), dayVolume: volume,
      lastTradeSeconds: UInt32(traded.seconds), lastQuantity: 1, openInterest: 0)
  }

  /// The last state of every candle of an interval, as text.
  private func candles(_ interval: Interval, _ ticks: [Tick]) -> [String] {
    var aggregator = CandleAggregator(rolledUp: [interval], schedule: Hours())
    var closed: [Candle] = []
    for tick in ticks { aggregator.apply(tick, into: &closed) }
    aggregator.runOut(into: &closed)
    var last: [Timestamp: Candle] = [:]
    for candle in closed where candle.interval == interval { last[candle.start] = candle }
    return last.values.sorted { $0.start < $1.start }.map {
      "\($0.start.rfc3339.dropFirst(8).prefix(8)) \($0.summary)\($0.flags.contains(.short) ? " short" : "")"
    }
  }

  @Test func rule17HoursAreAnchoredToTheSessionAndTheLastOneIsShort() throws {
    let ticks = [
      try tick("23T09:15:00", price: 10, volume: 0), try tick("23T09:15:01", price: 11, volume: 1),
      try tick("23T10:14:59", price: 15, volume: 3), try tick("23T10:15:00", price: 12, volume: 4),
      try tick("23T15:15:00", price: 20, volume: 9), try tick("23T15:29:59", price: 19, volume: 10),
    ]
    #expect(
      candles(.minutes(60), ticks) == [
        "23T09:15 11 15 11 15 v3", "23T10:15 12 12 12 12 v1", "23T15:15 20 20 19 19 v6 short",
      ])
  }

  @Test func rule17EachOfTwoSessionsIsAnAnchor() throws {
    let ticks = [
      try tick("25T09:15:00", price: 10, volume: 0), try tick("25T09:50:00", price: 11, volume: 1),
      try tick("25T11:31:00", price: 12, volume: 2), try tick("25T12:00:00", price: 13, volume: 3),
    ]
    #expect(
      candles(.minutes(30), ticks) == [
        "25T09:45 11 11 11 11 v1 short", "25T11:30 12 12 12 12 v1", "25T12:00 13 13 13 13 v1",
      ])
    #expect(candles(.day, ticks) == ["25T09:15 11 13 11 13 v3"])
  }

  /// The venue stamps the last trade of a session with its end, or somebody's calendar is wrong.
  @Test func whatIsTradedOutsideOfSessionsIsInNoCandleOfASession() throws {
    let evening = [
      try tick("23T15:15:00", price: 10, volume: 0), try tick("23T15:29:59", price: 11, volume: 1),
      try tick("23T15:30:00", price: 99, volume: 9), try tick("23T16:31:00", price: 98, volume: 10),
    ]
    #expect(
      candles(.minutes(60), evening) == [
        "23T15:15 11 11 11 11 v1 short", "23T15:30 99 99 99 99 v8", "23T16:30 98 98 98 98 v1",
      ])
    #expect(candles(.day, evening) == ["23T09:15 11 11 11 11 v1"])
    #expect(candles(.week, evening) == ["23T09:15 11 11 11 11 v1"])
    let twoSessions = [
      try tick("25T08:00:00", price: 10, volume: 0), try tick("25T09:14:59", price: 11, volume: 1),
      try tick("25T10:00:00", price: 12, volume: 2), try tick("25T11:05:00", price: 13, volume: 3),
      try tick("25T11:30:00", price: 14, volume: 4),
    ]
    #expect(
      candles(.minutes(60), twoSessions) == [
        "25T08:15 11 11 11 11 v1", "25T10:00 12 12 12 12 v1", "25T11:00 13 13 13 13 v1 short",
        "25T11:30 14 14 14 14 v1",
      ])
    #expect(candles(.day, twoSessions) == ["25T09:15 14 14 14 14 v1"])
  }

  @Test func rule17ADayAndAWeekStartWithTheirFirstSession() throws {
    let ticks = [
      try tick("23T09:15:00", price: 10, volume: 0), try tick("23T09:50:00", price: 11, volume: 1),
      try tick("24T15:00:00", price: 12, volume: 2), try tick("25T09:16:00", price: 9, volume: 3),
      try tick("30T09:16:00", price: 30, volume: 4),
    ]
    #expect(
      candles(.day, ticks) == [
        "23T09:15 11 11 11 11 v1", "24T09:15 12 12 12 12 v1", "25T09:15 9 9 9 9 v1",
        "30T09:15 30 30 30 30 v1",
      ])
    #expect(candles(.week, ticks) == ["23T09:15 11 12 9 9 v3", "30T09:15 30 30 30 30 v1"])
  }

  @Test func aRevisedMinuteInARunningCandleIsNoRevisionOfThat() throws {
    var aggregator = CandleAggregator(rolledUp: [.minutes(5)], schedule: Hours())
    var closed: [Candle] = []
    for tick in [
      try tick("23T09:15:00", price: 10, volume: 0), try tick("23T09:15:01", price: 11, volume: 1),
      try tick("23T09:15:30", price: 9, volume: 2, received: "23T09:17:00"),
      try tick("23T09:19:30", price: 12, volume: 3),
    ] { aggregator.apply(tick, into: &closed) }
    aggregator.runOut(into: &closed)
    let five = closed.filter { $0.interval == .minutes(5) }
    #expect(five.map(\.state) == [.provisional, .final])
    #expect(five.last?.summary == "11 12 9 12 v3")
    aggregator.apply(
      try tick("23T09:19:40", price: 13, volume: 4, received: "23T09:20:10"), into: &closed)
    #expect(closed.last?.interval == .minutes(5))
    #expect(closed.last?.summary == "11 13 9 13 v4")
    #expect(closed.last?.revision == 1)
    #expect(closed.last?.flags.contains(.late) == true)
  }

  @Test func theRunningCandleOfAnIntervalHoldsTheRunningMinute() throws {
    var aggregator = CandleAggregator(rolledUp: [.minutes(5), .day], schedule: Hours())
    var closed: [Candle] = []
    for tick in [
      try tick("23T09:15:00", price: 10, volume: 0), try tick("23T09:15:01", price: 11, volume: 1),
      try tick("23T09:16:10", price: 12, volume: 5),
    ] { aggregator.apply(tick, into: &closed) }
    #expect(aggregator.forming(Self.instrument, .minutes(5))?.summary == "11 12 11 12 v5")
    #expect(aggregator.forming(Self.instrument, .day)?.summary == "11 12 11 12 v5")
    #expect(aggregator.forming(Self.instrument, .minute)?.summary == "12 12 12 12 v4")
    #expect(closed.allSatisfy { $0.interval == .minute })
  }

  /// Whatever the order and lateness of ticks, a longer candle is the sum of its minutes.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func aLongerCandleIsWhatItsMinutesAreTogether(seed: UInt64) throws {
    var generator = SeededGenerator(state: seed)
    let intervals = [3, 5, 10, 15, 30, 60].map(Interval.minutes) + [.day, .week]
    var aggregator = CandleAggregator(rolledUp: intervals, schedule: Hours())
    var closed: [Candle] = []
    var received = try time("23T09:17:00")
    var volume: Int64 = 0
    for _ in 0..<3000 {
      received = received + Int64.random(in: 0...12_000_000_000, using: &generator)
      volume += Int64.random(in: 0...2, using: &generator)
      let traded = received + -Int64.random(in: 0...90_000_000_000, using: &generator)
      aggregator.apply(
        Tick(
          instrument: Self.instrument, sequence: 1, receiveTime: received, exchangeTime: received,
          lastPrice: Price(units: Int64.random(in: 90...110, using: &generator) * Price.unitsPerOne),
          dayVolume: volume, lastTradeSeconds: UInt32(traded.seconds), lastQuantity: 1, openInterest: 0),
        into: &closed)
    }
    aggregator.runOut(into: &closed)
    var last: [Interval: [Timestamp: Candle]] = [:]
    for candle in closed { last[candle.interval, default: [:]][candle.start] = candle }
    let minutes = try #require(last[.minute]).values.sorted { $0.start < $1.start }
    for interval in intervals {
      let all = try #require(last[interval]).values.sorted { $0.start < $1.start }
      for (position, candle) in all.enumerated() {
        let end = position + 1 < all.count ? all[position + 1].start : Timestamp(nanoseconds: .max)
        let own = minutes.filter { $0.start >= candle.start && $0.start < end }
        #expect(candle.open == own.first?.open && candle.close == own.last?.close)
        #expect(candle.high == own.map(\.high).max() && candle.low == own.map(\.low).min())
        #expect(candle.volume == own.reduce(0) { $0 + $1.volume })
        #expect(candle.turnover == own.reduce(0) { $0 + $1.turnover })
        #expect(candle.tickCount == own.reduce(0) { $0 + $1.tickCount })
      }
    }
  }

  @Test func whereTimeLeapsALongerCandleIsToldOnceWithAllOfItsMinutes() throws {
    var aggregator = CandleAggregator(rolledUp: [.minutes(5)], schedule: Hours())
    var closed: [Candle] = []
    for (second, price) in [("00", 10), ("01", 11)] as [(String, Int64)] {
      aggregator.apply(try tick("23T09:15:\(second)", price: price, volume: price), into: &closed)
    }
    aggregator.apply(try tick("23T09:16:01", price: 12, volume: 20), into: &closed)
    aggregator.advance(to: try time("23T09:30:00"), into: &closed)
    let longer = closed.filter { $0.interval == .minutes(5) }
    #expect(longer.map(\.state) == [.final])
    #expect(longer.first?.high == Price(units: 12 * Price.unitsPerOne))
  }
}
