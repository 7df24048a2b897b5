import Glibc
import MarketData
import SharedRing
import Testing

/// A lane between a writer and a reader in one process: order, fullness, take-over, and a hostile consumer.
@Suite struct LaneTests {
  @Test func ticksComeOutInOrderOverManyLaps() throws {
    let name = LaneName()
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    var expected: UInt64 = 0
    for round in 0..<200 {
      for _ in 0..<(round % 17) {
        let sequence = writer.position
        let isWritten = writer.write(.sample(sequence: sequence))
        #expect(isWritten == true)
        if writer.waiting() == 16 { break }
      }
      writer.flush()
      while reader.drain(
        max: 5,
        { run in
          for index in run.indices {
            #expect(run[index].sequence == expected)
            expected += 1
          }
        }) > 0
      {}
    }
    #expect(expected == writer.position)
    #expect(expected > 16 * 50)
    name.unlink()
  }

  @Test func aFullLaneDropsTheNewestCountsItAndMarksTheNext() throws {
    let name = LaneName()
    var writer = try name.writer(capacity: 16)
    var reader = try name.reader()
    var accepted = 0
    for sequence in 0..<20 where writer.write(.sample(sequence: UInt64(sequence))) { accepted += 1 }
    #expect(accepted == 16)
    #expect(reader.dropped == 4)
    _ = reader.drain(max: 16) { #expect($0[15].sequence == 15) }
    let isWritten = writer.write(.sample(sequence: 99))
    #expect(isWritten == true)
    let count = reader.drain(max: 16) { run in
      #expect(run[0].sequence == 99)
      #expect(run[0].flags.contains(.gapBefore))
    }
    #expect(count == 1)
    name.unlink()
  }

  @Test func aRestartedConsumerGoesOnWhereItReleased() throws {
    let name = LaneName()
    var writer = try name.writer(capacity: 16)
    for sequence in 0..<10 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    writer.flush()
    do {
      var first = try name.reader()
      let count = first.drain(max: 4) { _ in }
      #expect(count == 4)
      // Read but not released: the next consumer sees these again.
      _ = first.read(max: 3) { _ in }
    }
    var second = try name.reader()
    _ = second.read(max: 1) { #expect($0[0].sequence == 4) }
    name.unlink()
  }

  @Test func aRestartedProducerFindsTheEndByTheStamps() throws {
    let name = LaneName()
    do {
      var writer = try name.writer(capacity: 16)
      for sequence in 0..<11 { _ = writer.write(.sample(sequence: UInt64(100 + sequence))) }
      // No flush: the published cursor in the segment still says 0, as after a kill in mid-batch.
    }
    var writer = try name.writer(capacity: 16)
    #expect(writer.isTakenOver == true)
    #expect(writer.position == 11)
    #expect(writer.recovered?.sequence == 110)
    _ = writer.write(.sample(sequence: 111))
    writer.flush()
    var reader = try name.reader()
    var sequences: [UInt64] = []
    _ = reader.drain(max: 16) { run in for index in run.indices { sequences.append(run[index].sequence) } }
    #expect(sequences == Array(100...111))
    name.unlink()
  }

  /// The published cursor must never be more than a lap behind, or the stamps that lead from it to the end are gone.
  @Test func aRestartedProducerFindsTheEndAfterABatchOfManyLaps() throws {
    let name = LaneName()
    do {
      var writer = try name.writer(capacity: 16)
      var reader = try name.reader()
      for sequence in 0..<75 {
        _ = writer.write(.sample(sequence: UInt64(sequence)))
        _ = reader.read(max: 1) { _ in }
        reader.release(upTo: reader.position)
      }
      // No flush: as after a kill in mid-batch.
    }
    let writer = try name.writer(capacity: 16)
    #expect(writer.position == 75)
    #expect(writer.recovered?.sequence == 74)
    name.unlink()
  }

  @Test func aSecondConsumerAndASecondProducerAreRefused() throws {
    let name = LaneName()
    let writer = try name.writer(capacity: 16)
    let reader = try name.reader()
    #expect(fault { _ = try name.reader() }?.message.contains("process \(getpid())") == true)
    #expect(fault { _ = try name.writer(capacity: 16) }?.kind == .held)
    #expect(writer.hasConsumer == true)
    _ = consume reader
    #expect(writer.hasConsumer == false)
    name.unlink()
  }

  /// The consumer may write anything into its cursor; the producer must neither hang nor overwrite what is unread.
  @Test(arguments: [UInt64.max, UInt64.max - 3, 1 << 63, 1000, 17])
  func aHostileCursorFreesNothing(claim: UInt64) throws {
    let name = LaneName()
    var writer = try name.writer(capacity: 16)
    for sequence in 0..<16 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    try name.forgeReleased(claim)
    let isWritten = writer.write(.sample(sequence: 16))
    #expect(isWritten == false)
    #expect(writer.dropped == 1)
    name.unlink()
  }

  @Test(arguments: [UInt64.max, UInt64.max - 3, 1 << 63, 1000])
  func aHostileCursorDoesNotEndTheProducerThatTakesTheLaneOver(claim: UInt64) throws {
    let name = LaneName()
    do {
      var writer = try name.writer(capacity: 16)
      for sequence in 0..<5 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
      writer.flush()
    }
    try name.forge(offset: 4096, value: claim)
    var writer = try name.writer(capacity: 16)
    let isTakenOver = writer.isTakenOver
    #expect(isTakenOver)
    for sequence in 0..<40 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    writer.flush()
    name.unlink()
  }

  @Test func everyNotReadyStateHasItsOwnSentence() throws {
    let name = LaneName()
    #expect(fault { _ = try name.reader() }?.message.contains("has no lane") == true)
    try name.createRaw(byteCount: 100)
    #expect(fault { _ = try name.reader() }?.message.contains("too small") == true)
    try name.createRaw(byteCount: 1 << 16)
    #expect(fault { _ = try name.reader() }?.message.contains("not initialised") == true)
    name.unlink()
    _ = try name.writer(capacity: 16)
    try name.forge(offset: 8, value: 77)
    #expect(fault { _ = try name.reader() }?.message.contains("layout version 77") == true)
    name.unlink()
  }

  @Test func aJournalWithUnreadRecordsIsNeverThrownAway() throws {
    let name = LaneName()
    do {
      var writer = try name.writer(capacity: 16, owner: "/data/a")
      for sequence in 0..<5 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
      writer.flush()
    }
    for (capacity, owner) in [(32, "/data/a"), (16, "/data/b")] {
      let refusal = fault { _ = try name.writer(capacity: capacity, owner: owner) }
      #expect(refusal?.kind == .configuration)
      #expect(refusal?.message.contains("5 records") == true && refusal?.message.contains("/data/a") == true)
    }
    do {
      var reader = try name.reader()
      _ = reader.drain(max: 16) { _ in }
    }
    let writer = try name.writer(capacity: 32, owner: "/data/b")
    #expect(writer.isTakenOver == false)
    name.unlink()
  }

  @Test func aTakenOverLaneSaysThatSomethingMayBeMissing() throws {
    let name = LaneName()
    do { _ = try name.writer(capacity: 16) }
    var writer = try name.writer(capacity: 16)
    _ = writer.write(.sample(sequence: 1))
    var reader = try name.reader()
    _ = reader.drain(max: 16) { #expect($0[0].flags.contains(.gapBefore)) }
    name.unlink()
  }

  /// What a consumer can write into the producer's page must not stop the next producer.
  @Test(arguments: [4096, 4096 + 128, 4096 + 136, 4096 + 144, 4096 + 152, 40])
  func aForgedProducerPageTrapsNobody(offset: Int) throws {
    let name = LaneName()
    do {
      var writer = try name.writer(capacity: 16)
      for sequence in 0..<3 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    }
    try name.forge(offset: offset, value: .max)
    var writer = try name.writer(capacity: 16)
    for sequence in 0..<40 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    writer.flush()
    name.unlink()
  }

  @Test(arguments: [0, 1, 8, 24, 100, 1 << 25]) func aBadCapacityIsRefused(capacity: Int) {
    #expect(fault { _ = try LaneName().writer(capacity: capacity) }?.kind == .usage)
  }
}
