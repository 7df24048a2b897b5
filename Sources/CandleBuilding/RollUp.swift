import MarketData

/// Rolls 1-minute candles up into longer ones, anchored to the sessions (rule 17).
///
/// A minute may be handed in again and again as it changes; within a minute high and volume only rise and low only
/// falls, so merging its newest state replaces the one before. What a longer candle is does not depend on how often
/// its minutes were handed in.
struct RollUp {
  /// What a minute has contributed so far.
  private struct Contribution {
    var start = Timestamp(nanoseconds: .min)
    var volume: Int64 = 0
    var turnover: Int64 = 0
    var ticks = 0
  }

  struct Bucket {
    var bounds: CandleBounds
    var candle: Candle
    var firstMinute: Timestamp
    var lastMinute: Timestamp
    var announced: CandleBuilder.Announced
  }

  /// The buckets of one instrument and one interval, at most ``CandleShelf/candlesPerInstrument``.
  private typealias Row = [Bucket]

  let intervals: [Interval]
  private let graceNanoseconds: Int64
  private var grid: SessionGrid
  private var groups: [MarketGroup] = []
  private var contributions: [Contribution] = []
  /// By instrument, then by interval.
  private var rows: [Row] = []
  /// The latest bounds by group and interval: nearly every minute falls into those of the one before.
  private var latestBounds: [MarketGroup: [CandleBounds?]] = [:]
  /// When the next candle ends or is to be sealed.
  private(set) var deadline = Timestamp(nanoseconds: .max)

  private static let kept = CandleShelf.candlesPerInstrument

  init(intervals: [Interval], schedule: any SessionSchedule, graceNanoseconds: Int64) {
    self.intervals = intervals.sorted()
    self.graceNanoseconds = graceNanoseconds
    grid = SessionGrid(schedule: schedule)
  }

  mutating func grow(toHold index: Int) {
    let missing = index + 1 - groups.count
    guard missing > 0, !intervals.isEmpty else { return }
    groups.append(contentsOf: repeatElement(MarketGroup(.cash), count: missing))
    contributions.append(contentsOf: repeatElement(Contribution(), count: missing * Self.kept))
    rows.append(contentsOf: repeatElement([], count: missing * intervals.count))
  }

  mutating func define(_ index: Int, group: MarketGroup) {
    guard index < groups.count else { return }
    groups[index] = group
  }

  /// Takes in the newest state of a minute.
  ///
  /// - Parameter received: When the tick arrived that changed the minute; nil where only time has passed.
  mutating func take(
    _ minute: Candle, received: Timestamp?, clock: Timestamp, coverage: FeedCoverage,
    announcesForming: Bool, into closed: inout [Candle]
  ) {
    guard !intervals.isEmpty else { return }
    let index = minute.instrument.index
    let before = contribution(of: minute, instrument: index)
    for slot in intervals.indices {
      let row = index * intervals.count + slot
      let bounds = bounds(of: minute.start, slot: slot, group: groups[index])
      guard let position = merge(minute, before: before, bounds: bounds, row: row, slot: slot, into: &closed)
      else { continue }
      announceChange(
        row, position, received: received, clock: clock, coverage: coverage,
        announcesForming: announcesForming, into: &closed)
    }
  }

