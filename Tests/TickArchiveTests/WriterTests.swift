import Foundation
import MarketData
import Synchronization
import Testing
import TickArchive

enum SampleInstruments {
  static let reliance = make(0, "NSE:RELIANCE", "738561", Price(units: 50_000_000), 1)
  static let nifty = make(7, "NFO:NIFTY26NOVFUT", "13238786", Price(units: 50_000_000), 75)
  static let euro = make(.max - 1, "CDS:EURINR26NOVFUT", "", Price(units: 2_500_000), 1000)

  static func make(_ id: UInt32, _ symbol: String, _ token: String, _ tick: Price, _ lot: Int64) -> Instrument
  {
    do {
      return Instrument(
        id: InstrumentID(rawValue: id), symbol: try Symbol(symbol), venueToken: token, priceTick: tick,
        lotSize: lot)
    } catch {
      preconditionFailure("the sample's symbols are well-formed")
    }
  }
}

@Suite struct WriterTests {
  /// System calls of which writes fail while it says so.
  private final class FailingCalls: Sendable {
    struct Plan {
      var writesUntilFailure: Int
      /// Bytes that reach the file all the same.
      var shortLength: Int?
      var truncateFails = false
    }
    let plan: Mutex<Plan?>

    init() { plan = Mutex(nil) }

    func fail(afterWrites writes: Int, shortLength: Int? = nil, truncateFails: Bool = false) {
      plan.withLock {
        $0 = Plan(writesUntilFailure: writes, shortLength: shortLength, truncateFails: truncateFails)
      }
    }

    func recover() { plan.withLock { $0 = nil } }

    var calls: FileCalls {
      var calls = FileCalls.system
      calls.write = { descriptor, bytes, offset in
        let failing: Plan? = self.plan.withLock { plan in
          guard let current = plan else { return nil }
          if current.writesUntilFailure > 0 {
            plan?.writesUntilFailure -= 1
            return nil
          }
          return current
        }
        guard let failing else { return FileCalls.system.write(descriptor, bytes, offset) }
        if let length = failing.shortLength {
          let part = UnsafeRawBufferPointer(rebasing: bytes[..<min(length, bytes.count - 1)])
          return FileCalls.system.write(descriptor, part, offset)
        }
        errno = ENOSPC
        return -1
      }
      calls.truncate = { descriptor, length in
        if self.plan.withLock({ $0?.truncateFails ?? false }) {
          errno = EIO
          return -1
        }
        return FileCalls.system.truncate(descriptor, length)
      }
      return calls
    }
  }

  @Test(arguments: [nil, 1, 200, 300] as [Int?], [false, true])
  func aFailedWriteAtAnyPointLosesNothingSealedAndCanBeRetried(shortLength: Int?, truncateFails: Bool) throws
  {
    let ticks = TickStreams.plausible(count: 64)
    for writes in 0..<12 {
      let directory = try TemporaryDirectory()
      let failing = FailingCalls()
      var writer = try ArchiveWriter(
        directory: directory.path, feed: "test",
        options: ArchiveOptions(blockTicks: 8, segmentBytesMax: 1500),
        calls: failing.calls)
      try writer.define([SampleInstruments.reliance])
      failing.fail(afterWrites: writes, shortLength: shortLength, truncateFails: truncateFails)
      var faults = 0
      for tick in ticks {
        do {
          _ = try writer.append(tick)
        } catch {
          faults += 1
          #expect(error.kind == .inputOutput)
          #expect(error.description.contains(directory.path))
          #expect(error.description.contains(shortLength == nil ? "No space left on device" : "bytes fitted"))
          let safe = writer.lastSealedSequence ?? 0
          #expect(try readAll(in: directory.path) == Array(ticks[..<Int(safe)]))
          // Still full: the same record fails again, and still nothing is lost.
          #expect(throws: Fault.self) { _ = try writer.append(tick) }
          failing.recover()
          _ = try writer.append(tick)
        }
      }
      try writer.close()
      #expect(faults == 1)
      #expect(try readAll(in: directory.path) == ticks)
      #expect(try ArchiveReader(directory: directory.path, feed: "test").verify().isSound)
    }
  }

