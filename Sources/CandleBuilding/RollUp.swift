import MarketData

/// Rolls 1-minute candles up into longer ones, anchored to the sessions (rule 17).
///
/// A minute may be handed in again and again as it changes; within a minute high and volume only rise and low only
/// falls, so merging its newest state replaces the one before. What a longer candle is does not depend on how often
/// its minutes were handed in.
struct RollUp {
  let intervals: [Interval]
  private let graceNanoseconds: Int64
  private var grid: SessionGrid
  /// The groups met so far, and which of them each instrument belongs to.
  private var groups = [MarketGroup(.cash)]
  private var groupOfInstrument: [Int] = []
  private var contributions: [MinuteContribution] = []
  /// By instrument, then by interval.
  private var shelf = RollUpShelf()
  /// The latest bounds by group, then by interval: nearly every minute falls into those of the one before.
  private var latestBounds: [RollUpBounds]
  /// The trading times of candles that are not traded all through: weeks, and days of several sessions.
  private var spans: [[CandleBounds.Span]] = []
  /// When the next candle ends or is to be sealed, by interval.
  private var deadlines: [Timestamp]
  /// The earliest of `deadlines`.
  private(set) var deadline = Self.never

  private static let never = Timestamp(nanoseconds: .max)
  private static let kept = CandleShelf.candlesPerInstrument

  init(intervals: [Interval], schedule: any SessionSchedule, graceNanoseconds: Int64) {
    self.intervals = intervals.sorted()
    self.graceNanoseconds = graceNanoseconds
    grid = SessionGrid(schedule: schedule)
    deadlines = Array(repeating: Self.never, count: intervals.count)
    latestBounds = Array(repeating: RolledUpCandle.vacant.bounds, count: intervals.count)
  }

  mutating func grow(toHold index: Int) {
    let missing = index + 1 - groupOfInstrument.count
    guard missing > 0, !intervals.isEmpty else { return }
    groupOfInstrument.append(contentsOf: repeatElement(0, count: missing))
    contributions.append(contentsOf: repeatElement(MinuteContribution(), count: missing * Self.kept))
    shelf.grow(byRows: missing * intervals.count)
  }

  mutating func define(_ index: Int, group: MarketGroup) {
    guard index < groupOfInstrument.count else { return }
    if let known = groups.firstIndex(of: group) {
      groupOfInstrument[index] = known
      return
    }
    groupOfInstrument[index] = groups.count
    groups.append(group)
    latestBounds.append(contentsOf: repeatElement(RolledUpCandle.vacant.bounds, count: intervals.count))
  }

  /// Takes in the newest state of a minute.
  ///
  /// Where only time has passed and settled states alone are wanted, nothing is handed out but what had to make room:
  /// ``announceDue(clock:coverage:into:)`` is to follow, when all minutes are in.
  ///
  /// - Parameter received: When the tick arrived that changed the minute; nil where only time has passed.
  mutating func take(
    _ minute: Candle, received: Timestamp?, clock: Timestamp, coverage: FeedCoverage,
    announcesForming: Bool, into closed: inout [Candle]
  ) {
    guard !intervals.isEmpty else { return }
    let index = minute.instrument.index
    let isAnnouncedLater = received == nil && !announcesForming
    let (before, isChanged) = contribution(of: minute, instrument: index)
    guard isChanged || !isAnnouncedLater else { return }
    for slot in intervals.indices {
      let row = index * intervals.count + slot
      let bounds = bounds(of: minute.start, slot: slot, group: groupOfInstrument[index])
      guard holds(bounds, minute.start) else { continue }
      guard let place = merge(minute, before: before, bounds: bounds, row: row, coverage, into: &closed)
      else {
        continue
      }
      if isAnnouncedLater {
        noteDeadline(of: place, slot: slot)
      } else {
        announceChange(
          place, received: received, clock: clock, coverage: coverage, announcesForming: announcesForming,
          into: &closed)
      }
    }
  }

