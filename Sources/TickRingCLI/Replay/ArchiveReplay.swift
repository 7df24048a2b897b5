internal import CandleBuilding
internal import MarketData
internal import TickArchive

/// What makes a candle the same candle.
struct CandleKey: Hashable {
  let instrument: InstrumentID
  let start: Timestamp

  init(_ candle: Candle) {
    instrument = candle.instrument
    start = candle.start
  }
}

/// An archive read from its beginning to its end, into a fingerprint and a fresh set of candles.
struct ArchiveReplay {
  private(set) var hash = TickStreamHash()
  private(set) var ticks: UInt64 = 0
  private(set) var records: UInt64 = 0
  private(set) var firstSequence: UInt64 = 0
  private(set) var ticksByInstrument: [InstrumentID: UInt64] = [:]
  /// The last state of every candle.
  private(set) var candles: [CandleKey: Candle] = [:]

  /// Replays everything that is archived of a feed.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `badData`.
  init(directory: String, feed: String?) throws(Fault) {
    try self.init(TickMerge([ArchiveReader(directory: directory, feed: feed)]))
  }

  /// Replays a stream, telling after each block how many records there were and when the last was received.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `badData`.
  init(
    _ merge: consuming TickMerge, graceNanoseconds: Int64? = nil,
    progress: (UInt64, Timestamp) -> Void = { _, _ in }
  ) throws(Fault) {
    var aggregator = graceNanoseconds.map { CandleAggregator(graceNanoseconds: $0) } ?? CandleAggregator()
    var closed: [Candle] = []
    while try merge.next({ block throws(Fault) in
      for index in block.indices {
        take(block[index])
        aggregator.apply(block[index], into: &closed)
      }
      keep(&closed)
      progress(records, block[block.count - 1].receiveTime)
    }) {}
    aggregator.finish(into: &closed)
    keep(&closed)
  }

  private mutating func take(_ tick: Tick) {
    if records == 0 { firstSequence = tick.sequence }
    records += 1
    hash.update(tick)
    guard tick.kind == .trade else { return }
    ticks += 1
    ticksByInstrument[tick.instrument, default: 0] += 1
  }

  private mutating func keep(_ closed: inout [Candle]) {
    for candle in closed { candles[CandleKey(candle)] = candle }
    closed.removeAll(keepingCapacity: true)
  }
}
