internal import Configuration
public import MarketData
public import TimeSeries

extension DataPoller {
  /// Candles of an instrument that start in `[from, to)`: stored history, today's as far as they closed, and, if
  /// asked for, the one that is forming; each minute once. In a back-test nothing that was not known at ``now``.
  ///
  /// Where history and this run both have a minute, the stored candle stands, unless the one of this run is a newer
  /// state of it; in a back-test the candle whose ticks the strategy saw stands. A range in which there is nothing,
  /// outside the data or in the future, gives an empty series; ``dataRange(_:)`` tells which it is.
  /// - Parameters:
  ///   - interval: whole minutes; longer ones are rolled up from minutes, anchored to the session's start. One that
  ///     does not divide the session, as 7 minutes, leaves it a shorter last candle, flagged ``CandleFlags/short``.
  ///     Candles of a day or a week are the venue's own where the store has them.
  ///   - forming: whether the running candle is included, as the last, with the state ``CandleState/forming``.
  ///   - fill: what to show in intervals without a trade, within a day.
  /// - Throws: ``Fault`` of kind `usage` for an unknown symbol (naming the nearest), a reversed range, or an interval
  ///   of broken minutes or of more than a day that is no week; `inputOutput` or `badData` when the store cannot be read.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, from: Timestamp, to: Timestamp, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) throws(Fault) -> CandleSeries {
    guard from <= to else {
      throw Fault(.usage, "the range from \(from.rfc3339) to \(to.rfc3339) runs backwards")
    }
    let instrument = try known(symbol)
    try check(interval)
    if let own = try venueCandles(instrument, interval, from: from, to: to) { return own }
    // A longer candle that starts in the range may end behind it.
    let reach = to.nanoseconds > .max - interval.nanoseconds ? to : to + (interval - .minute)
    var pieces = try minuteCandles(instrument, from: from, to: reach)
    if forming { append(formingOf: instrument, to: &pieces) }
    let series = try rolledUp(pieces, interval, forming: forming)
    let inRange = CandleSeries(series.candles.filter { $0.start >= from && $0.start < to })
    return fill == .none ? inRange : inRange.filled(on: Self.axis(of: inRange.candles), fill)
  }

  /// The same with its bounds as text, as in `2026-11-23T09:15:00+05:30`.
  ///
  /// - Throws: as above, and ``Fault`` of kind `usage` for a time without its zone.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, from: String, to: String, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) throws(Fault) -> CandleSeries {
    try candles(
      symbol, interval, from: Self.instant(from), to: Self.instant(to), forming: forming, fill: fill)
  }

  /// The last candles of an instrument; otherwise as ``candles(_:_:from:to:forming:fill:)-(String,_,Timestamp,_,_,_)``.
  public func candles(
    _ symbol: String, _ interval: Interval = .minute, last count: Int, forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) throws(Fault) -> CandleSeries {
    guard count > 0 else {
      throw Fault(.usage, "the last \(count) candles were asked for; ask for at least 1")
    }
    let instrument = try known(symbol)
    try check(interval)
    if let own = try venueCandles(instrument, interval, last: count) { return own }
    // One interval more, for the oldest may be cut.
    let minutesPerCandle = interval.seconds / Interval.minute.seconds
    let wantedMinutes = min(count, Self.candlesMax) * minutesPerCandle + minutesPerCandle
    let stored = try visible(
      feed.history().latestCandles(
        of: instrument, interval: .minute, count: wantedMinutes, before: visibleBefore(.minute)))
    let first = stored.count < wantedMinutes ? Timestamp(nanoseconds: .min) : stored[0].start
    var pieces = merged(
      stored, minutes.candles(of: instrument, from: first, to: Timestamp(nanoseconds: .max)))
    if forming { append(formingOf: instrument, to: &pieces) }
    let series = try rolledUp(pieces, interval, forming: forming)
    let shown = fill == .none ? series : series.filled(on: Self.axis(of: series.candles), fill)
    let range = max(0, shown.count - count)..<shown.count
    return CandleSeries(
      Array(shown.candles[range]), filled: shown.filled.isEmpty ? [] : Array(shown.filled[range]))
  }

  /// The candle whose interval holds an instant; nil when nothing was traded in it, or it is not known yet.
  ///
  /// - Throws: as for a range.
  public func candle(
    _ symbol: String, _ interval: Interval = .minute, at time: Timestamp, forming: Bool = false
  )
    throws(Fault) -> Candle?
  {
    let start = CandleSeries.bucketStart(of: time, interval, anchors.anchor(try known(symbol)))
    return try candles(symbol, interval, from: start, to: start + 1, forming: forming).candle(at: time)
  }

  /// Candles of several instruments on one time axis.
  ///
  /// - Parameter fill: ``CandleSeries/Fill/none`` leaves holes, which columns show as missing.
  /// - Throws: as for a range.
  public func candles(
    _ symbols: [String], _ interval: Interval = .minute, from: Timestamp, to: Timestamp,
    forming: Bool = false,
    fill: CandleSeries.Fill = .none
  ) throws(Fault) -> AlignedCandles {
    var series: [String: CandleSeries] = [:]
    for symbol in symbols {
      series[symbol] = try candles(symbol, interval, from: from, to: to, forming: forming)
    }
    let axis = Set(series.values.flatMap(\.times)).sorted()
    return AlignedCandles(times: axis, series: series.mapValues { $0.filled(on: axis, fill) })
  }

  /// From the start of the first minute to that of the last one of an instrument that has a candle known at ``now``;
  /// nil when there is none. So a range outside the data can be told from one in which nothing was traded.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an unknown symbol; `inputOutput` or `badData` when the store cannot be
  ///   read.
  public func dataRange(_ symbol: String) throws(Fault) -> ClosedRange<Timestamp>? {
    guard let last = try candles(symbol, last: 1).last?.start else { return nil }
    let instrument = try known(symbol)
    let stored = try feed.history().bounds(of: instrument, interval: .minute)?.lowerBound ?? last
    let ours = minutes.candles(
      of: instrument, from: Timestamp(nanoseconds: .min), to: Timestamp(nanoseconds: .max)
    ).first?.start
    return min(stored, ours ?? last, last)...last
  }

  /// The most candles that one question answers with; more than twenty years of minutes.
  public static let candlesMax = 2_000_000
}

