/// What is measured, by the name that every program of the benchmark knows it by.
enum RingMeasure: String, CaseIterable {
  case roundTrip = "round-trip"
  case batches = "throughput-batch"
  case streamed = "throughput-streamed"
  case singles = "throughput-single"
  case producerAlone = "producer-alone"
  case paced
  case lanes1 = "lanes-1"
  case lanes2 = "lanes-2"
  case lanes4 = "lanes-4"
  case lanes8 = "lanes-8"
  case longBatches = "long-batches"
  case inPlace1 = "in-place-1"
  case inPlace8 = "in-place-8"
  case lastValue = "last-value"
  case wake
  case wakeCheck = "wake-check"
  case noWakeCheck = "no-wake-check"

  /// True when latencies are counted; else a cost in nanoseconds a record.
  var isLatency: Bool { self == .roundTrip || self == .paced || self == .wake }

  /// Lanes written at once.
  var laneCount: Int {
    switch self {
    case .lanes2: 2
    case .lanes4: 4
    case .lanes8, .inPlace8: 8
    default: 1
    }
  }

  /// Heading in the report.
  var title: String {
    switch self {
    case .roundTrip: "round trip of one record"
    case .batches: "throughput, batches of 32"
    case .streamed: "throughput, batches of 32 past the caches"
    case .singles: "throughput, one at a time"
    case .producerAlone: "producer alone"
    case .paced: "one way at a paced rate"
    case .lanes1: "producer with 1 lane"
    case .lanes2: "producer with 2 lanes"
    case .lanes4: "producer with 4 lanes"
    case .lanes8: "producer with 8 lanes"
    case .longBatches: "producer with 1 lane, batches of \(RingPart.longBatch)"
    case .inPlace1: "producer with 1 lane, filled in place"
    case .inPlace8: "producer with 8 lanes, filled in place"
    case .lastValue: "read of a last value while it is rewritten"
    case .wake: "waking a sleeping reader"
    case .wakeCheck: "producer of single records, looking for a sleeper"
    case .noWakeCheck: "producer of single records, not looking"
    }
  }

  /// What the physical limit of this measure is; nil where there is none.
  var limit: String? {
    switch self {
    case .roundTrip: "one cache line there and back"
    case .batches: "records filled by one core, read by the other"
    case .producerAlone: "records copied in memory"
    case .paced: "one cache line, one way"
    case .wake: "a bare futex wake"
    default: nil
    }
  }
}

/// Two processors, one for each process.
struct ProcessorPair: Equatable {
  var first: Int
  var second: Int
}

/// The arguments of one run, the same for ours and for every peer's program.
struct RingRun {
  var measure: RingMeasure
  /// Records, round trips, reads or wakes.
  var count: UInt64
  var perSecond: Double
  var processors: ProcessorPair
  var isRealtime: Bool

  var arguments: [String] {
    [
      measure.rawValue, String(count), String(perSecond), String(processors.first), String(processors.second),
      isRealtime ? "1" : "0",
    ]
  }

  init(
    measure: RingMeasure, count: UInt64, perSecond: Double, processors: ProcessorPair, isRealtime: Bool
  ) {
    self.measure = measure
    self.count = count
    self.perSecond = perSecond
    self.processors = processors
    self.isRealtime = isRealtime
  }

  /// Reads back what ``arguments`` made; nil when it is not that.
  init?(arguments: [String]) {
    guard arguments.count == 6, let measure = RingMeasure(rawValue: arguments[0]),
      let count = UInt64(arguments[1]), count > 0, let perSecond = Double(arguments[2]), perSecond > 0,
      let first = Int(arguments[3]), let second = Int(arguments[4]), first >= 0, second >= 0
    else { return nil }
    self.init(
      measure: measure, count: count, perSecond: perSecond,
      processors: ProcessorPair(first: first, second: second), isRealtime: arguments[5] == "1")
  }
}