  @Test func aFullFileSystemIsAFaultAndRoomLetsTheWriterGoOn() throws {
    let mount = try TemporaryDirectory()
    guard try shell("mount -t tmpfs -o size=256k tmpfs '\(mount.path)'") == 0 else {
      print("skipped: a tmpfs cannot be mounted here, so the disk is not really filled")
      return
    }
    defer { _ = try? shell("umount '\(mount.path)'") }
    let ballast = mount.path + "/ballast"
    try writeBytes([UInt8](repeating: 1, count: 200 << 10), to: ballast)
    let ticks = TickStreams.plausible(count: 12_000)
    var writer = try ArchiveWriter(
      directory: mount.path + "/data", feed: "test", options: ArchiveOptions(blockTicks: 1000))
    var faults = 0
    for tick in ticks {
      do {
        _ = try writer.append(tick)
      } catch {
        faults += 1
        #expect(error.kind == .inputOutput)
        #expect(try readAll(in: mount.path + "/data").count == Int(writer.lastSealedSequence ?? 0))
        try FileManager.default.removeItem(atPath: ballast)
        _ = try writer.append(tick)
      }
    }
    try writer.close()
    #expect(faults == 1)
    #expect(try readAll(in: mount.path + "/data") == ticks)
  }

  private func shell(_ command: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command + " 2>/dev/null"]
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test func aSegmentEndsWithItsDayInIndiaAndWithItsSize() throws {
    let directory = try TemporaryDirectory()
    // 23:59:59.9 of 22 November 2026 in India.
    let midnight = Timestamp(seconds: 1_795_372_200)
    var ticks = TickStreams.plausible(count: 200)
    for index in ticks.indices {
      ticks[index].receiveTime = midnight + Int64(index - 100) * 1_000_000
    }
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 20, segmentBytesMax: 1500))
    let reader = try ArchiveReader(directory: directory.path, feed: "test")
    let infos = try reader.info()
    let names = infos.map { URL(fileURLWithPath: $0.file).lastPathComponent }
    #expect(names.first == "test-20261122-0001.tka")
    #expect(names.contains("test-20261123-0001.tka"))
    #expect(infos.count > 2)
    for info in infos {
      let day = info.file.contains("20261122") ? 0..<100 : 100..<200
      #expect(day.contains(Int(info.firstSequence ?? 0) - 1) && day.contains(Int(info.lastSequence ?? 0) - 1))
      #expect(info.isComplete)
      // A segment may pass its size by one block.
      #expect(info.bytes < 1500 + 1500)
    }
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func aClockThatIsSetBackKeepsRecordsInTheOrderOfTheirSequences() throws {
    let directory = try TemporaryDirectory()
    var ticks = TickStreams.plausible(count: 40)
    for index in 20..<40 { ticks[index].receiveTime = ticks[index].receiveTime + (-86_400_000_000_000) }
    try archive(ticks, in: directory.path, options: ArchiveOptions(blockTicks: 10, segmentBytesMax: 1200))
    #expect(try directory.segments.count > 1)
    #expect(try readAll(in: directory.path) == ticks)
  }

  @Test func everySegmentDefinesItsInstruments() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 60)
    var writer = try ArchiveWriter(
      directory: directory.path, feed: "test", options: ArchiveOptions(blockTicks: 10, segmentBytesMax: 2000))
    try writer.define([SampleInstruments.reliance])
    for tick in ticks[..<30] { _ = try writer.append(tick) }
    try writer.define([SampleInstruments.euro, SampleInstruments.nifty, SampleInstruments.reliance])
    for tick in ticks[30...] { _ = try writer.append(tick) }
    try writer.close()
    let files = try directory.segments
    #expect(files.count > 1)
    let all = [SampleInstruments.reliance, SampleInstruments.nifty, SampleInstruments.euro]
    #expect(try ArchiveReader(directory: directory.path, feed: "test").instruments == all)
    #expect(try ArchiveReader(file: files[0]).instruments.contains(SampleInstruments.reliance))
    #expect(try ArchiveReader(file: files[files.count - 1]).instruments == all)
  }

  @Test func definitionsThatAreStoredAlreadyCostNothingAfterReopening() throws {
    let directory = try TemporaryDirectory()
    let ticks = TickStreams.plausible(count: 3)
    var sizes: [Int] = []
    for tick in ticks {
      var writer = try ArchiveWriter(directory: directory.path, feed: "test")
      try writer.define([SampleInstruments.reliance, SampleInstruments.nifty])
      _ = try writer.append(tick)
      try writer.seal()
      sizes.append(Int(writer.statistics.bytes))
    }
    #expect(sizes[1] < sizes[0] - 256 && sizes[2] < sizes[0] - 256)
    var renamed = SampleInstruments.reliance
    renamed.lotSize = 2
    var writer = try ArchiveWriter(directory: directory.path, feed: "test")
    try writer.define([renamed])
    try writer.close()
    #expect(
      try ArchiveReader(directory: directory.path, feed: "test").instruments
        == [renamed, SampleInstruments.nifty])
  }

  @Test func thousandsOfDefinitionsFitOneSegment() throws {
    let directory = try TemporaryDirectory()
    let token = String(repeating: "t", count: 1024)
    let instruments = (0..<6000 as Range<UInt32>).map {
      SampleInstruments.make($0, "NSE:S\($0)", token, .zero, 1)
    }
    var writer = try ArchiveWriter(directory: directory.path, feed: "test")
    try writer.define(instruments)
    _ = try writer.append(TickStreams.plausible(count: 1)[0])
    try writer.close()
    #expect(try ArchiveReader(directory: directory.path, feed: "test").instruments == instruments)
  }

  @Test func whatCannotBeStoredIsRefusedInASentence() throws {
    let directory = try TemporaryDirectory()
    for feed in ["", "a/b", ".hidden", "-x", "feed name", String(repeating: "f", count: 37), "größe"] {
      #expect {
        _ = try ArchiveWriter(directory: directory.path, feed: feed).lastSealedSequence
      } throws: { ($0 as? Fault)?.kind == .configuration }
    }
    let token = String(repeating: "t", count: 1025)
    var writer = try ArchiveWriter(directory: directory.path, feed: "test")
    #expect(
      throws: Fault(
        .badData, "the venue token of NSE:X has 1025 bytes; the archive takes at most 1024")
    ) {
      try writer.define([SampleInstruments.make(1, "NSE:X", token, .zero, 1)])
    }
  }

  @Test func aPathThatCannotBeADirectoryIsRefused() throws {
    let directory = try TemporaryDirectory()
    let file = directory.path + "/file"
    try writeBytes([1], to: file)
    for path in [file, file + "/deeper", "/proc/archive"] {
      #expect {
        _ = try ArchiveWriter(directory: path, feed: "test").lastSealedSequence
      } throws: { error in
        (error as? Fault)?.kind == .cannotCreate && "\(error)".contains(path.prefix(file.count))
      }
    }
  }

  @Test func aSecondWriterOfTheSameFeedIsHeldOff() throws {
    let directory = try TemporaryDirectory()
    let first = try ArchiveWriter(directory: directory.path, feed: "test")
    #expect {
      _ = try ArchiveWriter(directory: directory.path, feed: "test").lastSealedSequence
    } throws: { ($0 as? Fault)?.kind == .held }
    try ArchiveWriter(directory: directory.path, feed: "other").close()
    try first.close()
    try ArchiveWriter(directory: directory.path, feed: "test").close()
  }

  @Test func aSequenceThatDoesNotIncreaseIsAProgrammingError() async {
    await #expect(processExitsWith: .failure) {
      let directory = try TemporaryDirectory()
      var writer = try ArchiveWriter(directory: directory.path, feed: "test")
      let tick = TickStreams.plausible(count: 1)[0]
      _ = try writer.append(tick)
      _ = try writer.append(tick)
    }
  }
}
