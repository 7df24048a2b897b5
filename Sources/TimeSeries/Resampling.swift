public import MarketData
internal import Synchronization

/// To which instant the intervals of a candle's day are anchored: the start of the session in which it lies, so that
/// hours run 09:15, 10:15 and so on (candle rule 17).
public struct SessionAnchor: Sendable {
  /// The session to which an instant belongs: when it starts, and when it ends if that is known.
  public typealias Bounds = (start: Timestamp, end: Timestamp?)

  private let bounds: @Sendable (Timestamp) -> Bounds
  /// The sessions of a day by its number; none where they are not known.
  private let sessions: @Sendable (Int) -> [TradingSession]

  /// Makes an anchor from a function that knows starts only.
  public init(start: @escaping @Sendable (Timestamp) -> Timestamp) {
    bounds = { (start($0), nil) }
    sessions = { _ in [] }
  }

  /// Makes an anchor from the sessions of a group of instruments, as a trading day gives it; days without one, and days that
  /// the schedule does not know, are anchored as ``equity`` does.
  public init(_ schedule: any SessionSchedule, of group: MarketGroup) {
    let known = Mutex<[Int: TradingDay]>([:])
    let day: @Sendable (Int) -> TradingDay = { number in
      known.withLock { known in
        if let day = known[number] { return day }
        let day =
          (try? schedule.tradingDay(number, of: group)) ?? TradingDay(dayNumber: number, sessions: [])
        known[number] = day
        return day
      }
    }
    sessions = { day($0).sessions }
    bounds = { instant in
      day(CivilTime(instant).dayNumber).anchor(at: instant) ?? (Self.equityStart(instant), nil)
    }
  }

  /// The session's start for an instant.
  public func start(_ instant: Timestamp) -> Timestamp { bounds(instant).start }

  /// Where the interval that holds an instant ends: a full length after its start, or with the session.
  public func end(ofBucketFrom start: Timestamp, _ interval: Interval) -> Timestamp {
    if interval >= .day { return days(around: start, interval).end }
    let full = start + interval.nanoseconds
    return min(full, bounds(start).end ?? full)
  }

  /// The day or the week that holds an instant: from its first session's start to its last session's end, and how long
  /// is traded in between. Where no sessions are known, from the usual start to midnight.
  func days(around instant: Timestamp, _ interval: Interval) -> (
    start: Timestamp, end: Timestamp, tradedNanoseconds: Int64
  ) {
    let day = CivilTime(instant).dayNumber
    let isWeek = interval > .day
    let first = isWeek ? day - (CivilTime(dayNumber: day).isoWeekday - 1) : day
    let next = first + (isWeek ? 7 : 1)
    let sessions = (first..<next).flatMap(sessions)
    if let start = sessions.first?.start, let end = sessions.last?.end {
      return (start, end, sessions.reduce(0) { $0 + ($1.end - $1.start) })
    }
    let start = start(CivilTime(dayNumber: first).timestamp())
    let end = CivilTime(dayNumber: next).timestamp()
    return (start, end, end - start)
  }

  /// False for an instant outside of its day's sessions, where these are known.
  func isInSession(_ instant: Timestamp) -> Bool {
    let sessions = sessions(CivilTime(instant).dayNumber)
    return sessions.isEmpty || sessions.contains { $0.start <= instant && instant < $0.end }
  }

  /// 09:15 by the exchange's clocks on every day: the equity and derivatives markets of India on ordinary days.
  public static let equity = SessionAnchor(start: equityStart)

  private static let equityStart: @Sendable (Timestamp) -> Timestamp = { instant in
    var day = CivilTime(dayNumber: CivilTime(instant).dayNumber)
    (day.hour, day.minute) = (9, 15)
    return day.timestamp()
  }
}

