internal import Configuration
public import FeedControl
internal import Foundation
public import MarketData
internal import SharedRing
internal import Synchronization
public import TickArchive

/// A feed whose source is the archive: the same segment in shared memory, the same lanes on request, the same control
/// socket and last values as a live feed's, so that a strategy attaches and cannot tell.
///
/// Nothing is recorded. Its clock shows the time of the data, so that candles close when their minutes end there.
public final class ReplayFeed: Sendable {
  /// What is to be replayed, and how.
  public struct Options: Sendable {
    /// Name under which strategies find the feed.
    public var feed: String
    /// Only records received at or after this.
    public var from: Timestamp?
    /// Only records received before this.
    public var to: Timestamp?
    /// Only these symbols, and what concerns the whole feed; nil for all.
    public var symbols: [Symbol]?
    /// How fast, to begin with.
    public var speed: ReplaySpeed
    /// Whether consumers that are slow are waited for.
    public var slowConsumers = SlowConsumerPolicy.automatic
    /// Lanes that must be read before the first record is published.
    public var lanesToWaitFor: [String] = []
    /// Stay at the end of the range until told to stop, instead of ending.
    public var staysAtEnd = false
    /// Data directory that strategies are told, where they find stored candles.
    public var dataDirectory: String
    /// Path of the control socket.
    public var controlSocket: String
    /// File mode of the shared memory.
    public var permissions: UInt32 = 0o600
    /// Slots of a lane whose consumer does not say how many.
    public var laneSlots = 65_536
    /// Strategies that can be attached at a time.
    public var lanesMax = 16
    /// Cores on which blocks are unpacked, the publishing thread's own included.
    public var cores = 1
    /// Processor to which the publishing thread is bound.
    public var processor: Int?

    /// Makes options with their defaults.
    public init(feed: String, speed: ReplaySpeed, dataDirectory: String) {
      self.feed = feed
      self.speed = speed
      self.dataDirectory = dataDirectory
      controlSocket = Self.controlSocket(of: feed)
    }

    /// Where a replay listens unless told otherwise: a data directory may be read-only, and several replays may use
    /// the same one.
    public static func controlSocket(of feed: String) -> String {
      NSTemporaryDirectory() + (NSTemporaryDirectory().hasSuffix("/") ? "" : "/")
        + "tickring-\(getuid())-\(feed).sock"
    }
  }

  /// What a replay came to.
  public struct Summary: Sendable {
    /// Records published since the start, or since the last seek.
    public var records: UInt64
    /// Fingerprint of those records.
    public var hash: UInt64
    /// Blocks that could not be read and were left out.
    public var skipped: [DamagedBlock]
    /// Records that found a lane full, of all lanes there were at the end.
    public var dropped: UInt64
    /// False when it was stopped before the end of the range.
    public var isComplete: Bool
  }

  /// The receive times of the first record and the last that will be published.
  public let bounds: ClosedRange<Timestamp>
  /// Records in the range, at most: exactly as many unless symbols are chosen or the range ends within blocks.
  public let recordsMax: Int

  private let segment: FeedSegment
  private let loop: ReplayLoop
  private let control: Control
  private let server: ControlServer
  private let thread: WorkThread
  private let isRemoved = Atomic<Bool>(false)

  private static let pollMilliseconds = 20

  /// Creates the feed in shared memory; nothing is published before ``run(until:)``.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a bad name, an unknown symbol or a range without records, each with what
  ///   would be right; `held` when a feed of this name runs; what creating shared memory or reading the archives
  ///   throws.
  public init(_ archives: [ArchiveReader], _ options: Options) throws(Fault) {
    try SegmentNames.check(options.feed, what: "feed")
    guard LaneWriter.capacityRange.contains(options.laneSlots), options.laneSlots.nonzeroBitCount == 1 else {
      throw Fault(
        .usage,
        "a lane cannot have \(options.laneSlots) slots; a power of two from \(LaneWriter.capacityRange.lowerBound) to "
          + "\(LaneWriter.capacityRange.upperBound) is needed")
    }
    let catalogue = try ReplayCatalogue(archives)
    guard FeedSegment.instrumentsMaxRange.contains(catalogue.rowCount) else {
      throw Fault(
        .badData,
        "the archive numbers its instruments up to \(catalogue.rowCount - 1); shared memory takes "
          + "\(FeedSegment.instrumentsMaxRange.upperBound) rows")
    }
    let symbols = try options.symbols.map { wanted throws(Fault) in
      Set(try catalogue.instruments(for: wanted).map(\.symbol))
    }
    let range = try ReplayRange(archives, from: options.from, to: options.to)
    bounds = range.bounds
    recordsMax = range.recordsMax
    let segment = try FeedSegment(
      feed: options.feed, instrumentsMax: catalogue.rowCount, controlSocket: options.controlSocket,
      dataDirectory: options.dataDirectory, options: SegmentOptions(mode: options.permissions))
    // What a killed replay left under this name may be of other instruments and another time.
    segment.keepRows { _, _ in false }
    segment.clearLastValues()
    do {
      try segment.define(catalogue.instruments)
    } catch {
      segment.unlink()
      throw error
    }
    let loop = ReplayLoop(
      archives: archives, segment: segment,
      options: ReplayLoop.Options(
        range: TickSelection(from: options.from, to: options.to, damage: .skip), symbols: symbols,
        bounds: range.bounds, recordsMax: range.recordsMax, speed: options.speed,
        waitsForConsumers: options.slowConsumers, lanesToWaitFor: options.lanesToWaitFor,
        staysAtEnd: options.staysAtEnd, cores: options.cores, processor: options.processor))
    control = Control(
      settings: Control.Settings(
        feed: options.feed, laneSlots: options.laneSlots, lanesMax: options.lanesMax,
        options: SegmentOptions(mode: options.permissions), instrumentsMax: catalogue.rowCount),
      segment: segment, backend: ReplayBackend(catalogue: catalogue, commands: loop.commands),
      configured: catalogue.instruments)
    server = ControlServer(
      path: options.controlSocket, desk: .running(control, replay: loop.desk),
      options: SegmentOptions(mode: options.permissions))
    thread = WorkThread(name: "tick-replay") { loop.run() }
    self.segment = segment
    self.loop = loop
  }

