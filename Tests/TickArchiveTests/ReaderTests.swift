import MarketData
import Testing
import TickArchive

@Suite struct ReaderTests {
  @Test func timeAndInstrumentSelectTheTicksThatAPlainFilterSelects() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 4000)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 256))
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    let bounds: [Timestamp?] = [nil, ticks[0].receiveTime, ticks[1300].receiveTime, ticks[3999].receiveTime]
    let selections: [Set<InstrumentID>?] = [nil, [], [.all], [InstrumentID(rawValue: 3), .all]]
    for from in bounds {
      for to in bounds {
        for instruments in selections {
          var selected: [Tick] = []
          try reader.forEachTick(from: from, to: to, instruments: instruments) { tick throws(Fault) in
            selected.append(tick)
          }
          let expected = ticks.filter { tick in
            from.map { tick.receiveTime >= $0 } ?? true && to.map { tick.receiveTime < $0 } ?? true
              && instruments.map { $0.contains(tick.instrument) } ?? true
          }
          #expect(selected == expected)
        }
      }
    }
  }

  @Test func aFaultThrownByTheBodyStopsReading() throws {
    let directory = try TemporaryDirectory()
    try archive(
      TickStreams.plausible(count: 100), in: directory.path, options: ArchiveOptions(blockTicks: 10))
    var blocks = 0
    #expect(throws: Fault(.unavailable, "enough")) {
      try ArchiveReader(directory: directory.path, feed: nil).forEachBlock { _ throws(Fault) in
        blocks += 1
        if blocks == 3 { throw Fault(.unavailable, "enough") }
      }
    }
    #expect(blocks == 3)
  }

  @Test func aSegmentCanBeReadWhileItIsWritten() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 1000)
    var writer = try ArchiveWriter(
      directory: directory.path, feed: "test", options: ArchiveOptions(blockTicks: 100))
    let early = try ArchiveReader(directory: directory.path, feed: "test")
    for (index, tick) in ticks.enumerated() {
      let sealed = try writer.append(tick)
      #expect(sealed == (index % 100 == 99))
      if sealed {
        #expect(try readAll(early) == Array(ticks[...index]))
        #expect(writer.lastSealedSequence == tick.sequence)
      }
    }
    #expect(try early.info().map(\.isComplete) == [false])
    try writer.close()
    #expect(try early.info().map(\.isComplete) == [true])
    #expect(try readAll(early) == ticks)
  }

  @Test func infoTellsWhatASegmentHoldsWithAndWithoutFooter() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 250)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 100))
    let file = try directory.segments[0]
    let complete = try ArchiveReader(file: file).info()[0]
    #expect(complete.ticks == 250 && complete.blocks == 3 && complete.version == 3 && complete.isComplete)
    #expect(complete.firstSequence == 1 && complete.lastSequence == 250)
    #expect(complete.firstTime == ticks.first?.receiveTime && complete.lastTime == ticks.last?.receiveTime)

    try writeBytes(readBytes(file).dropLast(), to: file)
    var walked = try ArchiveReader(file: file).info()[0]
    #expect(!walked.isComplete)
    walked.isComplete = true
    walked.bytes += 1
    #expect(walked == complete)
  }

  @Test func aDirectoryOfSeveralFeedsWantsOneNamed() throws {
    let directory = try TemporaryDirectory()
    for feed in ["kite", "angel-one"] {
      var writer = try ArchiveWriter(directory: directory.path, feed: feed)
      _ = try writer.append(TickStreams.plausible(count: 1)[0])
      try writer.close()
    }
    #expect {
      try ArchiveReader(directory: directory.path, feed: nil)
    } throws: { error in
      (error as? Fault)?.kind == .usage && "\(error)".contains("angel-one, kite")
    }
    #expect(try ArchiveReader(directory: directory.path, feed: "angel-one").info().count == 1)
  }

  @Test func whatIsNotThereIsSaidToBeMissing() {
    #expect(throws: Fault(.missingInput, "cannot open /no/such.tka: No such file or directory")) {
      try ArchiveReader(file: "/no/such.tka")
    }
    #expect(
      throws: Fault(.missingInput, "cannot read archive directory /no/such: No such file or directory")
    ) {
      try ArchiveReader(directory: "/no/such", feed: "test")
    }
  }

  @Test func aNewerVersionIsRefusedByName() throws {
    let directory = try TemporaryDirectory()
    try archive(TickStreams.plausible(count: 10), in: directory.path)
    let file = try directory.segments[0]
    var bytes = try readBytes(file)
    bytes[8] = 4
    Checksums.reseal(&bytes, 0..<60)
    try writeBytes(bytes, to: file)
    let sentence = "\(file) is of format version 4; this program reads versions up to 3"
    #expect(throws: Fault(.badData, sentence)) { try ArchiveReader(file: file) }
    #expect(throws: Fault(.badData, sentence)) {
      _ = try ArchiveWriter(directory: directory.path, feed: "test").lastSealedSequence
    }
  }

  /// Few of many instruments are joined one by one, many of few with all others.
  @Test(arguments: TickKernels.allCases, [1, 3, 40, 200])
  func chosenInstrumentsComeOutAsAmongAllOthers(kernels: TickKernels, chosen: UInt32) throws {
    let directory = try TemporaryDirectory()
    for (number, ticks) in [
      TickStreams.plausible(count: 9000, instruments: 200),
      TickStreams.arbitrary(count: 4000, instruments: 200, seed: 5),
      TickStreams.summarized(count: 9000, instruments: 200),
    ].enumerated() {
      let path = "\(directory.path)/\(number)"
      try archive(ticks, in: path, options: ArchiveOptions(blockTicks: 5000))
      var reader = try ArchiveReader(directory: path, feed: "test")
      reader.kernels = kernels
      let known = Set(ticks.map(\.instrument)).sorted()
      let wanted = Set(known.enumerated().filter { $0.offset % (200 / Int(chosen)) == 0 }.map(\.element))
      var found: [Tick] = []
      try reader.forEachTick(instruments: wanted) { tick throws(Fault) in found.append(tick) }
      #expect(found == ticks.filter { wanted.contains($0.instrument) })
      #expect(!found.isEmpty)
    }
  }

  @Test(arguments: TickKernels.allCases, [true, false])
  func fieldsThatAreNotAskedForAreZeroAndTheOthersAsEver(kernels: TickKernels, isForOne: Bool) throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.summarized(count: 6000, instruments: 50)
    try archive(ticks, in: directory.path)
    var reader = try ArchiveReader(directory: directory.path, feed: "test")
    reader.kernels = kernels
    let single: [TickFields] = [
      .exchangeTime, .lastPrice, .lastQuantity, .dayVolume, .lastTradeSeconds, .openInterest,
    ]
    for fields in single + single.map(TickFields.all.subtracting) + [[], .all] {
      let instruments = isForOne ? Set([ticks[7].instrument]) : nil
      var selection = TickSelection(instruments: instruments)
      selection.fields = fields
      var found: [Tick] = []
      try reader.forEachBlock(selection, cores: 1) { run throws(Fault) in
        for index in run.indices { found.append(run[index]) }
      }
      let expected = ticks.filter { instruments?.contains($0.instrument) ?? true }.map { tick in
        var tick = tick
        if !fields.contains(.exchangeTime) { tick.exchangeTime = .unknown }
        if !fields.contains(.lastPrice) { tick.lastPrice = .zero }
        if !fields.contains(.lastQuantity) { tick.lastQuantity = 0 }
        if !fields.contains(.dayVolume) { tick.dayVolume = 0 }
        if !fields.contains(.lastTradeSeconds) { tick.lastTradeSeconds = 0 }
        if !fields.contains(.openInterest) { tick.openInterest = 0 }
        return tick
      }
      #expect(found == expected)
    }
  }
}
