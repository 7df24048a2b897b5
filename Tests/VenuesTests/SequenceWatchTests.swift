import MarketData
import Testing

@testable import Venues

/// Holes in a venue's running numbers, and what only looks like one.
@Suite struct SequenceWatchTests {
  private let instrument = InstrumentID(rawValue: 5)

  private func missing(_ numbers: [Int64]) -> [UInt64] {
    var watch = SequenceWatch()
    return numbers.map { watch.missing(before: $0, of: instrument) }
  }

  @Test func aHoleIsFoundOnceTheNumbersAreKnownToFollowEachOther() {
    #expect(missing([41, 42, 43, 44, 45, 49, 50]) == [0, 0, 0, 0, 0, 3, 0])
    #expect(missing([41, 42, 43, 44, 48]) == [0, 0, 0, 0, 0])
  }

  @Test func numbersSharedByManyInstrumentsHaveNoHoles() {
    #expect(missing([1000, 1017, 1018, 1044, 1051, 1052, 1053, 1099]).allSatisfy { $0 == 0 })
  }

  @Test func aHoleCostsBeliefSoThatTwoAtOnceCountAndThenNoMore() {
    let steady = Array(Int64(1)...12)
    #expect(missing(steady + [14, 16, 18, 20]).suffix(4) == [1, 1, 0, 0])
  }

  @Test func repeatedAndLateFramesAreNoHolesAndANewCountIsANewCount() {
    #expect(missing([10, 11, 12, 13, 14, 14, 12, 15, 17]) == [0, 0, 0, 0, 0, 0, 0, 0, 1])
    #expect(missing([90_001, 90_002, 90_003, 90_004, 90_005, 1, 2, 4]) == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(missing([0, -1, .min, .max, 0, 5, .max]) == [0, 0, 0, 0, 0, 0, 0])
  }

  @Test func eachInstrumentHasItsOwnNumbers() {
    var watch = SequenceWatch()
    for number in Int64(1)...8 {
      #expect(watch.missing(before: number, of: instrument) == 0)
      #expect(watch.missing(before: number * 100, of: InstrumentID(rawValue: 900)) == 0)
    }
    watch.reset()
    #expect(watch.missing(before: 20, of: instrument) == 0)
  }
}
