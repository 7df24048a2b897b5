import Glibc
import MarketData
import SharedRing
import Testing

/// What attaching finds, what a restarted producer keeps, and what may be cleaned away.
@Suite struct SegmentLifeTests {
  @Test func eachStateOfALaneIsAResultOfItsOwn() throws {
    let name = LaneName()
    defer { name.unlink() }
    func state() throws -> AttachResult { try LaneReader.state(feed: name.feed, lane: name.lane) }
    #expect(try state() == .absent)
    try name.createRaw(byteCount: 0)
    #expect(try state() == .tooSmall)
    try name.createRaw(byteCount: 1 << 16)
    #expect(try state() == .notInitialised)
    name.unlink()
    do {
      let writer = try name.writer(capacity: 16)
      #expect(try state() == .ready)
      _ = writer.position
    }
    #expect(try state() == .staleProducer)
    try name.forge(offset: 24, value: 3)
    #expect(try state() == .otherLayout)
    try name.forge(offset: 8, value: 77)
    #expect(try state() == .otherVersion)
  }

  @Test func noMoreWaitThanALaneHasSlotsWhateverItsCursorsSay() throws {
    let name = LaneName()
    defer { name.unlink() }
    do {
      var writer = try name.writer(capacity: 16)
      for sequence in 0..<5 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
      writer.flush()
    }
    #expect(try SegmentReport(object: name.object)?.waiting == 5)
    try name.forge(offset: 4096, value: .max - 3)
    #expect(try SegmentReport(object: name.object)?.waiting == 16)
  }

  @Test func lookingAtAnObjectTakesNoMemory() throws {
    let name = LaneName()
    defer { name.unlink() }
    try name.createRaw(byteCount: 8 << 20)
    #expect(try SegmentReport(object: name.object)?.byteCount == 8 << 20)
    var status = stat()
    try #require(stat("/dev/shm" + name.object, &status) == 0)
    #expect(Int(status.st_blocks) * 512 <= 1 << 16, "a page or two that were looked at, not all")
  }

  @Test func aFeedTakenOverInPlaceKeepsLastValuesAndCountsItsEpoch() throws {
    let feed = LaneName().feed
    let symbol = try Symbol("NSE:INFY")
    let instruments = [InstrumentID(rawValue: 1), InstrumentID(rawValue: 2)]
    func open() throws(Fault) -> FeedSegment {
      try FeedSegment(feed: feed, instrumentsMax: 8, controlSocket: "", dataDirectory: "/data")
    }
    do {
      let first = try open()
      try first.define(
        instruments.map {
          Instrument(id: $0, symbol: symbol, venueToken: "", priceTick: .zero, lotSize: 1)
        })
      for id in instruments { first.storeLastValue(.sample(instrument: id.rawValue, sequence: 9)) }
      first.halt(reason: "disk full")
    }
    let view = try FeedView(feed: feed)
    #expect(try FeedView.state(feed: feed) == .staleProducer)
    #expect(view.state == .halted && view.epoch == 1 && !view.isSuperseded)
    let second = try open()
    defer { second.unlink() }
    #expect(second.takeover?.contains("disk full") == true)
    #expect(view.isProducerAlive && view.isSuperseded, "the very memory that was mapped before")
    #expect(view.state == .starting)
    #expect(view.latest(instruments[0])?.sequence == 9)
    // A number that means another instrument by now loses its row and its last value.
    second.keepRows { id, _ in id == instruments[0] }
    #expect(view.latest(instruments[0])?.sequence == 9)
    #expect(view.latest(instruments[1]) == nil)
    #expect(view.instruments().map(\.id) == [instruments[0]])
    second.storeLastValue(.sample(instrument: 2, sequence: 10))
    #expect(view.latest(instruments[1])?.sequence == 10)
  }

  @Test func aFeedOfAnotherDataDirectoryIsReplaced() throws {
    let feed = LaneName().feed
    do { _ = try FeedSegment(feed: feed, instrumentsMax: 8, controlSocket: "", dataDirectory: "/a") }
    let old = try FeedView(feed: feed)
    let segment = try FeedSegment(feed: feed, instrumentsMax: 8, controlSocket: "", dataDirectory: "/b")
    defer { segment.unlink() }
    #expect(!old.isProducerAlive)
    #expect(try FeedView(feed: feed).epoch == 1)
  }

  @Test func theFilterOutlivesItsProducer() throws {
    let name = LaneName()
    defer { name.unlink() }
    let filter = InstrumentSet([0, 63, 64, 65_535].map { InstrumentID(rawValue: $0) })
    do {
      var writer = try name.writer(capacity: 16)
      writer.noteFilter(filter, version: 4, behind: 17)
    }
    let writer = try name.writer(capacity: 16)
    #expect(writer.filterLeft == filter)
    #expect(writer.filterVersion == 4)
    let reader = try name.reader()
    #expect(reader.value(.filterSequence) == 17)
    let isInForce = reader.waitForFilter(version: 4, nanosecondsMax: 0)
    #expect(isInForce)
    let isAhead = reader.waitForFilter(version: 5, nanosecondsMax: 1_000_000)
    #expect(!isAhead)
    #expect(reader.value(.epoch) == 2)
  }

