import Foundation
import MarketData
import Testing
import TickArchive

@Suite struct CaptureTests {
  /// Frames of any content and length, with times that may also run backwards.
  private func frames(count: Int, seed: UInt64, lengthMax: Int = 3000) -> [CapturedFrame] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      let length = [0, 1, Int.random(in: 0...lengthMax, using: &random)].randomElement(using: &random) ?? 0
      let isPlain = Bool.random(using: &random)
      let time = TickStreams.open + Int64.random(in: -5...1000, using: &random) + Int64(index) * 900
      return CapturedFrame(
        number: UInt64(index + 1), receiveTime: time, isText: Bool.random(using: &random),
        bytes: (0..<length).map { isPlain ? UInt8($0 / 100) : UInt8.random(in: 0...255, using: &random) })
    }
  }

  private func write(
    _ frames: some Sequence<CapturedFrame>, in directory: String, options: ArchiveOptions = .init(),
    sealEvery: Int = 50
  ) throws {
    var writer = try CaptureWriter(directory: directory, feed: "test", options: options)
    writer.define([SampleInstruments.reliance])
    for (index, frame) in frames.enumerated() {
      try writer.append(frame.bytes.span.bytes, isText: frame.isText, receiveTime: frame.receiveTime)
      if index % sealEvery == sealEvery - 1 { try writer.seal() }
    }
    try writer.finish()
  }

  private func readFrames(_ reader: CaptureReader, damage: DamagePolicy = .fail) throws -> [CapturedFrame] {
    var frames: [CapturedFrame] = []
    try reader.forEachFrame(damage: damage) { frame throws(Fault) in frames.append(frame) }
    return frames
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func framesComeBackUnchanged(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let frames = frames(count: 1 + Int(seed) * 23, seed: seed)
    try write(frames, in: directory.path, options: ArchiveOptions(segmentBytesMax: 30_000))
    let reader = try CaptureReader(directory: directory.path, feed: nil)
    #expect(try readFrames(reader) == frames)
    #expect(reader.instruments == [SampleInstruments.reliance])
  }

  @Test func extremesOfTimeAndLengthComeBackUnchanged() throws {
    let directory = try TemporaryDirectory()
    let large = [UInt8](repeating: 7, count: CaptureWriter.frameBytesMax)
    let frames = [Int64.min, .max, 0, -1].enumerated().map { index, time in
      CapturedFrame(
        number: UInt64(index + 1), receiveTime: Timestamp(nanoseconds: time), isText: false,
        bytes: index == 1 ? large : [])
    }
    try write(frames, in: directory.path)
    #expect(try readFrames(CaptureReader(directory: directory.path, feed: "test")) == frames)
  }

  @Test func aSecondRunGoesOnWithTheNumbers() throws {
    let directory = try TemporaryDirectory()
    let frames = frames(count: 90, seed: 5)
    try write(frames[..<40], in: directory.path)
    try write(frames[40...], in: directory.path)
    let reader = try CaptureReader(directory: directory.path, feed: "test")
    #expect(try readFrames(reader) == frames)
    #expect(reader.files.count == 1)
    #expect(try reader.info().map(\.ticks) == [90])
  }

  @Test func capturesAndTicksOfOneDirectoryDoNotDisturbEachOther() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 40)
    let frames = frames(count: 30, seed: 1)
    try write(frames, in: directory.path)
    try archive(ticks, in: directory.path)
    #expect(try readAll(in: directory.path) == ticks)
    #expect(try readFrames(CaptureReader(directory: directory.path, feed: "test")) == frames)
  }

  @Test func damageCostsTheFramesOfItsBlock() throws {
    let directory = try TemporaryDirectory()
    let frames = frames(count: 200, seed: 9, lengthMax: 60)
    try write(frames, in: directory.path)
    let file = try #require(try CaptureReader(directory: directory.path, feed: "test").files.first)
    let bytes = try readBytes(file)
    let starts = bytes.indices.dropLast(8).filter { bytes[$0..<$0 + 8].elementsEqual("TKABLOCK".utf8) }
    // Definitions, four blocks of fifty frames, the index.
    #expect(starts.count == 6)
    let whole = try CaptureReader(file: file).verify()
    #expect(whole.isSound && whole.ticks == 200 && whole.blocks == 4 && whole.segments == 1)
    var random = SeededGenerator(seed: 1)
    for position in stride(from: starts[1], to: starts[5], by: 11) {
      var damaged = bytes
      damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try writeBytes(damaged, to: file)
      let hit = (1...4).last { starts[$0] <= position } ?? 1
      let expected = Array(frames[..<((hit - 1) * 50)] + frames[(hit * 50)...])
      let reader = try CaptureReader(file: file)
      #expect(try readFrames(reader, damage: .skip) == expected, "byte \(position)")
      #expect(throws: Fault.self) { try readFrames(reader) }
      let report = try reader.verify()
      #expect(report.damaged.count == 1 && report.ticks == 150)
    }
  }

  @Test func aTornEndIsCutAndTheCaptureGoesOn() throws {
    let directory = try TemporaryDirectory()
    let frames = frames(count: 120, seed: 3, lengthMax: 60)
    try write(frames[..<100], in: directory.path)
    let file = try #require(try CaptureReader(directory: directory.path, feed: "test").files.first)
    let bytes = try readBytes(file)
    let starts = bytes.indices.dropLast(8).filter { bytes[$0..<$0 + 8].elementsEqual("TKABLOCK".utf8) }
    try writeBytes(bytes[..<(starts[2] + 200)], to: file)
    try write(frames[50...], in: directory.path)
    #expect(try readFrames(CaptureReader(directory: directory.path, feed: "test")) == frames)
  }
}
