import MarketData
import Testing
import TickArchive

/// Passes over an archive: every selection, on every number of cores, gives what a plain filter gives, in order.
@Suite struct ScanTests {
  private static func archived(_ ticks: [Tick], blockTicks: Int = 100, segmentBytesMax: Int = 1 << 30) throws
    -> (TemporaryDirectory, ArchiveReader)
  {
    let directory = try TemporaryDirectory()
    try archive(
      ticks, in: directory.path,
      options: ArchiveOptions(blockTicks: blockTicks, segmentBytesMax: segmentBytesMax))
    return (directory, try ArchiveReader(directory: directory.path, feed: "test"))
  }

  private static func collect(_ reader: ArchiveReader, _ selection: TickSelection, cores: Int) throws
    -> [Tick]
  {
    var found: [Tick] = []
    try reader.forEachBlock(selection, cores: cores) { ticks throws(Fault) in
      for index in ticks.indices { found.append(ticks[index]) }
    }
    return found
  }

  @Test(arguments: [1, 2, 3, 8])
  func severalCoresGiveTheRecordsInOrder(cores: Int) throws {
    let ticks = TickStreams.plausible(count: 20_000)
    let (directory, reader) = try Self.archived(ticks, segmentBytesMax: 20_000)
    #expect(try directory.segments.count > 3)
    #expect(try Self.collect(reader, TickSelection(), cores: cores) == ticks)
    let middle = TickSelection(
      from: ticks[3_333].receiveTime, to: ticks[15_001].receiveTime,
      instruments: [InstrumentID(rawValue: 3), .all])
    let expected = ticks.filter {
      $0.receiveTime >= ticks[3_333].receiveTime && $0.receiveTime < ticks[15_001].receiveTime
        && [InstrumentID(rawValue: 3), .all].contains($0.instrument)
    }
    #expect(try Self.collect(reader, middle, cores: cores) == expected)
  }

  @Test func sequencesSelectLikeTimes() throws {
    let ticks = TickStreams.plausible(count: 1000, firstSequence: 500)
    let (directory, reader) = try Self.archived(ticks)
    for (first, last) in [(500, 1499), (0, 499), (599, 600), (777, 1_200), (1_500, 2_000), (600, 599)] {
      let selection = TickSelection(fromSequence: UInt64(first), throughSequence: UInt64(last))
      let expected = ticks.filter { $0.sequence >= UInt64(first) && $0.sequence <= UInt64(last) }
      #expect(try Self.collect(reader, selection, cores: 1) == expected)
    }
    #expect(try directory.segments.count == 1)
  }

  @Test func aClockThatWasSetBackHidesNothing() throws {
    // The second run's clock is an hour behind that of the first.
    let early = TickStreams.plausible(count: 500)
    let late = TickStreams.plausible(
      count: 500, seed: 2, from: TickStreams.open + (-3_600_000_000_000), firstSequence: 501)
    let (directory, reader) = try Self.archived(early + late, blockTicks: 50)
    let from = late[100].receiveTime
    let to = late[200].receiveTime
    let found = try Self.collect(reader, TickSelection(from: from, to: to), cores: 1)
    #expect(found == late.filter { $0.receiveTime >= from && $0.receiveTime < to })
    let all = try Self.collect(reader, TickSelection(from: from), cores: 2)
    #expect(all == (early + late).filter { $0.receiveTime >= from })
    #expect(try directory.segments.count == 1)
  }

  @Test func aScanThatIsLeftLeavesNoThreadAtWork() throws {
    let (directory, reader) = try Self.archived(TickStreams.plausible(count: 5_000))
    for _ in 0..<200 {
      var scan = try reader.scan(cores: 4)
      #expect(try scan.advance())
    }
    #expect(try directory.segments.count == 1)
  }

  @Test(arguments: [1, 2])
  func damageIsMetWhereItLies(cores: Int) throws {
    let ticks = TickStreams.plausible(count: 1_000)
    let (directory, _) = try Self.archived(ticks)
    let file = try directory.segments[0]
    var bytes = try readBytes(file)
    // Somewhere in a payload in the middle; which block it hits is what the report says.
    bytes[bytes.count / 2] ^= 0xFF
    try writeBytes(bytes, to: file)
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    var found: [Tick] = []
    let skipped = try reader.forEachBlock(TickSelection(damage: .skip), cores: cores) { ticks throws(Fault) in
      for index in ticks.indices { found.append(ticks[index]) }
    }
    #expect(skipped.count == 1)
    let first = try #require(skipped.first?.firstSequence)
    let last = try #require(skipped.first?.lastSequence)
    #expect(found == ticks.filter { $0.sequence < first || $0.sequence > last })
    var before = 0
    #expect(throws: Fault.self) {
      try reader.forEachBlock(TickSelection(), cores: cores) { ticks throws(Fault) in before += ticks.count }
    }
    #expect(before == Int(first) - 1)
  }
}

