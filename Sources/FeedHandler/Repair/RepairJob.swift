internal import MarketData

/// The minutes of one stretch of time that are to be fetched for some instruments.
struct RepairJob: Sendable {
  /// The gap that is repaired by it; nil for single minutes. Of several instruments' equal gaps it is one.
  var gap: FeedGap?
  /// The instruments that have this gap, each a row of its own; ``InstrumentID/all`` alone for the whole feed's.
  var concerned: [InstrumentID] = []
  /// What is fetched: stretches of whole minutes, ascending, for each group of instruments.
  var work: [Work]
  /// Before this, by the feed's clock, the venue does not have all of it.
  var due: Timestamp
  /// Attempts that failed.
  var attempts = 0
  /// Candles fetched so far, of each instrument.
  var candles: [InstrumentID: Int] = [:]
  /// Candles fetched so far.
  var candleCount: Int { candles.values.reduce(0, +) }
  /// The gap, once for each instrument that has it.
  var gaps: [FeedGap] { gap.map { RepairJob.gaps($0, of: concerned) } ?? [] }

  /// One instrument and its minutes.
  struct Work: Sendable, Equatable {
    var instrument: Instrument
    var from: Timestamp
    var to: Timestamp
  }

  static func gaps(_ gap: FeedGap, of instruments: [InstrumentID]) -> [FeedGap] {
    instruments.map { FeedGap(instrument: $0, start: gap.start, end: gap.end, cause: gap.cause) }
  }

  /// Puts gaps together that follow each other and differ in their instruments only.
  static func grouped(_ gaps: [FeedGap]) -> [(gap: FeedGap, instruments: [InstrumentID])] {
    var groups: [(gap: FeedGap, instruments: [InstrumentID])] = []
    for gap in gaps {
      if let last = groups.last?.gap, gap.instrument != .all, last.instrument != .all,
        last.start == gap.start,
        last.end == gap.end, last.cause == gap.cause
      {
        groups[groups.count - 1].instruments.append(gap.instrument)
      } else {
        groups.append((gap, [gap.instrument]))
      }
    }
    return groups
  }
}

/// Decides which minutes a gap took away. A pure value: the schedule is passed in.
struct RepairPlan {
  let schedule: any SessionSchedule
  /// From a minute's end to its being asked for.
  let delayNanoseconds: Int64
  /// Trades of this long before and after a gap may be missing too: what the venue stamped before the connection went,
  /// and what it sent before the subscriptions were in force.
  let marginNanoseconds: Int64
  /// A gap that ended longer ago is left as it is.
  let daysMax: Int

  private static let minute = Interval.minute.nanoseconds

  /// The job that repairs a gap which has ended; nil when no minute of a session lies in it.
  ///
  /// - Parameters:
  ///   - concerned: the instruments that have this gap; nil for the one that it names.
  ///   - loadedUntil: what came before was fetched when the feed started.
  func job(
    for gap: FeedGap, of concerned: [InstrumentID]? = nil, instruments: [Instrument], loadedUntil: Timestamp?,
    now: Timestamp
  ) -> RepairJob? {
    guard let end = gap.end else { return nil }
    let earliest = now + -Int64(daysMax) * 86_400 * Timestamp.nanosecondsPerSecond
    var start = max(gap.start.isKnown ? gap.start : end, earliest)
    if gap.cause == .start, let loadedUntil, loadedUntil < end {
      start = gap.start.isKnown ? max(start, loadedUntil) : loadedUntil
    }
    let from = Self.minuteStart(start + -marginNanoseconds)
    let to = Self.minuteStart(end + (marginNanoseconds + Self.minute - 1))
    guard from < to else { return nil }
    let concerned = concerned ?? [gap.instrument]
    let wanted = Set(concerned)
    let affected = wanted.contains(.all) ? instruments : instruments.filter { wanted.contains($0.id) }
    var spans: [MarketSegment: (from: Timestamp, to: Timestamp)?] = [:]
    let work = affected.compactMap { instrument -> RepairJob.Work? in
      let market = MarketSegment(exchange: instrument.symbol.exchange) ?? .cash
      let span = spans[market] ?? trading(in: market, from: from, to: to)
      spans[market] = .some(span)
      return span.map { RepairJob.Work(instrument: instrument, from: $0.from, to: $0.to) }
    }
    guard let last = work.map(\.to).max() else { return nil }
    return RepairJob(gap: gap, concerned: concerned, work: work, due: last + delayNanoseconds)
  }

  /// The job that fetches single minutes.
  func job(for minutes: [(instrument: Instrument, start: Timestamp)]) -> RepairJob? {
    guard let last = minutes.map(\.start).max() else { return nil }
    return RepairJob(
      gap: nil,
      work: minutes.map {
        RepairJob.Work(instrument: $0.instrument, from: $0.start, to: $0.start + Self.minute)
      },
      due: last + Self.minute + delayNanoseconds)
  }

  /// From the first to the last trading minute of a stretch; nil when nothing was traded in it.
  private func trading(in market: MarketSegment, from: Timestamp, to: Timestamp) -> (
    from: Timestamp, to: Timestamp
  )? {
    var result: (from: Timestamp, to: Timestamp)?
    for day in CivilTime(from).dayNumber...CivilTime(to).dayNumber {
      // What the calendar does not know is asked of the venue.
      guard let sessions = try? schedule.tradingDay(day, of: MarketGroup(market)).sessions else {
        return (from, to)
      }
      for session in sessions {
        let first = max(from, session.start)
        let last = min(to, session.end)
        guard first < last else { continue }
        result = (result?.from ?? first, last)
      }
    }
    return result
  }

  private static func minuteStart(_ instant: Timestamp) -> Timestamp {
    Timestamp(nanoseconds: instant.nanoseconds / minute * minute)
  }
}
