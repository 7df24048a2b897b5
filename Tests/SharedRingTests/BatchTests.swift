import MarketData
import SharedRing
import Testing

/// Runs of slots filled in place, and runs read at once with one release.
@Suite struct BatchTests {
  @Test func aReservedRunIsSeenOnlyOnceItIsPublished() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    // Over several laps, so that the slots hold older records under older stamps.
    for round in UInt64(0)..<20 {
      let run = writer.reserve(5)
      #expect(run > 0 && run <= 5)
      for index in 0..<run { writer.fill(index, .sample(sequence: round * 100 + UInt64(index))) }
      let early = reader.drain(max: 16) { _ in }
      #expect(early == 0, "nothing is there before publish")
      writer.publish(run)
      writer.flush()
      var seen: [UInt64] = []
      while reader.drain(max: 16, { for index in $0.indices { seen.append($0[index].sequence) } }) > 0 {}
      #expect(seen == (0..<UInt64(run)).map { round * 100 + $0 })
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
    for index in 0..<4 { writer.fill(index, .sample(sequence: UInt64(index))) }
    writer.publish(2)
    let afterGivingBack = writer.reserve(100)
    #expect(afterGivingBack == 2, "what was reserved and not published is free again")
    writer.publish(0)
    let none = writer.reserve(0)
    #expect(none == 0)
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
