public import MarketData

/// Numbers in order of time: a column of candles, or what was computed from one.
///
/// A value that is not known is NaN, never zero: the first values of a rolling window, a minute without a trade, a
/// return without a price before it. Every operation says what it makes of NaN; unless it says otherwise, what is
/// computed from a missing value is missing. Numbers are `Double`: exact prices become the nearest one, which serves
/// statistics and not books.
public struct Series: Sendable {
  /// The instants, strictly ascending; of candle columns, the candles' starts.
  public let times: [Timestamp]
  /// The numbers, one for each instant.
  public let values: [Double]

  /// Makes a series.
  ///
  /// - Parameters:
  ///   - times: strictly ascending.
  ///   - values: as many.
  public init(times: [Timestamp], values: [Double]) {
    precondition(times.count == values.count, "a series has one value for each instant")
    self.times = times
    self.values = values
  }

  /// The same instants with other numbers.
  func with(_ values: [Double]) -> Series { Series(times: times, values: values) }

  /// How many values.
  public var count: Int { values.count }
  /// True when there is none.
  public var isEmpty: Bool { values.isEmpty }
  /// The last value, missing or not; nil for an empty series.
  public var last: Double? { values.last }
  /// The value at a position.
  public subscript(position: Int) -> Double { values[position] }
  /// The value at exactly this instant; nil when the series has none, or it is missing.
  public subscript(time: Timestamp) -> Double? {
    let position = firstPosition(after: time) - 1
    guard position >= 0, times[position] == time, !values[position].isNaN else { return nil }
    return values[position]
  }

  /// Position of the first instant later than `time`.
  func firstPosition(after time: Timestamp) -> Int {
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Series: Equatable {
  /// Equal instants and equal values, where missing equals missing.
  public static func == (left: Series, right: Series) -> Bool {
    left.times == right.times
      && zip(left.values, right.values).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
  }
}

// Value by value.
extension Series {
  /// The values through a function; NaN goes through it as well.
  public func map(_ transform: (Double) -> Double) -> Series { with(values.map(transform)) }

  /// Values `steps` positions later: at each instant what the series was `steps` values before (after, when
  /// negative); missing where there is none.
  public func shift(_ steps: Int) -> Series { with(shifted(values, by: steps)) }

  /// Change relative to the value `steps` before: `x[i] / x[i - steps] - 1`.
  ///
  /// - Parameter steps: at least 1.
  public func returns(_ steps: Int = 1) -> Series { change(over: steps) { $0 / $1 - 1 } }

  /// Logarithm of the ratio to the value `steps` before; missing where the ratio is not positive.
  ///
  /// - Parameter steps: at least 1.
  public func logReturns(_ steps: Int = 1) -> Series { change(over: steps) { logarithm($0 / $1) } }

  /// The difference to the value `steps` before.
  ///
  /// - Parameter steps: at least 1.
  public func difference(_ steps: Int = 1) -> Series { change(over: steps) { $0 - $1 } }

  @inline(__always)
  private func change(over steps: Int, _ operation: (Double, Double) -> Double) -> Series {
    precondition(steps >= 1, "a change is taken over at least one step")
    return with(combinedWithEarlier(values, steps, operation))
  }

  /// The sum, instant by instant, of two series over the same instants; see ``align(to:)``.
  public static func + (left: Series, right: Series) -> Series { left.checked(right, +) }
  /// The difference of two series over the same instants.
  public static func - (left: Series, right: Series) -> Series { left.checked(right, -) }
  /// The product of two series over the same instants.
  public static func * (left: Series, right: Series) -> Series { left.checked(right, *) }
  /// The quotient of two series over the same instants.
  public static func / (left: Series, right: Series) -> Series { left.checked(right, /) }

  private func checked(_ other: Series, _ operation: (Double, Double) -> Double) -> Series {
    precondition(times == other.times, "series are combined over the same instants: align them first")
    return with(combined(values, other.values, operation))
  }
}

// Between series of different instants.
extension Series {
  /// The series on other instants: its value where it has one at exactly that instant, missing elsewhere.
  ///
  /// - Parameter instants: strictly ascending.
  public func align(to instants: [Timestamp]) -> Series {
    var aligned: [Double] = []
    aligned.reserveCapacity(instants.count)
    var position = 0
    for instant in instants {
      while position < count, times[position] < instant { position += 1 }
      aligned.append(position < count && times[position] == instant ? values[position] : .nan)
    }
    return Series(times: instants, values: aligned)
  }

  /// The series on other instants: its latest value at or before each, missing or not.
  ///
  /// Nothing later than an instant is looked at. A candle's close is known at its end, though its column stands at
  /// its start: join on ends, or shift first.
  /// - Parameters:
  ///   - instants: ascending.
  ///   - toleranceNanoseconds: how old the value may be; nil for any age.
  public func asOf(_ instants: [Timestamp], toleranceNanoseconds: Int64? = nil) -> Series {
    var joined: [Double] = []
    joined.reserveCapacity(instants.count)
    var next = 0
    for instant in instants {
      while next < count, times[next] <= instant { next += 1 }
      let isFresh =
        next > 0 && toleranceNanoseconds.map { instant - times[next - 1] <= $0 } ?? true
      joined.append(next > 0 && isFresh ? values[next - 1] : .nan)
    }
    return Series(times: instants, values: joined)
  }

  /// The latest value that is not missing in place of each missing one.
  public func carried() -> Series {
    var last = Double.nan
    return map { value in
      if !value.isNaN { last = value }
      return last
    }
  }

  /// Several series on one time axis: all instants that any of them has, missing where one has none.
  public static func aligned(_ series: [Series]) -> [Series] {
    let axis = Set(series.flatMap(\.times)).sorted()
    return series.map { $0.align(to: axis) }
  }
}
