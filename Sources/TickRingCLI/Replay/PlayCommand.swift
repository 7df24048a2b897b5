internal import ArgumentParser
internal import CandleStore
internal import Configuration
internal import FeedControl
internal import FeedHandler
internal import Foundation
internal import MarketData
internal import TickArchive

struct PlayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "play",
    abstract: "Replay a range of the archive (what `tickring replay` does without a verb).",
    discussion: """
      Without --feed the ticks are read in this process: the candles are rebuilt and the stream's fingerprint is \
      printed. With --check the rebuilt candles are compared with those in SQLite, which must agree bit for bit; exit \
      code 1 when they do not.

      With --feed NAME this process is a feed handler whose source is the archive: strategies attach to feed NAME and \
      cannot tell it from a live one. It ends with the range, or on Ctrl-C; `tickring replay pause|resume|step|seek|\
      speed|stop --feed NAME` steer it.

      The same range gives the same fingerprint, either way.
      """)

  @OptionGroup var data: DataOptions
  @OptionGroup var range: RangeOptions
  @Option(
    name: .customLong("archive-feed"),
    help: "Name of the archived feed, where the data directory holds several; with --config it is known.")
  var archiveFeed: String?
  @Option(help: ArgumentHelp("Merge the archive of another data directory in.", valueName: "directory"))
  var also: [String] = []
  @Option(name: .customLong("symbol"), help: "Only these symbols; may be repeated.") var symbols: [String] =
    []
  @Option(help: "Publish on lanes of shared memory, as the feed of this name.") var feed: String?
  @Option(help: "How fast: 1 as recorded, another number so many times as fast, or max (the default).")
  var speed: String?
  @Option(
    name: .customLong("wait-for"), parsing: .upToNextOption,
    help: "Begin when these lanes are being read.")
  var lanesToWaitFor: [String] = []
  @Option(
    name: .customLong("slow"),
    help: "A consumer whose lane is full: wait for it, drop its ticks, or auto (wait at max, else drop).",
    transform: { text in
      guard let policy = SlowConsumerPolicy(rawValue: text) else {
        throw ValidationError("'\(text)' is none of wait, drop and auto")
      }
      return policy
    })
  var slowConsumers = SlowConsumerPolicy.automatic
  @Flag(help: "Stay at the end of the range until told to stop, for a seek.") var stay = false
  @Option(help: "Slots of a lane whose consumer does not say how many; a power of two.") var slots = 65_536
  @Option(help: "Cores on which the archive is unpacked.") var cores = 1
  @Option(help: "Processor to which the publishing thread is bound.") var cpu: Int?
  @Flag(help: "Compare the rebuilt candles with those in SQLite.") var check = false
  @Flag(help: "Print the rebuilt candles, oldest first.") var candles = false
  @Flag(help: "Print JSON.") var json = false

  private static let coresRange = 1...64

  func validate() throws {
    guard !check || (range.from == nil && range.to == nil && symbols.isEmpty && also.isEmpty) else {
      throw ValidationError("--check compares everything: leave --from, --to, --symbol and --also out")
    }
    guard Self.coresRange.contains(cores) else { throw ValidationError("--cores must be from 1 to 64") }
    guard feed == nil || (!check && !candles) else {
      throw ValidationError("--check and --candles replay in this process: leave --feed out")
    }
    guard feed != nil || (speed == nil && lanesToWaitFor.isEmpty && !stay && cpu == nil) else {
      throw ValidationError(
        "--speed, --wait-for, --stay and --cpu are for a replay on lanes: name it with --feed NAME")
    }
  }

  func run() async throws {
    let (from, to) = try range.parse()
    let wanted = try symbols.map { text throws(Fault) in try Symbol(text) }
    let settings = try data.config.map { path throws(Fault) in try loadConfiguration(path) }
    let archives = try openArchives(settings)
    if let feed {
      try await publish(archives, as: feed, from: from, to: to, symbols: wanted)
    } else {
      try replayHere(archives, settings, from: from, to: to, symbols: wanted)
    }
  }

  private func openArchives(_ settings: FeedConfiguration?) throws(Fault) -> [ArchiveReader] {
    var archives: [ArchiveReader] = []
    let first = try data.archiveDirectory()
    for (index, directory) in ([first] + also.map { $0 + "/archive" }).enumerated() {
      let name = archiveFeed ?? (index == 0 ? settings?.feed : nil)
      let reader = try ArchiveReader(directory: directory, feed: name)
      guard try !reader.info().isEmpty else {
        let suffix = name.map { " of feed '\($0)'" } ?? ""
        throw Fault(.missingInput, "'\(directory)' holds no archive segments\(suffix)")
      }
      archives.append(reader)
    }
    return archives
  }

  // MARK: on lanes

  private struct PublishedAnswer: Encodable {
    var feed: String
    var records: UInt64
    var hash: String
    var seconds: Double
    var dropped: UInt64
    var skippedBlocks: Int
    var complete: Bool

    enum CodingKeys: String, CodingKey {
      case feed, records, hash, seconds, dropped, complete
      case skippedBlocks = "skipped_blocks"
    }
  }

  private func publish(
    _ archives: [ArchiveReader], as feed: String, from: Timestamp?, to: Timestamp?, symbols: [Symbol]
  ) async throws {
    let stop = StopSignal()
    let directory = URL(fileURLWithPath: try data.directory()).standardizedFileURL.path
    var options = ReplayFeed.Options(
      feed: feed, speed: try ReplaySpeed(speed ?? "max"), dataDirectory: directory)
    options.from = from
    options.to = to
    options.symbols = symbols.isEmpty ? nil : symbols
    options.slowConsumers = slowConsumers
    options.lanesToWaitFor = lanesToWaitFor
    options.staysAtEnd = stay
    options.laneSlots = slots
    options.cores = cores
    options.processor = cpu
    let replay = try ReplayFeed(archives, options)
    var progress = ReplayProgress(bounds: replay.bounds, isQuiet: json)
    progress.begin(feed: feed, records: replay.recordsMax)
    let started = Timestamp.monotonicNanoseconds()
    let summary = try await replay.run(until: { stop.isRaised }) { progress.show($0) }
    let seconds = Double(Timestamp.monotonicNanoseconds() - started) / 1e9
    progress.finish()
    for block in summary.skipped { Console.error("left out: \(block.description)") }
    let hash = TickStreamHash.text(of: summary.hash)
    if json {
      return try Console.json(
        PublishedAnswer(
          feed: feed, records: summary.records, hash: hash, seconds: seconds, dropped: summary.dropped,
          skippedBlocks: summary.skipped.count, complete: summary.isComplete))
    }
    let losses =
      summary.dropped == 0 ? "" : "; \(Format.count(summary.dropped)) found a lane full and were dropped"
    Console.line(
      "\(Format.count(summary.records)) records in \(Format.decimal(seconds, 2)) s; fingerprint \(hash)\(losses)"
        + (summary.isComplete ? "" : "; stopped before the end of the range"))
  }

  // MARK: in this process

  private struct Answer: Encodable {
    var records: UInt64
    var ticks: UInt64
    var seconds: Double
    var hash: String
    var candles: Int
    var candlesDiffering: Int?

    enum CodingKeys: String, CodingKey {
      case records, ticks, seconds, hash, candles
      case candlesDiffering = "candles_differing"
    }
  }

  private func replayHere(
    _ archives: [ArchiveReader], _ settings: FeedConfiguration?, from: Timestamp?, to: Timestamp?,
    symbols: [Symbol]
  ) throws {
    let range = try ReplayRange(archives, from: from, to: to)
    let wanted =
      symbols.isEmpty ? nil : Set(try ReplayCatalogue(archives).instruments(for: symbols).map(\.symbol))
    var progress = ReplayProgress(bounds: range.bounds, isQuiet: json)
    let started = Timestamp.monotonicNanoseconds()
    let replay = try ArchiveReplay(
      TickMerge(archives, TickSelection(from: from, to: to), symbols: wanted, cores: cores),
      graceNanoseconds: settings.map { Int64($0.candles.graceMilliseconds) * 1_000_000 },
      progress: { progress.show(records: $0, time: $1) })
    let seconds = Double(Timestamp.monotonicNanoseconds() - started) / 1e9
    progress.finish()
    let differing = check ? try countDifferences(replay) : nil
    if candles {
      for candle in replay.candles.values.sorted(by: Self.isBefore) {
        if Console.isClosed { return }
        Console.line("\(Format.leftPadded("\(candle.instrument.rawValue)", 6))  \(Format.candle(candle))")
      }
    }
    let answer = Answer(
      records: replay.records, ticks: replay.ticks, seconds: seconds, hash: replay.hash.text,
      candles: replay.candles.count, candlesDiffering: differing)
    if json {
      try Console.json(answer)
    } else {
      Console.line(
        "\(Format.count(answer.records)) records, \(Format.count(answer.ticks)) ticks in "
          + "\(Format.decimal(seconds, 2)) s; fingerprint \(answer.hash); \(Format.count(answer.candles)) candles"
      )
      if let differing { Console.line("\(differing) candles differ from those in SQLite") }
    }
    guard differing ?? 0 == 0 else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }

  private func countDifferences(_ replay: ArchiveReplay) throws(Fault) -> Int {
    let store = try CandleStore(path: data.candlesFile(), mode: .readOnly)
    var unmatched = replay.candles
    var differing = 0
    try store.forEachCandle(origin: .built) { candle in
      if unmatched.removeValue(forKey: CandleKey(candle)) != candle { differing += 1 }
    }
    return differing + unmatched.count
  }

  private static func isBefore(_ left: Candle, _ right: Candle) -> Bool {
    (left.start, left.instrument) < (right.start, right.instrument)
  }
}