  @Test func onlyWhatNobodyHoldsIsCleaned() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer: LaneWriter? = try name.writer(capacity: 16)
    #expect(try SegmentDirectory.remove(name.object) == "process \(getpid()) writes it")
    let reader = try name.reader()
    writer = nil
    _ = writer == nil
    #expect(try SegmentDirectory.remove(name.object) == "process \(getpid()) reads it")
    #expect(reader.capacity == 16)
    _ = consume reader
    #expect(SegmentDirectory.objects(of: name.feed) == [name.object])
    #expect(try SegmentDirectory.remove(name.object, isDryRun: true) == nil)
    #expect(try LaneReader.state(feed: name.feed, lane: name.lane) == .staleProducer)
    #expect(try SegmentDirectory.remove(name.object) == nil)
    #expect(try LaneReader.state(feed: name.feed, lane: name.lane) == .absent)
  }

  @Test func aJournalWithUnstoredRecordsIsNotCleaned() throws {
    let name = LaneName()
    defer { name.unlink() }
    do {
      var writer = try name.writer(capacity: 16, owner: "/data/a")
      // Not flushed: the stamps alone say that they are there.
      for sequence in 0..<3 { _ = writer.write(.sample(sequence: UInt64(sequence))) }
    }
    #expect(try SegmentDirectory.remove(name.object)?.contains("3 records that were not stored") == true)
    do {
      var reader = try name.reader()
      _ = reader.drain(max: 16) { _ in }
    }
    #expect(try SegmentDirectory.remove(name.object) == nil)
  }

  @Test func objectsOfOtherLayoutsAreCleanedToo() throws {
    let name = LaneName()
    defer { name.unlink() }
    do { _ = try name.writer(capacity: 16) }
    try name.forge(offset: 8, value: 77)
    let report = try #require(try SegmentReport(object: name.object))
    #expect(report.attach == .otherVersion && report.layoutVersion == 77)
    #expect(try SegmentDirectory.remove(name.object) == nil)
    try name.createRaw(byteCount: 100)
    #expect(try SegmentDirectory.remove(name.object) == nil)
  }

  @Test(arguments: ["/other", "/tickring.", "/tickring.a.b.c", "/tickring.A", "/tickring.a."])
  func aNameThatIsNotOursIsRefused(object: String) {
    #expect(fault { _ = try SegmentReport(object: object) }?.kind == .usage)
  }

  @Test func modeIsAsAskedWhateverTheMask() throws {
    let name = LaneName()
    defer { name.unlink() }
    let writer = try LaneWriter(
      feed: name.feed, lane: name.lane, capacity: 16, options: SegmentOptions(mode: 0o660, isLocked: true))
    #expect(try SegmentReport(object: name.object)?.mode == 0o660)
    #expect(writer.refusals.allSatisfy { $0.contains("swapped out") })
  }

  @Test func theFeedIsWrittenByItsOwnerAloneWhateverLanesAllow() throws {
    let name = LaneName()
    let options = SegmentOptions(mode: 0o666)
    let segment = try FeedSegment(
      feed: name.feed, instrumentsMax: 4, controlSocket: "", dataDirectory: "", options: options)
    defer { segment.unlink() }
    #expect(try SegmentReport(object: SegmentNames.feed(name.feed))?.mode == 0o644)
  }

  @Test(arguments: [
    (UInt32(0o600), UInt32(0o600)), (0o640, 0o600), (0o660, 0o660), (0o664, 0o660), (0o666, 0o666),
  ])
  func whoMayOpenALaneMayAskForOne(mode: UInt32, socket: UInt32) {
    #expect(SegmentOptions(mode: mode).socketMode == socket)
  }

  @Test func hugePagesThatAreRefusedAreSaidAndDoNoHarm() throws {
    let name = LaneName()
    defer { name.unlink() }
    var writer = try LaneWriter(
      feed: name.feed, lane: name.lane, capacity: 65_536, options: SegmentOptions(wantsHugePages: true))
    #expect(writer.refusals.allSatisfy { $0.contains("no huge pages") })
    let isWritten = writer.write(.sample(sequence: 1))
    #expect(isWritten)
  }

  @Test func theTableInCAndTheCountersInSwiftAreTheSame() {
    #expect(LaneCounter.allCases.allSatisfy { !$0.name.isEmpty && !$0.meaning.isEmpty })
    #expect(Set(LaneCounter.allCases.map(\.name)).count == LaneCounter.allCases.count)
    #expect(FeedCounter.allCases.allSatisfy { !$0.name.isEmpty && !$0.meaning.isEmpty })
  }
}
