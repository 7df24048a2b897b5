internal import CandleBuilding
internal import CandleStore
internal import Configuration
internal import Logging
internal import MarketData
internal import TickArchive

/// Brings the candle state to where the archive ends, by replaying its last day.
///
/// Candles and gaps that a killed run had not yet stored are stored now; storing the others again changes nothing.
/// The day before is replayed first, without storing: it leaves the volume baselines and the kept candles with
/// which the last day began.
struct CandleRebuild {
  private(set) var aggregator: CandleAggregator
  /// The newest archived record; nil when there is none.
  private(set) var lastRecord: Tick?

  /// - Throws: ``Fault`` when archive or store cannot be read or written. A damaged block is logged and passed over:
  ///   it must not keep the feed from starting.
  init(_ configuration: FeedConfiguration, store: CandleStore, lastArchived: UInt64, logger: Logger)
    throws(Fault)
  {
    aggregator = CandleAggregator(
      graceNanoseconds: Int64(configuration.candles.graceMilliseconds) * 1_000_000)
    guard lastArchived > 0 else { return }
    let reader = try ArchiveReader(
      directory: configuration.dataDirectory + "/archive", feed: configuration.feed)
    let segments = try reader.info()
    guard let end = segments.compactMap(\.lastTime).max() else { return }
    let lastDay = Self.midnight(of: end)
    let dayBefore =
      segments.compactMap(\.lastTime).filter { $0 < lastDay }.max().map(Self.midnight) ?? lastDay
    var closed: [Candle] = []
    let damaged = try reader.forEachBlock(from: dayBefore, damage: .skip) { block throws(Fault) in
      for index in block.indices {
        let tick = block[index]
        aggregator.apply(tick, into: &closed)
        lastRecord = tick
        if tick.kind == .gap, tick.exchangeTime.isKnown { try store.recordGap(FeedGap(tick)) }
      }
      closed.removeAll { $0.start < lastDay }
      try store.upsert(closed)
      closed.removeAll(keepingCapacity: true)
    }
    for block in damaged { logger.warning("candles are rebuilt without \(block.description)") }
  }

  /// Midnight, by the exchange's clocks, of the day of an instant.
  private static func midnight(of instant: Timestamp) -> Timestamp {
    CivilTime(dayNumber: CivilTime(instant).dayNumber).timestamp()
  }
}