  /// Hands out everything that ended or is to be sealed at `clock`.
  mutating func announceDue(clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]) {
    guard clock >= deadline else { return }
    for slot in intervals.indices where clock >= deadlines[slot] {
      deadlines[slot] = Self.never
      for row in stride(from: slot, to: shelf.rowCount, by: intervals.count) {
        for column in shelf.columns() {
          let place = RollUpShelf.Place(row: row, column: column)
          let announced = shelf[place].announced
          if announced == .forming || announced == .provisional {
            announceIfDue(place, clock: clock, coverage: coverage, into: &closed)
          }
        }
      }
    }
    deadline = deadlines.min() ?? Self.never
  }

  /// Appends the candles that are not sealed, as provisional, as far as the feed is known.
  mutating func finish(
    dataTime: Timestamp, clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    for slot in intervals.indices {
      for row in stride(from: slot, to: shelf.rowCount, by: intervals.count) {
        let places = shelf.columns().map { RollUpShelf.Place(row: row, column: $0) }
          .filter { shelf[$0].announced != .vacant }
          .sorted { shelf[$0].bounds.start < shelf[$1].bounds.start }
        for place in places {
          let end = shelf[place].bounds.end
          guard dataTime < end + graceNanoseconds else { continue }
          closed.append(candle(place, .provisional, coverage, knownUntil: min(dataTime, end)))
          shelf[place].announced = clock < end ? .forming : .provisional
          noteDeadline(clock < end ? end : end + graceNanoseconds, slot: slot)
        }
      }
    }
  }

  /// The running candle of an instrument with its running minute, if there is one, in it.
  mutating func forming(
    _ instrument: InstrumentID, _ interval: Interval, minute: Candle?, clock: Timestamp,
    coverage: FeedCoverage
  ) -> Candle? {
    let index = instrument.index
    guard let slot = intervals.firstIndex(of: interval), index < groupOfInstrument.count else { return nil }
    var newest = shelf[newestOf: index * intervals.count + slot]
    if let minute {
      let bounds = bounds(of: minute.start, slot: slot, group: groupOfInstrument[index])
      if !holds(bounds, minute.start) {
        // A day is of what its sessions traded.
      } else if bounds.start == newest.bounds.start {
        let own = contributions[index * Self.kept..<(index + 1) * Self.kept]
        newest.merge(minute, before: own.first { $0.start == minute.start } ?? MinuteContribution())
      } else if bounds.start > newest.bounds.start {
        newest = RolledUpCandle(bounds: bounds, first: minute)
      }
    }
    guard newest.announced != .vacant, clock < newest.bounds.end else { return nil }
    return newest.candle(
      of: instrument, interval: interval, state: .forming,
      coverage: percent(newest.bounds, of: instrument, coverage, knownUntil: min(clock, newest.bounds.end)))
  }

  /// Hands out sealed candles whose coverage a gap has changed.
  mutating func coverageChanged(
    of range: Range<Int>, from: Timestamp, to: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    for index in range where index < groupOfInstrument.count {
      for row in index * intervals.count..<(index + 1) * intervals.count {
        for column in shelf.columns() {
          let place = RollUpShelf.Place(row: row, column: column)
          let bounds = shelf[place].bounds
          guard shelf[place].announced == .final, bounds.start < to, bounds.end > from else { continue }
          let known = shelf[place].coverage
          let sealed = sealed(place, coverage)
          if shelf[place].coverage != known { closed.append(sealed) }
        }
      }
    }
  }
}

// MARK: - Merging

extension RollUp {
  /// What the minute had contributed before, and whether it has changed since; keeps its new contribution.
  private mutating func contribution(of minute: Candle, instrument index: Int)
    -> (before: MinuteContribution, isChanged: Bool)
  {
    var place = index * Self.kept
    for position in index * Self.kept..<(index + 1) * Self.kept {
      if contributions[position].start == minute.start {
        place = position
        break
      }
      if contributions[position].start < contributions[place].start { place = position }
    }
    let new = MinuteContribution(minute)
    let old = contributions[place]
    contributions[place] = new
    return old.start == minute.start ? (old, old != new) : (MinuteContribution(), true)
  }

  @inline(__always)
  private mutating func bounds(of minute: Timestamp, slot: Int, group: Int) -> RollUpBounds {
    let latest = latestBounds[group * intervals.count + slot]
    return latest.contains(minute) ? latest : newBounds(of: minute, slot: slot, group: group)
  }

  @inline(never)
  private mutating func newBounds(of minute: Timestamp, slot: Int, group: Int) -> RollUpBounds {
    let found = grid.bounds(of: minute, interval: intervals[slot], group: groups[group])
    var bounds = RollUpBounds(start: found.start, end: found.end, isShort: found.isShort, spans: nil)
    if found.spans != [.init(start: found.start, end: found.end)] {
      let known = spans.lastIndex(of: found.spans)
      if known == nil { spans.append(found.spans) }
      bounds.spans = Int32(known ?? spans.count - 1)
    }
    latestBounds[group * intervals.count + slot] = bounds
    return bounds
  }

  /// False for a minute outside of the sessions of its day or week.
  @inline(__always)
  private func holds(_ bounds: RollUpBounds, _ minute: Timestamp) -> Bool {
    guard let list = bounds.spans else { return bounds.contains(minute) }
    return spans[Int(list)].contains { $0.start <= minute && minute < $0.end }
  }

