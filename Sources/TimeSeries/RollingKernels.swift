internal import Foundation

// The loops behind the operations on series. All memory is a caller's buffer of known length; nothing else in this
// module touches memory without bounds.

/// The natural logarithm; NaN of what is not positive.
@inline(__always)
func logarithm(_ value: Double) -> Double { value > 0 ? Foundation.log(value) : .nan }

/// The values through a function, in the memory that they are in.
@inline(__always)
func transformed(_ values: consuming [Double], _ operation: (Double) -> Double) -> [Double] {
  values.withUnsafeMutableBufferPointer { values in
    for index in values.indices { values[index] = operation(values[index]) }
  }
  return values
}

/// Two columns of one length, value by value.
@inline(__always)
func combined(_ left: [Double], _ right: [Double], _ operation: (Double, Double) -> Double) -> [Double] {
  precondition(left.count == right.count)
  return [Double](unsafeUninitializedCapacity: left.count) { result, initialized in
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        for index in 0..<left.count { result[index] = operation(left[index], right[index]) }
      }
    }
    initialized = left.count
  }
}

/// Each value with the one `steps` before, at least 1; missing for the first `steps`.
@inline(__always)
func combinedWithEarlier(_ values: [Double], _ steps: Int, _ operation: (Double, Double) -> Double)
  -> [Double]
{
  let count = values.count
  let first = min(steps, count)
  return [Double](unsafeUninitializedCapacity: count) { result, initialized in
    values.withUnsafeBufferPointer { values in
      for index in 0..<first { result[index] = .nan }
      for index in first..<count { result[index] = operation(values[index], values[index &- first]) }
    }
    initialized = count
  }
}

/// Values moved towards the end (to the beginning when negative), missing where none came from.
func shifted(_ values: [Double], by steps: Int) -> [Double] {
  let count = values.count
  let distance = Int(min(steps.magnitude, UInt(count)))
  var result = [Double](repeating: .nan, count: count)
  if steps >= 0 {
    result.replaceSubrange(distance..., with: values[..<(count - distance)])
  } else {
    result.replaceSubrange(..<(count - distance), with: values[distance...])
  }
  return result
}

/// How two neighbouring stretches of a window become one.
protocol WindowFold {
  static func fold(_ left: Double, _ right: Double) -> Double
}

enum SumFold: WindowFold {
  @inline(__always) static func fold(_ left: Double, _ right: Double) -> Double { left + right }
}

// A comparison with NaN is false: a missing value on the left is kept by asking for it, one on the right by falling
// to it.
enum MinimumFold: WindowFold {
  @inline(__always) static func fold(_ left: Double, _ right: Double) -> Double {
    left < right || left.isNaN ? left : right
  }
}

enum MaximumFold: WindowFold {
  @inline(__always) static func fold(_ left: Double, _ right: Double) -> Double {
    left > right || left.isNaN ? left : right
  }
}

/// Folds each window of `window` values; missing for the first `window - 1`, and where a value in it is missing.
///
/// After van Herk and Gil-Werman: the values are cut into blocks of the window's length, and each window is the end
/// of one block joined to the beginning of the next, both of which are running folds. Three foldings a value whatever
/// the length, and, since nothing is ever subtracted, a sum is as exact as adding the window's values, and a missing
/// value or an infinity is forgotten as soon as it leaves the window.
func rollingFold<Fold: WindowFold>(_: Fold.Type, _ values: [Double], window: Int) -> [Double] {
  precondition(window >= 1, "a window holds at least one value")
  let count = values.count
  guard window > 1 else { return values }
  guard count >= window else { return [Double](repeating: .nan, count: count) }
  return [Double](unsafeUninitializedCapacity: count) { result, initialized in
    values.withUnsafeBufferPointer { values in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: window) { tail in
        for index in 0..<window - 1 { result[index] = .nan }
        var block = 0
        while block < count {
          // `tail[k]`: the fold of this block from its k-th value to its end; of the next block, the running fold.
          let end = min(block + window, count)
          guard end - block == window else { break }
          var fold = values[end - 1]
          tail[window - 1] = fold
          var index = window - 2
          while index >= 0 {
            fold = Fold.fold(values[block + index], fold)
            tail[index] = fold
            index -= 1
          }
          result[end - 1] = fold
          let reach = min(window - 1, count - end)
          if reach > 0 {
            var head = values[end]
            result[end] = Fold.fold(tail[1], head)
            index = 1
            while index < reach {
              head = Fold.fold(head, values[end + index])
              result[end + index] = Fold.fold(tail[index + 1], head)
              index += 1
            }
          }
          block = end
        }
      }
    }
    initialized = count
  }
}

/// The sum of squared deviations from the mean of each window of at least two values.
///
/// The same two stretches as ``rollingFold(_:_:window:)``, each summed around a value of its own block, so that a
/// price of 20 000 that moves by 0.05 loses no digits; joined by the formula of Chan, Golub and LeVeque (1979).
func rollingSquaredDeviation(_ values: [Double], window: Int) -> [Double] {
  precondition(window >= 2, "deviation needs at least two values")
  let count = values.count
  guard count >= window else { return [Double](repeating: .nan, count: count) }
  return [Double](unsafeUninitializedCapacity: count) { result, initialized in
    values.withUnsafeBufferPointer { values in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 4 * window + 2) { scratch in
        // Of the stretch from the k-th value to the block's end: mean and squared deviation; then 1 / k, and the
        // weight k (window - k) / window with which the distance of two stretches' means counts.
        let means = scratch.baseAddress.unsafelyUnwrapped
        let deviations = means + window
        let reciprocals = deviations + window
        let weights = reciprocals + window + 1
        for size in 0...window {
          reciprocals[size] = size == 0 ? 0 : 1 / Double(size)
          if size < window { weights[size] = Double(size) * Double(window - size) / Double(window) }
        }
        for index in 0..<window - 1 { result[index] = .nan }
        var block = 0
        while block + window <= count {
          let end = block + window
          let pivot = values[end - 1]
          var sum = 0.0
          var squares = 0.0
          var index = window - 1
          while index >= 0 {
            let value = values[block + index] - pivot
            sum += value
            squares += value * value
            let mean = sum * reciprocals[window - index]
            means[index] = pivot + mean
            deviations[index] = squares - sum * mean
            index -= 1
          }
          result[end - 1] = deviations[0] < 0 ? 0 : deviations[0]
          let reach = min(window - 1, count - end)
          if reach > 0 {
            let nextPivot = values[end]
            sum = 0
            squares = 0
            index = 0
            while index < reach {
              let value = values[end + index] - nextPivot
              sum += value
              squares += value * value
              let mean = sum * reciprocals[index + 1]
              let distance = nextPivot + mean - means[index + 1]
              let joined =
                squares - sum * mean + deviations[index + 1] + distance * distance * weights[index + 1]
              // Rounding must not leave a negative square; a missing value must stay missing.
              result[end + index] = joined < 0 ? 0 : joined
              index += 1
            }
          }
          block = end
        }
      }
    }
    initialized = count
  }
}
