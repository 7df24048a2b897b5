import Foundation
import Testing
import TickArchive
import TickRing

/// An archive made for a test, and replays of it under a feed's name of their own.
final class RecordedFeed {
  let directory: TemporaryDirectory
  let name = "replay-\(UUID().uuidString.prefix(8).lowercased())"
  let ticks: [Tick]
  private(set) var replay: Running?

  static let symbols = ["NSE:ALPHA", "NSE:BETA", "NSE:GAMMA", "NSE:DELTA"]
  static let start = Timestamp(seconds: 1_795_405_500)

  /// One record of one of four instruments every `gapNanoseconds`.
  init(count: Int, gapNanoseconds: Int64 = 10_000_000) throws {
    directory = try TemporaryDirectory()
    ticks = (0..<count).map { index in
      let time = Self.start + Int64(index) * gapNanoseconds
      return Tick(
        instrument: InstrumentID(rawValue: UInt32(index % 4)), sequence: UInt64(index + 1), receiveTime: time,
        exchangeTime: Timestamp(seconds: time.seconds),
        lastPrice: Price(units: Int64(100 + index % 7) * 50_000_000),
        dayVolume: Int64(index), lastTradeSeconds: UInt32(time.seconds), lastQuantity: 1, openInterest: 0)
    }
    var writer = try ArchiveWriter(
      directory: directory.path + "/archive", feed: "nse", options: ArchiveOptions(blockTicks: 500))
    try writer.define(
      Self.symbols.enumerated().map { index, symbol in
        Instrument(
          id: InstrumentID(rawValue: UInt32(index)), symbol: try Symbol(symbol), venueToken: "\(index)",
          priceTick: Price(units: 50_000_000), lotSize: 1)
      })
    for tick in ticks { _ = try writer.append(tick) }
    try writer.close()
  }

  deinit {
    replay?.signal(SIGKILL)
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
    where entry.contains(name) {
      unlink("/dev/shm/" + entry)
    }
  }

  var end: Timestamp { ticks[ticks.count - 1].receiveTime }

  /// Starts a replay on lanes.
  func start(_ arguments: [String]) throws -> Running {
    let running = try Running(["replay", "--data", directory.path, "--feed", name, "--json"] + arguments)
    replay = running
    try running.wait { _ in (try? DataPoller(feed: self.name, lane: "probe").detach()) != nil }
    return running
  }

  /// Steers it, as a user would, and reads the answer.
  func steer(_ arguments: String...) throws -> [String: Any] {
    let outcome = try Tool.run(["replay", arguments[0], "--feed", name, "--json"] + arguments.dropFirst())
    guard outcome.code == 0 else { throw Unexpected(outcome.errors) }
    return try object(outcome.output)
  }

  func object(_ text: String) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
      throw Unexpected("no JSON: \(text)")
    }
    return object
  }

  /// The fingerprint that a replay in the tool's own process prints.
  func fingerprint(_ arguments: [String] = []) throws -> String {
    let outcome = try Tool.run(["replay", "--data", directory.path, "--json"] + arguments)
    guard outcome.code == 0, let hash = try object(outcome.output)["hash"] as? String else {
      throw Unexpected(outcome.errors)
    }
    return hash
  }

  func leftovers() throws -> [String] {
    let shared = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm").filter { $0.contains(name) }
    let temporary = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
    return shared + temporary.filter { $0.contains(name) }
  }
}

/// The archive on lanes of shared memory: strategies attach and cannot tell.
@Suite(.serialized) struct ReplayTests {
  /// Everything that a strategy is told until its feed ends.
  private struct Seen {
    var ticks: [Tick] = []
    var candles: [String: Candle] = [:]
    var gaps: [FeedGap] = []
    var lost: UInt64 = 0
  }

  private func watch(_ data: DataPoller, pausing microseconds: UInt32 = 0, timeoutSeconds: Double = 60)
    throws -> Seen
  {
    var seen = Seen()
    let deadline = Date().addingTimeInterval(timeoutSeconds)
    while data.isOpen {
      guard Date() < deadline else {
        throw Unexpected("the feed did not end; \(seen.ticks.count) ticks came")
      }
      let count = data.poll { event in
        switch event {
        case .tick(let tick): seen.ticks.append(tick)
        case .candle(let candle):
          seen.candles["\(data.symbol(candle.instrument)) \(candle.start.rfc3339)"] = candle
        case .gap(let gap): seen.gaps.append(gap)
        default: break
        }
      }
      if microseconds > 0 { usleep(microseconds) } else if count == 0 { usleep(200) }
    }
    seen.lost = data.backlog.lost
    return seen
  }

  private func withoutStamps(_ ticks: [Tick]) -> [Tick] {
    ticks.map { tick in
      var tick = tick
      tick.stamp = 0
      return tick
    }
  }

