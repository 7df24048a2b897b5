import Foundation
import MarketData
import Testing
import TickArchive

@Suite struct JournalTests {
  private static let options: ArchiveOptions = {
    var options = ArchiveOptions(blockTicks: 16)
    options.keepsJournal = true
    return options
  }()

  /// Writes and synchronizes ticks, and drops the writer as a crash would.
  private func crash(_ ticks: some Sequence<Tick>, in directory: String) throws {
    var writer = try ArchiveWriter(directory: directory, feed: "test", options: Self.options)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.synchronize()
  }

  @Test(arguments: 1...40)
  func whatWasSynchronizedIsThereAfterACrashThoughNoBlockWasFull(count: Int) throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.arbitrary(count: 80, instruments: 4, seed: 2).enumerated().map { index, tick in
      var tick = tick
      tick.sequence = UInt64(index + 1)
      tick.receiveTime = TickStreams.open + Int64(index)
      return tick
    }
    try crash(ticks[..<count], in: directory.path)
    let writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
    let safe = writer.lastSealedSequence
    #expect(safe == UInt64(count))
    let recovery = writer.recovery
    #expect(recovery?.recordsFromJournal == (count % 16 == 0 ? nil : count % 16))
    #expect(try readAll(in: directory.path) == Array(ticks[..<count]))
  }

  @Test func aRowThatWasNotCompletelyWrittenEndsTheJournal() throws {
    let origin = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 27)
    try crash(ticks, in: origin.path)
    let segment = try origin.segments[0]
    let journal = try readBytes(origin.path + "/test.journal")
    #expect(journal.count == 64 + 11 * 64)
    for position in stride(from: 0, to: journal.count, by: 7) {
      let directory = try TemporaryDirectory()
      let name = URL(fileURLWithPath: segment).lastPathComponent
      try FileManager.default.copyItem(atPath: segment, toPath: directory.path + "/" + name)
      var bytes = journal
      bytes[position] ^= 0x20
      try writeBytes(bytes, to: directory.path + "/test.journal")
      let writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
      // Without a sound header nothing is taken; else the rows before the damaged one.
      let safe = writer.lastSealedSequence
      #expect(safe == (position < 64 ? 16 : 16 + UInt64(position / 64 - 1)))
    }
  }

  @Test func rowsOfAnEarlierBlockAreNotTakenForNewOnes() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 40)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
    for (index, tick) in ticks.enumerated() {
      _ = try writer.append(tick)
      if index == 14 || index == 18 { try writer.synchronize() }
    }
    try writer.synchronize()
    _ = consume writer
    let next = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
    let safe = next.lastSealedSequence
    #expect(safe == 40)
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func aGoodEndLeavesNoJournal() throws {
    let directory = try TemporaryDirectory()
    try crash(TickStreams.plausible(count: 5), in: directory.path)
    #expect(FileManager.default.fileExists(atPath: directory.path + "/test.journal"))
    try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options).close()
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/test.journal"))
    #expect(try readAll(in: directory.path).count == 5)
  }
}