  /// Hands out everything that ended or is to be sealed at `clock`.
  mutating func announceDue(clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]) {
    guard clock >= deadline else { return }
    deadline = Timestamp(nanoseconds: .max)
    for slot in intervals.indices {
      for row in stride(from: slot, to: rows.count, by: intervals.count) {
        for position in rows[row].indices where rows[row][position].announced != .final {
          announceIfDue(row, position, clock: clock, coverage: coverage, into: &closed)
        }
      }
    }
  }

  /// Appends the candles that are not sealed, as provisional, as far as the feed is known.
  mutating func finish(
    dataTime: Timestamp, clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    for slot in intervals.indices {
      for row in stride(from: slot, to: rows.count, by: intervals.count) {
        for position in rows[row].indices {
          let end = rows[row][position].bounds.end
          guard dataTime < end + graceNanoseconds else { continue }
          closed.append(
            candle(rows[row][position], .provisional, coverage, knownUntil: min(dataTime, end)))
          rows[row][position].announced = clock < end ? .forming : .provisional
          deadline = min(deadline, clock < end ? end : end + graceNanoseconds)
        }
      }
    }
  }

  /// The running candle of an instrument with its running minute, if there is one, in it.
  mutating func forming(
    _ instrument: InstrumentID, _ interval: Interval, minute: Candle?, clock: Timestamp,
    coverage: FeedCoverage
  ) -> Candle? {
    guard let slot = intervals.firstIndex(of: interval), instrument.index < groups.count else { return nil }
    var copy = RollUp(intervals: [interval], grid: grid, graceNanoseconds: graceNanoseconds)
    copy.grow(toHold: 0)
    copy.groups[0] = groups[instrument.index]
    copy.rows[0] = rows[instrument.index * intervals.count + slot]
    let own = instrument.index * Self.kept
    copy.contributions = Array(contributions[own..<own + Self.kept])
    if var minute {
      minute.instrument = InstrumentID(rawValue: 0)
      var ignored: [Candle] = []
      copy.take(
        minute, received: nil, clock: .unknown, coverage: coverage, announcesForming: false, into: &ignored)
    }
    guard let newest = copy.rows[0].max(by: { $0.bounds.start < $1.bounds.start }), clock < newest.bounds.end
    else { return nil }
    var candle = newest.candle
    candle.instrument = instrument
    candle.state = .forming
    candle.coverage = Int(
      coverage.percent(of: instrument, in: newest.bounds.spans, knownUntil: min(clock, newest.bounds.end)))
    return candle
  }

  private init(intervals: [Interval], grid: SessionGrid, graceNanoseconds: Int64) {
    self.intervals = intervals
    self.grid = grid
    self.graceNanoseconds = graceNanoseconds
  }

  /// Hands out sealed candles whose coverage a gap has changed.
  mutating func coverageChanged(
    of range: Range<Int>, from: Timestamp, to: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    for index in range where index < groups.count {
      for row in index * intervals.count..<(index + 1) * intervals.count {
        for position in rows[row].indices {
          let bucket = rows[row][position]
          guard bucket.announced == .final, bucket.bounds.start < to, bucket.bounds.end > from else {
            continue
          }
          let sealed = candle(bucket, bucket.candle.revision > 0 ? .revised : .final, coverage)
          if sealed.coverage != bucket.candle.coverage {
            rows[row][position].candle.coverage = sealed.coverage
            closed.append(sealed)
          }
        }
      }
    }
  }
}

// MARK: - Merging

extension RollUp {
  /// What the minute had contributed before, and keeps its new contribution.
  private mutating func contribution(of minute: Candle, instrument index: Int) -> Contribution {
    var place = index * Self.kept
    for position in index * Self.kept..<(index + 1) * Self.kept {
      if contributions[position].start == minute.start {
        place = position
        break
      }
      if contributions[position].start < contributions[place].start { place = position }
    }
    let before = contributions[place].start == minute.start ? contributions[place] : Contribution()
    contributions[place] = Contribution(
      start: minute.start, volume: minute.volume, turnover: minute.turnover, ticks: minute.tickCount)
    return before
  }

  private mutating func bounds(of minute: Timestamp, slot: Int, group: MarketGroup) -> CandleBounds {
    if let latest = latestBounds[group]?[slot], latest.contains(minute) { return latest }
    let bounds = grid.bounds(of: minute, interval: intervals[slot], group: group)
    var all = latestBounds[group] ?? Array(repeating: nil, count: intervals.count)
    all[slot] = bounds
    latestBounds[group] = all
    return bounds
  }

