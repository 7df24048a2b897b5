import MarketData
import SharedRing

/// How long publishing took, in nanoseconds, with the reading of the clock in it.
struct PublishTimes {
  private static let bucketsMax = 100_000
  private var buckets = [UInt64](repeating: 0, count: bucketsMax)
  private(set) var count: UInt64 = 0
  private(set) var sum: Int64 = 0
  private(set) var longest: Int64 = 0

  mutating func add(_ nanoseconds: Int64) {
    buckets[min(Int(nanoseconds), Self.bucketsMax - 1)] += 1
    count += 1
    sum += nanoseconds
    longest = max(longest, nanoseconds)
  }

  var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  func percentile(_ share: Double) -> Int {
    let wanted = UInt64((Double(count) * share).rounded(.up))
    var seen: UInt64 = 0
    for bucket in buckets.indices {
      seen += buckets[bucket]
      if seen >= wanted { return bucket }
    }
    return Self.bucketsMax
  }

  /// The same between two ticks of a coarse clock: where within the last step of its readings the share is reached. Two
  /// runs are compared so, since a step of 10 ns is more than a tenth of what is measured.
  func interpolatedPercentile(_ share: Double) -> Double {
    let wanted = Double(count) * share
    var seen = 0.0
    var below = 0
    for (bucket, times) in buckets.enumerated() where times > 0 {
      if seen + Double(times) >= wanted {
        return Double(below) + Double(bucket - below) * (wanted - seen) / Double(times)
      }
      seen += Double(times)
      below = bucket
    }
    return Double(below)
  }

  var summary: String {
    "p50 \(percentile(0.5)) ns, p99 \(percentile(0.99)) ns, p99.9 \(percentile(0.999)) ns, max \(longest) ns"
  }
}

/// Records one after another at a steady pace, timed.
struct PacedPublishing {
  /// One record every so many nanoseconds.
  static let pace: Int64 = 2_000
  var value: UInt64 = 0

  /// Publishes with `publish` for `nanoseconds` and adds each call's time.
  mutating func run(
    nanoseconds: Int64, into times: inout PublishTimes, _ publish: (UInt64) -> Void
  ) {
    var due = Timestamp.monotonicNanoseconds()
    let end = due + nanoseconds
    while due < end {
      var now = Timestamp.monotonicNanoseconds()
      while now < due {
        LaneReader.pause()
        now = Timestamp.monotonicNanoseconds()
      }
      value += 1
      publish(value)
      times.add(Timestamp.monotonicNanoseconds() - now)
      // What a preempted producer missed is not made up for in a burst.
      due = max(due + Self.pace, now)
    }
  }
}
