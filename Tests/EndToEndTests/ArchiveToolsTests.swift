import Foundation
import Testing

/// The archive's tools on what a real feed handler wrote.
@Suite struct ArchiveToolsTests {
  /// Runs a feed for a moment and stops it in good order; returns its archive directory.
  private func record(_ feed: LiveFeed) throws -> String {
    let ingest = try feed.startAndWaitForTicks(atLeast: 500)
    ingest.signal(SIGTERM)
    #expect(try ingest.wait().code == 0)
    return feed.dataDirectory + "/archive"
  }

  @Test func capturedFramesDecodeToTheArchivedTicks() throws {
    let feed = try LiveFeed(["--speed", "10"], extra: "archive:\n  capture_frames: true")
    let archive = try record(feed)
    let copy = feed.directory.path + "/copy"
    let redecoded = try Tool.run(["archive", "redecode", archive, "--into", copy])
    #expect(redecoded.code == 0, "\(redecoded)")
    #expect(redecoded.output.contains("0 minutes of an instrument differ"))
    // A second time would mix two archives.
    #expect(try Tool.run(["archive", "redecode", archive, "--into", copy]).code == 73)
    // The control: an archive of which a part is gone differs from its captures.
    let names = try FileManager.default.contentsOfDirectory(atPath: archive)
    let capture = archive + "/" + (try #require(names.first { $0.hasSuffix(".tkc") }))
    let frames = try Tool.run(["archive", "cat", capture])
    #expect(frames.code == 66 && frames.output == "")
    #expect(frames.errors.contains("holds captured frames, not ticks; `tickring archive redecode`"))
    let above = try Tool.run(["archive", "cat", feed.dataDirectory])
    #expect(above.code == 66)
    #expect(above.errors.contains("holds no archive segments; '\(archive)' does"), "\(above.errors)")
    let other = try Tool.run(["archive", "info", archive, "--feed", "nowhere"])
    #expect(other.errors.contains("holds no archive segments of feed 'nowhere'"), "\(other.errors)")
    let segment = archive + "/" + (try #require(names.first { $0.hasSuffix(".tka") }))
    try FileManager.default.removeItem(atPath: segment)
    let differing = try Tool.run(["archive", "redecode", archive, "--into", copy + "-2"])
    #expect(differing.code == 1, "\(differing)")
    #expect(differing.output.contains("0 ticks were archived"))
  }

  @Test func framesAreDecodedAsThoseOfTheirVenue() throws {
    let feed = try LiveFeed(
      ["--speed", "10"], broker: .angelone, extra: "archive:\n  capture_frames: true")
    let archive = try record(feed)
    let copy = feed.directory.path + "/copy"
    let redecoded = try Tool.run([
      "archive", "redecode", archive, "--venue", "angelone", "--into", copy,
    ])
    #expect(redecoded.code == 0, "\(redecoded)")
    #expect(redecoded.output.contains("; 0 minutes of an instrument differ"))
    #expect(!redecoded.output.hasPrefix("0 ticks"), "\(redecoded.output)")
    // The feed's configuration says where its archive is and whose frames they are.
    let configured = try Tool.run([
      "archive", "redecode", "--config", feed.configurationFile, "--into", copy + "-3",
    ])
    #expect(configured.code == 0 && configured.output.contains("; 0 minutes of an instrument differ"))
    // Frames that cannot be decoded are no archive that agrees.
    let others = try Tool.run(["archive", "redecode", archive, "--into", copy + "-2"])
    #expect(others.code == 1, "\(others)")
    #expect(others.output.contains(" ticks were archived, 0 are decoded"), "\(others.output)")
    #expect(others.errors.contains("frames could not be decoded as those of kite"), "\(others.errors)")
  }

  @Test func statsRepairAndExportTellTheSameStory() throws {
    let feed = try LiveFeed(["--speed", "10"])
    let archive = try record(feed)
    let cat = try Tool.run(["archive", "cat", archive])
    let records = cat.output.split(separator: "\n").count - 1
    #expect(records > 500)

    let stats = try Tool.run(["archive", "stats", archive, "--json"])
    #expect(try Tool.run(["archive", "stats", "--config", feed.configurationFile, "--json"]) == stats)
    #expect(try Tool.run(["archive", "cat", "--config", feed.configurationFile]) == cat)
    #expect(stats.code == 0)
    #expect(stats.output.contains("\"records\":\(records)"))
    #expect(stats.output.contains("\"missing\":0"))
    // The outage that a start is, and the one that a stop is.
    #expect(stats.output.contains("\"cause\":\"start\"") && stats.output.contains("\"cause\":\"stopped\""))

    let csv = feed.directory.path + "/ticks.csv"
    #expect(try Tool.run(["archive", "export", archive, "--output", csv]).code == 0)
    #expect(try String(contentsOfFile: csv, encoding: .utf8) == cat.output)

    let names = try FileManager.default.contentsOfDirectory(atPath: archive)
    let segment = archive + "/" + (try #require(names.first { $0.hasSuffix(".tka") }))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: segment))
    let copy = feed.directory.path + "/copy"
    let sound = try Tool.run(["archive", "repair", archive, "--into", copy])
    #expect(sound.code == 0, "\(sound)")
    #expect(try Tool.run(["archive", "cat", copy]).output == cat.output)

    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: segment))
    let repaired = try Tool.run(["archive", "repair", archive, "--into", copy + "-2"])
    #expect(repaired.code == 1, "\(repaired)")
    #expect(repaired.errors.contains("is damaged"))
    #expect(try Tool.run(["archive", "verify", copy + "-2"]).code == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: segment)) == bytes)
  }

  @Test func parquetAndArrowHoldTheArchivedRecords() throws {
    let feed = try LiveFeed(["--speed", "10"])
    let archive = try record(feed)
    let records = try Tool.run(["archive", "cat", archive]).output.split(separator: "\n").count - 1
    // One environment for all runs of the tests.
    let caches = NSTemporaryDirectory() + "tickring-test-python"
    for format in ["parquet", "arrow"] {
      let file = feed.directory.path + "/ticks." + format
      let outcome = try Tool.run(
        ["archive", "export", archive, "--format", format, "--output", file],
        environment: ["XDG_CACHE_HOME": caches])
      if outcome.code == 69 {
        print("skipped: \(outcome.errors)")
        return
      }
      #expect(outcome.code == 0, "\(outcome)")
      let script = """
        import sys, pyarrow as pa, pyarrow.parquet
        path = sys.argv[1]
        table = pa.parquet.read_table(path) if path.endswith("parquet") else pa.ipc.open_file(path).read_all()
        sequences = table["sequence"].to_pylist()
        assert sequences == sorted(set(sequences)), "order"
        assert all(abs(p * 1e9 - n) < 1 for p, n in zip(table["price"].to_pylist(), table["price_nano"].to_pylist()))
        print(table.num_rows, len(set(table["symbol"].to_pylist())))
        """
      let check = Process()
      check.executableURL = URL(fileURLWithPath: caches + "/tickring/python/bin/python3")
      check.arguments = ["-c", script, file]
      let output = Pipe()
      check.standardOutput = output
      try check.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      check.waitUntilExit()
      #expect(check.terminationStatus == 0)
      #expect(text.split(separator: " ").first.map(String.init) == "\(records)")
    }
  }

  @Test func aTimeWithoutZoneIsAnErrorThatSaysWhatToWrite() throws {
    let feed = try LiveFeed(["--speed", "10"])
    let archive = try record(feed)
    let outcome = try Tool.run(["archive", "cat", archive, "--from", "2026-11-23T09:15:00"])
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("write 2026-11-23T09:15:00+05:30 for India's time"))
  }

  @Test func aCandleStoreThatDoesNotBelongToTheArchiveIsRefused() throws {
    let feed = try LiveFeed(["--speed", "10"])
    _ = try record(feed)
    // Another store numbers the instruments anew, and here in another order.
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: feed.dataDirectory + "/candles.sqlite" + suffix)
    }
    var text = try String(contentsOfFile: feed.configurationFile, encoding: .utf8)
    let listed = try Tool.run(["archive", "cat", feed.dataDirectory + "/archive"]).output
    let symbols = Set(
      listed.split(separator: "\n").dropFirst().compactMap { line in
        let symbol = line.split(separator: ",", omittingEmptySubsequences: false)[3]
        return symbol == "*" ? nil : String(symbol)
      }
    ).sorted()
    text = text.replacing("instruments: all", with: "instruments: [\"\(symbols[symbols.count - 1])\"]")
    try text.write(toFile: feed.configurationFile, atomically: true, encoding: .utf8)
    let outcome = try feed.start().wait()
    #expect(outcome.code == 65, "\(outcome)")
    #expect(outcome.errors.contains("the two are not of one feed"))
  }
}
