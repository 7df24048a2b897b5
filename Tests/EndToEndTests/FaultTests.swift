import Foundation
import Testing

/// What goes wrong around a feed handler: each fault is one clear sentence, a stable exit code, and nothing that was
/// stored is lost.
@Suite(.serialized) struct FaultTests {
  @Test func aVenueThatRefusesIsNotRetried() throws {
    let feed = try LiveFeed()
    let ingest = try Running(
      ["ingest", "--config", feed.configurationFile],
      environment: ["TICKRING_KITE_API_KEY": "demo", "TICKRING_KITE_ACCESS_TOKEN": "wrong"])
    let outcome = try ingest.wait()
    #expect(outcome.code == 77, "\(outcome.errors)")
    #expect(outcome.errors.contains("403"))
    #expect(!outcome.errors.contains("wrong"), "the token must not be printed")
    #expect(try feed.leftovers() == ["tickring.\(feed.name)"], "the reason stays")
    let status = try Tool.run(["status", "--feed", feed.name])
    #expect(status.code == 1)
    #expect(status.errors.contains("halted") && status.errors.contains("403"))
    let clean = try Tool.run(["shm", "clean", "--feed", feed.name])
    #expect(clean.output == "removed /tickring.\(feed.name)\n")
    #expect(try feed.leftovers() == [])
  }

  /// The venue takes the connection and says nothing, which is waited for.
  @Test func aSecondInterruptEndsAStartThatHangs() throws {
    let feed = try LiveFeed()
    feed.venue.signal(SIGSTOP)
    let ingest = try feed.start()
    while try feed.leftovers().isEmpty { usleep(10_000) }
    while ingest.process.isRunning {
      ingest.signal(SIGINT)
      usleep(100_000)
    }
    let outcome = try ingest.wait()
    #expect(outcome.code == 128 + SIGINT, "\(outcome.errors)")
  }

  @Test func aVenueThatClosesAtOnceIsGivenUpAfterTheBudget() throws {
    let feed = try LiveFeed(["--fault", "close-at-once"])
    let outcome = try feed.start().wait()
    #expect(outcome.code == 69, "\(outcome.errors)")
    #expect(outcome.errors.contains("gave up on kite after 4 attempts"))
    #expect(try feed.leftovers() == ["tickring.\(feed.name)"], "the reason stays")
  }

