import Foundation
import MarketData
import Testing
import TickArchive

/// What a power cut may leave, at every moment of a writer's life: nothing acknowledged is lost, nothing that opens is
/// wrong, and the feed goes on.
@Suite struct PowerCutTests {
  private static let options: ArchiveOptions = {
    var options = ArchiveOptions(blockTicks: 16, segmentBytesMax: 5000)
    options.keepsJournal = true
    return options
  }()

  /// Images built for each run of the writer; `make soak-archive` asks for more.
  private static let imageCount =
    ProcessInfo.processInfo.environment["TICKRING_SOAK_IMAGES"].flatMap(Int.init) ?? 40

  /// Writes ticks, synchronizing now and then, and returns what was done.
  private func record(_ ticks: [Tick], bug: RecordedDisk.SeededBug? = nil, seed: UInt64) throws
    -> [RecordedDisk.Operation]
  {
    let directory = try TemporaryDirectory()
    let disk = RecordedDisk(bug: bug)
    var random = SeededGenerator(seed: seed)
    // Several runs: the second goes on with segments and journal of the first, also without its good end.
    for (run, part) in [ticks[..<(ticks.count / 3)], ticks[(ticks.count / 3)...]].enumerated() {
      var writer = try ArchiveWriter(
        directory: directory.path, feed: "test", options: Self.options, calls: disk.calls)
      try writer.define([SampleInstruments.reliance])
      for tick in part where tick.sequence > writer.lastSealedSequence ?? 0 {
        _ = try writer.append(tick)
        switch Int.random(in: 0..<24, using: &random) {
        case 0...3:
          try writer.synchronize()
          disk.acknowledge(tick.sequence)
        case 4: try writer.seal()
        case 5:
          try writer.finish()
          disk.acknowledge(tick.sequence)
        default: break
        }
      }
      if run == 1 || seed % 2 == 0 {
        try writer.finish()
        disk.acknowledge(part.last?.sequence ?? 0)
      } else {
        try writer.synchronize()
        disk.acknowledge(part.last?.sequence ?? 0)
      }
    }
    return disk.operations
  }

  /// Says what is wrong with an image, or nil.
  private func complaint(about image: DiskImage, ticks: [Tick]) throws -> String? {
    let directory = try TemporaryDirectory()
    try image.write(to: directory.path)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
    let safe = writer.lastSealedSequence ?? 0
    guard safe >= image.acknowledged else {
      return "\(image.acknowledged) was acknowledged, \(safe) is there"
    }
    let found = try readAll(in: directory.path)
    guard found == Array(ticks[..<Int(safe)]) else {
      let missing = Set(1...safe).subtracting(found.map(\.sequence)).sorted()
      let recovery = writer.recovery?.description ?? "nothing to recover"
      return "up to \(safe) the sequences \(missing) are missing, or others differ: \(recovery)"
    }
    let report = try ArchiveReader(directory: directory.path, feed: "test").verify()
    guard report.isSound, report.tornEnds.isEmpty else { return "damage after recovery: \(report)" }
    for tick in ticks[Int(safe)...] { _ = try writer.append(tick) }
    try writer.close()
    guard try readAll(in: directory.path) == ticks else { return "the feed did not go on after \(safe)" }
    let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    guard left.allSatisfy({ $0.hasSuffix(".tka") || $0.hasSuffix(".lock") }) else { return "left: \(left)" }
    return nil
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func nothingAcknowledgedIsLostAndNothingThatOpensIsWrong(seed: UInt64) throws {
    let ticks = TickStreams.plausible(count: 220, seed: seed)
    let operations = try record(ticks, seed: seed)
    var random = SeededGenerator(seed: seed)
    for number in 0..<Self.imageCount {
      let count = Int.random(in: 0...operations.count, using: &random)
      let image = RecordedDisk.image(after: count, of: operations, using: &random)
      let complaint = try complaint(about: image, ticks: ticks)
      #expect(complaint == nil, "image \(number) of seed \(seed), after \(count) operations")
    }
  }

  /// The instrument itself: a writer that does not wait for its bytes, or for its names, is found out.
  @Test(arguments: RecordedDisk.SeededBug.allCases)
  func aWriterThatForgetsToSynchronizeIsFoundOut(bug: RecordedDisk.SeededBug) throws {
    let ticks = TickStreams.plausible(count: 120)
    let operations = try record(ticks, bug: bug, seed: 1)
    var random = SeededGenerator(seed: 1)
    let found = try (0..<60).contains { _ in
      let count = Int.random(in: 0...operations.count, using: &random)
      let image = RecordedDisk.image(after: count, of: operations, using: &random)
      return try complaint(about: image, ticks: ticks) != nil
    }
    #expect(found)
  }
}
