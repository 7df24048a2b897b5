public import MarketData

/// Candles of one instrument and one interval in order of time, with their columns as ``Series``.
public struct CandleSeries: Sendable, Equatable {
  /// A way to show intervals in which nothing was traded. No filling is ever stored (candle rule 10).
  public enum Fill: String, Sendable, Hashable, CaseIterable {
    /// They are left out.
    case none
    /// Candles of no volume at the last close.
    case flat
    /// The last candle's prices again, of no volume.
    case carry
  }

  /// The candles, strictly ascending by start.
  public let candles: [Candle]
  /// Whether each candle is only a filling; empty when none is.
  public let filled: [Bool]

  /// Makes a series.
  ///
  /// - Parameters:
  ///   - candles: of one instrument and interval, strictly ascending by start.
  ///   - filled: one for each candle, or empty.
  public init(_ candles: [Candle], filled: [Bool] = []) {
    precondition(filled.isEmpty || filled.count == candles.count, "one mark for each candle")
    precondition(
      zip(candles, candles.dropFirst()).allSatisfy {
        $0.start < $1.start && $0.interval == $1.interval && $0.instrument == $1.instrument
      }, "candles of one instrument and interval, ascending")
    self.candles = candles
    self.filled = filled
  }

  /// How many candles.
  public var count: Int { candles.count }
  /// True when there is none.
  public var isEmpty: Bool { candles.isEmpty }
  /// The newest candle.
  public var last: Candle? { candles.last }
  /// The candle at a position.
  public subscript(position: Int) -> Candle { candles[position] }
  /// True when the candle at a position was put there by a ``Fill``.
  public func isFilled(_ position: Int) -> Bool { filled.isEmpty ? false : filled[position] }

  /// The candles' starts.
  public var times: [Timestamp] { candles.map(\.start) }
  /// Opening prices.
  public var opens: Series { column { price($0.open) } }
  /// Highest prices.
  public var highs: Series { column { price($0.high) } }
  /// Lowest prices.
  public var lows: Series { column { price($0.low) } }
  /// Closing prices.
  public var closes: Series { column { price($0.close) } }
  /// Quantities traded.
  public var volumes: Series { column { Double($0.volume) } }
  /// Open interest.
  public var openInterests: Series { column { Double($0.openInterest) } }
  /// Means of high, low and close.
  public var typicalPrices: Series {
    column { (price($0.high) + price($0.low) + price($0.close)) / 3 }
  }

  private func column(_ value: (Candle) -> Double) -> Series {
    Series(times: times, values: candles.map(value))
  }

  /// Position of the first candle that starts after an instant.
  private func firstPosition(after time: Timestamp) -> Int {
    var low = 0
    var high = candles.count
    while low < high {
      let middle = (low + high) / 2
      if candles[middle].start <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The candle whose interval holds an instant; nil when there is none.
  public func candle(at time: Timestamp) -> Candle? {
    let position = firstPosition(after: time) - 1
    guard position >= 0, time < candles[position].end else { return nil }
    return candles[position]
  }
}

/// A price as the nearest `Double`. Both numbers are exact and division rounds once, so `1704.55` becomes what a
/// program means that writes 1704.55.
private func price(_ price: Price) -> Double { Double(price.units) / Double(Price.unitsPerOne) }

extension Candle {
  /// The first instant after the candle.
  public var end: Timestamp { start + interval.nanoseconds }
}

// What needs more than one column.
extension CandleSeries {
  /// The largest of high - low, |high - previous close| and |low - previous close|; of the first candle high - low.
  public var trueRange: Series {
    let highs = highs.values
    let lows = lows.values
    let before = closes.shift(1).values
    return Series(
      times: times,
      values: candles.indices.map { index in
        let range = highs[index] - lows[index]
        guard index > 0 else { return range }
        let up = abs(highs[index] - before[index])
        let down = abs(lows[index] - before[index])
        // `max` would prefer either side of a NaN; a missing close before is missing here.
        return up.isNaN || down.isNaN ? .nan : max(range, up, down)
      })
  }

  /// Average true range by Wilder's average, beginning at the first candle.
  public func averageTrueRange(_ period: Int = 14) -> Series { trueRange.wilder(period) }

  /// Volume-weighted average price since the start of the day of each candle: of the turnover where the candles carry
  /// it, else of typical price times volume. Missing until something was traded.
  ///
  /// - Parameter session: names the session to which a start belongs; by default the exchange's date.
  public func vwap(session: (Timestamp) -> Int = { CivilTime($0).dayNumber }) -> Series {
    var current: Int?
    var money = 0.0
    var volume = 0.0
    let typical = typicalPrices.values
    return Series(
      times: times,
      values: candles.indices.map { index in
        let candle = candles[index]
        let day = session(candle.start)
        if day != current { (current, money, volume) = (day, 0, 0) }
        if candle.volume > 0 {
          money += Self.turnover(candle, typical[index])
          volume += Double(candle.volume)
        }
        return volume > 0 ? money / volume : .nan
      })
  }

  /// Volume-weighted average price over the last `window` candles; missing until the window is full, and where
  /// nothing was traded in it.
  public func rollingVWAP(_ window: Int) -> Series {
    let typical = typicalPrices.values
    let money = Series(
      times: times, values: candles.indices.map { Self.turnover(candles[$0], typical[$0]) })
    let sums = money.rollingSum(window)
    let volumes = volumes.rollingSum(window)
    return Series(
      times: times,
      values: candles.indices.map { volumes[$0] > 0 ? sums[$0] / volumes[$0] : .nan })
  }

  private static func turnover(_ candle: Candle, _ typicalPrice: Double) -> Double {
    candle.turnover != 0
      ? Double(candle.turnover) / Double(Candle.turnoverUnitsPerOne) : typicalPrice * Double(candle.volume)
  }
}