extension CandleSeries {
  /// Candles of a longer interval, rolled up in fixed point: first open, highest high, lowest low, last close, sums of
  /// volume, ticks and turnover, coverage as the mean over the interval, flags of all. A missing piece stays missing:
  /// coverage tells. Days and weeks are of what is in sessions.
  ///
  /// The state is final when the last piece that there is is sealed and ends the interval, or another interval has
  /// begun; otherwise forming, or provisional when a piece is.
  ///
  /// - Parameters:
  ///   - interval: a multiple of the candles' own, at most a day, or a week. Where it does not divide the session, the
  ///     session's last candle is shorter and flagged so.
  ///   - anchor: where each session's intervals begin.
  ///   - until: until when the trade is known: an interval that ended before then is over, whether or not its last
  ///     piece is there.
  /// - Throws: ``Fault`` of kind `usage` when the interval is no multiple.
  public func resample(
    to interval: Interval, anchor: SessionAnchor = .equity, until: Timestamp = .unknown
  ) throws(Fault) -> CandleSeries {
    guard let own = candles.first?.interval, own != interval else { return self }
    guard interval <= .day || interval == .week else {
      throw Fault(.usage, "there are no candles of \(interval); those longer than a day are of a week, 1w")
    }
    guard interval > own, interval.seconds % own.seconds == 0 else {
      throw Fault(
        .usage, "candles of \(own) cannot make candles of \(interval); it must be a multiple of \(own)")
    }
    var result: [Candle] = []
    var marks: [Bool] = []
    var pieces: [Candle] = []
    var isFilled = true
    var start = Timestamp.unknown
    for (position, candle) in candles.enumerated() {
      if interval >= .day, !anchor.isInSession(candle.start) { continue }
      let bucket = Self.bucketStart(of: candle.start, interval, anchor)
      if bucket != start, !pieces.isEmpty {
        result.append(
          Self.rollUp(
            pieces, interval, from: start, to: anchor.end(ofBucketFrom: start, interval), anchor, isOver: true
          ))
        marks.append(isFilled)
        pieces.removeAll(keepingCapacity: true)
        isFilled = true
      }
      start = bucket
      isFilled = isFilled && self.isFilled(position)
      pieces.append(candle)
    }
    if !pieces.isEmpty {
      let end = anchor.end(ofBucketFrom: start, interval)
      let isOver = (pieces.last?.end ?? start) >= end || until >= end
      result.append(Self.rollUp(pieces, interval, from: start, to: end, anchor, isOver: isOver))
      marks.append(isFilled)
    }
    return CandleSeries(result, filled: filled.isEmpty ? [] : marks)
  }

  /// Start of the interval that holds an instant. Before the session's start it counts backwards, which keeps what
  /// traded early apart from the first interval; a day and a week hold it.
  public static func bucketStart(of instant: Timestamp, _ interval: Interval, _ anchor: SessionAnchor)
    -> Timestamp
  {
    if interval >= .day { return anchor.days(around: instant, interval).start }
    let origin = anchor.start(instant)
    let offset = instant - origin
    var steps = offset / interval.nanoseconds
    if offset < 0, offset % interval.nanoseconds != 0 { steps -= 1 }
    return origin + steps * interval.nanoseconds
  }

  private static func rollUp(
    _ pieces: [Candle], _ interval: Interval, from start: Timestamp, to end: Timestamp,
    _ anchor: SessionAnchor,
    isOver: Bool
  ) -> Candle {
    var whole = pieces[0]
    whole.interval = interval
    whole.start = start
    for piece in pieces.dropFirst() {
      whole.high = max(whole.high, piece.high)
      whole.low = min(whole.low, piece.low)
      whole.close = piece.close
      // Wrapping, as where candles are built: absurd volumes of a file or a venue must not end the program.
      whole.volume &+= piece.volume
      whole.openInterest = piece.openInterest
      whole.tickCount &+= piece.tickCount
      whole.turnover &+= piece.turnover
      whole.flags.formUnion(piece.flags)
      whole.revision = max(whole.revision, piece.revision)
    }
    let traded = interval < .day ? end - start : anchor.days(around: start, interval).tradedNanoseconds
    let length = Int(traded / Timestamp.nanosecondsPerSecond)
    let covered = pieces.reduce(0) { $0 + min(max($1.coverage, 0), 100) }
    whole.coverage = min(100, covered * pieces[0].interval.seconds / max(length, 1))
    if interval < .day, length < interval.seconds { whole.flags.insert(.short) }
    let weakest = pieces.map(\.state.rawValue).min() ?? CandleState.final.rawValue
    if !isOver {
      whole.state = .forming
    } else if weakest < CandleState.final.rawValue {
      whole.state = CandleState(rawValue: weakest) ?? .provisional
    } else {
      whole.state = whole.revision > 0 ? .revised : .final
    }
    return whole
  }
}

// Ways of reading intervals without a trade.
extension CandleSeries {
  /// The series on a time axis: its candle at each instant, and a filling, marked, where it has none.
  ///
  /// - Parameters:
  ///   - axis: starts, strictly ascending.
  ///   - fill: what to put where there is no candle. Before the first candle there is nothing to fill with, and the
  ///     instant is left out.
  public func filled(on axis: [Timestamp], _ fill: Fill) -> CandleSeries {
    guard fill != .none else { return self }
    var result: [Candle] = []
    var marks: [Bool] = []
    var position = 0
    var previous: Candle?
    for instant in axis {
      while position < count, candles[position].start < instant {
        previous = candles[position]
        position += 1
      }
      if position < count, candles[position].start == instant {
        result.append(candles[position])
        marks.append(isFilled(position))
      } else if let previous {
        result.append(Self.filling(after: previous, at: instant, fill))
        marks.append(true)
      }
    }
    return CandleSeries(result, filled: marks)
  }

  private static func filling(after previous: Candle, at start: Timestamp, _ fill: Fill) -> Candle {
    var candle = previous
    candle.start = start
    if fill == .flat { (candle.open, candle.high, candle.low) = (candle.close, candle.close, candle.close) }
    (candle.volume, candle.tickCount, candle.turnover) = (0, 0, 0)
    (candle.coverage, candle.flags, candle.revision, candle.state) = (0, [], 0, .final)
    return candle
  }
}
