import MarketData
import Testing
import TickArchive

@Suite struct RoundTripTests {
  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 1023, 1024, 1025, 4000])
  func plausibleTicksComeBackUnchanged(count: Int) throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: count)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 2500))
    #expect(try readByAllKernels(in: directory.path) == ticks)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func recordsWithAnyValuesComeBackUnchanged(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var ticks = TickStreams.arbitrary(
      count: 40 + Int(seed) * 7, instruments: [1, 2, 3, 9, 200][Int(seed) % 5], seed: seed)
    for index in ticks.indices where seed % 3 == 0 && index % 4 != 0 { ticks[index].kind = .daySummary }
    // One segment for all days, as the receive times jump by centuries.
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 97))
    #expect(try readByAllKernels(in: directory.path) == ticks)
    let report = try ArchiveReader(directory: directory.path, feed: "test").verify()
    #expect(report.isSound)
    #expect(report.ticks == ticks.count)
  }

  /// Also where a block has more of them than a tile, and an instrument nothing else.
  @Test(arguments: [1, 20, 3000], [2500, 32768])
  func daySummariesComeBackUnchanged(instruments: Int, blockTicks: Int) throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.summarized(count: 9000, instruments: instruments)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: blockTicks))
    #expect(try readByAllKernels(in: directory.path) == ticks)
  }

  /// Among the columns they would cost more than the trades.
  @Test func daySummariesTakeFewBytes() throws {
    var bytes: [Int] = []
    let summarized = TickStreams.summarized(count: 30_000, instruments: 200)
    let plain = TickStreams.plausible(count: 30_000, instruments: 200)
    for ticks in [summarized, plain] {
      let directory = try TemporaryDirectory()
      try archive(ticks, in: directory.path)
      bytes.append(
        try ArchiveReader(directory: directory.path, feed: "test").info().reduce(0) { $0 + $1.bytes })
    }
    let each = Double(bytes[0] - bytes[1]) / Double(summarized.count - plain.count)
    print("day summaries: \(summarized.count - plain.count) of \(each) bytes each")
    #expect(each < 7)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func oneOddFieldAmongPlausibleTicksComesBackUnchanged(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var ticks = TickStreams.plausible(count: 300, seed: seed)
    let odd = TickStreams.arbitrary(count: 300, instruments: 5, seed: seed)
    for index in ticks.indices where index % 13 == Int(seed % 13) {
      switch (index + Int(seed)) % 8 {
      case 0: ticks[index].exchangeTime = odd[index].exchangeTime
      case 1: ticks[index].lastPrice = odd[index].lastPrice
      case 2: ticks[index].dayVolume = odd[index].dayVolume
      case 3: ticks[index].lastTradeSeconds = odd[index].lastTradeSeconds
      case 4: ticks[index].lastQuantity = odd[index].lastQuantity
      case 5: ticks[index].openInterest = odd[index].openInterest
      case 6: ticks[index].instrument = odd[index].instrument
      default: ticks[index].flags = odd[index].flags
      }
    }
    try archive(ticks, in: directory.path)
    #expect(try readByAllKernels(in: directory.path) == ticks)
  }

  /// The shapes that the codings are made for: each must take the vectors' way and come back.
  @Test(arguments: [1, 1_000, 1_000_000, 1_000_000_000] as [Int64], [false, true])
  func feedsOfEveryTimeUnitComeBackUnchanged(unit: Int64, steady: Bool) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: UInt64(unit))
    var ticks = TickStreams.plausible(count: 5000, instruments: 300)
    for index in ticks.indices {
      let lag = Int64.random(in: -5_000_000...2_000_000_000, using: &random)
      let time = (ticks[index].receiveTime.nanoseconds - lag) / unit * unit
      ticks[index].exchangeTime = Timestamp(nanoseconds: time)
      let age = steady ? 0 : UInt32.random(in: 0...900, using: &random)
      ticks[index].lastTradeSeconds = UInt32(ticks[index].exchangeTime.seconds) - age
      if index > 0, Int.random(in: 0..<3, using: &random) > 0 {
        ticks[index].receiveTime = ticks[index - 1].receiveTime
      }
      ticks[index].flags = TickFlags(rawValue: UInt16.random(in: 0...3, using: &random))
    }
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 3333))
    #expect(try readByAllKernels(in: directory.path) == ticks)
  }

  @Test func volumesAtTheEdgeOfTheirShortCodingComeBackUnchanged() throws {
    let directory = try TemporaryDirectory()
    let steps: [Int64] = [0, 1, -1, 1 << 30, -(1 << 30), 1 << 31, 1 << 32, 1 << 62, .max, .min, .min + 1]
    var ticks: [Tick] = []
    var volume: Int64 = 0
    for (index, step) in (steps + steps.reversed()).enumerated() {
      volume &+= step
      var tick = TickStreams.plausible(count: 1)[0]
      tick.sequence = UInt64(index + 1)
      tick.dayVolume = volume
      tick.lastQuantity = index % 2 == 0 ? 0 : .max
      ticks.append(tick)
    }
    for start in ticks.indices {
      let directory = "\(directory.path)/\(start)"
      try archive(Array(ticks[start...]), in: directory)
      #expect(try readAll(in: directory) == Array(ticks[start...]))
    }
  }

  @Test func aBlockMayHoldAsManyInstrumentsAsTicks() throws {
    let directory = try TemporaryDirectory()
    var ticks = TickStreams.plausible(count: ArchiveOptions.blockTicksDefault)
    for index in ticks.indices { ticks[index].instrument.rawValue = UInt32(index) &* 2_654_435_761 }
    try archive(ticks, in: directory.path)
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func stampAndReservedAreNotStored() throws {
    let directory = try TemporaryDirectory()
    var tick = TickStreams.plausible(count: 1)[0]
    tick.stamp = 77
    tick.reserved = 5
    try archive([tick], in: directory.path)
    tick.stamp = 0
    tick.reserved = 0
    #expect(try readAll(in: directory.path) == [tick])
  }

  @Test func theSameTicksAndTheSameSaltGiveTheSameBytes() throws {
    let first = try TemporaryDirectory()
    let second = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 5000)
    var calls = FileCalls.system
    calls.random = { 17 }
    try archive(ticks, in: first.path, options: ArchiveOptions(blockTicks: 700), calls: calls)
    try archive(ticks, in: second.path, options: ArchiveOptions(blockTicks: 700), calls: calls)
    #expect(try readBytes(first.segments[0]) == readBytes(second.segments[0]))
  }

  @Test func plausibleTicksTakeFewBytes() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 60_000)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test")
    for tick in ticks { _ = try writer.append(tick) }
    try writer.seal()
    let statistics = writer.statistics
    #expect(statistics.ticks == 60_000)
    // Receive times alone are uniform over 40 ms: 25 bits that nothing can compress. Plain rows take 64 bytes.
    #expect(Double(statistics.bytes) / 60_000 < 10)
  }
}
