import MarketData
import Testing
import TimeSeries

/// Longer candles of a series end with their session (candle rule 17).
@Suite struct SessionAnchorTests {
  /// 09:15 to 15:30 on every day but the 24th of November 2026, of which nothing is known.
  private struct Hours: SessionSchedule {
    func tradingDay(_ dayNumber: Int, of _: MarketGroup) throws(Fault) -> TradingDay {
      let civil = CivilTime(dayNumber: dayNumber)
      guard civil.day != 24 else { throw Fault(.configuration, "not known") }
      let start = civil.timestamp() + 555 * Interval.minute.nanoseconds
      let phase = PhaseSpan(.continuous, from: start, to: start + 375 * Interval.minute.nanoseconds)
      let session = TradingSession(name: "regular", phases: [phase])
      return TradingDay(dayNumber: dayNumber, sessions: session.map { [$0] } ?? [])
    }
  }

  private let anchor = SessionAnchor(Hours(), of: MarketGroup(.cash))

  @Test func rule17TheLastHourEndsWithTheSession() throws {
    let day = CandleSeries((0..<375 as Range<Int64>).map { candle($0) })
    let hours = try day.resample(to: .minutes(60), anchor: anchor)
    let last = try #require(hours.candles.last)
    #expect(CivilTime(last.start).timeText == "15:15:00")
    #expect(last.state == .final)
    #expect(last.coverage == 100)
    #expect(last.flags.contains(.short))
    #expect(!hours[0].flags.contains(.short))
  }

  @Test func anHourWithoutItsLastMinuteIsOverWhenTheSessionIs() throws {
    let part = CandleSeries((360..<370 as Range<Int64>).map { candle($0) })
    let end = Timestamp(seconds: 1_795_405_500 + 375 * 60)
    let before = try part.resample(to: .minutes(60), anchor: anchor, until: end + -1)
    #expect(before.candles.map(\.state) == [.forming])
    let after = try part.resample(to: .minutes(60), anchor: anchor, until: end)
    #expect(after.candles.map(\.state) == [.final])
  }

  @Test func whatIsTradedAfterTheSessionIsInNoCandleOfIt() throws {
    let late = CandleSeries((370..<380 as Range<Int64>).map { candle($0) })
    let hours = try late.resample(to: .minutes(60), anchor: anchor)
    #expect(hours.candles.map { CivilTime($0.start).timeText } == ["15:15:00", "15:30:00"])
    #expect(hours.candles.map(\.tickCount) == [5, 5].map { $0 * late[0].tickCount })
    #expect(hours[0].flags.contains(.short) && !hours[1].flags.contains(.short))
    for interval in [Interval.day, .week] {
      #expect(
        try late.resample(to: interval, anchor: anchor).candles.map(\.tickCount) == [hours[0].tickCount])
    }
  }

  @Test func aDayThatTheScheduleDoesNotKnowIsAnchoredAsEquitiesAre() {
    let unknown = Timestamp(seconds: 1_795_405_500 + 86_400)
    #expect(anchor.start(unknown + 5) == unknown)
    #expect(anchor.end(ofBucketFrom: unknown, .minutes(60)) == unknown + 3_600_000_000_000)
  }
}