  /// Merges a minute into its bucket and returns the bucket's position; nil when the bucket is gone.
  private mutating func merge(
    _ minute: Candle, before: Contribution, bounds: CandleBounds, row: Int, slot: Int,
    into closed: inout [Candle]
  ) -> Int? {
    guard let position = rows[row].firstIndex(where: { $0.bounds.start == bounds.start }) else {
      var candle = minute
      candle.interval = intervals[slot]
      candle.start = bounds.start
      candle.state = .forming
      candle.revision = 0
      candle.flags.remove(.late)
      if bounds.isShort { candle.flags.insert(.short) }
      let bucket = Bucket(
        bounds: bounds, candle: candle, firstMinute: minute.start, lastMinute: minute.start,
        announced: .forming)
      if rows[row].count < Self.kept {
        rows[row].append(bucket)
        return rows[row].count - 1
      }
      guard
        let oldest = rows[row].indices.min(by: { rows[row][$0].bounds.start < rows[row][$1].bounds.start }),
        rows[row][oldest].bounds.start < bounds.start
      else { return nil }
      if rows[row][oldest].announced != .final {
        var candle = rows[row][oldest].candle
        candle.state = candle.revision > 0 ? .revised : .final
        closed.append(candle)
      }
      rows[row][oldest] = bucket
      return oldest
    }
    rows[row][position].merge(minute, volume: before.volume, turnover: before.turnover, ticks: before.ticks)
    return position
  }
}

extension RollUp.Bucket {
  /// Merges the newest state of a minute that had contributed so much before.
  mutating func merge(_ minute: Candle, volume: Int64, turnover: Int64, ticks: Int) {
    if minute.start <= firstMinute {
      firstMinute = minute.start
      candle.open = minute.open
    }
    if minute.start >= lastMinute {
      lastMinute = minute.start
      candle.close = minute.close
      candle.openInterest = minute.openInterest
    }
    candle.high = max(candle.high, minute.high)
    candle.low = min(candle.low, minute.low)
    // Wrapping, because absurd volumes, which the minute has clamped, must not trap.
    candle.volume &+= minute.volume &- volume
    candle.turnover &+= minute.turnover &- turnover
    candle.tickCount &+= minute.tickCount &- ticks
    candle.flags.formUnion(minute.flags.subtracting(.late))
  }
}

// MARK: - Handing out

extension RollUp {
  private mutating func announceChange(
    _ row: Int, _ position: Int, received: Timestamp?, clock: Timestamp, coverage: FeedCoverage,
    announcesForming: Bool, into closed: inout [Candle]
  ) {
    let end = rows[row][position].bounds.end
    if let received, received >= end + graceNanoseconds {
      rows[row][position].candle.revision += 1
      rows[row][position].candle.flags.insert(.late)
      seal(row, position, coverage, into: &closed)
      return
    }
    let announced = rows[row][position].announced
    announceIfDue(row, position, clock: clock, coverage: coverage, into: &closed)
    guard announcesForming, rows[row][position].announced == announced, announced != .final else { return }
    let isRunning = announced == .forming
    closed.append(
      candle(
        rows[row][position], isRunning ? .forming : .provisional, coverage,
        knownUntil: isRunning ? min(clock, end) : nil))
  }

  private mutating func announceIfDue(
    _ row: Int, _ position: Int, clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    let end = rows[row][position].bounds.end
    if clock >= end + graceNanoseconds {
      seal(row, position, coverage, into: &closed)
      return
    }
    if clock >= end && rows[row][position].announced == .forming {
      rows[row][position].announced = .provisional
      closed.append(candle(rows[row][position], .provisional, coverage))
    }
    deadline = min(deadline, clock < end ? end : end + graceNanoseconds)
  }

  private mutating func seal(
    _ row: Int, _ position: Int, _ coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    rows[row][position].announced = .final
    let state: CandleState = rows[row][position].candle.revision > 0 ? .revised : .final
    let sealed = candle(rows[row][position], state, coverage)
    rows[row][position].candle.coverage = sealed.coverage
    closed.append(sealed)
  }

  private func candle(
    _ bucket: Bucket, _ state: CandleState, _ coverage: FeedCoverage, knownUntil: Timestamp? = nil
  ) -> Candle {
    var candle = bucket.candle
    candle.state = state
    candle.coverage = Int(
      coverage.percent(
        of: candle.instrument, in: bucket.bounds.spans, knownUntil: knownUntil ?? bucket.bounds.end))
    return candle
  }
}