/// Candles of several instruments and the instants at which any of them has one.
public struct AlignedCandles: Sendable {
  /// The time axis, ascending.
  public let times: [Timestamp]
  /// By symbol.
  public let series: [String: CandleSeries]

  /// A column of one instrument on the common axis, missing where it has no candle; nil for a symbol not asked for.
  public func column(_ symbol: String, _ column: (CandleSeries) -> Series) -> Series? {
    series[symbol].map { column($0).align(to: times) }
  }

  /// Closing prices of one instrument on the common axis.
  public func closes(_ symbol: String) -> Series? { column(symbol) { $0.closes } }
}

// MARK: - The seam

extension DataPoller {
  /// Stored minutes and those of this run, each once, ascending.
  private func minuteCandles(_ instrument: InstrumentID, from: Timestamp, to: Timestamp) throws(Fault)
    -> [Candle]
  {
    merged(
      try visible(feed.history().candles(of: instrument, interval: .minute, from: from, to: to)),
      minutes.candles(of: instrument, from: from, to: to))
  }

  private func merged(_ stored: [Candle], _ ours: [Candle]) -> [Candle] {
    guard !ours.isEmpty else { return stored }
    var result: [Candle] = []
    result.reserveCapacity(stored.count + ours.count)
    var next = 0
    for candle in stored {
      while next < ours.count, ours[next].start < candle.start {
        result.append(ours[next])
        next += 1
      }
      if next < ours.count, ours[next].start == candle.start {
        result.append(isPreferred(ours[next], to: candle) ? ours[next] : candle)
        next += 1
      } else {
        result.append(candle)
      }
    }
    return result + ours[next...]
  }

  private func isPreferred(_ ours: Candle, to stored: Candle) -> Bool {
    if ours.flags.contains(.partial) { return false }
    if mode == .backtest { return true }
    return stored.origin == .built
      && (ours.revision, ours.state.rawValue) > (stored.revision, stored.state.rawValue)
  }

  /// True when the store may hold candles of what is the future here: in a back-test, and on a replayed feed.
  private var hasStoredFuture: Bool { mode == .backtest || feed.clock != .system }

