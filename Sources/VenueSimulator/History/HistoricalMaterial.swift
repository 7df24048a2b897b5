import MarketData

/// All that answers a request for one instrument's past candles, taken from the venue at one instant.
///
/// Minutes before the simulation's first are made up; later ones come from what the venue has traded. The minute
/// that is running is included, as at the real venue.
struct HistoricalMaterial: Sendable {
  let instrument: SimulatedInstrument
  let history: PriceHistory
  /// The venue's own minutes, ascending.
  let traded: [MinuteCandle]
  /// The feed's time: nothing later is known.
  let now: Timestamp

  /// No minute before the year 1990 has a price.
  private static let beginning = CivilTime(year: 1990, month: 1, day: 1).timestamp()

  /// A candle of any interval, labelled with its first instant.
  struct Row {
    var start: Timestamp
    var candle: MinuteCandle
  }

  /// The candles of `interval` that start in `[from, to]`, ascending; buckets are counted from the session's
  /// first minute, and a day is labelled with its midnight.
  func rows(interval: KiteInterval, from: Timestamp, to: Timestamp) -> [Row] {
    // Nothing is known of what is to come, and nothing is made up of the time before computers.
    let (from, to) = (max(from, Self.beginning), min(to, now))
    guard from <= to else { return [] }
    let minutes = history.minutes
    let bucketMinutes = interval.minutes ?? minutes.minutesPerSession
    var rows: [Row] = []
    for day in CivilTime(from).dayNumber...CivilTime(to).dayNumber where minutes.isOpen(onDay: day) {
      for first in stride(from: 0, to: minutes.minutesPerSession, by: bucketMinutes) {
        let label =
          interval.minutes == nil
          ? history.minuteNumber(day: day, minuteOfSession: -minutes.firstMinuteOfDay)
          : history.minuteNumber(day: day, minuteOfSession: first)
        let start = Timestamp(seconds: Int64(label) * PriceHistory.secondsPerMinute)
        guard start >= from, start <= to else { continue }
        let last = min(first + bucketMinutes, minutes.minutesPerSession)
        if let candle = merged(day: day, first..<last) { rows.append(Row(start: start, candle: candle)) }
      }
    }
    return rows
  }

  /// One candle over a stretch of a session; nil when nothing was traded in it.
  private func merged(day: Int, _ stretch: Range<Int>) -> MinuteCandle? {
    var result: MinuteCandle?
    for minuteOfSession in stretch {
      let number = history.minuteNumber(day: day, minuteOfSession: minuteOfSession)
      let start = Timestamp(seconds: Int64(number) * PriceHistory.secondsPerMinute)
      let minute =
        start < history.end
        ? history.candle(of: instrument, day: day, minuteOfSession: minuteOfSession)
        : tradedMinute(Int32(clamping: number))
      guard let minute else { continue }
      guard var merged = result else {
        result = minute
        continue
      }
      merged.high = max(merged.high, minute.high)
      merged.low = min(merged.low, minute.low)
      merged.close = minute.close
      merged.volume &+= minute.volume
      merged.openInterest = minute.openInterest
      result = merged
    }
    return result
  }

  private func tradedMinute(_ number: Int32) -> MinuteCandle? {
    var range = traded.indices
    while let middle = range.isEmpty ? nil : range.lowerBound + range.count / 2 {
      if traded[middle].minute == number { return traded[middle] }
      range =
        traded[middle].minute < number ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }
}

/// An interval of a historical endpoint.
struct KiteInterval: Sendable, Equatable {
  /// Length in minutes; nil for a day.
  let minutes: Int?
  /// Most days that one request may span.
  let daysMax: Int

  /// Makes an interval of so many minutes, nil for a day.
  init(minutes: Int?, daysMax: Int) {
    self.minutes = minutes
    self.daysMax = daysMax
  }

  /// Reads the path component: `minute`, `5minute`, `day`, ….
  init?(word: String) {
    switch word {
    case "minute": (minutes, daysMax) = (1, 60)
    case "3minute": (minutes, daysMax) = (3, 100)
    case "5minute": (minutes, daysMax) = (5, 100)
    case "10minute": (minutes, daysMax) = (10, 100)
    case "15minute": (minutes, daysMax) = (15, 200)
    case "30minute": (minutes, daysMax) = (30, 200)
    case "60minute": (minutes, daysMax) = (60, 400)
    case "day": (minutes, daysMax) = (nil, 2000)
    default: return nil
    }
  }
}