/// Several feeds as one.
@Suite struct MergeTests {
  private static func instrument(_ id: UInt32, _ symbol: String) throws -> Instrument {
    Instrument(
      id: InstrumentID(rawValue: id), symbol: try Symbol(symbol), venueToken: "\(id)", priceTick: .zero,
      lotSize: 1)
  }

  private static func write(_ ticks: [Tick], _ instruments: [Instrument], _ directory: String) throws
    -> ArchiveReader
  {
    var writer = try ArchiveWriter(
      directory: directory, feed: "test", options: ArchiveOptions(blockTicks: 64))
    try writer.define(instruments)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    return try ArchiveReader(directory: directory, feed: "test")
  }

  private static func collect(_ merge: consuming TickMerge) throws -> [Tick] {
    var found: [Tick] = []
    while try merge.next({ ticks throws(Fault) in for index in ticks.indices { found.append(ticks[index]) } })
    {}
    return found
  }

  @Test func oneFeedComesOutAsItIs() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 1_000)
    let reader = try Self.write(ticks, [], directory.path)
    #expect(try Self.collect(TickMerge([reader])) == ticks)
  }

  @Test func severalFeedsAreMergedByTimeAndNumberedAnew() throws {
    let directories = [try TemporaryDirectory(), try TemporaryDirectory(), try TemporaryDirectory()]
    // Instrument 1 is another one in each archive, but for NSE:B, which two know under different numbers.
    let instruments = [
      [try Self.instrument(0, "NSE:A"), try Self.instrument(1, "NSE:B")],
      [try Self.instrument(0, "NSE:B"), try Self.instrument(1, "NSE:C")],
      [try Self.instrument(0, "BSE:A"), try Self.instrument(1, "BSE:B")],
    ]
    var streams: [[Tick]] = []
    var readers: [ArchiveReader] = []
    for index in 0..<3 {
      let ticks = TickStreams.plausible(count: 700, instruments: 2, seed: UInt64(index + 1))
      streams.append(ticks)
      readers.append(try Self.write(ticks, instruments[index], directories[index].path))
    }
    let merge = try TickMerge(readers)
    let names = Dictionary(uniqueKeysWithValues: merge.instruments.map { ($0.id, $0.symbol.text) })
    #expect(Set(names.values) == ["NSE:A", "NSE:B", "NSE:C", "BSE:A", "BSE:B"] && names.count == 5)
    let found = try Self.collect(merge)

    var expected: [(feed: Int, tick: Tick)] = []
    for (feed, ticks) in streams.enumerated() { expected += ticks.map { (feed, $0) } }
    expected.sort {
      ($0.tick.receiveTime, $0.tick.sequence, $0.feed) < ($1.tick.receiveTime, $1.tick.sequence, $1.feed)
    }
    #expect(found.count == expected.count)
    #expect(found.map(\.sequence) == Array(1...UInt64(expected.count)))
    for (tick, (feed, original)) in zip(found, expected) {
      let own = instruments[feed].first { $0.id == original.instrument }?.symbol.text
      #expect(names[tick.instrument] == own)
      #expect(tick.receiveTime == original.receiveTime && tick.lastPrice == original.lastPrice)
    }
  }

  @Test func symbolsAreChosenInEachFeed() throws {
    let directories = [try TemporaryDirectory(), try TemporaryDirectory()]
    let ticks = TickStreams.plausible(count: 300, instruments: 2)
    let readers = [
      try Self.write(
        ticks, [try Self.instrument(0, "NSE:A"), try Self.instrument(1, "NSE:B")], directories[0].path),
      try Self.write(
        ticks, [try Self.instrument(0, "NSE:B"), try Self.instrument(1, "NSE:C")], directories[1].path),
    ]
    let merge = try TickMerge(readers, symbols: [try Symbol("NSE:B")])
    let wanted = try #require(merge.instruments.first { $0.symbol.text == "NSE:B" }?.id)
    let found = try Self.collect(merge)
    #expect(Set(found.map(\.instrument)).subtracting([.all]) == [wanted])
    let expected = ticks.count { $0.instrument.rawValue == 1 } + ticks.count { $0.instrument.rawValue == 0 }
    #expect(found.count { $0.instrument == wanted } == expected)
  }
}

