import Foundation
import MarketData
import Testing
import TickArchive

@Suite struct DamageTests {
  private static let blockTicks = 16

  /// A complete segment of definitions and six blocks of 16 ticks, with the range of bytes of each block of ticks.
  private struct Sample {
    let directory: TemporaryDirectory
    let file: String
    let bytes: [UInt8]
    let ticks = TickStreams.plausible(count: 96)
    let blocks: [Range<Int>]

    init() throws {
      directory = try TemporaryDirectory()
      var writer = try ArchiveWriter(
        directory: directory.path, feed: "test", options: ArchiveOptions(blockTicks: DamageTests.blockTicks))
      try writer.define([SampleInstruments.reliance])
      var blocks: [Range<Int>] = []
      for tick in ticks {
        let start = Int(writer.statistics.bytes)
        if try writer.append(tick) { blocks.append(start..<Int(writer.statistics.bytes)) }
      }
      try writer.close()
      // The first of these ranges starts with segment header and definitions, which are not part of its block.
      file = try directory.segments[0]
      bytes = try readBytes(file)
      let bytes = bytes
      let starts = bytes.indices.filter { bytes[$0...].starts(with: "TKABLOCK".utf8) }
      blocks[0] = starts[1]..<blocks[0].upperBound
      self.blocks = blocks
    }

    /// The ticks without those of some blocks.
    func ticks(without damaged: Set<Int>) -> [Tick] {
      ticks.indices.filter { !damaged.contains($0 / DamageTests.blockTicks) }.map { ticks[$0] }
    }
  }

  @Test func aFlippedBitAnywhereCostsExactlyTheBlockThatItIsIn() throws {
    let sample = try Sample()
    var random = SeededGenerator(seed: 3)
    for position in stride(from: 0, to: sample.bytes.count, by: 5) {
      var bytes = sample.bytes
      bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try writeBytes(bytes, to: sample.file)
      let hit = sample.blocks.firstIndex { $0.contains(position) }
      let expected = sample.ticks(without: hit.map { [$0] } ?? [])

      let reader = try ArchiveReader(file: sample.file)
      #expect(try readAll(reader) == expected, "byte \(position)")
      let report = try reader.verify()
      #expect(report.ticks == expected.count, "byte \(position)")
      guard let hit else {
        // Segment header, definitions, index or trailer: something is reported, but no tick is lost.
        #expect(!report.damaged.isEmpty || !report.tornEnds.isEmpty || reader.instruments.isEmpty)
        continue
      }
      let damaged = try #require(report.damaged.first, "byte \(position)")
      #expect(report.damaged.count == 1)
      #expect(damaged.offset..<damaged.offset + damaged.length == sample.blocks[hit])
      let (first, last) = (UInt64(hit * Self.blockTicks + 1), UInt64((hit + 1) * Self.blockTicks))
      // Without its header the bounds of a block are those of its neighbours, of which the first and last lack one.
      #expect(damaged.firstSequence == first || damaged.firstSequence == nil && hit == 0)
      #expect(damaged.lastSequence == last || damaged.lastSequence == nil && hit == 5)
      #expect(throws: Fault.self) { try reader.forEachBlock { _ throws(Fault) in } }
    }
  }

