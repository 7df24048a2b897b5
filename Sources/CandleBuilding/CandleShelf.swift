import MarketData

/// The candles that can still change: the last few of each instrument, in one flat array, the newest first.
///
/// Instruments are indexed by their number; memory grows only when a larger number is first seen. Which candles are
/// kept is decided by the starts of the instrument's own candles alone.
struct CandleShelf {
  /// Candles kept for each instrument.
  static let candlesPerInstrument = 4

  /// Where a candle with a given start is, or could be put.
  enum Place {
    case occupied(Int)
    /// Vacant, or held by the instrument's oldest candle, which has to make room.
    case available(Int)
    /// Older than every candle kept, and no room.
    case tooOld
  }

  var builders: [CandleBuilder] = []

  /// Instruments that there is room for.
  var instrumentCount: Int { builders.count / Self.candlesPerInstrument }

  /// Makes room for instruments up to `index`.
  mutating func grow(toHold index: Int) {
    let missing = (index + 1) * Self.candlesPerInstrument - builders.count
    if missing > 0 { builders.append(contentsOf: repeatElement(CandleBuilder.vacant, count: missing)) }
  }

  /// The position of the instrument's newest candle, or of a vacant place when it has none.
  @inline(__always)
  static func newestPosition(of index: Int) -> Int { index &* candlesPerInstrument }

  /// The positions that belong to an instrument.
  func positions(of index: Int) -> Range<Int> {
    index * Self.candlesPerInstrument..<(index + 1) * Self.candlesPerInstrument
  }

  /// The instrument to which a position belongs.
  func instrument(at position: Int) -> InstrumentID {
    InstrumentID(rawValue: UInt32(position / Self.candlesPerInstrument))
  }

  /// Finds the candle that starts at `start`, or its place. A vacant place starts before all candles, so it is
  /// taken first.
  func place(of start: Timestamp, instrument index: Int) -> Place {
    var oldest = positions(of: index).lowerBound
    for position in positions(of: index) {
      if builders[position].start == start { return .occupied(position) }
      if builders[position].start < builders[oldest].start { oldest = position }
    }
    return builders[oldest].start < start ? .available(oldest) : .tooOld
  }

  /// Puts a candle in the place found for it, and returns where it stands then: the newest stands first.
  mutating func put(_ builder: CandleBuilder, at position: Int, instrument index: Int) -> Int {
    builders[position] = builder
    let newest = Self.newestPosition(of: index)
    guard builders[newest].start < builder.start else { return position }
    builders.swapAt(newest, position)
    return newest
  }
}
