import MarketData
import Testing
import TradingCalendar

@testable import FeedHandler

/// Which stretches of history are wanted, and which of them are missing.
@Suite struct HistoryPlanTests {
  private let plan = HistoryPlan(schedule: TradingCalendar.shipped)

  private static func time(_ text: String) -> Timestamp {
    Timestamp(rfc3339: text.replacing(" ", with: "T") + ":00+05:30") ?? .unknown
  }

  private func text(_ ranges: [Range<Timestamp>]) -> [String] {
    ranges.map { range in
      [range.lowerBound, range.upperBound].map { time in
        let civil = CivilTime(time)
        return "\(civil.dateText.dropFirst(5)) \(civil.timeText.prefix(5))"
      }.joined(separator: "..")
    }
  }

  @Test func theRunningMinuteIsNotHistoryAndOneThatHasJustEndedSettlesFirst() {
    let minute = Self.time("2026-11-25 10:00")
    let second = Timestamp.nanosecondsPerSecond
    #expect(HistoryPlan.end(at: minute + 5 * second) == minute)
    #expect(HistoryPlan.end(at: minute + 59 * second) == minute)
    #expect(HistoryPlan.end(at: minute + 4 * second) == minute + -60 * second)
    #expect(HistoryPlan.end(at: minute) == minute + -60 * second)
  }

  @Test func sessionsAreCountedOverWeekendsAndHolidays() {
    // Monday 26 January 2026 is Republic Day.
    #expect(
      text(plan.sessions(2, before: Self.time("2026-01-28 11:30"), of: "NSE"))
        == ["01-23 09:15..01-23 15:30", "01-27 09:15..01-27 15:30", "01-28 09:15..01-28 11:30"])
    #expect(
      text(plan.sessions(1, before: Self.time("2026-01-28 08:00"), of: "NSE")) == ["01-27 09:15..01-27 15:30"]
    )
    #expect(
      text(plan.sessions(1, before: Self.time("2026-01-25 12:00"), of: "NSE")) == ["01-23 09:15..01-23 15:30"]
    )
  }

  @Test func commoditiesKeepTheirHours() {
    let sessions = plan.sessions(1, before: Self.time("2026-01-28 23:00"), of: "MCX")
    #expect(sessions.last.map { CivilTime($0.lowerBound).hour } == 9)
    #expect(sessions.last?.upperBound == Self.time("2026-01-28 23:00"))
  }

  @Test func daysThatTheCalendarDoesNotKnowAreAskedForWhole() {
    let sessions = plan.sessions(2, before: Self.time("2031-01-07 11:30"), of: "NSE")
    #expect(
      text(sessions) == ["01-03 00:00..01-04 00:00", "01-06 00:00..01-07 00:00", "01-07 00:00..01-07 11:30"])
  }

  private static let day = [
    time("2026-01-22 09:15")..<time("2026-01-22 15:30"), time("2026-01-23 09:15")..<time("2026-01-23 15:30"),
    time("2026-01-27 09:15")..<time("2026-01-27 11:00"),
  ]

  private func missing(_ known: (String, String)...) -> [String] {
    text(
      HistoryPlan.missing(
        Self.day, known: known.map { Self.time("2026-01-\($0.0)")..<Self.time("2026-01-\($0.1)") }))
  }

  @Test func whatIsMissingIsAskedForInAsFewStretchesAsPossible() {
    #expect(missing() == ["01-22 09:15..01-27 11:00"])
    #expect(missing(("22 09:15", "27 11:00")).isEmpty)
    #expect(missing(("22 00:00", "24 00:00")) == ["01-27 09:15..01-27 11:00"])
    #expect(missing(("23 09:15", "23 15:30")) == ["01-22 09:15..01-22 15:30", "01-27 09:15..01-27 11:00"])
    #expect(missing(("22 09:15", "27 10:30")) == ["01-27 10:30..01-27 11:00"])
    #expect(missing(("22 12:00", "22 13:00")) == ["01-22 09:15..01-22 12:00", "01-22 13:00..01-27 11:00"])
    #expect(missing(("22 09:00", "22 16:00"), ("22 15:00", "23 10:00")) == ["01-23 10:00..01-27 11:00"])
  }

  @Test func aSessionFullOfHolesIsAskedForOnce() {
    #expect(
      missing(
        ("22 00:00", "24 00:00"), ("27 09:20", "27 09:25"), ("27 09:30", "27 09:35"), ("27 09:40", "27 09:45")
      )
        == ["01-27 09:15..01-27 11:00"])
    #expect(
      missing(
        ("22 00:00", "24 00:00"), ("27 09:15", "27 09:25"), ("27 09:30", "27 09:35"), ("27 09:40", "27 09:45")
      )
        == ["01-27 09:25..01-27 09:30", "01-27 09:35..01-27 09:40", "01-27 09:45..01-27 11:00"])
  }

  @Test func everyMissingMinuteIsAskedForAndTheKnownOnesOnlyBetweenHoles() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let start = Self.day[0].lowerBound
      let known = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        let from = start + Int64.random(in: -60..<8000, using: &generator) * Interval.minute.nanoseconds
        return from..<from + Int64.random(in: 1..<900, using: &generator) * Interval.minute.nanoseconds
      }
      let asked = HistoryPlan.missing(Self.day, known: known)
      for (left, right) in zip(asked, asked.dropFirst()) { #expect(left.upperBound < right.lowerBound) }
      for session in Self.day {
        for minute in stride(
          from: session.lowerBound.nanoseconds, to: session.upperBound.nanoseconds, by: 60_000_000_000)
        {
          let instant = Timestamp(nanoseconds: minute)
          if !known.contains(where: { $0.contains(instant) }) {
            #expect(asked.contains { $0.contains(instant) })
          }
        }
      }
    }
  }
}
