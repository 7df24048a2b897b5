import MarketData
import Testing
import TimeSeries

private func series(_ values: [Double]) -> Series {
  Series(times: values.indices.map { Timestamp(seconds: Int64($0) * 60) }, values: values)
}

private let missing = Double.nan

@Suite struct SeriesTests {
  @Test func aWindowThatIsNotFullIsMissingNotZero() {
    let values = series([1, 2, 3, 4])
    #expect(values.rollingSum(3) == series([missing, missing, 6, 9]))
    #expect(values.rollingMean(5) == series([missing, missing, missing, missing]))
    #expect(series([]).rollingMean(2).isEmpty)
  }

  @Test func aMissingValueIsForgottenWhenItLeavesTheWindow() {
    let values = series([1, missing, 3, 4, 5, 2])
    #expect(values.rollingSum(2) == series([missing, missing, missing, 7, 9, 7]))
    #expect(values.rollingMin(2) == series([missing, missing, missing, 3, 4, 2]))
    #expect(values.rollingMax(2) == series([missing, missing, missing, 4, 5, 5]))
    #expect(
      values.rollingStandardDeviation(2, degreesLost: 0)
        == series([missing, missing, missing, 0.5, 0.5, 1.5]))
    #expect(series([.infinity, 1, 2, 3]).rollingSum(2) == series([missing, .infinity, 3, 5]))
  }

  @Test func oneHugeValueLeavesNoTraceInLaterSums() {
    let values = series([1e18, 0.25, 0.5, 0.75, 1])
    #expect(values.rollingSum(2) == series([missing, 1e18, 0.75, 1.25, 1.75]))
    #expect(
      series([1e9, 1e9 + 0.05, 1e9, 1e9 + 0.05]).rollingStandardDeviation(4, degreesLost: 0)[3] > 0.0249)
  }

  @Test func everyWindowLengthAgreesWithAddingUp() {
    let values = (0..<40).map { Double(($0 * 7919) % 101) }
    for window in 1...41 {
      for length in [0, 1, 2, 39, 40] {
        let part = Array(values[..<length])
        let expected = part.indices.map { index in
          index + 1 < window ? missing : part[(index + 1 - window)...index].reduce(0, +)
        }
        #expect(series(part).rollingSum(window) == series(expected))
        let largest = part.indices.map { index in
          index + 1 < window ? missing : part[(index + 1 - window)...index].max() ?? missing
        }
        #expect(series(part).rollingMax(window) == series(largest))
      }
    }
  }

  @Test func changesHaveNoFirstValue() {
    #expect(series([2, 3, 6]).returns() == series([missing, 0.5, 1]))
    #expect(series([2, 3, 6]).returns(2) == series([missing, missing, 2]))
    #expect(series([1, -1]).logReturns() == series([missing, missing]))
    #expect(series([2, 3]).difference() == series([missing, 1]))
    #expect(series([2]).returns(7) == series([missing]))
  }

  @Test func shiftingMovesValuesAndNeverWraps() {
    let values = series([1, 2, 3])
    #expect(values.shift(1) == series([missing, 1, 2]))
    #expect(values.shift(-1) == series([2, 3, missing]))
    #expect(values.shift(0) == values)
    for steps in [3, 4, -3, .max, .min] {
      #expect(values.shift(steps) == series([missing, missing, missing]))
    }
  }

  @Test func zScoreIsMissingWhereNothingDeviates() {
    #expect(series([5, 5, 5, 8]).zScore(3).values[2].isNaN)
    #expect(series([1, 2, 3]).zScore(3)[2] == 1)
  }

  @Test func asOfTakesTheLatestAtOrBeforeAndNothingLater() {
    let prices = Series(times: [10, 20, 30].map { Timestamp(seconds: $0) }, values: [1, 2, 3])
    let asked = [5, 10, 19, 30, 500].map { Timestamp(seconds: $0) }
    #expect(prices.asOf(asked) == Series(times: asked, values: [missing, 1, 1, 3, 3]))
    let fresh = prices.asOf(asked, toleranceNanoseconds: 9_000_000_000)
    #expect(fresh == Series(times: asked, values: [missing, 1, 1, 3, missing]))
  }

  @Test func alignedSeriesShareOneAxisAndKeepTheirHoles() {
    let left = Series(times: [10, 30].map { Timestamp(seconds: $0) }, values: [1, 3])
    let right = Series(times: [20, 30].map { Timestamp(seconds: $0) }, values: [2, 4])
    let both = Series.aligned([left, right])
    #expect(both[0].times.map(\.seconds) == [10, 20, 30])
    #expect((both[0] + both[1]).values.map(\.isNaN) == [true, true, false])
    #expect((both[0] + both[1])[2] == 7)
    #expect(both[0].carried().values == [1, 1, 3])
    #expect(left[Timestamp(seconds: 30)] == 3)
    #expect(left[Timestamp(seconds: 20)] == nil)
  }
}
