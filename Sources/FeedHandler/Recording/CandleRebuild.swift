internal import CandleBuilding
internal import CandleStore
internal import Configuration
internal import Logging
internal import MarketData
internal import TickArchive
internal import TickQuality

/// Brings the candle state to where the archive ends, by replaying its last day.
///
/// Candles and gaps that a killed run had not yet stored are stored now; storing the others again changes nothing.
/// The day before is replayed first, without storing: it leaves the kept candles with which the last day began. Of the
/// days before that, as far as ``baselineDays``, each instrument's last snapshot and the outages are enough: they leave
/// the volume baselines of instruments that were silent since. What the quality rules said on the last day is counted
/// anew.
struct CandleRebuild {
  private(set) var aggregator: CandleAggregator
  private(set) var quality: QualityLog
  /// The newest archived record; nil when there is none.
  private(set) var lastRecord: Tick?

  /// How far back a silent instrument's last snapshot is looked for.
  static let baselineDays = 7

  /// - Throws: ``Fault`` when archive or store cannot be read or written. A damaged block is logged and passed over:
  ///   it must not keep the feed from starting.
  init(
    _ configuration: FeedConfiguration, rules: [ChosenRule], store: CandleStore, lastArchived: UInt64,
    logger: Logger
  ) throws(Fault) {
    quality = QualityLog(rules: rules, rowsMax: configuration.quality.quarantineRowsMax)
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
    try recallBaselines(reader, before: dayBefore)
    let damaged = try reader.forEachBlock(from: dayBefore, damage: .skip) { block throws(Fault) in
      aggregator.apply(block, into: &closed)
      var gaps: [FeedGap] = []
      for index in block.indices where block[index].kind == .gap && block[index].exchangeTime.isKnown {
        gaps.append(FeedGap(block[index]))
      }
      try store.recordGaps(gaps)
      var first = 0
      while first < block.count, block[first].receiveTime < lastDay { first += 1 }
      quality.take(block.extracting(first..<block.count))
      lastRecord = block[block.count - 1]
      quality.take(aggregator.takeWithheld().filter { $0.back >= lastDay })
      closed.removeAll { $0.start < lastDay }
      try store.upsert(closed)
      closed.removeAll(keepingCapacity: true)
    }
    for block in damaged { logger.warning("candles are rebuilt without \(block.description)") }
  }

  /// Replays what earlier days leave behind.
  private mutating func recallBaselines(_ reader: ArchiveReader, before end: Timestamp) throws(Fault) {
    var records: [Tick] = []
    var newest: [InstrumentID: Tick] = [:]
    let start = CivilTime(dayNumber: CivilTime(end).dayNumber - Self.baselineDays).timestamp()
    try reader.forEachBlock(from: start, to: end, damage: .skip) { block throws(Fault) in
      for index in block.indices {
        switch block[index].kind {
        case .trade: newest[block[index].instrument] = block[index]
        case .gap: records.append(block[index])
        default: break
        }
      }
    }
    records += newest.values
    records.sort { $0.sequence < $1.sequence }
    var none: [Candle] = []
    aggregator.apply(records.span, into: &none)
  }

  /// Midnight, by the exchange's clocks, of the day of an instant.
  private static func midnight(of instant: Timestamp) -> Timestamp {
    CivilTime(dayNumber: CivilTime(instant).dayNumber).timestamp()
  }
}