/// Load once, sweep many.
@Suite struct TapeTests {
  @Test(arguments: [1, 2])
  func aTapeHoldsWhatAScanFinds(cores: Int) async throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 10_000)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 333))
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    let tape = try TickTape(reader, cores: cores)
    var hash = TickStreamHash()
    for tick in ticks { hash.update(tick) }
    #expect(tape.count == ticks.count && tape.hash() == hash)
    // Any number of passes at a time see the same.
    await withTaskGroup(of: UInt64.self) { group in
      for _ in 0..<8 { group.addTask { tape.hash().value } }
      for await value in group { #expect(value == hash.value) }
    }
    let index = tape.index(atOrAfter: ticks[5_000].receiveTime)
    #expect(tape[index].receiveTime == ticks[5_000].receiveTime)
    #expect(index == 0 || tape[index - 1].receiveTime < ticks[5_000].receiveTime)
    #expect(tape.index(atOrAfter: ticks[9_999].receiveTime + 1) == tape.count)
    let columns = tape.columns(of: InstrumentID(rawValue: 7))
    let own = ticks.filter { $0.instrument.rawValue == 7 && $0.kind == .trade }
    #expect(columns.prices == own.map(\.lastPrice) && columns.receiveTimes == own.map(\.receiveTime))

    let part = try TickTape(
      reader, TickSelection(from: ticks[100].receiveTime, instruments: [InstrumentID(rawValue: 1)]),
      cores: cores)
    part.withTicks { run in
      #expect(
        run.indices.map { run[$0] }
          == ticks.filter { $0.receiveTime >= ticks[100].receiveTime && $0.instrument.rawValue == 1 })
    }
  }

  @Test func nothingSelectedIsAnEmptyTape() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 10)
    try archive(ticks, in: directory.path)
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    let tape = try TickTape(reader, TickSelection(from: ticks[9].receiveTime + 1))
    #expect(tape.count == 0 && tape.hash().count == 0)
    #expect(tape.index(atOrAfter: ticks[0].receiveTime) == 0)
  }
}

/// What the feed handler leaves of its sessions.
@Suite struct SessionLedgerTests {
  private static func record(_ first: UInt64, _ last: UInt64, _ ticks: [Tick], ended: Bool = true)
    -> SessionRecord
  {
    var hash = TickStreamHash()
    for tick in ticks where tick.sequence >= first && tick.sequence <= last { hash.update(tick) }
    return SessionRecord(
      firstSequence: first, lastSequence: last, hash: hash.value, wallTime: TickStreams.open, hasEnded: ended)
  }

  @Test func theLastLineOfASessionCounts() throws {
    let directory = try TemporaryDirectory()
    let ledger = SessionLedger(directory: directory.path, feed: "test")
    #expect(try ledger.sessions() == [])
    let ticks = TickStreams.plausible(count: 300)
    let lines = [
      Self.record(1, 100, ticks, ended: false), Self.record(1, 150, ticks),
      Self.record(151, 300, ticks, ended: false),
    ]
    for line in lines { try ledger.append(line) }
    #expect(try ledger.sessions() == Array(lines[1...]))
  }

  @Test func aLineThatACrashCutShortIsPassedOver() throws {
    let directory = try TemporaryDirectory()
    let ledger = SessionLedger(directory: directory.path, feed: "test")
    let ticks = TickStreams.plausible(count: 300)
    let first = Self.record(1, 100, ticks, ended: false)
    try ledger.append(first)
    let whole = try readBytes(ledger.path)
    try ledger.append(Self.record(1, 200, ticks))
    let second = try readBytes(ledger.path)
    for cut in whole.count..<second.count {
      try writeBytes(second[..<cut], to: ledger.path)
      #expect(try ledger.sessions() == [first])
      let later = Self.record(201, 300, ticks)
      try ledger.append(later)
      #expect(try ledger.sessions().last == later)
    }
    try writeBytes(Array("what is this\n".utf8), to: ledger.path)
    #expect(throws: Fault.self) { try ledger.sessions() }
  }

  @Test func aSessionIsFoundAgainInTheArchiveOrNot() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 1_000, firstSequence: 11)
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 64))
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    #expect(try reader.check(Self.record(11, 1_010, ticks)) == .holds)
    #expect(try reader.check(Self.record(100, 555, ticks), cores: 2) == .holds)
    #expect(try reader.check(Self.record(1, 100, ticks)) == .removed)
    var wrong = Self.record(11, 1_010, ticks)
    wrong.hash ^= 1
    guard case .differs(let records, _) = try reader.check(wrong) else {
      Issue.record("a wrong hash holds")
      return
    }
    #expect(records == 1_000)
    var longer = Self.record(11, 1_010, ticks)
    longer.lastSequence += 1
    #expect(try reader.check(longer) != .holds)
  }
}
