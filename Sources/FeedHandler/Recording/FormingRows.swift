internal import CandleBuilding
internal import MarketData
internal import SharedRing

/// Publishes the running minute of every instrument that had ticks in a batch, from the recorder thread.
///
/// Not from the receive thread, where it would have to be built a second time on the path of every tick: the recorder
/// has the candle in any case, so that what strategies read is what will be stored, and the path of a tick pays nothing.
/// The price is that a row comes with the recorder's next batch, about a millisecond after the tick.
struct FormingRows {
  private let segment: FeedSegment
  /// For each instrument the batch in which it was met last.
  private var marks: [UInt32]
  private var batch: UInt32 = 0

  init(segment: FeedSegment) {
    self.segment = segment
    marks = Array(repeating: 0, count: segment.instrumentsMax)
  }

  /// Writes what a batch, which the aggregator has just taken in, leaves as forming candles.
  mutating func store(_ run: Span<Tick>, from aggregator: borrowing CandleAggregator) {
    guard !run.isEmpty else { return }
    batch &+= 1
    // After four billion batches old marks would look new.
    if batch == 0 {
      for index in marks.indices { marks[index] = 0 }
      batch = 1
    }
    let newest = run[run.count - 1]
    for position in run.indices where run[position].kind == .trade {
      let instrument = run[position].instrument
      guard instrument.index < marks.count, marks[instrument.index] != batch else { continue }
      marks[instrument.index] = batch
      if let candle = aggregator.forming(instrument) { segment.storeForming(candle, upTo: newest) }
    }
  }
}