  @Test func garbageFramesAreCountedAndSkipped() throws {
    let feed = try LiveFeed(["--fault", "garbage", "--speed", "10"])
    let ingest = try feed.startAndWaitForTicks(atLeast: 500)
    #expect(try #require(feed.counter("bad-frames")) > 0)
    ingest.signal(SIGTERM)
    let outcome = try ingest.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("skipped a bad frame"))
  }

  @Test func aCutConnectionIsRestoredAndTheGapRecorded() throws {
    let feed = try LiveFeed(["--fault", "cut:300", "--speed", "10"])
    let ingest = try feed.startAndWaitForTicks(atLeast: 1200)
    #expect(try #require(feed.counter("connects")) >= 4)
    #expect(try #require(feed.counter("gaps")) >= 3)
    ingest.signal(SIGTERM)
    let outcome = try ingest.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let replay = try Tool.run(["replay", "--config", feed.configurationFile, "--check"])
    #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
    // Each outage is told when it begins and when it ends, with its own beginning.
    let records = try feed.gapRecords()
    #expect(records.first.map { $0.start == 0 && !$0.isOpen } == true)
    for (open, closed) in zip(records.dropFirst(), records.dropFirst(2)) where open.isOpen {
      #expect(!closed.isOpen && closed.start == open.start && closed.time >= open.time)
    }
    #expect(Set(records.filter(\.isOpen).map(\.start)).count == records.filter(\.isOpen).count)
    #expect(records.filter(\.isOpen).count >= 4, "three cuts and the stop")
  }

  @Test func noVenueAtAllIsOneSentence() throws {
    let feed = try LiveFeed()
    _ = try feed.stopVenue()
    let outcome = try feed.start().wait()
    #expect(outcome.code == 69)
    #expect(outcome.errors.contains("127.0.0.1:\(feed.port)"))
  }

  @Test func aSecondFeedHandlerOfTheSameNameIsRefusedWithThePid() throws {
    let feed = try LiveFeed()
    let first = try feed.startAndWaitForTicks()
    let second = try Tool.run(
      ["ingest", "--config", feed.configurationFile], environment: LiveFeed.credentials)
    #expect(second.code == 75)
    #expect(second.errors.contains("held by process \(first.pid)"))
    // The refused one must not have touched what the first one holds.
    let before = try #require(feed.counter("ticks"))
    try first.wait { _ in (feed.counter("ticks") ?? 0) > before }
    first.signal(SIGTERM)
    #expect(try first.wait().code == 0)
    #expect(try feed.leftovers() == [])
  }

  @Test func aKilledFeedHandlerLosesNothingThatItPublished() throws {
    let feed = try LiveFeed(["--speed", "20"])
    for _ in 0..<5 {
      let ingest = try feed.startAndWaitForTicks(atLeast: 300)
      ingest.signal(SIGKILL)
      _ = try ingest.wait()
    }
    let last = try feed.start()
    try last.wait { $0.errors.contains("took over feed") }
    try last.wait { _ in (feed.counter("ticks") ?? 0) > 100 }
    let published = try #require(feed.counter("sequence"))
    last.signal(SIGTERM)
    #expect(try last.wait().code == 0)
    // Sequences number every record ever published; the archive must hold each once.
    let cat = try Tool.run(["archive", "cat", feed.dataDirectory + "/archive"])
    let sequences = cat.output.split(separator: "\n").dropFirst().compactMap { line in
      UInt64(line.split(separator: ",", omittingEmptySubsequences: false)[9])
    }
    #expect(sequences == (1...UInt64(sequences.count)).map { $0 })
    #expect(UInt64(sequences.count) >= published)
    let replay = try Tool.run(["replay", "--config", feed.configurationFile, "--check"])
    #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
    #expect(try feed.leftovers() == [])
  }

  @Test func anArchiveThatWasCutIsRepairedAtTheNextStart() throws {
    let feed = try LiveFeed(["--speed", "20"])
    let first = try feed.startAndWaitForTicks(atLeast: 2000)
    first.signal(SIGTERM)
    #expect(try first.wait().code == 0)
    let archive = feed.dataDirectory + "/archive"
    let segment = try #require(
      try FileManager.default.contentsOfDirectory(atPath: archive).first { $0.hasSuffix(".tka") })
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: archive + "/" + segment))
    let length = try handle.seekToEnd()
    try handle.truncate(atOffset: length * 2 / 3)
    try handle.close()
    let second = try feed.startAndWaitForTicks()
    #expect(second.errors.contains(segment), "the recovery must name the file: \(second.errors)")
    second.signal(SIGTERM)
    #expect(try second.wait().code == 0)
    let verify = try Tool.run(["archive", "verify", archive])
    #expect(verify.code == 0, "\(verify.errors)")
  }

  @Test func aFullDiskHaltsLoudlyAndKeepsWhatIsStored() throws {
    let feed = try LiveFeed(["--speed", "50"])
    try FileManager.default.createDirectory(atPath: feed.dataDirectory, withIntermediateDirectories: true)
    guard mount(feed.dataDirectory, sizeKiB: 65_536) else {
      print("skipped: this user may not mount a tmpfs")
      return
    }
    defer { unmount(feed.dataDirectory) }
    let first = try feed.startAndWaitForTicks(atLeast: 2000)
    first.signal(SIGTERM)
    #expect(try first.wait().code == 0)
    try fill(feed.dataDirectory)
    let ingest = try feed.start()
    let outcome = try ingest.wait(timeoutSeconds: 120)
    #expect(outcome.code == 74, "\(outcome.errors)")
    let isSaid = outcome.errors.contains("No space left on device") || outcome.errors.contains("full")
    #expect(isSaid, "\(outcome.errors)")
    let verify = try Tool.run(["archive", "verify", feed.dataDirectory + "/archive"])
    #expect(verify.code == 0, "\(verify.output)\(verify.errors)")
  }

  @Test func aFullArchiveIsStoppedAndGoesOnLaterWhereThatIsWanted() throws {
    let feed = try LiveFeed(["--speed", "50"], extra: "archive:\n  when_full: [stop-archive]")
    let archive = feed.dataDirectory + "/archive"
    try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
    guard mount(archive, sizeKiB: 16_384) else {
      print("skipped: this user may not mount a tmpfs")
      return
    }
    defer { unmount(archive) }
    // The archive takes room in advance, so there must be little of it before the feed starts.
    try fill(archive, leaving: 262_144)
    let ingest = try feed.startAndWaitForTicks(atLeast: 2000)
    try ingest.wait { $0.errors.contains("the archive is stopped until there is room") }
    try FileManager.default.removeItem(atPath: archive + "/filler")
    try ingest.wait { $0.errors.contains("the archive goes on") }
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    // What was recorded before and after is whole; only what came in between is missing.
    let verify = try Tool.run(["archive", "verify", archive])
    #expect(verify.code == 0, "\(verify.output)\(verify.errors)")
  }

  /// Takes the room of the device on which a directory lies, but for half a MiB unless told otherwise, with which SQLite
  /// can still open its database: it is the archive that finds the device full.
  private func fill(_ directory: String, leaving bytesLeft: UInt64 = 524_288) throws {
    let path = directory + "/filler"
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    for byteCount in [65_536, 512] {
      while (try? handle.write(contentsOf: Data(count: byteCount))) != nil {}
    }
    try handle.truncate(atOffset: try handle.seekToEnd() - bytesLeft)
  }

  @Test func aDataDirectoryThatCannotBeWrittenIsOneSentence() throws {
    let feed = try LiveFeed()
    let text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    _ = try feed.directory.write(
      text.replacingOccurrences(of: "data_directory: data", with: "data_directory: /proc/tickring"),
      to: "tickring.yaml")
    let outcome = try feed.start().wait()
    #expect(outcome.code == 73)
    #expect(outcome.errors.contains("data_directory '/proc/tickring'"))
  }

  @Test func aPortInUseIsOneSentence() throws {
    let feed = try LiveFeed()
    let second = try Tool.run(["simulate", "--port", "\(feed.port)"])
    #expect(second.code == 73)
    #expect(second.errors.contains("\(feed.port)"))
  }

  private func mount(_ path: String, sizeKiB: Int) -> Bool {
    run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(sizeKiB)k", "tmpfs", path]) == 0
  }

  private func unmount(_ path: String) { _ = run("/bin/umount", ["-l", path]) }

  private func run(_ executable: String, _ arguments: [String]) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
