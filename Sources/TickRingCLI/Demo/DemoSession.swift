internal import Foundation
internal import MarketData
internal import ProcessControl
internal import SharedRing
internal import Synchronization
internal import TickArchive
internal import VenueSimulator

/// One run of the demo: starts venue, feed handler and strategy, shows what they do, stops them in order, and
/// hands what is left to the proof. However it ends, nothing stays behind.
final class DemoSession {
  struct Options {
    var vendor: SimulatedVenue.Vendor
    /// Nil: until the tick file ends.
    var seconds: Double?
    var instruments: Int
    var ticksFile: String?
    var speed: Double
    var seed: UInt64
    var keptDirectory: String?
    var view: DemoView.Style
  }

  private let options: Options
  private let directory: String
  private let feed = "demo-\(getpid())"
  private let stop = StopSignal()
  private let events = DemoEvents()
  private var view: DemoView

  private var configurationFile: String { directory + "/tickring.yaml" }

  /// How long each step may take before it counts as failed.
  private static let startSeconds = 60.0
  private static let stopSeconds = 30.0
  /// Symbols that the strategy observes from the start, and those that it adds later.
  private static let strategyInstruments = 4
  private static let strategyAdditions = 2
  private static let sealingNanoseconds: Int64 = 10_000_000_000
  private static let refreshNanoseconds: Int64 = 500_000_000

  init(options: Options) throws(Fault) {
    self.options = options
    view = DemoView(style: options.view)
    if let kept = options.keptDirectory {
      directory = try Self.newDirectory(kept)
    } else {
      directory = try Self.temporaryDirectory()
    }
  }

  /// Runs the demo to its end, or to Ctrl-C, and proves what came of it.
  ///
  /// - Throws: ``Fault`` when a part cannot be started or dies early.
  func run() async throws -> DemoSummary {
    defer { cleanUp() }
    var children: [ChildProcess] = []
    do {
      let summary = try await run(&children)
      return summary
    } catch {
      for child in children.reversed() { child.terminate() }
      for child in children.reversed() { _ = child.waitForExit(timeoutSeconds: Self.stopSeconds) }
      throw error
    }
  }

  private func run(_ children: inout [ChildProcess]) async throws -> DemoSummary {
    view.step("starting the simulated venue")
    let venue = try startVenue()
    children.append(venue)
    try await wait(for: venue, "to listen") { self.events.port != nil }
    guard let port = events.port else { throw Fault(.software, "the venue said no port") }

    view.step("starting the feed handler: it loads past candles over REST, then connects")
    let ingest = try startIngest(port: port)
    children.append(ingest)
    var feedView: FeedView?
    try await wait(for: ingest, "to receive") {
      feedView = try? FeedView(feed: self.feed)
      return feedView?.state == .running
    }
    guard let feedView else { throw Fault(.unavailable, "the feed handler made no feed") }

    view.step("starting a strategy")
    let strategy = try startStrategy(feedView)
    children.append(strategy)
    try await wait(for: strategy, "to attach") { !self.events.strategy.latestLines.isEmpty }

    let crossing = DemoCrossing()
    let crossingProcess = try startCrossing(crossing, configurationFile, Self.symbols(of: feedView))
    children.append(crossingProcess)
    try await wait(for: crossingProcess, "to attach") { crossing.hasStarted }

    let started = Timestamp.wallClock()
    await follow(feedView, started, children)
    let elapsed = Double(Timestamp.wallClock() - started) / 1e9
    view.finish()
    if let dead = children.first(where: { !$0.isRunning }) { throw Self.fault(of: dead) }

    view.step("stopping in order: venue, feed handler, strategy")
    for child in children {
      // A strategy ends by itself when its feed does and it has read its lane to the end.
      if child !== strategy, child !== crossingProcess { child.terminate() }
      guard let code = child.waitForExit(timeoutSeconds: Self.stopSeconds) else {
        throw Fault(.software, "\(child.name) did not stop within \(Int(Self.stopSeconds)) s and was killed")
      }
      guard code == 0 else { throw Self.fault(of: child) }
    }
    children = []
    guard !stop.isRaised else { throw Fault(.checkFailed, "interrupted; everything was stopped") }

    view.step("running the same strategy over what was recorded")
    let again = DemoCrossing()
    let backtest = try startBacktest(again, of: feedView)
    children.append(backtest)
    try await wait(for: backtest, "to end") { again.hasEnded }
    children = []

    view.step("proving: replaying the archive")
    let proof = DemoProof(directory: directory, feed: feed)
    var summary = try proof.run(feed: feedView, events: events, seconds: elapsed, speed: options.speed)
    summary.checks.append(crossing.check(against: again))
    return summary
  }

  private func startVenue() throws(Fault) -> ChildProcess {
    var arguments = ["simulate", "--port", "0", "--json", "--stop-with-standard-input"]
    arguments += ["--venue", options.vendor.rawValue]
    arguments += ["--speed", "\(options.speed)", "--seed", "\(options.seed)"]
    if let file = options.ticksFile {
      arguments += ["--ticks", file]
    } else {
      arguments += ["--instruments", "\(options.instruments)"]
    }
    return try ChildProcess(
      name: "the simulated venue", executable: Self.ownExecutable, arguments: arguments,
      onLine: { [events] in events.noteVenue($0) })
  }

