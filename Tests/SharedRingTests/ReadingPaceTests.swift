import Testing

@testable import SharedRing

/// When a consumer had better step back.
struct ReadingPaceTests {
  @Test func oneThatWaitsForSingleRecordsIsNeverInFullFlow() {
    var pace = ReadingPace(at: 0)
    var position: UInt64 = 0
    for look in 0..<100_000 {
      if look % 5 == 0 { position += 1 }
      let isFull = pace.noteShortLook(at: position)
      #expect(!isFull)
    }
  }

  @Test func aBurstIsNoFlow() {
    var pace = ReadingPace(at: 0)
    var position: UInt64 = 0
    for _ in 0..<20 {
      for _ in 0..<3 {
        position += 200
        let isFull = pace.noteShortLook(at: position)
        #expect(!isFull)
      }
      for _ in 0..<10_000 {
        let isFull = pace.noteShortLook(at: position)
        #expect(!isFull)
      }
    }
  }

  @Test(arguments: [1, 64, 5000]) func runsThatKeepComingFillTheFlow(run: UInt64) {
    var pace = ReadingPace(at: 7)
    var position: UInt64 = 7
    var looks = 0
    repeat {
      position += run
      looks += 1
    } while !pace.noteShortLook(at: position) && looks < 5000
    #expect(looks < 2000)
  }

  @Test func itStepsBackAgainOnlyWhereTheFlowGoesOn() {
    var pace = ReadingPace(at: 0)
    var position: UInt64 = 0
    repeat { position += 64 } while !pace.noteShortLook(at: position)
    var slower = pace
    pace.noteStepBack()
    let isFullAgain = pace.noteShortLook(at: position + 40)
    #expect(isFullAgain)
    slower.noteStepBack()
    // Nothing brings it back but records.
    for _ in 0..<100 {
      let isFull = slower.noteShortLook(at: position + 8)
      #expect(!isFull)
    }
  }

  @Test func aFlowIsSustainedThatFoundNoShortLook() {
    var pace = ReadingPace(at: 100)
    #expect(!pace.isSustained(at: 100 + 4095))
    #expect(pace.isSustained(at: 100 + 4096))
    _ = pace.noteShortLook(at: 5000)
    #expect(!pace.isSustained(at: 5001))
  }
}
