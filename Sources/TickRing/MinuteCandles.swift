internal import CandleBuilding
internal import MarketData

/// The minute candles of one run: those that are being built from ticks, and those of the day that closed.
struct MinuteCandles {
  private var aggregator: CandleAggregator
  /// By instrument, the latest candles, ascending by start.
  private var closed: [InstrumentID: [Candle]] = [:]
  let graceNanoseconds: Int64

  /// Closed candles kept for each instrument: the longest session, MCX's, has 895 minutes.
  private static let keptMax = 1024

  init(graceNanoseconds: Int64) {
    self.graceNanoseconds = graceNanoseconds
    aggregator = CandleAggregator(graceNanoseconds: graceNanoseconds)
  }

  /// When the next candle ends or is to be sealed; the end of time while none is open.
  var deadline: Timestamp { aggregator.deadline }

  mutating func apply(_ tick: Tick, into candles: inout [Candle]) { aggregator.apply(tick, into: &candles) }
  mutating func advance(to now: Timestamp, into candles: inout [Candle]) {
    aggregator.advance(to: now, into: &candles)
  }
  func forming(_ instrument: InstrumentID) -> Candle? { aggregator.forming(instrument) }

  /// When a candle is sealed, from which on a back-test may see it (candle rule 20).
  func sealing(of candle: Candle) -> Timestamp { candle.end + graceNanoseconds }

  /// Keeps the newest state of a candle.
  mutating func remember(_ candle: Candle) {
    var candles = closed[candle.instrument, default: []]
    if let index = candles.lastIndex(where: { $0.start <= candle.start }) {
      if candles[index].start == candle.start {
        candles[index] = candle
      } else {
        candles.insert(candle, at: index + 1)
      }
    } else {
      candles.insert(candle, at: 0)
    }
    if candles.count > Self.keptMax { candles.removeFirst(candles.count - Self.keptMax) }
    closed[candle.instrument] = candles
  }

  /// The closed candles of an instrument that start in `[from, to)`, ascending.
  func candles(of instrument: InstrumentID, from: Timestamp, to: Timestamp) -> [Candle] {
    (closed[instrument] ?? []).filter { $0.start >= from && $0.start < to }
  }

  /// Whether a stored candle is news: true unless ticks have made a whole candle of that minute. Then those are what
  /// the strategy sees, for it has seen their ticks.
  func takesStored(_ candle: Candle) -> Bool {
    guard let built = closed[candle.instrument]?.last(where: { $0.start == candle.start }) else {
      return true
    }
    return built.origin == .built && built.flags.contains(.partial) && !candle.flags.contains(.partial)
  }
}

/// Candles of longer intervals, rolled up from minute candles as they close.
struct RollUps {
  private struct Key: Hashable, Comparable {
    var instrument: InstrumentID
    var interval: Interval

    static func < (one: Self, other: Self) -> Bool {
      (one.instrument, one.interval.seconds) < (other.instrument, other.interval.seconds)
    }
  }

  private struct Bucket {
    var start: Timestamp
    var end: Timestamp
    var pieces: [Candle] = []
    var isAnnounced = false
    var revision = 0
  }

  var intervals: [Interval] {
    didSet { buckets = buckets.filter { intervals.contains($0.key.interval) } }
  }
  /// When the next candle that waits for its last minutes is over without them; the end of time while none waits.
  private(set) var deadline = Self.never
  private static let never = Timestamp(nanoseconds: .max)
  private let graceNanoseconds: Int64
  private let anchor: (InstrumentID) -> SessionAnchor
  private var buckets: [Key: Bucket] = [:]

  init(
    intervals: [Interval], graceNanoseconds: Int64, anchor: @escaping (InstrumentID) -> SessionAnchor
  ) {
    self.intervals = intervals
    self.graceNanoseconds = graceNanoseconds
    self.anchor = anchor
  }

  /// Forgets everything.
  mutating func reset() {
    buckets = [:]
    deadline = Self.never
  }

  /// Takes a minute candle; hands out the longer candles that it completes or changes.
  mutating func take(_ minute: Candle, _ handOut: (Candle) -> Void) {
    guard minute.state.rawValue >= CandleState.final.rawValue else { return }
    for interval in intervals {
      let key = Key(instrument: minute.instrument, interval: interval)
      let anchor = anchor(minute.instrument)
      let start = CandleSeries.bucketStart(of: minute.start, interval, anchor)
      let end = anchor.end(ofBucketFrom: start, interval)
      var bucket = buckets[key] ?? Bucket(start: start, end: end)
      if start < bucket.start { continue }  // A revision of what is over: the store has it.
      if start != bucket.start {
        if !bucket.isAnnounced { announce(&bucket, interval, handOut) }
        bucket = Bucket(start: start, end: end)
      }
      bucket.pieces.removeAll { $0.start == minute.start }
      bucket.pieces.append(minute)
      bucket.pieces.sort { $0.start < $1.start }
      if bucket.isAnnounced {
        bucket.revision += 1
        announce(&bucket, interval, handOut)
      } else if minute.end >= end {
        announce(&bucket, interval, handOut)
      }
      buckets[key] = bucket
      if !bucket.isAnnounced { deadline = min(deadline, bucket.end + graceNanoseconds) }
    }
  }

  /// The candles that are over by `now` though their last minutes had no trade, in the order of their ends.
  mutating func takeOverdue(by now: Timestamp) -> [Candle] {
    guard now >= deadline else { return [] }
    var overdue: [Candle] = []
    deadline = Self.never
    let waiting = buckets.filter { !$0.value.isAnnounced }
    for (key, bucket) in waiting.sorted(by: { ($0.value.end, $0.key) < ($1.value.end, $1.key) }) {
      let sealing = bucket.end + graceNanoseconds
      if sealing > now {
        deadline = min(deadline, sealing)
      } else {
        var bucket = bucket
        announce(&bucket, key.interval) { overdue.append($0) }
        buckets[key] = bucket
      }
    }
    return overdue
  }

  private func announce(_ bucket: inout Bucket, _ interval: Interval, _ handOut: (Candle) -> Void) {
    guard !bucket.pieces.isEmpty,
      var candle = try? CandleSeries(bucket.pieces).resample(
        to: interval, anchor: anchor(bucket.pieces[0].instrument)
      ).last
    else { return }
    candle.revision = bucket.revision
    candle.state = bucket.revision > 0 ? .revised : .final
    bucket.isAnnounced = true
    handOut(candle)
  }
}
