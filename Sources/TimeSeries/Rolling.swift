// Over the last `window` values, the present one included. Missing until the window is full, and while a value in it
// is missing: a mean over fewer values than asked for is another number.

extension Series {
  /// Sum of the last `window` values.
  public func rollingSum(_ window: Int) -> Series { with(rollingFold(SumFold.self, values, window: window)) }

  /// Mean of the last `window` values.
  public func rollingMean(_ window: Int) -> Series {
    let size = Double(window)
    return with(transformed(rollingFold(SumFold.self, values, window: window)) { $0 / size })
  }

  /// Smallest of the last `window` values.
  public func rollingMin(_ window: Int) -> Series {
    with(rollingFold(MinimumFold.self, values, window: window))
  }

  /// Largest of the last `window` values.
  public func rollingMax(_ window: Int) -> Series {
    with(rollingFold(MaximumFold.self, values, window: window))
  }

  /// Standard deviation of the last `window` values around their mean.
  ///
  /// - Parameters:
  ///   - window: more than `degreesLost`.
  ///   - degreesLost: 1 for a sample, as pandas has it; 0 for a whole population, as numpy has it.
  public func rollingStandardDeviation(_ window: Int, degreesLost: Int = 1) -> Series {
    precondition(
      degreesLost >= 0 && window > degreesLost, "a deviation needs more values than it loses degrees")
    guard window > 1 else { return map { $0 - $0 } }
    let divisor = Double(window - degreesLost)
    return with(transformed(rollingSquaredDeviation(values, window: window)) { ($0 / divisor).squareRoot() })
  }

  /// Distance of each value from the mean of the last `window`, in their standard deviations; missing where they do
  /// not deviate at all.
  public func zScore(_ window: Int) -> Series {
    let means = rollingMean(window).values
    return with(
      combined(combined(values, means) { $0 - $1 }, rollingStandardDeviation(window).values) {
        $1 == 0 ? .nan : $0 / $1
      })
  }

  /// Exponential moving average with the weight `2 / (span + 1)`, beginning at the first value:
  /// `pandas.Series.ewm(span=span, adjust=False).mean()`.
  ///
  /// At a missing value it stands still, and what came before weighs less afterwards, as if the value had been there.
  /// Missing before the first value.
  public func ema(_ span: Int) -> Series {
    precondition(span >= 1, "a span holds at least one value")
    return exponential(2 / (Double(span) + 1))
  }

  /// Wilder's average with the weight `1 / period`; otherwise as ``ema(_:)``.
  public func wilder(_ period: Int) -> Series {
    precondition(period >= 1, "a period holds at least one value")
    return exponential(1 / Double(period))
  }

  private func exponential(_ weight: Double) -> Series {
    var average = Double.nan
    var oldWeight = 1.0
    return map { value in
      if average.isNaN {
        average = value
        return average
      }
      oldWeight *= 1 - weight
      if !value.isNaN {
        average = (oldWeight * average + weight * value) / (oldWeight + weight)
        oldWeight = 1
      }
      return average
    }
  }
}