  @Test(arguments: [1, 2]) func segmentsThatHaveSwappedTheirNamesAreNotReadInTheWrongOrder(cores: Int) throws
  {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 96)
    var writer = try ArchiveWriter(
      directory: directory.path, feed: "test", options: ArchiveOptions(blockTicks: Self.blockTicks))
    for tick in ticks[..<48] { _ = try writer.append(tick) }
    try writer.finish()
    for tick in ticks[48...] { _ = try writer.append(tick) }
    try writer.close()
    let segments = try directory.segments
    try #require(segments.count == 2)
    let contents = try segments.map(readBytes)
    try writeBytes(contents[1], to: segments[0])
    try writeBytes(contents[0], to: segments[1])

    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    let fault = #expect(throws: Fault.self) {
      try reader.forEachBlock(TickSelection(), cores: cores) { _ throws(Fault) in }
    }
    let began = try #require(segments[0].split(separator: "/").last)
    #expect(fault?.kind == .badData)
    #expect(
      fault?.message.contains("and its segment was begun as \(began)") == true, "\(fault?.message ?? "")")
    var found: [Tick] = []
    let skipped = try reader.forEachBlock(TickSelection(damage: .skip), cores: cores) { run throws(Fault) in
      for index in run.indices { found.append(run[index]) }
    }
    #expect(found == Array(ticks[48...]))
    #expect(skipped.map(\.firstSequence) == [1, 17, 33])
    #expect(try reader.verify().damaged == skipped)
  }

  /// A copy of one block behind another, behind which it does not belong, costs itself alone, whichever of the two comes
  /// first in the stream.
  @Test(arguments: [(1, 3), (4, 1), (0, 5), (5, 0), (2, 2), (2, 1)], [1, 2])
  func aBlockThatIsThereTwiceIsReadOnce(copied: (block: Int, behind: Int), cores: Int) throws {
    let sample = try Sample()
    var bytes = Array(sample.bytes[..<sample.blocks[5].upperBound])
    bytes.insert(
      contentsOf: sample.bytes[sample.blocks[copied.block]], at: sample.blocks[copied.behind].upperBound)
    try writeBytes(bytes, to: sample.file)
    let reader = try ArchiveReader(file: sample.file)
    var ticks: [Tick] = []
    let damaged = try reader.forEachBlock(TickSelection(damage: .skip), cores: cores) { block throws(Fault) in
      for index in block.indices { ticks.append(block[index]) }
    }
    #expect(ticks.map(\.sequence) == sample.ticks.map(\.sequence))
    #expect(damaged.count == 1)
    let report = try reader.verify()
    #expect(report.damaged == damaged && report.ticks == ticks.count)
    #expect(throws: Fault.self) {
      try reader.forEachBlock(TickSelection(), cores: cores) { _ throws(Fault) in }
    }
  }

  @Test func aBlockOfAnotherSegmentOfTheSameNameIsDamage() throws {
    let (sample, twin) = (try Sample(), try Sample())
    #expect(sample.blocks == twin.blocks, "the two differ in their salt alone")
    var bytes = Array(sample.bytes[..<sample.blocks[5].upperBound])
    bytes.replaceSubrange(sample.blocks[2], with: twin.bytes[sample.blocks[2]])
    try writeBytes(bytes, to: sample.file)
    let reader = try ArchiveReader(file: sample.file)
    #expect(try readAll(reader) == sample.ticks(without: [2]))
    #expect(try reader.verify().damaged.map(\.cause) == ["it is of another segment"])
  }

  @Test func theFooterIndexOfAnotherSegmentIsNotUsed() throws {
    let sample = try Sample()
    let other = try TemporaryDirectory()
    try archive(TickStreams.plausible(count: 80), in: other.path, options: ArchiveOptions(blockTicks: 8))
    let bytes = try withFooter(of: readBytes(other.segments[0]), sample)
    try writeBytes(bytes, to: sample.file)
    let reader = try ArchiveReader(file: sample.file)
    #expect(try readAll(reader) == sample.ticks)
    #expect(try reader.verify().ticks == sample.ticks.count)
  }

  /// The sample's blocks with the footer index of another segment behind them, and a trailer that leads to it.
  private func withFooter(of other: [UInt8], _ sample: Sample) throws -> [UInt8] {
    let indexStart = try #require(
      other.indices.last { $0 % 8 == 0 && other[$0...].starts(with: "TKABLOCK".utf8) })
    var bytes = Array(sample.bytes[..<sample.blocks[5].upperBound])
    let offset = UInt64(bytes.count)
    bytes += other[indexStart...]
    let trailer = bytes.count - 32
    for index in 0..<8 { bytes[trailer + 8 + index] = UInt8(truncatingIfNeeded: offset >> UInt64(8 * index)) }
    // The checksum belongs at the end of the trailer.
    Checksums.reseal(&bytes, trailer..<trailer + 28)
    return bytes
  }

  @Test func severalDamagedBlocksCostJustThemselves() throws {
    let sample = try Sample()
    var random = SeededGenerator(seed: 4)
    for _ in 0..<60 {
      var bytes = sample.bytes
      let hits = Set((0..<3).map { _ in Int.random(in: 0..<6, using: &random) })
      for hit in hits { bytes[Int.random(in: sample.blocks[hit], using: &random)] ^= 0xFF }
      // Half of the files also lack their footer, so that they are walked.
      if Bool.random(using: &random), !hits.contains(5) {
        bytes = Array(bytes[..<sample.blocks[5].upperBound])
      }
      try writeBytes(bytes, to: sample.file)
      #expect(try readAll(ArchiveReader(file: sample.file)) == sample.ticks(without: hits))
    }
  }

  @Test func aFaultAboutDamageNamesFilePlaceAndBounds() throws {
    let sample = try Sample()
    var bytes = sample.bytes
    bytes[sample.blocks[2].upperBound - 9] ^= 1
    try writeBytes(bytes, to: sample.file)
    let reader = try ArchiveReader(file: sample.file)
    #expect {
      try reader.forEachBlock { _ throws(Fault) in }
    } throws: { error in
      let text = "\(error)"
      return (error as? Fault)?.kind == .badData && text.contains(sample.file)
        && text.contains("the block at byte \(sample.blocks[2].lowerBound)")
        && text.contains("lost are sequences 33 to 48")
    }
    // Damage outside the wanted time does not matter.
    var count = 0
    try reader.forEachBlock(from: sample.ticks[60].receiveTime) { ticks throws(Fault) in count += ticks.count
    }
    #expect(count == 36)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func blocksThatLieUnderASoundChecksumGiveAFaultOrTicksButNeverATrap(seed: UInt64) throws {
    let sample = try Sample()
    var random = SeededGenerator(seed: seed)
    var bytes = sample.bytes
    let block = sample.blocks[Int.random(in: 0..<6, using: &random)]
    let payload = block.lowerBound + 256..<block.upperBound
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let range = Bool.random(using: &random) ? payload : block.lowerBound + 12..<block.lowerBound + 240
      bytes[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    let checksum = Checksums.of(bytes[payload])
    for index in 0..<4 {
      bytes[block.lowerBound + 28 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
    }
    Checksums.reseal(&bytes, block.lowerBound..<block.lowerBound + 252)
    try writeBytes(bytes[..<sample.blocks[5].upperBound], to: sample.file)
    let reader = try ArchiveReader(file: sample.file)
    let report = try reader.verify()
    #expect(report.ticks >= 80)
    #expect(try readAll(reader).count >= 80)
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func garbageIsNoSegment(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: seed)
    var bytes = (0..<Int.random(in: 0...20_000, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    for offset in stride(from: 64, to: bytes.count - 8, by: 512) where seed % 2 == 0 {
      bytes.replaceSubrange(offset..<offset + 8, with: "TKABLOCK".utf8)
    }
    let file = directory.path + "/test-20261123-0001.tka"
    try writeBytes(bytes, to: file)
    let reader = try ArchiveReader(file: file)
    #expect(try readAll(reader) == [])
    #expect(try reader.verify().ticks == 0)
    let ticks = TickStreams.plausible(count: 10)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test")
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func aFooterIndexThatTellsOfOtherBlocksIsReported() throws {
    let sample = try Sample()
    let other = try TemporaryDirectory()
    var ticks = sample.ticks
    ticks[40].receiveTime = ticks[41].receiveTime
    ticks[47].receiveTime = ticks[47].receiveTime + 1
    try archive(ticks, in: other.path, options: ArchiveOptions(blockTicks: Self.blockTicks))
    // The index of a segment without definitions put behind blocks with definitions; as from earlier writers, it does
    // not tell which segment it is of.
    var bytes = try withFooter(of: readBytes(other.segments[0]), sample)
    let index = sample.blocks[5].upperBound
    for position in index + 92..<index + 96 { bytes[position] = 0 }
    Checksums.reseal(&bytes, index..<index + 252)
    try writeBytes(bytes, to: sample.file)
    let report = try ArchiveReader(file: sample.file).verify()
    #expect(report.ticks == 96)
    #expect(report.damaged.map(\.cause).contains { $0.contains("footer index does not agree") })
  }
}
