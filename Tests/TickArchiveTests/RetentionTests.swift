import Foundation
import MarketData
import Synchronization
import Testing
import TickArchive

@Suite struct RetentionTests {
  /// Ticks of several days, some a day, with increasing sequences.
  private func days(_ count: Int, ticksADay: Int = 20) -> [Tick] {
    (0..<count).flatMap { day in
      TickStreams.plausible(
        count: ticksADay, seed: UInt64(day), from: TickStreams.open + Int64(day) * 86_400_000_000_000,
        firstSequence: UInt64(day * ticksADay + 1))
    }
  }

  @Test func segmentsThatAreTooOldAreDeletedWithTheNextSegmentAndAtOpening() throws {
    let directory = try TemporaryDirectory()
    var options = ArchiveOptions()
    options.daysMax = 2
    let ticks = days(6)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.finish()
    let deleted = writer.takeDeletedSegments()
    #expect(deleted.map(\.reason) == [.age, .age, .age])
    #expect(deleted[0].description.contains("-20261123-0001.tka") && deleted[0].failure == nil)
    #expect(writer.takeDeletedSegments().isEmpty)
    #expect(try readAll(in: directory.path) == Array(ticks[60...]))
    try writer.close()
    options.daysMax = 1
    let next = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let safe = next.lastSealedSequence
    #expect(safe == 120)
    #expect(try readAll(in: directory.path) == Array(ticks[80...]))
  }

  @Test func theOldestSegmentsGoWhenTheArchiveIsTooLarge() throws {
    let directory = try TemporaryDirectory()
    var options = ArchiveOptions(blockTicks: 10, segmentBytesMax: 1500)
    options.totalBytesMax = 6000
    let ticks = TickStreams.plausible(count: 400)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    for tick in ticks {
      _ = try writer.append(tick)
      let bytes = try directory.segments.reduce(0) { try $0 + readBytes($1).count }
      // The open segment may grow by its own size before the next one makes room.
      #expect(bytes < 6000 + 3000)
    }
    try writer.close()
    let kept = try readAll(in: directory.path)
    #expect(!kept.isEmpty && kept.count < 400)
    #expect(kept == Array(ticks[(400 - kept.count)...]))
  }

  @Test func ofOneSegmentNothingIsDeletedHoweverSmallTheArchiveMayBe() throws {
    let directory = try TemporaryDirectory()
    var options = ArchiveOptions(blockTicks: 10)
    options.totalBytesMax = 1
    options.daysMax = 1
    let ticks = days(1)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    let next = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let safe = next.lastSealedSequence
    #expect(safe == 20)
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func otherFeedsAreNotTouched() throws {
    let directory = try TemporaryDirectory()
    try archive(days(1), in: directory.path)
    let old = try directory.segments
    var options = ArchiveOptions()
    options.daysMax = 1
    options.totalBytesMax = 1
    var writer = try ArchiveWriter(directory: directory.path, feed: "test-2", options: options)
    for tick in days(5) { _ = try writer.append(tick) }
    try writer.close()
    #expect(try directory.segments.contains(old[0]))
  }

  @Test func aFullDeviceCostsTheOldestSegmentsWhereThatIsWanted() throws {
    let directory = try TemporaryDirectory()
    let capacity = 4000
    // A device of so many bytes, by the lengths of the files.
    var calls = FileCalls.system
    calls.reserve = { _, _, _ in
      errno = EOPNOTSUPP
      return -1
    }
    let path = directory.path
    calls.write = { descriptor, bytes, offset in
      let used =
        (try? FileManager.default.contentsOfDirectory(atPath: path).reduce(0) { sum, file in
          sum + ((try? readBytes(path + "/" + file).count) ?? 0)
        }) ?? 0
      guard used + bytes.count <= capacity else {
        errno = ENOSPC
        return -1
      }
      return FileCalls.system.write(descriptor, bytes, offset)
    }
    var options = ArchiveOptions(blockTicks: 10, segmentBytesMax: 1000)
    let ticks = TickStreams.plausible(count: 300)
    do {
      var writer = try ArchiveWriter(directory: path, feed: "halting", options: options, calls: calls)
      let fault = #expect(throws: Fault.self) { for tick in ticks { _ = try writer.append(tick) } }
      #expect(fault?.message.contains("No space left on device") == true)
      let isDeviceFull = writer.isDeviceFull
      #expect(isDeviceFull)
      for file in try directory.segments { try FileManager.default.removeItem(atPath: file) }
    }
    options.deletesOldestWhenFull = true
    var writer = try ArchiveWriter(directory: path, feed: "test", options: options, calls: calls)
    for tick in ticks { _ = try writer.append(tick) }
    try writer.seal()
    let deleted = writer.takeDeletedSegments()
    #expect(!deleted.isEmpty && deleted.allSatisfy { $0.reason == .deviceFull && $0.failure == nil })
    let kept = try readAll(in: path)
    #expect(kept.count > 50 && kept.count < 300)
    #expect(kept == Array(ticks[(300 - kept.count)...]))
  }

  @Test func aSegmentEndsAfterItsTime() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 300)
    let options = ArchiveOptions(blockTicks: 10, segmentSecondsMax: 2)
    try archive(ticks, in: directory.path, options: options)
    let infos = try ArchiveReader(directory: directory.path, feed: "test").info()
    #expect(infos.count > 1)
    for info in infos {
      let (first, last) = (try #require(info.firstTime), try #require(info.lastTime))
      // A block belongs to the segment in which it begins, and ten ticks take at most 0.4 s.
      #expect(last - first < 3_400_000_000)
    }
    #expect(try readAll(in: directory.path) == ticks)
  }
}
