import Foundation
import MarketData
import Synchronization
import Testing
import TickArchive

/// Every system call of a writer's life fails in turn, once and from then on.
@Suite struct FailingCallTests {
  enum Failure: CaseIterable {
    case deviceFull, inputOutput, shortWrite
  }

  /// Counts all calls that change something, and lets the n-th fail, or all from the n-th on.
  private final class CountingCalls: Sendable {
    private struct State {
      var count = 0
      var failed = 0
    }
    private let state = Mutex(State())
    private let failing: Int
    private let isPersistent: Bool
    private let failure: Failure

    init(failing: Int, isPersistent: Bool, failure: Failure) {
      self.failing = failing
      self.isPersistent = isPersistent
      self.failure = failure
    }

    var count: Int { state.withLock { $0.count } }
    var failed: Int { state.withLock { $0.failed } }

    private func mustFail() -> Bool {
      let fails = state.withLock { state in
        state.count += 1
        let fails = isPersistent ? state.count >= failing : state.count == failing
        if fails { state.failed += 1 }
        return fails
      }
      if fails { errno = failure == .inputOutput ? EIO : ENOSPC }
      return fails
    }

    var calls: FileCalls {
      let system = FileCalls.system
      var calls = system
      calls.create = { self.mustFail() ? -1 : system.create($0) }
      calls.open = { self.mustFail() ? -1 : system.open($0) }
      calls.write = { descriptor, bytes, offset in
        guard self.mustFail() else { return system.write(descriptor, bytes, offset) }
        guard self.failure == .shortWrite else { return -1 }
        return system.write(
          descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)), offset)
      }
      calls.truncate = { self.mustFail() ? -1 : system.truncate($0, $1) }
      calls.reserve = { self.mustFail() ? -1 : system.reserve($0, $1, $2) }
      calls.synchronize = { self.mustFail() ? -1 : system.synchronize($0) }
      calls.rename = { self.mustFail() ? -1 : system.rename($0, $1) }
      calls.remove = { self.mustFail() ? -1 : system.remove($0) }
      calls.synchronizeDirectory = { self.mustFail() ? -1 : system.synchronizeDirectory($0) }
      return calls
    }
  }

  private static let options: ArchiveOptions = {
    var options = ArchiveOptions(blockTicks: 8, segmentBytesMax: 1500)
    options.keepsJournal = true
    return options
  }()

  /// A writer's life: definitions, several segments, journal, end. After a fault it tries the same once more, and
  /// gives up when that fails too. Returns the last sequence that was called safe, and tells each as it is.
  private func live(
    _ ticks: [Tick], in directory: String, _ calls: FileCalls, acknowledge: (UInt64) -> Void = { _ in }
  ) -> UInt64 {
    var safe: UInt64 = 0 { didSet { acknowledge(safe) } }
    do {
      var writer = try ArchiveWriter(directory: directory, feed: "test", options: Self.options, calls: calls)
      safe = writer.lastSealedSequence ?? 0
      try writer.define([SampleInstruments.reliance])
      for tick in ticks where tick.sequence > writer.lastSealedSequence ?? 0 {
        do { _ = try writer.append(tick) } catch { _ = try writer.append(tick) }
        guard tick.sequence % 5 == 0 else { continue }
        do { try writer.synchronize() } catch { try writer.synchronize() }
        safe = tick.sequence
      }
      do { try writer.finish() } catch { try writer.finish() }
      safe = ticks.last?.sequence ?? 0
    } catch {}
    return safe
  }

  @Test(arguments: Failure.allCases, [false, true])
  func everyCallFailsInTurn(failure: Failure, isPersistent: Bool) throws {
    let ticks = TickStreams.plausible(count: 44)
    var reached = 0
    while true {
      reached += 1
      let directory = try TemporaryDirectory()
      let failing = CountingCalls(failing: reached, isPersistent: isPersistent, failure: failure)
      let safe = live(ticks, in: directory.path, failing.calls)
      if failing.failed == 0 { break }

      // The next process, with a file system that works again.
      var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
      let found = writer.lastSealedSequence ?? 0
      #expect(found >= safe, "call \(reached): \(safe) was called safe, \(found) is there")
      #expect(try readAll(in: directory.path) == Array(ticks[..<Int(found)]), "call \(reached)")
      for tick in ticks[Int(found)...] { _ = try writer.append(tick) }
      try writer.close()
      #expect(try readAll(in: directory.path) == ticks, "call \(reached)")
      #expect(try ArchiveReader(directory: directory.path, feed: "test").verify().isSound, "call \(reached)")
    }
    // The life of this writer has some eighty calls; far fewer would mean that the instrument is blind.
    #expect(reached > 50)
  }

  /// A process that is killed between any two calls, or with half of a write done: everything that it wrote is there,
  /// but nothing of what it held.
  @Test func aProcessThatDiesAfterAnyCallLosesNothingThatWasSafe() throws {
    let ticks = TickStreams.plausible(count: 44)
    let disk = RecordedDisk()
    let directory = try TemporaryDirectory()
    _ = live(ticks, in: directory.path, disk.calls, acknowledge: disk.acknowledge)
    let operations = disk.operations
    #expect(operations.count > 30)
    var lives = (0...operations.count).map { Array(operations.prefix($0)) }
    for (index, operation) in operations.enumerated() {
      guard case .write(let file, let offset, let bytes) = operation else { continue }
      let half = Array(bytes.prefix(bytes.count / 2))
      lives.append(operations.prefix(index) + [.write(file: file, offset: offset, bytes: half)])
    }
    var random = SeededGenerator(seed: 1)
    for life in lives {
      // To a process that dies the cache of the kernel is as good as a device: as if each call were synchronized.
      let synchronized = life.flatMap { operation -> [RecordedDisk.Operation] in
        switch operation {
        case .write(let file, _, _), .truncate(let file, _): [operation, .synchronize(file: file)]
        case .create, .rename, .remove: [operation, .synchronizeDirectory]
        default: [operation]
        }
      }
      let image = RecordedDisk.image(after: synchronized.count, of: synchronized, using: &random)
      let copy = try TemporaryDirectory()
      try image.write(to: copy.path)
      let writer = try ArchiveWriter(directory: copy.path, feed: "test", options: Self.options)
      let found = writer.lastSealedSequence ?? 0
      #expect(found >= image.acknowledged, "after \(life.count) calls")
      #expect(try readAll(in: copy.path) == Array(ticks[..<Int(found)]), "after \(life.count) calls")
    }
  }

  /// The same with a real process and a real SIGKILL at some of the calls.
  @Test(arguments: [3, 7, 12, 19, 26, 34])
  func aKilledProcessLosesNothingThatWasSafe(call: Int) async throws {
    let directory = try TemporaryDirectory()
    setenv("TICKRING_TEST_DIRECTORY", directory.path, 1)
    setenv("TICKRING_TEST_CALL", "\(call)", 1)
    defer {
      unsetenv("TICKRING_TEST_DIRECTORY")
      unsetenv("TICKRING_TEST_CALL")
    }
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let environment = ProcessInfo.processInfo.environment
      let directory = try #require(environment["TICKRING_TEST_DIRECTORY"])
      let fatal = try #require(environment["TICKRING_TEST_CALL"].flatMap(Int.init))
      let count = Mutex(0)
      let system = FileCalls.system
      var calls = system
      calls.write = { descriptor, bytes, offset in
        // Half of the bytes get out before the process dies.
        let isLast = count.withLock {
          $0 += 1
          return $0 == fatal
        }
        guard isLast else { return system.write(descriptor, bytes, offset) }
        _ = system.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)), offset)
        kill(getpid(), SIGKILL)
        return -1
      }
      let ticks = TickStreams.plausible(count: 400)
      var writer = try ArchiveWriter(
        directory: directory, feed: "test", options: FailingCallTests.options, calls: calls)
      for tick in ticks {
        _ = try writer.append(tick)
        guard tick.sequence % 5 == 0 else { continue }
        try writer.synchronize()
        try writeBytes("\(tick.sequence)".utf8, to: directory + "/safe")
      }
    }
    let ticks = TickStreams.plausible(count: 400)
    let text = (try? readBytes(directory.path + "/safe")).map { String(decoding: $0, as: UTF8.self) } ?? "0"
    let safe = try #require(UInt64(text))
    var writer = try ArchiveWriter(directory: directory.path, feed: "test", options: Self.options)
    let found = writer.lastSealedSequence ?? 0
    #expect(found >= safe)
    #expect(try readAll(in: directory.path) == Array(ticks[..<Int(found)]))
    for tick in ticks[Int(found)...] { _ = try writer.append(tick) }
    try writer.close()
    #expect(try readAll(in: directory.path) == ticks)
  }
}
