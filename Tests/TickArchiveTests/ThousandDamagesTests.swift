import Foundation
import MarketData
import Testing
import TickArchive

/// A thousand damaged files, each of which must cost just the blocks that were hit.
@Suite struct ThousandDamagesTests {
  private static let blockTicks = 32
  private static let blockCount = 12

  private enum Damage: Int, CaseIterable {
    case torn, flippedBit, zeroedPage, spliced, foreignBlock
  }

  private struct Sample {
    let ticks: [Tick]
    let bytes: [UInt8]
    /// The bytes of each block of ticks.
    let blocks: [Range<Int>]
  }

  private func sample(_ seed: UInt64, in directory: String, feed: String = "test") throws -> Sample {
    let ticks = TickStreams.plausible(
      count: ThousandDamagesTests.blockTicks * ThousandDamagesTests.blockCount, seed: seed)
    var writer = try ArchiveWriter(
      directory: directory, feed: feed, options: ArchiveOptions(blockTicks: Self.blockTicks))
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    let bytes = try readBytes(directory + "/\(feed)-20261123-0001.tka")
    let starts = bytes.indices.dropLast(8).filter { bytes[$0..<$0 + 8].elementsEqual("TKABLOCK".utf8) }
    // No definitions: the blocks of ticks, then the index.
    #expect(starts.count == Self.blockCount + 1)
    return Sample(ticks: ticks, bytes: bytes, blocks: zip(starts, starts.dropFirst()).map { $0..<$1 })
  }

  /// A damaged copy, and the numbers of the blocks that must be lost.
  private func damaged(
    _ sample: Sample, with other: Sample, by damage: Damage, _ random: inout SeededGenerator
  ) -> (bytes: [UInt8], lost: Set<Int>) {
    var bytes = sample.bytes
    let blocksEnd = sample.blocks[Self.blockCount - 1].upperBound
    switch damage {
    case .torn:
      let end = Int.random(in: 64..<blocksEnd, using: &random)
      return (Array(bytes[..<end]), Set(sample.blocks.indices.filter { sample.blocks[$0].upperBound > end }))
    case .flippedBit:
      let position = Int.random(in: 64..<blocksEnd, using: &random)
      bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      return (bytes, changed(bytes, sample))
    case .zeroedPage:
      let start = Int.random(in: 64..<blocksEnd - 512, using: &random) & ~511
      for position in max(64, start)..<start + 512 { bytes[position] = 0 }
      return (bytes, changed(bytes, sample))
    case .spliced:
      // Part of another segment where a part of this one was, as a confused file system does; displaced by half a
      // word, so that no whole block comes along.
      let start = Int.random(in: 64..<blocksEnd - 512, using: &random) & ~511
      let length = 512 * Int.random(in: 1...3, using: &random)
      let end = min(start + length, blocksEnd, other.bytes.count - 4)
      for position in max(64, start)..<end { bytes[position] = other.bytes[position + 4] }
      return (bytes, changed(bytes, sample))
    case .foreignBlock:
      // A whole block of another segment, sound in itself, right where one of this segment was.
      let start = sample.blocks[Int.random(in: 0..<Self.blockCount - 2, using: &random)].lowerBound
      let block = other.bytes[other.blocks[Int.random(in: 0..<Self.blockCount, using: &random)]]
      bytes.replaceSubrange(start..<start + block.count, with: block)
      return (bytes, changed(bytes, sample))
    }
  }

  /// Blocks of which a byte differs.
  private func changed(_ bytes: [UInt8], _ sample: Sample) -> Set<Int> {
    Set(sample.blocks.indices.filter { bytes[sample.blocks[$0]] != sample.bytes[sample.blocks[$0]] })
  }

  @Test func eachStopsAtTheDamagedBlockAndIsReadBehindIt() throws {
    let (directory, otherDirectory) = (try TemporaryDirectory(), try TemporaryDirectory())
    let sample = try sample(1, in: directory.path)
    let other = try self.sample(2, in: otherDirectory.path, feed: "other")
    let file = directory.path + "/damaged"
    var random = SeededGenerator(seed: 2026)
    var lostBlocks = 0
    for number in 0..<1000 {
      let damage = Damage.allCases[number % Damage.allCases.count]
      var (bytes, lost) = damaged(sample, with: other, by: damage, &random)
      // Half of the files have lost their footer as well, and must be walked.
      if damage != .torn, Bool.random(using: &random), !lost.contains(Self.blockCount - 1) {
        bytes = Array(bytes[..<sample.blocks[Self.blockCount - 1].upperBound])
      }
      try writeBytes(bytes, to: file)
      let expected = sample.ticks.indices.filter { !lost.contains($0 / Self.blockTicks) }
        .map { sample.ticks[$0] }
      let reader = try ArchiveReader(file: file)
      #expect(try readAll(reader) == expected, "file \(number), \(damage)")
      lostBlocks += lost.count

      // Reading that is not told to skip stops right before the first damaged block.
      guard damage != .torn, let first = lost.min() else { continue }
      var read = 0
      #expect(throws: Fault.self) {
        try reader.forEachBlock { ticks throws(Fault) in read += ticks.count }
      }
      #expect(read == first * Self.blockTicks, "file \(number), \(damage)")
    }
    // Without damage the test would show nothing.
    #expect(lostBlocks > 1000)
  }

  @Test func aRepairedCopyIsSoundAndHoldsAllThatCanBeRead() throws {
    let (directory, otherDirectory) = (try TemporaryDirectory(), try TemporaryDirectory())
    let sample = try sample(3, in: directory.path)
    let other = try self.sample(4, in: otherDirectory.path, feed: "other")
    let file = directory.path + "/test-20261123-0001.tka"
    var random = SeededGenerator(seed: 7)
    for number in 0..<40 {
      let (bytes, lost) = damaged(
        sample, with: other, by: Damage.allCases[number % Damage.allCases.count], &random)
      try writeBytes(bytes, to: file)
      let target = directory.path + "/copy-\(number)"
      let report = try ArchiveReader(file: file).repair(into: target, feed: "test")
      let expected = sample.ticks.indices.filter { !lost.contains($0 / Self.blockTicks) }
        .map { sample.ticks[$0] }
      #expect(try readAll(in: target) == expected)
      #expect(report.records == UInt64(expected.count))
      #expect(try ArchiveReader(directory: target, feed: "test").verify().isSound)
      #expect(try readBytes(file) == bytes)
      if expected.isEmpty { continue }
      #expect(throws: Fault.self) { try ArchiveReader(file: file).repair(into: target, feed: "test") }
    }
  }

  @Test func theTallyTellsHolesGapsAndRates() throws {
    var ticks = TickStreams.plausible(count: 1200, instruments: 3)
    ticks.removeSubrange(100..<110)
    var tally = ArchiveTally()
    ticks.withUnsafeBufferPointer { tally.take($0.span) }
    #expect(tally.records == 1190)
    #expect(tally.holes == [101...110])
    #expect(tally.gaps.count == 2)
    #expect(tally.instruments.values.reduce(0) { $0 + $1.ticks } == 1188)
    let busiest = Dictionary(grouping: ticks, by: \.receiveTime.seconds).values.map(\.count).max()
    #expect(tally.busiestCount == busiest.map(UInt64.init))
  }
}
