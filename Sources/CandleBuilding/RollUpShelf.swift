internal import MarketData

/// The rolled-up candles that can still change: for each instrument and interval as many as the minutes'
/// ``CandleShelf`` keeps.
///
/// The newest candles of an instrument lie side by side, interval by interval, since nearly every minute is merged
/// into these; the older ones lie apart.
struct RollUpShelf {
  /// Where a candle is: the row of its instrument and interval, and how it is found in it.
  struct Place {
    var row: Int
    /// 0 is the newest; the others are in no order.
    var column: Int
  }

  private var newest: [RolledUpCandle] = []
  private var older: [RolledUpCandle] = []
  private static let olderPerRow = CandleShelf.candlesPerInstrument - 1

  /// Rows that there is room for.
  var rowCount: Int { newest.count }

  mutating func grow(byRows count: Int) {
    newest.append(contentsOf: repeatElement(.vacant, count: count))
    older.append(contentsOf: repeatElement(.vacant, count: count * Self.olderPerRow))
  }

  subscript(_ place: Place) -> RolledUpCandle {
    @inline(__always) get {
      place.column == 0 ? newest[place.row] : older[place.row * Self.olderPerRow + place.column - 1]
    }
    @inline(__always) _modify {
      if place.column == 0 {
        yield &newest[place.row]
      } else {
        yield &older[place.row * Self.olderPerRow + place.column - 1]
      }
    }
  }

  /// The newest candle of a row, or a vacant place.
  subscript(newestOf row: Int) -> RolledUpCandle {
    @inline(__always) get { newest[row] }
    @inline(__always) _modify { yield &newest[row] }
  }

  /// The places of a row, the newest candle's first.
  @inline(__always)
  func columns() -> Range<Int> { 0..<CandleShelf.candlesPerInstrument }

  /// Where the candle that starts at `start` is; nil where there is none.
  func place(of start: Timestamp, row: Int) -> Place? {
    columns().lazy.map { Place(row: row, column: $0) }.first { self[$0].bounds.start == start }
  }

  /// Puts in a candle whose start no other candle of the row has, and returns its place; the oldest candle makes room,
  /// and goes to `evicted`. Nil when the new one is older than all and there is no room.
  mutating func put(_ candle: RolledUpCandle, row: Int, evicted: inout RolledUpCandle?) -> Place? {
    guard
      let oldest = columns().lazy.map({ Place(row: row, column: $0) })
        .min(by: { self[$0].bounds.start < self[$1].bounds.start }),
      self[oldest].bounds.start < candle.bounds.start
    else { return nil }
    if self[oldest].announced != .vacant { evicted = self[oldest] }
    let front = Place(row: row, column: 0)
    guard newest[row].bounds.start < candle.bounds.start else {
      self[oldest] = candle
      return oldest
    }
    if oldest.column != 0 { self[oldest] = newest[row] }
    newest[row] = candle
    return front
  }
}