  private func startIngest(port: Int) throws(Fault) -> ChildProcess {
    let text = DemoConfiguration.yaml(
      feed: feed, vendor: options.vendor, port: port, speed: options.speed)
    do {
      try text.write(toFile: configurationFile, atomically: true, encoding: .utf8)
    } catch {
      throw Fault(.cannotCreate, "cannot write '\(configurationFile)': \(error.localizedDescription)")
    }
    return try ChildProcess(
      name: "the feed handler", executable: Self.ownExecutable,
      arguments: ["ingest", "--config", configurationFile, "--stop-with-standard-input"],
      environment: DemoConfiguration.credentials(options.vendor), onLine: { _ in })
  }

  private static func symbols(of feedView: FeedView) -> [String] {
    feedView.instruments().prefix(strategyInstruments).map(\.symbol.text)
  }

  /// The moving-average crossing, which prints what it sees.
  private func startCrossing(_ crossing: DemoCrossing, _ configuration: String, _ symbols: [String])
    throws(Fault) -> ChildProcess
  {
    try ChildProcess(
      name: "the crossing strategy", executable: Self.sibling("tickring-example-crossing"),
      arguments: [configuration] + symbols, onLine: { crossing.note($0) })
  }

  /// The same program over what was just recorded.
  private func startBacktest(_ crossing: DemoCrossing, of feedView: FeedView) throws(Fault) -> ChildProcess {
    let times = try ArchiveReader(directory: directory + "/archive", feed: feed).info()
    guard let from = times.compactMap(\.firstTime).min(), let to = times.compactMap(\.lastTime).max() else {
      throw Fault(.checkFailed, "nothing was archived")
    }
    let file = directory + "/backtest.yaml"
    // Some seconds more, in which the last whole minute is sealed.
    let text = DemoConfiguration.backtest(feed: feed, from: from, to: to + Self.sealingNanoseconds)
    do {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    } catch {
      throw Fault(.cannotCreate, "cannot write '\(file)': \(error.localizedDescription)")
    }
    return try startCrossing(crossing, file, Self.symbols(of: feedView))
  }

  private static func sibling(_ name: String) -> String {
    URL(fileURLWithPath: ownExecutable).deletingLastPathComponent().appendingPathComponent(name).path
  }

  private func startStrategy(_ feedView: FeedView) throws(Fault) -> ChildProcess {
    let symbols = feedView.instruments().map(\.symbol.text)
    let first = symbols.prefix(Self.strategyInstruments)
    let later = symbols.dropFirst(Self.strategyInstruments).prefix(Self.strategyAdditions)
    return try ChildProcess(
      name: "the strategy",
      executable: Self.sibling("tickring-example-strategy"),
      arguments: [feed, "strategy"] + first + ["--add"] + later + ["--json"],
      onLine: { [events] in events.noteStrategy($0) })
  }

  /// Shows the feed until its time is over, the tick file ends, someone stops us, or a process dies.
  private func follow(_ feedView: FeedView, _ started: Timestamp, _ children: [ChildProcess]) async {
    let deadline = options.seconds.map { started + Int64($0 * 1e9) }
    var nextRefresh = started
    await stop.wait {
      let now = Timestamp.wallClock()
      if now >= nextRefresh {
        view.show(feedView, events, elapsedNanoseconds: now - started)
        nextRefresh = now + Self.refreshNanoseconds
      }
      return deadline.map { now >= $0 } ?? false || events.isVenueFinished
        || children.contains { !$0.isRunning }
    }
  }

  private func wait(for child: ChildProcess, _ what: String, until condition: @escaping () -> Bool)
    async throws
  {
    let deadline = Timestamp.wallClock() + Int64(Self.startSeconds * 1e9)
    await stop.wait { condition() || !child.isRunning || Timestamp.wallClock() > deadline }
    if stop.isRaised { throw Fault(.checkFailed, "interrupted; everything was stopped") }
    if condition() { return }
    guard child.isRunning else { throw Self.fault(of: child) }
    throw Fault(.unavailable, "\(child.name) failed \(what) within \(Int(Self.startSeconds)) s")
  }

  /// Why a process ended: its own sentence, and its own kind of fault.
  private static func fault(of child: ChildProcess) -> Fault {
    let code = child.waitForExit(timeoutSeconds: stopSeconds) ?? Fault.Kind.software.rawValue
    let sentence = child.errorText.split(separator: "\n").last.map(String.init) ?? "without a word"
    let reason = sentence.hasPrefix("tickring: ") ? String(sentence.dropFirst("tickring: ".count)) : sentence
    return Fault(Fault.Kind(rawValue: code) ?? .software, "\(child.name) ended (code \(code)): \(reason)")
  }

  private func cleanUp() {
    // The feed handler removes its shared memory when it stops; this is for one that was killed.
    for name in [
      SegmentNames.feed(feed), SegmentNames.lane("recorder", of: feed),
      SegmentNames.lane("strategy", of: feed), SegmentNames.lane("crossing", of: feed),
    ] {
      SharedMapping.unlink(name)
    }
    if options.keptDirectory == nil { try? FileManager.default.removeItem(atPath: directory) }
  }

  private static func newDirectory(_ path: String) throws(Fault) -> String {
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Fault(.cannotCreate, "--keep \(path): it exists already; name a directory that does not")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Fault(.cannotCreate, "--keep \(path): \(error.localizedDescription)")
    }
    return path
  }

  private static func temporaryDirectory() throws(Fault) -> String {
    let base = FileManager.default.temporaryDirectory.path
    var template = Array((base + "/tickring-demo-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Fault(
        .cannotCreate, "cannot create a directory in '\(base)': \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static var ownExecutable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }
}
