import MarketData
import Testing

@testable import SharedRing

/// Runs of slots filled in place, and runs read at once with one release.
@Suite struct BatchTests {
  @Test func aReservedRunIsSeenRecordByRecordAsItIsFilled() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    // Over several laps, so that the slots hold older records under older stamps.
    for round in UInt64(0)..<20 {
      let run = writer.reserve(5)
      #expect(run > 0 && run <= 5)
      for index in 0..<UInt64(run) {
        let early = reader.drain(max: 16) { _ in }
        #expect(early == 0, "what is reserved and not filled is not there")
        writer.append(.sample(sequence: round * 100 + index))
        _ = reader.drain(max: 16) { #expect($0.count == 1 && $0[0].sequence == round * 100 + index) }
      }
      #expect(reader.position == writer.position)
      writer.flush()
      #expect(reader.lag == 0)
    }
  }

  @Test func aRunEndsWithTheRingAndWithTheRoom() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    for sequence in 0..<12 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    writer.flush()
    while reader.drain(max: 16, { _ in }) > 0 {}
    _ = reader.drain(max: 16) { _ in }
    let toRingEnd = writer.reserve(10)
    #expect(toRingEnd == 4)
    for sequence in 0..<2 { writer.append(.sample(sequence: UInt64(sequence))) }
    let afterGivingBack = writer.reserve(100)
    #expect(afterGivingBack == 2, "what was reserved and not filled is free again")
    let none = writer.reserve(0)
    #expect(none == 0)
  }

  /// The first record after a drop says so, whichever way it is written, and no other does.
  @Test(arguments: ["one", "run", "batch", "stream"]) func theMarkAfterADropIsPaidOnce(way: String) throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 128)
    var reader = try name.reader()
    let ticks = (0..<100).map { Tick.sample(sequence: UInt64($0)) }
    let tooMany = (0..<200).map { Tick.sample(sequence: UInt64($0)) }
    let batches = stride(from: 0, to: 100, by: 20).map { Array(ticks[$0..<$0 + 20]) }
    var marks: [Bool] = []
    for _ in 0..<3 {
      _ = writer.write(tooMany.span)
      while reader.drain(max: 128, { _ in }) > 0 {}
      switch way {
      case "one": for tick in ticks { _ = writer.write(tick) }
      case "run":
        var left = ticks.count
        while left > 0 {
          let run = writer.reserve(min(left, 30))
          for index in 0..<run { writer.append(ticks[index]) }
          left -= run
        }
      case "batch":
        for batch in batches { _ = writer.write(batch.span) }
      default: _ = writer.write(ticks.span)
      }
      writer.flush()
      marks.removeAll()
      while reader.drain(
        max: 128, { run in for index in run.indices { marks.append(run[index].flags.contains(.gapBefore)) } })
        > 0
      {}
      #expect(marks == [true] + Array(repeating: false, count: 99))
    }
  }

  @Test func aBatchThatDoesNotFitIsCutCountedAndMarked() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    let ticks = (0..<20).map { Tick.sample(sequence: UInt64($0)) }
    let dropped = writer.write(ticks.span)
    #expect(dropped == 4)
    #expect(reader.value(.dropped) == 4)
    #expect(reader.value(.fullEvents) == 1)
    #expect(reader.value(.highWater) == 16)
    var count = 0
    while reader.drain(max: 16, { count += $0.count }) > 0 {}
    #expect(count == 16)
    let again = writer.write(ticks.span)
    #expect(again == 4)
    _ = reader.drain(max: 1) { #expect($0[0].flags.contains(.gapBefore)) }
    #expect(reader.value(.laps) >= 1)
  }

  /// Long runs take another way than short ones: past the caches, published by their first slot.
  @Test func longBatchesArriveWholeOverManyLaps() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 512)
    var reader = try name.reader()
    writer.noteFilter(InstrumentSet([InstrumentID(rawValue: 3)]), version: 1, behind: 0)
    var sequence: UInt64 = 0
    var seen: [Tick] = []
    for round in 0..<60 {
      let ticks = (0..<(round * 7 % 400)).map { index in
        sequence += 1
        return Tick.sample(
          instrument: round % 2 == 1 && index % 3 == 0 ? 4 : 3, sequence: sequence, price: Int64(sequence))
      }
      if round % 2 == 0 { _ = writer.write(ticks.span) } else { writer.writeObserved(ticks.span) }
      seen.removeAll()
      while reader.drain(max: 512, { for index in $0.indices { seen.append($0[index]) } }) > 0 {}
      let wanted = ticks.filter { $0.instrument.rawValue == 3 }
      #expect(seen.map(\.sequence) == wanted.map(\.sequence), "round \(round)")
      #expect(seen.map(\.lastPrice) == wanted.map(\.lastPrice))
      #expect(seen.allSatisfy { $0.instrument.rawValue == 3 && $0.openInterest == 8 })
    }
    #expect(reader.dropped == 0)
  }

  /// A producer that died in mid-run left stamps of records that it never published; its successor must not let them pass
  /// for its own.
  @Test func theStampsOfABrokenRunAreWithdrawn() throws {
    let name = LaneName()
    defer { name.unlink() }
    do {
      var writer = try name.writer(capacity: 64)
      for sequence in UInt64(0)..<70 {
        _ = writer.write(.sample(sequence: sequence))
        writer.flush()
        var reader = try name.reader()
        while reader.drain(max: 64, { _ in }) > 0 {}
      }
    }
    let slots = 20480
    for position in 71..<100 as Range<Int> {
      try name.forge(offset: slots + position % 64 * 64, value: 5 << 32 | UInt64(position + 1))
    }
    var reader = try name.reader()
    var successor = try name.writer(capacity: 64)
    #expect(successor.position == 70)
    for sequence in UInt64(70)..<140 {
      _ = successor.write(.sample(sequence: sequence))
      var seen: [UInt64] = []
      while reader.drain(max: 64, { for index in $0.indices { seen.append($0[index].sequence) } }) > 0 {}
      #expect(seen == [sequence])
    }
  }

  @Test func drainingReleasesByTheEighthOfTheRingAndAtOnceWhenIdle() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 64)
    var reader = try name.reader()
    let ticks = (0..<20).map { Tick.sample(sequence: UInt64($0)) }
    _ = writer.write(ticks.span)
    _ = reader.drain(max: 5) { _ in }
    #expect(reader.value(.released) == 0, "five of 64 are kept back")
    _ = reader.drain(max: 5) { _ in }
    #expect(reader.value(.released) == 10, "ten are more than an eighth")
    _ = reader.drain(max: 5) { _ in }
    #expect(reader.value(.released) == 10)
    _ = reader.drain(max: 5) { _ in }
    let idle = reader.drain(max: 5) { _ in }
    #expect(idle == 0)
    #expect(reader.value(.released) == 20)
  }

  /// After a look that found nothing the record that was waited for comes alone, what follows it as a run.
  @Test func theRecordThatWasWaitedForComesAlone() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 64)
    var reader = try name.reader()
    let ticks = (0..<8).map { Tick.sample(sequence: UInt64($0)) }
    _ = writer.write(ticks.span)
    let first = reader.drain(max: 64) { _ in }
    let nothing = reader.drain(max: 64) { _ in }
    _ = writer.write(ticks.span)
    let waitedFor = reader.drain(max: 64) { #expect($0[0].sequence == 0) }
    let rest = reader.drain(max: 64) { #expect($0[0].sequence == 1) }
    #expect([first, nothing, waitedFor, rest] == [8, 0, 1, 7])
  }

  /// Only a consumer in full flow steps back: one that finds single records looks again at once.
  @Test func theFlowIsFullWhenRunsKeepComing() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 1024)
    var reader = try name.reader()
    for sequence in UInt64(0)..<500 {
      _ = writer.write(.sample(sequence: sequence))
      for _ in 0..<6 { _ = reader.drain(max: 16) { _ in } }
      #expect(reader.pace.flow < ReadingPace.fullFlow)
    }
    let ticks = (0..<64).map { Tick.sample(sequence: UInt64($0)) }
    var stepsBack = 0
    for _ in 0..<100 {
      _ = writer.write(ticks.span)
      let before = reader.pace.flow
      while reader.drain(max: 128, { _ in }) > 0 {}
      // The flow only grows while runs keep coming, unless a step back takes something from it.
      if reader.pace.flow < before { stepsBack += 1 }
    }
    #expect(stepsBack > 0 && reader.pace.flow < ReadingPace.fullFlow)
  }

  /// A consumer that takes records one by one and never finds none sees how near the producer is on a line ahead.
  @Test(arguments: [16, 1024]) func howNearTheProducerIsShowsAhead(capacity: Int) throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: capacity)
    var reader = try name.reader()
    let distance = min(128, capacity / 4 - 1)
    for round in 0..<3 {
      for offset in 0...distance {
        let isClose = reader.isFollowingClosely
        #expect(isClose, "round \(round), \(offset) ahead")
        _ = writer.write(.sample(sequence: UInt64(offset)))
      }
      let isStillClose = reader.isFollowingClosely
      #expect(!isStillClose, "round \(round)")
      while reader.drain(max: 1, { _ in }) > 0 {}
    }
  }

  @Test func skippingIsCountedAndTellsTheLag() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 64)
    var reader = try name.reader()
    let ticks = (0..<20).map { Tick.sample(sequence: UInt64($0)) }
    _ = writer.write(ticks.span)
    #expect(reader.lag == 20)
    let skipped = reader.skipToLatest()
    #expect(skipped == 20)
    #expect(reader.lag == 0)
    #expect(reader.value(.skipped) == 20)
    #expect(writer.waiting() == 0)
    _ = writer.write(.sample(sequence: 77))
    writer.flush()
    _ = reader.drain(max: 9) { #expect($0[0].sequence == 77) }
  }
}