  @Test func whatAStrategySawLiveItSeesAgain() throws {
    let live = try LiveFeed(["--speed", "20"])
    let ingest = try live.startAndWaitForTicks()
    let symbols = Array(try DataPoller(feed: live.name, lane: "probe").symbols.prefix(3))
    let strategy = try DataPoller(feed: live.name, lane: "strategy", observing: symbols)
    let stopAt = Date().addingTimeInterval(10)
    let pid = ingest.pid
    Thread.detachNewThread {
      while Date() < stopAt { usleep(10_000) }
      kill(pid, SIGTERM)
    }
    let before = try watch(strategy)
    #expect(try ingest.wait().code == 0)
    #expect(before.ticks.count > 50 && before.lost == 0)

    // What the feed handler left of its session is what the archive gives.
    let verify = try Tool.run(["archive", "verify", "--session", live.dataDirectory + "/archive"])
    #expect(verify.code == 0, "\(verify.errors)")
    #expect(verify.output.contains("1 sessions, 0 differ"))

    let name = live.name + "-r"
    let replay = try Running([
      "replay", "--config", live.configurationFile, "--feed", name, "--wait-for", "strategy", "--json",
    ])
    try replay.wait { _ in (try? DataPoller(feed: name, lane: "probe").detach()) != nil }
    let again = try DataPoller(feed: name, lane: "strategy", observing: symbols)
    let after = try watch(again)
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let first = try #require(before.ticks.first?.sequence)
    #expect(withoutStamps(after.ticks.filter { $0.sequence >= first }) == withoutStamps(before.ticks))
    // The minute in which the strategy attached it saw in part; all later ones must agree.
    let start = try #require(before.ticks.first).receiveTime
    let whole = before.candles.filter { $0.value.start > start }
    #expect(!whole.isEmpty)
    for (key, candle) in whole { #expect(after.candles[key] == candle, "\(key)") }

    let here = try Tool.run(["replay", "--config", live.configurationFile, "--check", "--json"])
    #expect(here.code == 0, "\(here.errors)")
    let hash = try #require(try #/"hash":"([0-9a-f]+)"/#.firstMatch(in: here.output)?.output.1)
    #expect(outcome.output.contains("\"hash\":\"\(hash)\""))
  }

  @Test func everyToolWorksOnAReplay() throws {
    let feed = try RecordedFeed(count: 2_000)
    let replay = try feed.start(["--speed", "1"])
    let watch = try Tool.run(["watch", "--feed", feed.name, "--count", "3", "--json", "NSE:BETA"])
    #expect(watch.code == 0, "\(watch.errors)")
    #expect(watch.output.split(separator: "\n").count == 3)
    let latest = try Tool.run(["query", "latest", "--feed", feed.name, "--json"])
    #expect(latest.output.split(separator: "\n").count == 4)
    let status = try Tool.run(["status", "--feed", feed.name])
    #expect(status.output.contains("running"))
    let unknown = try Tool.run(["watch", "--feed", feed.name, "NSE:BETAS"])
    #expect(unknown.code == 64)
    #expect(unknown.errors.contains("the nearest are NSE:BETA"))
    let taken = try Tool.run(["replay", "--data", feed.directory.path, "--feed", feed.name])
    #expect(taken.code == 75)
    #expect(taken.errors.contains("held by process \(replay.pid)"))
    let strategy = try Running(
      [feed.name, "example", "NSE:ALPHA", "NSE:GAMMA"],
      executable: Tool.products.appendingPathComponent("tickring-example-strategy"))
    try strategy.wait { $0.output.contains("observing NSE:ALPHA") }
    _ = try feed.steer("speed", "max")
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let strategyOutcome = try strategy.wait()
    #expect(strategyOutcome.code == 0)
    #expect(strategyOutcome.output.contains("lost 0"))
    #expect(try feed.object(outcome.output)["hash"] as? String == feed.fingerprint())
    #expect(try feed.leftovers() == [])
  }

  @Test func aReplayIsPausedSteppedMovedAndSpedUp() throws {
    let feed = try RecordedFeed(count: 6_000)
    let replay = try feed.start(["--speed", "1", "--stay", "--wait-for", "steered"])
    #expect(try feed.steer("status")["activity"] as? String == "waiting")
    let data = try DataPoller(feed: feed.name, lane: "steered", observing: RecordedFeed.symbols)
    try replay.wait { _ in (try? feed.steer("status")["records"] as? Int ?? 0) ?? 0 > 3 }
    let paused = try feed.steer("pause")
    #expect(paused["activity"] as? String == "paused")
    let sequence = try #require(paused["sequence"] as? Int)
    usleep(200_000)
    #expect(try feed.steer("status")["sequence"] as? Int == sequence)
    // The clock stands still, so that no candle closes meanwhile.
    let stands = data.clock.now()
    usleep(50_000)
    #expect(data.clock.now() == stands)
    #expect(paused["timeNanoseconds"] as? Int64 == stands.nanoseconds)

    #expect(try feed.steer("step", "--records", "5")["sequence"] as? Int == sequence + 5)
    let stepped = try feed.steer("step", "--time", "1s")
    // Records come every 10 ms: a second brings a hundred.
    #expect(stepped["sequence"] as? Int == sequence + 105)

    let target = RecordedFeed.start + 30_000_000_005
    let moved = try feed.steer("seek", "--to", target.rfc3339)
    #expect(moved["timeNanoseconds"] as? Int64 == target.nanoseconds)
    #expect(moved["records"] as? Int == 0)
    #expect(data.latest("NSE:ALPHA") == nil, "no price of before the seek is left")
    #expect(try feed.steer("step")["sequence"] as? Int == 3_002)
    let back = try feed.steer("seek", "--sequence", "101")
    #expect(back["activity"] as? String == "paused")
    #expect(try feed.steer("step")["sequence"] as? Int == 101)

    #expect(throws: Unexpected.self) { try feed.steer("seek", "--to", "2020-01-01T00:00:00Z") }
    #expect(throws: Unexpected.self) { try feed.steer("seek", "--sequence", "9999") }
    #expect(throws: Unexpected.self) { try feed.steer("speed", "0") }
    // A step longer than there is time stops at the end, not before the beginning.
    #expect(try feed.steer("step", "--time", "2400000h")["sequence"] as? Int == 6_000)

    // From here to the end at full speed: the fingerprint is that of the range alone.
    _ = try feed.steer("seek", "--to", target.rfc3339)
    _ = try feed.steer("speed", "max")
    #expect(try feed.steer("resume")["speed"] as? String == "max")
    try replay.wait { _ in
      data.poll { _ in }
      return (try? feed.steer("status")["activity"] as? String) == "ended"
    }
    _ = try feed.steer("stop")
    let seen = try watch(data)
    #expect(seen.lost == 0)
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
      try feed.object(outcome.output)["hash"] as? String == feed.fingerprint(["--from", target.rfc3339]))
    #expect(try feed.leftovers() == [])
  }