  /// Merges a minute into its candle and returns the candle's place; nil when the candle is gone.
  @inline(__always)
  private mutating func merge(
    _ minute: Candle, before: MinuteContribution, bounds: RollUpBounds, row: Int, _ coverage: FeedCoverage,
    into closed: inout [Candle]
  ) -> RollUpShelf.Place? {
    if shelf[newestOf: row].bounds.start == bounds.start {
      shelf[newestOf: row].merge(minute, before: before)
      return RollUpShelf.Place(row: row, column: 0)
    }
    return mergeElsewhere(minute, before: before, bounds: bounds, row: row, coverage, into: &closed)
  }

  @inline(never)
  private mutating func mergeElsewhere(
    _ minute: Candle, before: MinuteContribution, bounds: RollUpBounds, row: Int, _ coverage: FeedCoverage,
    into closed: inout [Candle]
  ) -> RollUpShelf.Place? {
    if let place = shelf.place(of: bounds.start, row: row) {
      shelf[place].merge(minute, before: before)
      return place
    }
    var evicted: RolledUpCandle?
    let place = shelf.put(RolledUpCandle(bounds: bounds, first: minute), row: row, evicted: &evicted)
    // A candle that made room can change no more, whatever the time.
    if let evicted, evicted.announced != .final {
      closed.append(candle(evicted, row: row, evicted.sealedState, coverage))
    }
    return place
  }
}

// MARK: - Handing out

extension RollUp {
  private mutating func noteDeadline(_ time: Timestamp, slot: Int) {
    if time < deadlines[slot] { deadlines[slot] = time }
    if time < deadline { deadline = time }
  }

  /// Leaves a changed candle to ``announceDue(clock:coverage:into:)``; what was sealed is due once more.
  @inline(__always)
  private mutating func noteDeadline(of place: RollUpShelf.Place, slot: Int) {
    if shelf[place].announced == .final { shelf[place].announced = .provisional }
    let end = shelf[place].bounds.end
    noteDeadline(shelf[place].announced == .forming ? end : end + graceNanoseconds, slot: slot)
  }

  private mutating func announceChange(
    _ place: RollUpShelf.Place, received: Timestamp?, clock: Timestamp, coverage: FeedCoverage,
    announcesForming: Bool, into closed: inout [Candle]
  ) {
    let end = shelf[place].bounds.end
    if let received, received >= end + graceNanoseconds {
      shelf[place].countRevision()
      closed.append(sealed(place, coverage))
      return
    }
    let announced = shelf[place].announced
    announceIfDue(place, clock: clock, coverage: coverage, into: &closed)
    guard announcesForming, shelf[place].announced == announced, announced != .final else { return }
    let isRunning = announced == .forming
    closed.append(
      candle(
        place, isRunning ? .forming : .provisional, coverage, knownUntil: isRunning ? min(clock, end) : nil))
  }

  private mutating func announceIfDue(
    _ place: RollUpShelf.Place, clock: Timestamp, coverage: FeedCoverage, into closed: inout [Candle]
  ) {
    let end = shelf[place].bounds.end
    if clock >= end + graceNanoseconds {
      closed.append(sealed(place, coverage))
      return
    }
    if clock >= end && shelf[place].announced == .forming {
      shelf[place].announced = .provisional
      closed.append(candle(place, .provisional, coverage))
    }
    noteDeadline(clock < end ? end : end + graceNanoseconds, slot: place.row % intervals.count)
  }

  /// Seals the candle at `place`, with the coverage known now.
  private mutating func sealed(_ place: RollUpShelf.Place, _ coverage: FeedCoverage) -> Candle {
    shelf[place].announced = .final
    let sealed = candle(place, shelf[place].sealedState, coverage)
    shelf[place].coverage = UInt8(clamping: sealed.coverage)
    return sealed
  }

  private func candle(
    _ place: RollUpShelf.Place, _ state: CandleState, _ coverage: FeedCoverage, knownUntil: Timestamp? = nil
  ) -> Candle {
    candle(shelf[place], row: place.row, state, coverage, knownUntil: knownUntil)
  }

  private func candle(
    _ candle: RolledUpCandle, row: Int, _ state: CandleState, _ coverage: FeedCoverage,
    knownUntil: Timestamp? = nil
  ) -> Candle {
    let (index, slot) = row.quotientAndRemainder(dividingBy: intervals.count)
    let instrument = InstrumentID(rawValue: UInt32(index))
    return candle.candle(
      of: instrument, interval: intervals[slot], state: state,
      coverage: percent(
        candle.bounds, of: instrument, coverage, knownUntil: knownUntil ?? candle.bounds.end))
  }

  private func percent(
    _ bounds: RollUpBounds, of instrument: InstrumentID, _ coverage: FeedCoverage, knownUntil: Timestamp
  ) -> UInt8 {
    guard let list = bounds.spans else {
      return coverage.percent(of: instrument, from: bounds.start, to: bounds.end, knownUntil: knownUntil)
    }
    return coverage.percent(of: instrument, in: spans[Int(list)], knownUntil: knownUntil)
  }
}
