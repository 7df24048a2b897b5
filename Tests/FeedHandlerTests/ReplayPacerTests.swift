import FeedControl
import MarketData
import Testing

@testable import FeedHandler

/// When a replayed record is due, by a machine time that the test makes up.
@Suite struct ReplayPacerTests {
  private let start = Timestamp(seconds: 1_000)
  private let wall = Timestamp(seconds: 5_000)

  private func wall(_ milliseconds: Int64) -> Timestamp { wall + milliseconds * 1_000_000 }
  private func feed(_ milliseconds: Int64) -> Timestamp { start + milliseconds * 1_000_000 }

  @Test func theClockRunsAtTheSpeedThatWasAsked() {
    let pacer = ReplayPacer(speed: .times(20), start: start, now: wall)
    #expect(pacer.due(wall(100)) == feed(2_000))
    #expect(pacer.delay(until: feed(2_000), wall) == 100_000_000)
    #expect(pacer.delay(until: feed(-1), wall) == 0)
  }

  @Test func atFullSpeedEverythingIsDueAndTheClockShowsTheNewestRecord() {
    var pacer = ReplayPacer(speed: .max, start: start, now: wall)
    #expect(pacer.due(wall) == nil)
    #expect(pacer.delay(until: feed(1_000_000), wall) == 0)
    #expect(pacer.clock.feedTime(at: wall(500)) == start)
    pacer.note(feed(7_000), wall(1))
    #expect(pacer.clock.feedTime(at: wall(999)) == feed(7_000))
  }

  @Test func aPauseStopsTheClockAndNothingIsMadeUpAfterwards() {
    var pacer = ReplayPacer(speed: .times(1), start: start, now: wall)
    pacer.pause(wall(300))
    #expect(pacer.clock.feedTime(at: wall(10_000)) == feed(300))
    pacer.resume(wall(10_000))
    #expect(pacer.due(wall(10_050)) == feed(350))
  }

  @Test func anotherSpeedGoesOnFromWhereItIs() {
    var pacer = ReplayPacer(speed: .times(1), start: start, now: wall)
    pacer.set(.times(10), wall(100))
    #expect(pacer.due(wall(200)) == feed(1_100))
    pacer.set(.max, wall(200))
    #expect(pacer.due(wall(200)) == nil)
    pacer.note(feed(60_000), wall(210))
    pacer.set(.times(1), wall(300))
    #expect(pacer.due(wall(301)) == feed(60_001))
  }

  @Test func aSeekMovesTheClockWhetherItRunsOrStands() {
    var pacer = ReplayPacer(speed: .times(2), start: start, now: wall)
    pacer.move(to: feed(-5_000), wall(10))
    #expect(pacer.due(wall(20)) == feed(-4_980))
    pacer.pause(wall(20))
    pacer.move(to: feed(90_000), wall(30))
    #expect(pacer.clock.feedTime(at: wall(40)) == feed(90_000))
    // Set while paused, the speed counts from the next resume on.
    pacer.set(.times(4), wall(50))
    #expect(pacer.clock.speed == 0)
    pacer.resume(wall(60))
    #expect(pacer.due(wall(70)) == feed(90_040))
  }

  @Test func aStepBeyondTheEndOfTimeGoesOnAndNotBack() {
    #expect(ReplayStep(from: start, nanoseconds: 5) == .until(start + 5))
    #expect(ReplayStep(from: start, nanoseconds: .max) == .until(Timestamp(nanoseconds: .max)))
  }

  @Test(arguments: ["0", "-1", "fast", "", "nan", "inf", "1e9"])
  func aSpeedThatCannotBeIsRefused(text: String) {
    #expect(throws: Fault.self) { try ReplaySpeed(text) }
  }

  @Test(arguments: ["max", "1", "0.5", "20"])
  func aSpeedReadsAsItIsWritten(text: String) throws {
    #expect(try ReplaySpeed(text).description == text)
  }
}

/// What the publishing thread tells the recorder.
@Suite struct StreamMarkTests {
  @Test func aMarkIsReadWholeOrNotAtAll() async {
    let mark = StreamMark()
    #expect(mark.read() == nil)
    let writer = Task.detached {
      for sequence in 1...UInt64(300_000) {
        mark.set(sequence: sequence, hash: sequence &* 0x9E37_79B9_7F4A_7C15)
      }
    }
    var last: UInt64 = 0
    while last < 300_000 {
      guard let (sequence, hash) = mark.read() else {
        await Task.yield()
        continue
      }
      #expect(hash == sequence &* 0x9E37_79B9_7F4A_7C15 && sequence >= last)
      last = sequence
    }
    await writer.value
  }
}