  @Test func aStrategyIsToldOfASeek() throws {
    let feed = try RecordedFeed(count: 1_000)
    let replay = try feed.start(["--speed", "1", "--wait-for", "told"])
    let data = try DataPoller(feed: feed.name, lane: "told", observing: RecordedFeed.symbols)
    try replay.wait { _ in data.poll { _ in } > 0 }
    let target = RecordedFeed.start + 8_000_000_000
    _ = try feed.steer("seek", "--to", target.rfc3339)
    _ = try feed.steer("speed", "max")
    let seen = try watch(data)
    let gap = try #require(seen.gaps.last)
    #expect(gap.cause == .moved && gap.end == target && gap.start < target)
    #expect(seen.ticks.last?.sequence == 1_000)
    #expect(try replay.wait().code == 0)
  }

  @Test func aSlowConsumerIsWaitedForAtFullSpeed() throws {
    let feed = try RecordedFeed(count: 20_000)
    let replay = try feed.start(["--wait-for", "slow", "--slots", "1024"])
    let data = try DataPoller(feed: feed.name, lane: "slow", observing: RecordedFeed.symbols)
    let seen = try watch(data, pausing: 2_000)
    #expect(seen.lost == 0)
    #expect(withoutStamps(seen.ticks) == feed.ticks)
    let outcome = try replay.wait()
    #expect(try feed.object(outcome.output)["dropped"] as? Int == 0)
  }

  @Test func aSlowConsumerLosesTicksWhereThatIsWanted() throws {
    let feed = try RecordedFeed(count: 20_000)
    let replay = try feed.start(["--speed", "1000", "--wait-for", "slow", "--slots", "1024"])
    let data = try DataPoller(feed: feed.name, lane: "slow", observing: RecordedFeed.symbols)
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    let seen = try watch(data)
    #expect(seen.lost > 0)
    #expect(seen.ticks.count + Int(seen.lost) == 20_000)
    #expect(try feed.object(outcome.output)["dropped"] as? Int == Int(seen.lost))
    // What was published is the whole range, whoever lost what.
    #expect(try feed.object(outcome.output)["hash"] as? String == feed.fingerprint())
  }