  deinit { removeSegment() }

  /// Replays until the range ends, or `shouldStop` says so; then nothing of it is left in shared memory. What
  /// strategies have not read yet stays theirs to read.
  ///
  /// - Parameter progress: called some times a second with what the replay is doing.
  /// - Throws: ``Fault`` when the control socket cannot be made, or the archive cannot be read.
  public func run(
    until shouldStop: @escaping @Sendable () -> Bool, progress: (ReplayStatus) -> Void = { _ in }
  ) async throws(Fault) -> Summary {
    do throws(Fault) {
      try await server.start()
      thread.start()
      var round = 0
      while !thread.hasEnded {
        if shouldStop() { loop.commands.post(.stop) }
        if round % Self.roundsPerProgress == 0, let status = try? await loop.desk.carryOut(.status) {
          progress(status)
        }
        round += 1
        try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
      }
      let final = loop.status()
      progress(final)
      let dropped = control.dropped()
      if let fault = thread.fault { throw fault }
      segment.set(.state, FeedState.ended.rawValue)
      await end()
      return Summary(
        records: final.records, hash: UInt64(final.hash, radix: 16) ?? 0, skipped: loop.skipped,
        dropped: dropped, isComplete: loop.isComplete)
    } catch {
      segment.halt(reason: error.message)
      await end()
      throw error
    }
  }

  private static let roundsPerProgress = 10

  private func end() async {
    await server.stop()
    control.removeLanes()
    removeSegment()
  }

  /// Once: somebody else may take the name afterwards.
  private func removeSegment() {
    if !isRemoved.exchange(true, ordering: .relaxed) { segment.unlink() }
  }
}

/// The instruments of what is replayed, found by symbol.
package struct ReplayCatalogue: Sendable {
  let instruments: [Instrument]
  private let bySymbol: [Symbol: Instrument]

  /// The instruments of archives that are merged.
  package init(_ archives: [ArchiveReader]) throws(Fault) {
    instruments = try TickMerge(archives).instruments
    bySymbol = Dictionary(instruments.map { ($0.symbol, $0) }, uniquingKeysWith: { _, newest in newest })
  }

  /// Rows that a table of them needs.
  var rowCount: Int { max(1, (instruments.last?.id.index ?? 0) + 1) }

  /// - Throws: ``Fault`` of kind `usage` for a symbol that is not there, with the nearest that are.
  package func instruments(for symbols: [Symbol]) throws(Fault) -> [Instrument] {
    var found: [Instrument] = []
    for symbol in symbols {
      guard let instrument = bySymbol[symbol] else {
        let hint = nearestHint(to: symbol.text, among: bySymbol.keys.map(\.text))
        throw Fault(.usage, "the archive holds no instrument \(symbol)\(hint)")
      }
      found.append(instrument)
    }
    return found
  }
}

/// The back end of a replayed feed: everything there is was defined at the start.
private struct ReplayBackend: FeedBackend {
  let catalogue: ReplayCatalogue
  let commands: Mailbox<FeedCommand>

  var lastBadFrame: String { "" }

  func instruments(for symbols: [Symbol]) throws(Fault) -> [Instrument] {
    try catalogue.instruments(for: symbols)
  }

  func define(_ instruments: [Instrument]) {}
}

/// The part of the archives that a range of time names, checked.
package struct ReplayRange: Sendable {
  /// Receive times of the first record in it and the last, as far as the blocks' bounds tell.
  package let bounds: ClosedRange<Timestamp>
  let recordsMax: Int

  /// - Throws: ``Fault`` of kind `usage` when there is no record in the range, with the range there is; `missingInput`
  ///   when the archives hold no record at all.
  package init(_ archives: [ArchiveReader], from: Timestamp?, to: Timestamp?) throws(Fault) {
    var first = Timestamp(nanoseconds: .max)
    var last = Timestamp(nanoseconds: .min)
    var segmentCount = 0
    for archive in archives {
      for segment in try archive.info() {
        segmentCount += 1
        if let begin = segment.firstTime, let end = segment.lastTime {
          first = min(first, begin)
          last = max(last, end)
        }
      }
    }
    guard segmentCount > 0 else {
      throw Fault(.missingInput, "there is no archive to replay: no segment was found")
    }
    guard first <= last else { throw Fault(.missingInput, "the archive holds no record yet") }
    if let from, let to, from >= to {
      throw Fault(.usage, "the range from \(from.rfc3339) to \(to.rfc3339) runs backwards")
    }
    var begin: Timestamp?
    var count = 0
    let selection = TickSelection(from: from, to: to, damage: .skip)
    for archive in archives {
      count += try archive.ticksAtMost(selection)
      if let tick = try archive.firstTick(selection) {
        begin = min(begin ?? tick.receiveTime, tick.receiveTime)
      }
    }
    guard let begin else {
      throw Fault(
        .usage,
        "no record was received in that range; the archive holds \(first.rfc3339) to \(last.rfc3339)")
    }
    bounds = begin...max(begin, min(last, to.map { $0 + (-1) } ?? last))
    recordsMax = count
  }
}
