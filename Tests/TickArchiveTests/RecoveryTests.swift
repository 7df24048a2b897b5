import Foundation
import MarketData
import Testing
import TickArchive

@Suite struct RecoveryTests {
  private let options = ArchiveOptions(blockTicks: 8)

  /// The length of a file after each of its blocks, with the ticks that it then holds.
  private func boundaries(of ticks: [Tick], in directory: String) throws -> [(bytes: Int, ticks: Int)] {
    var writer = try ArchiveWriter(directory: directory, feed: "test", options: options)
    var boundaries: [(bytes: Int, ticks: Int)] = []
    for (index, tick) in ticks.enumerated() where try writer.append(tick) {
      boundaries.append((Int(writer.statistics.bytes), index + 1))
    }
    return boundaries
  }

  @Test func aFileCutAtAnyByteOfItsLastTwoBlocksIsContinuedAfterTheLastWholeBlock() throws {
    let origin = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 40)
    let boundaries = try boundaries(of: ticks, in: origin.path)
    let file = try origin.segments[0]
    let bytes = try readBytes(file)
    #expect(bytes.count == boundaries.last?.bytes)

    let name = URL(fileURLWithPath: file).lastPathComponent
    for cut in boundaries[boundaries.count - 3].bytes...bytes.count {
      let directory = "\(origin.path)/\(cut)"
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try writeBytes(bytes[..<cut], to: "\(directory)/\(name)")
      let kept = try #require(boundaries.last { $0.bytes <= cut })

      #expect(try readAll(in: directory) == Array(ticks[..<kept.ticks]))
      var writer = try ArchiveWriter(directory: directory, feed: "test", options: options)
      let safe = writer.lastSealedSequence
      #expect(safe == UInt64(kept.ticks))
      let report = writer.recovery
      #expect(report?.bytesCut == (cut == kept.bytes ? nil : cut - kept.bytes))
      if let report {
        #expect(report.description.contains("the last \(cut - kept.bytes) bytes were of an unfinished write"))
      }
      for tick in ticks[kept.ticks...] { _ = try writer.append(tick) }
      try writer.close()
      #expect(try readAll(in: directory) == ticks)
      // Continued or not, the blocks are the same; only the footer is new.
      #expect(try readBytes("\(directory)/\(name)")[..<bytes.count] == bytes[...])
      try FileManager.default.removeItem(atPath: directory)
    }
  }

  @Test func zerosAfterTheLastBlockAreCut() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 16)
    _ = try boundaries(of: ticks, in: directory.path)
    let file = try directory.segments[0]
    let bytes = try readBytes(file)
    try writeBytes(bytes + [UInt8](repeating: 0, count: 5000), to: file)
    let writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let report = writer.recovery
    #expect(report?.bytesCut == 5000)
    #expect(try readBytes(file) == bytes)
  }

  @Test func damageInTheMiddleIsReportedAndKeptAndNothingBehindItIsCut() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 40)
    let boundaries = try boundaries(of: ticks, in: directory.path)
    let file = try directory.segments[0]
    var bytes = try readBytes(file)
    bytes[boundaries[1].bytes + 300] ^= 1
    try writeBytes(bytes, to: file)
    let writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let found = writer.recovery
    let report = try #require(found)
    let safe = writer.lastSealedSequence
    #expect(safe == 40)
    #expect(report.bytesCut == 0)
    #expect(report.damaged.map(\.firstSequence) == [17])
    #expect(report.damaged.map(\.lastSequence) == [24])
    #expect(try readBytes(file) == bytes)
  }

  @Test func aSegmentWhoseCreationWasCutShortIsRemoved() throws {
    let directory = try TemporaryDirectory()
    let file = directory.path + "/test-20261123-0001.tka"
    for length in [0, 1, 63] {
      try writeBytes([UInt8](repeating: 0, count: length), to: file)
      let writer = try ArchiveWriter(directory: directory.path, feed: "test")
      let report = writer.recovery
      #expect(report?.removed == [file])
      #expect(try directory.segments == [])
    }
  }

  @Test func aSegmentWithADamagedHeaderIsLeftAloneAndFollowedByAnother() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 24)
    _ = try boundaries(of: Array(ticks[..<16]), in: directory.path)
    let file = try directory.segments[0]
    var bytes = try readBytes(file)
    bytes[30] ^= 0x10
    try writeBytes(bytes, to: file)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let found = writer.recovery
    let report = try #require(found)
    #expect(report.isHeaderDamaged)
    let safe = writer.lastSealedSequence
    #expect(safe == 16)
    for tick in ticks[16...] { _ = try writer.append(tick) }
    try writer.close()
    #expect(try directory.segments.count == 2)
    #expect(try readBytes(file) == bytes)
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func aWriterThatIsDroppedLosesOnlyWhatWasNotSealed() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 20)
    _ = try boundaries(of: ticks, in: directory.path)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: options)
    let report = writer.recovery
    let safe = writer.lastSealedSequence
    #expect(report == nil)
    #expect(safe == 16)
    for tick in ticks where tick.sequence > 16 { _ = try writer.append(tick) }
    try writer.close()
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func openingAndClosingACompleteArchiveChangesNothing() throws {
    let directory = try TemporaryDirectory()
    try archive(TickStreams.plausible(count: 20), in: directory.path)
    let file = try directory.segments[0]
    let bytes = try readBytes(file)
    let writer = try ArchiveWriter(directory: directory.path, feed: "test")
    try writer.close()
    #expect(try readBytes(file) == bytes)
  }

  @Test func aCompleteArchiveIsContinuedInTheSameSegmentOnTheSameDay() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 50)
    for start in stride(from: 0, to: 50, by: 10) {
      var writer = try ArchiveWriter(directory: directory.path, feed: "test")
      for tick in ticks[start..<start + 10] { _ = try writer.append(tick) }
      try writer.close()
    }
    #expect(try directory.segments.count == 1)
    #expect(try readAll(in: directory.path) == ticks)
    #expect(try ArchiveReader(directory: directory.path, feed: "test").info().map(\.blocks) == [5])
  }
}