  @Test func aConsumerThatDiedHoldsNobodyUp() throws {
    let feed = try RecordedFeed(count: 20_000)
    let replay = try feed.start(["--wait-for", "dead", "--slots", "1024"])
    let watcher = try Running(
      ["watch", "--feed", feed.name, "--lane", "dead", "--json"] + RecordedFeed.symbols)
    try watcher.wait { $0.output.contains("\n") }
    // It is stopped while its lane fills up, then killed.
    watcher.signal(SIGSTOP)
    usleep(300_000)
    watcher.signal(SIGKILL)
    watcher.signal(SIGCONT)
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try feed.leftovers() == [])
  }

  @Test(arguments: [0.0, 0.3])
  func anInterruptLeavesNothingBehind(seconds: Double) throws {
    let feed = try RecordedFeed(count: 6_000)
    let replay = try feed.start(["--speed", "1"])
    let data = try DataPoller(feed: feed.name, lane: "left", observing: RecordedFeed.symbols)
    usleep(UInt32(seconds * 1e6))
    replay.signal(SIGINT)
    let outcome = try replay.wait()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\"complete\":false"))
    _ = try watch(data)
    #expect(try feed.leftovers() == [])
  }

  @Test func severalArchivesBecomeOneFeed() throws {
    let first = try RecordedFeed(count: 1_000)
    let second = try RecordedFeed(count: 1_000, gapNanoseconds: 7_000_000)
    let arguments = ["replay", "--data", first.directory.path, "--also", second.directory.path, "--json"]
    let here = try first.object(try Tool.run(arguments).output)
    #expect(here["records"] as? Int == 2_000)
    let there = try first.object(try Tool.run(arguments + ["--feed", first.name]).output)
    #expect(there["hash"] as? String == here["hash"] as? String)
    let onTwoCores = try first.object(try Tool.run(arguments + ["--cores", "2"]).output)
    #expect(onTwoCores["hash"] as? String == here["hash"] as? String)
  }

  @Test func aWrongInputIsOneClearSentence() throws {
    let feed = try RecordedFeed(count: 100)
    let data = ["replay", "--data", feed.directory.path]
    let cases: [(arguments: [String], code: Int32, hint: String)] = [
      (data + ["--from", "2026-11-24T00:00:00Z", "--to", "2026-11-23T00:00:00Z"], 64, "runs backwards"),
      (
        data + ["--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"], 64,
        "the archive holds \(RecordedFeed.start.rfc3339) to \(feed.end.rfc3339)"
      ),
      (data + ["--feed", feed.name, "--from", "2030-01-01T00:00:00Z"], 64, "the archive holds"),
      (data + ["--symbol", "NSE:BETTA"], 64, "the nearest are NSE:BETA"),
      (data + ["--feed", feed.name, "--symbol", "NSE:BETTA"], 64, "the nearest are NSE:BETA"),
      (data + ["--feed", feed.name, "--speed", "0"], 64, "speed '0'"),
      (data + ["--feed", feed.name, "--speed", "fast"], 64, "speed 'fast'"),
      (data + ["--feed", "Not A Name"], 64, "feed name 'Not A Name'"),
      (data + ["--feed", feed.name, "--slots", "1000"], 64, "power of two"),
      (data + ["--speed", "2"], 64, "--feed"),
      (data + ["--archive-feed", "bse"], 66, "holds no archive segments of feed 'bse'"),
      (["replay", "--data", "/nonexistent"], 66, "/nonexistent"),
      (["replay", "pause", "--feed", "nowhere"], 69, "start one by `tickring replay --feed nowhere`"),
      (["replay", "status", "--feed", "Not A Name"], 64, "feed name 'Not A Name'"),
    ]
    for (arguments, code, hint) in cases {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(hint), "\(arguments): \(outcome.errors)")
    }
    #expect(try feed.leftovers() == [])
  }

  @Test func aLiveFeedCannotBePaused() throws {
    let live = try LiveFeed(["--speed", "20"])
    _ = try live.startAndWaitForTicks()
    let outcome = try Tool.run(["replay", "pause", "--feed", live.name])
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("is live"))
  }

  @Test func aSessionThatWasKilledIsCheckedUpToItsLastNote() throws {
    let feed = try RecordedFeed(count: 1_000)
    let archive = feed.directory.path + "/archive"
    let ledger = SessionLedger(directory: archive, feed: "nse")
    var hash = TickStreamHash()
    for tick in feed.ticks[..<700] { hash.update(tick) }
    var record = SessionRecord(
      firstSequence: 1, lastSequence: 700, hash: hash.value, wallTime: .wallClock(), hasEnded: false)
    try ledger.append(record)
    let good = try Tool.run(["archive", "verify", "--session", archive])
    #expect(good.code == 0, "\(good.errors)")
    #expect(good.output.contains("noted before it ended"))
    record.hash ^= 1
    try ledger.append(record)
    let bad = try Tool.run(["archive", "verify", "--session", archive])
    #expect(bad.code == 1)
    #expect(bad.errors.contains("were published, the archive gives"))
  }
}
