internal import CandleBuilding
internal import CandleStore
internal import MarketData
internal import SharedRing
internal import TickArchive

/// Compares what the venue sent with what was decoded, archived, replayed and stored.
struct DemoProof {
  let directory: String
  let feed: String

  /// Runs after every process has stopped; `feed` is still mapped, so its counters can be read.
  func run(feed view: FeedView, events: DemoEvents, seconds: Double, speed: Double) throws(Fault)
    -> DemoSummary
  {
    guard let report = events.report else { throw Fault(.software, "the simulated venue gave no report") }
    let data = view.dataDirectory
    let store = try CandleStore(path: data + "/candles.sqlite", mode: .readOnly)
    let replay = try ArchiveReplay(directory: data + "/archive", feed: feed)
    let instruments = try store.instruments()
    let sent = Dictionary(
      uniqueKeysWithValues: instruments.compactMap { instrument in
        report.ticksByToken[instrument.venueToken].map { (instrument.id, $0) }
      }
    ).filter { $0.value > 0 }
    let decoded = Dictionary(uniqueKeysWithValues: instruments.map { ($0.id, view.tickCount($0.id)) })
      .filter { $0.value > 0 }
    let sentTotal = report.ticksByToken.values.reduce(0, +)
    let decodedTotal = view.value(.ticks)
    let stored = try Self.candles(store, origin: .built)
    let strategy = events.strategy
    let ticks = max(1, Double(decodedTotal))

    let checks = [
      check(
        "ticks sent = decoded, each instrument", sentTotal, decodedTotal,
        sent == decoded && sentTotal == decodedTotal && sentTotal > 0),
      check(
        "ticks decoded = archived, each instrument", decodedTotal, replay.ticks,
        decoded == replay.ticksByInstrument),
      DemoSummary.Check(
        name: "hash of the live stream = of the replayed one",
        detail: "\(TickStreamHash.text(of: view.value(.streamHash))) / \(replay.hash.text)",
        holds: view.value(.streamHash) == replay.hash.value
          && replay.firstSequence == view.value(.streamHashFirst)),
      check(
        "candles rebuilt from the archive = in SQLite", UInt64(replay.candles.count), UInt64(stored.count),
        replay.candles == stored && !stored.isEmpty),
      DemoSummary.Check(
        name: "strategy read its lane to the end",
        detail: "\(Format.count(strategy.ticks)) read, \(strategy.lost) lost",
        holds: strategy.lost == 0 && strategy.ticks > 0),
      DemoSummary.Check(
        name: "bad frames, unknown instruments, lost ticks",
        detail:
          "\(view.value(.badFrames)), \(view.value(.unknownInstruments)), \(view.value(.recorderDrops))",
        holds: view.value(.badFrames) + view.value(.unknownInstruments) + view.value(.recorderDrops) == 0),
    ]
    return DemoSummary(
      checks: checks, instruments: Int(view.value(.observed)), seconds: seconds, ticks: decodedTotal,
      ticksPerSecond: Double(decodedTotal) / seconds, frames: report.frames,
      receiveNanosecondsPerTick: Double(view.value(.receiveProcessorTime)) / ticks,
      recorderNanosecondsPerTick: Double(view.value(.recorderProcessorTime)) / ticks,
      strategyTicks: strategy.ticks, latencyP50Nanoseconds: strategy.latencyNanoseconds.p50,
      latencyP99Nanoseconds: strategy.latencyNanoseconds.p99,
      latencyP999Nanoseconds: strategy.latencyNanoseconds.p999,
      archiveBytesPerTick: Double(view.value(.archiveBytes)) / ticks, candlesBuilt: stored.count,
      candlesFromHistory: try store.candleCount(origin: .venue), streamHash: replay.hash.text)
  }

  private func check(_ name: String, _ left: UInt64, _ right: UInt64, _ holds: Bool) -> DemoSummary.Check {
    DemoSummary.Check(name: name, detail: "\(Format.count(left)) = \(Format.count(right))", holds: holds)
  }

  private static func candles(_ store: CandleStore, origin: CandleOrigin) throws(Fault) -> [CandleKey: Candle]
  {
    var candles: [CandleKey: Candle] = [:]
    try store.forEachCandle(origin: origin) { candles[CandleKey($0)] = $0 }
    return candles
  }
}
