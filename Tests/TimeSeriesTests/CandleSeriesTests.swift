import MarketData
import Testing
import TimeSeries

/// A minute candle so many minutes after 09:15 on the 23rd of November 2026.
func candle(
  _ minute: Int64, open: Double = 100, high: Double = 102, low: Double = 99, close: Double = 101,
  volume: Int64 = 10, state: CandleState = .final
) -> Candle {
  func price(_ value: Double) -> Price { Price(units: Int64((value * 1e9).rounded())) }
  return Candle(
    instrument: InstrumentID(rawValue: 0), interval: .minute,
    start: Timestamp(seconds: 1_795_405_500 + minute * 60), open: price(open), high: price(high),
    low: price(low), close: price(close), volume: volume, tickCount: 3, state: state, origin: .built)
}

@Suite struct CandleSeriesTests {
  private let day = CandleSeries(
    (0..<375 as Range<Int64>).map { candle($0, close: 99 + Double($0 % 4), volume: $0 + 1) })

  @Test func rule17HigherIntervalsAreAnchoredToTheSessionsStart() throws {
    let hours = try day.resample(to: .minutes(60))
    #expect(
      hours.candles.map { CivilTime($0.start).timeText } == [
        "09:15:00", "10:15:00", "11:15:00", "12:15:00", "13:15:00", "14:15:00", "15:15:00",
      ])
    #expect(hours[0].volume == (1...60).reduce(0, +))
    #expect(hours[0].close == day[59].close)
    #expect(hours[0].tickCount == 180)
    #expect(hours[5].state == .final)
    // The last hour of the day has a quarter of an hour only.
    #expect(hours[6].coverage == 25)
  }

  @Test func aRollUpThatLacksPiecesSaysSoByItsCoverage() throws {
    let holes = CandleSeries(
      [0, 1, 4, 5].map { candle($0, high: 100 + Double($0), low: 99 - Double($0)) })
    let five = try holes.resample(to: .minutes(5))
    #expect(five.candles.map(\.coverage) == [60, 20])
    #expect(five[0].high == Price(units: 104_000_000_000))
    #expect(five[0].low == Price(units: 95_000_000_000))
    #expect(five.candles.map(\.state) == [.final, .forming])
  }

  @Test func absurdValuesDoNotEndTheProgram() throws {
    let pieces = (0..<5 as Range<Int64>).map { number in
      var piece = candle(number, volume: .max)
      (piece.turnover, piece.tickCount, piece.openInterest) = (.max, .max, .max)
      piece.coverage = number == 0 ? .min : .max
      return piece
    }
    let five = try CandleSeries(pieces).resample(to: .minutes(5))
    #expect(five.candles.map(\.high) == [Price(units: 102_000_000_000)])
    #expect(five[0].coverage == 80)
  }

  @Test func theStateOfARollUpIsThatOfItsWeakestPiece() throws {
    let pieces = (0..<5 as Range<Int64>).map { candle($0, state: $0 == 4 ? .provisional : .final) }
    #expect(try CandleSeries(pieces).resample(to: .minutes(5))[0].state == .provisional)
    #expect(
      try CandleSeries([candle(0), candle(1, state: .forming)]).resample(to: .minutes(5))[0].state == .forming
    )
  }

  @Test(arguments: [Interval(seconds: 30), Interval(seconds: 90)])
  func anIntervalThatIsNoMultipleIsRefused(interval: Interval) {
    #expect(throws: Fault.self) { _ = try day.resample(to: interval) }
  }

  @Test func rule10FillingsAreMarkedAndHaveNoVolume() {
    let holes = CandleSeries([candle(1), candle(3, close: 99.5)])
    let axis = (0..<5 as Range<Int64>).map { Timestamp(seconds: 1_795_405_500 + $0 * 60) }
    let flat = holes.filled(on: axis, .flat)
    #expect(flat.filled == [false, true, false, true])
    #expect(flat.candles.map(\.volume) == [10, 0, 10, 0])
    #expect(flat[1].high == flat[0].close && flat[1].open == flat[0].close)
    let carried = holes.filled(on: axis, .carry)
    #expect(carried[1].high == carried[0].high && carried.isFilled(1) && !carried.isFilled(2))
    #expect(holes.filled(on: axis, .none) == holes)
  }

  @Test func vwapBeginsAnewEachDayAndIsMissingBeforeATrade() {
    let nextDay: Int64 = 1440
    let series = CandleSeries([
      candle(0, volume: 0), candle(1, high: 12, low: 6, close: 9, volume: 10),
      candle(2, high: 24, low: 12, close: 18, volume: 20),
      candle(nextDay, high: 3, low: 1, close: 2, volume: 5),
    ])
    let vwap = series.vwap()
    #expect(vwap[0].isNaN)
    #expect(Array(vwap.values[1...]) == [9, 15, 2])
    var exact = candle(0, volume: 4)
    exact.turnover = 4 * 50 * Candle.turnoverUnitsPerOne
    #expect(CandleSeries([exact]).vwap()[0] == 50)
    #expect(series.rollingVWAP(2)[2] == 15)
  }

  @Test func theCandleAtATimeIsTheOneWhoseIntervalHoldsIt() {
    let series = CandleSeries([candle(0), candle(2)])
    #expect(series.candle(at: candle(0).start + 59_999_999_999)?.start == candle(0).start)
    #expect(series.candle(at: candle(1).start) == nil)
    #expect(series.candle(at: candle(0).start + -1) == nil)
  }
}
