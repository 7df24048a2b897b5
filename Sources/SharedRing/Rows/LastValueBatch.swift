internal import CSharedRing
public import MarketData

/// Puts batches of ticks into the last-value table. Of several ticks of one instrument in a batch nobody can tell
/// whether the earlier ones were ever there, so that only the last is written, which matters when a replay publishes
/// thousands at a time.
public struct LastValueBatch: ~Copyable {
  /// For each instrument the batch in which it was met last, and its ticks in that batch.
  private var marks: [(batch: UInt32, ticks: UInt32)]
  private var batch: UInt32 = 0
  private var met: [Int] = []

  /// Below so many ticks each is written by itself: looking for the last of each instrument costs more.
  private static let smallBatch = 16

  /// Makes one for a table of so many rows.
  public init(instrumentsMax: Int) {
    marks = Array(repeating: (0, 0), count: instrumentsMax)
  }

  /// Writes what a batch leaves as last values; returns how many ticks (records of trades) it held.
  public mutating func store(_ ticks: Span<Tick>, in segment: FeedSegment) -> UInt64 {
    var trades: UInt64 = 0
    guard ticks.count >= Self.smallBatch else {
      for index in ticks.indices where ticks[index].kind == .trade {
        trades &+= 1
        segment.storeLastValue(ticks[index])
      }
      return trades
    }
    batch &+= 1
    // After four billion batches old marks would look new.
    if batch == 0 {
      for index in marks.indices { marks[index].batch = 0 }
      batch = 1
    }
    met.removeAll(keepingCapacity: true)
    for index in stride(from: ticks.count - 1, through: 0, by: -1) where ticks[index].kind == .trade {
      trades &+= 1
      let row = ticks[index].instrument.index
      guard row < marks.count else { continue }
      if marks[row].batch == batch {
        marks[row].ticks &+= 1
      } else {
        marks[row] = (batch, 1)
        met.append(row)
        segment.storeLastValue(ticks[index], counting: 0)
      }
    }
    for row in met { segment.countTicks(row, UInt64(marks[row].ticks)) }
    return trades
  }
}