  /// What of stored candles is known at ``now``: where the store may know more, only what has been sealed.
  private func visible(_ candles: [Candle]) -> [Candle] {
    guard hasStoredFuture else { return candles }
    let now = now
    return candles.filter { minutes.sealing(of: $0) <= now }
  }

  /// Start of the first candle of an interval that is not known yet.
  private func visibleBefore(_ interval: Interval) -> Timestamp {
    guard hasStoredFuture else { return Timestamp(nanoseconds: .max) }
    return now + (-interval.nanoseconds - minutes.graceNanoseconds + 1)
  }

  private func append(formingOf instrument: InstrumentID, to pieces: inout [Candle]) {
    guard let forming = forming(instrument) else { return }
    if let last = pieces.last, last.start >= forming.start { return }
    pieces.append(forming)
  }

  private func rolledUp(_ pieces: [Candle], _ interval: Interval, forming: Bool) throws(Fault) -> CandleSeries
  {
    guard interval != .minute else { return CandleSeries(pieces) }
    guard let instrument = pieces.first?.instrument else { return CandleSeries([]) }
    let series = try CandleSeries(pieces).resample(
      to: interval, anchor: anchors.anchor(instrument), until: now + -minutes.graceNanoseconds)
    guard !forming, let last = series.last, last.state == .forming else { return series }
    return CandleSeries(Array(series.candles.dropLast()))
  }

  /// The venue's own candles of a day or more, where it has some (candle rule 17); nil where minutes must do.
  private func venueCandles(_ instrument: InstrumentID, _ interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> CandleSeries?
  {
    guard interval.seconds >= 86_400 else { return nil }
    let own = try visible(feed.history().candles(of: instrument, interval: interval, from: from, to: to))
    return own.isEmpty ? nil : CandleSeries(own)
  }

  private func venueCandles(_ instrument: InstrumentID, _ interval: Interval, last count: Int) throws(Fault)
    -> CandleSeries?
  {
    guard interval.seconds >= 86_400 else { return nil }
    let own = try visible(
      feed.history().latestCandles(
        of: instrument, interval: interval, count: count, before: visibleBefore(interval)))
    return own.isEmpty ? nil : CandleSeries(own)
  }

  private func check(_ interval: Interval) throws(Fault) {
    guard interval.seconds % Interval.minute.seconds == 0 else {
      throw Fault(.usage, "candles of \(interval) cannot be made; an interval is a whole number of minutes")
    }
    guard interval <= .day || interval == .week else {
      throw Fault(.usage, "there are no candles of \(interval); those longer than a day are of a week, 1w")
    }
  }

  private static func instant(_ text: String) throws(Fault) -> Timestamp {
    guard let instant = Timestamp(rfc3339: text) else {
      throw Fault(.usage, "'\(text)' is not a time with its zone, as in 2026-11-23T09:15:00+05:30")
    }
    return instant
  }

  /// Every interval from a day's first candle to its last.
  private static func axis(of candles: [Candle]) -> [Timestamp] {
    var axis: [Timestamp] = []
    for candle in candles {
      if let last = axis.last, CivilTime(last).dayNumber == CivilTime(candle.start).dayNumber {
        var next = last + candle.interval.nanoseconds
        while next < candle.start {
          axis.append(next)
          next = next + candle.interval.nanoseconds
        }
      }
      axis.append(candle.start)
    }
    return axis
  }

  func known(_ symbol: String) throws(Fault) -> InstrumentID {
    if let id = instrument(symbol) { return id }
    throw Self.unknown(symbol, among: symbols)
  }

  /// Names a symbol that nobody knows, and those that look most like it.
  static func unknown(_ symbol: String, among symbols: [String]) -> Fault {
    let near = nearest(to: symbol, among: symbols, count: 3)
    return Fault(
      .usage,
      "the feed knows no symbol '\(symbol)'"
        + (near.isEmpty ? "; observe it first" : "; did you mean \(near.joined(separator: ", "))?"))
  }
}

extension Interval {
  /// The difference of two lengths in nanoseconds.
  fileprivate static func - (left: Interval, right: Interval) -> Int64 {
    left.nanoseconds - right.nanoseconds
  }
}
