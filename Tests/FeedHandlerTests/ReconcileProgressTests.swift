import MarketData
import Testing

@testable import FeedHandler

/// Who is asked for which of the venue's minutes, and when (candle rule 18).
@Suite struct ReconcileProgressTests {
  private let open = Timestamp(seconds: 1_795_405_500)
  private var session: Range<Timestamp> { open..<open + 375 * Interval.minute.nanoseconds }

  private func instrument(_ id: UInt32) throws -> Instrument {
    Instrument(
      id: InstrumentID(rawValue: id), symbol: try Symbol("NSE:S\(id)"), venueToken: "\(id)", priceTick: .zero,
      lotSize: 1)
  }

  private func progress(_ count: UInt32) throws -> ReconcileProgress {
    var progress = ReconcileProgress()
    for id in 0..<count { progress.observe(try instrument(id)) }
    progress.begin(session: session)
    return progress
  }

  private func due(_ progress: ReconcileProgress, _ seconds: Int64) -> [ReconcileProgress.Due] {
    progress.due(
      at: open + seconds * Timestamp.nanosecondsPerSecond, afterNanoseconds: 15_000_000_000,
      closeAfterNanoseconds: 600_000_000_000)
  }

  @Test func rule18AMinuteIsAskedForASetTimeAfterItsEnd() throws {
    let progress = try progress(1)
    #expect(due(progress, 74).isEmpty)
    let first = due(progress, 75)
    #expect(first.map(\.request.from) == [open])
    #expect(first.map(\.request.to) == [open + Interval.minute.nanoseconds])
  }

  @Test func whoHasWaitedLongestComesFirstAndIsAskedForAllItMissed() throws {
    var progress = try progress(3)
    progress.settle(due(progress, 75)[0])
    let next = due(progress, 135)
    #expect(next.map(\.request.instrument.id.rawValue) == [1, 2, 0])
    #expect(next[0].request.to == open + 2 * Interval.minute.nanoseconds)
    #expect(next[0].request.from == open)
    #expect(next[2].request.from == open + Interval.minute.nanoseconds)
  }

  @Test func oneThatFailedIsPutOffAndHoldsNobodyUp() throws {
    var progress = try progress(2)
    progress.postpone(due(progress, 75)[0], until: open + 135 * Timestamp.nanosecondsPerSecond)
    #expect(due(progress, 134).map(\.request.instrument.id.rawValue) == [1])
    #expect(due(progress, 135).count == 2)
  }

  @Test func afterTheCloseTheWholeDayIsFetchedOnceMoreAndThenNothing() throws {
    var progress = try progress(1)
    let end = Int64(375 * 60)
    let last = due(progress, end + 100)
    #expect(last.map(\.request.to) == [session.upperBound])
    progress.settle(last[0])
    #expect(due(progress, end + 599).isEmpty)
    let closing = due(progress, end + 600)
    #expect(closing.map(\.isClosing) == [true])
    #expect(closing.map(\.request.from) == [open])
    progress.settle(closing[0])
    #expect(due(progress, end + 5000).isEmpty)
  }

  @Test func anotherDayBeginsAnewAndALateComerIsAskedForTheWholeDay() throws {
    var progress = try progress(1)
    progress.settle(due(progress, 75)[0])
    progress.observe(try instrument(9))
    #expect(due(progress, 80).map(\.request.instrument.id.rawValue) == [9])
    let tomorrow = open + 86_400 * Timestamp.nanosecondsPerSecond
    progress.begin(session: tomorrow..<tomorrow + Interval.minute.nanoseconds)
    #expect(due(progress, 86_400 + 75).count == 2)
  }
}
