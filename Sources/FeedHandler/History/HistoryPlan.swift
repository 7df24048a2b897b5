internal import MarketData

/// Decides which stretches of history an instrument lacks. A pure value: schedule and knowledge are passed in.
struct HistoryPlan: Sendable {
  let schedule: any SessionSchedule

  /// A session with more holes is asked for from its first to its last: requests are dearer than candles.
  static let holesMax = 3
  /// What of a minute the venue may still change just after its end.
  static let settlingNanoseconds: Int64 = 5_000_000_000

  /// Where history ends at `now`: at the start of the minute that is running, or of the one before while that may not
  /// have settled. The live feed's candles begin there.
  static func end(at now: Timestamp) -> Timestamp {
    let settled = (now + -settlingNanoseconds).seconds
    return Timestamp(seconds: settled - settled % 60)
  }

  /// The stretches of continuous trading of the last `count` sessions before the day of `now`, and of that day up to
  /// `end`, ascending.
  func sessions(_ count: Int, before end: Timestamp, of exchange: some StringProtocol) -> [Range<Timestamp>] {
    let group = MarketGroup(MarketSegment(exchange: exchange) ?? .cash)
    var day = CivilTime(end).dayNumber
    var found = trading(on: day, of: group)
    var left = count
    var daysLeft = 3 * count + 30
    while left > 0, daysLeft > 0 {
      day -= 1
      daysLeft -= 1
      let earlier = trading(on: day, of: group)
      if earlier.isEmpty { continue }
      found = earlier + found
      left -= 1
    }
    return found.compactMap { Self.cut($0, to: Timestamp(nanoseconds: .min)..<end) }
  }

  /// The stretches of continuous trading in a range, ascending.
  func sessions(in range: Range<Timestamp>, of exchange: some StringProtocol) -> [Range<Timestamp>] {
    guard !range.isEmpty else { return [] }
    let group = MarketGroup(MarketSegment(exchange: exchange) ?? .cash)
    let days = CivilTime(range.lowerBound).dayNumber...CivilTime(range.upperBound).dayNumber
    return days.flatMap { trading(on: $0, of: group) }.compactMap { Self.cut($0, to: range) }
  }

  /// The day's continuous trading; of a day that the calendar does not know, all of it unless it is a weekend.
  private func trading(on day: Int, of group: MarketGroup) -> [Range<Timestamp>] {
    do throws(Fault) {
      return try schedule.tradingDay(day, of: group).sessions.map { $0.start..<$0.end }
    } catch {
      guard CivilTime(dayNumber: day).isoWeekday <= 5 else { return [] }
      let midnight = CivilTime(dayNumber: day).timestamp()
      return [midnight..<midnight + 86_400 * Timestamp.nanosecondsPerSecond]
    }
  }

  /// What of the wanted stretches is not known: whole minutes, joined where nothing is traded in between, so that each
  /// is one request.
  ///
  /// Both lists ascend; `wanted` does not overlap.
  static func missing(_ wanted: [Range<Timestamp>], known: [Range<Timestamp>]) -> [Range<Timestamp>] {
    let known = joined(known)
    var missing: [Range<Timestamp>] = []
    var next = 0
    var isTouching = false
    for session in wanted {
      var holes: [Range<Timestamp>] = []
      var start = session.lowerBound
      while next < known.count, known[next].upperBound <= start { next += 1 }
      var index = next
      while index < known.count, known[index].lowerBound < session.upperBound {
        if known[index].lowerBound > start { holes.append(start..<known[index].lowerBound) }
        start = max(start, known[index].upperBound)
        index += 1
      }
      if start < session.upperBound { holes.append(start..<session.upperBound) }
      if holes.count > holesMax { holes = [holes[0].lowerBound..<holes[holes.count - 1].upperBound] }
      for hole in holes {
        // The last hole reached the end of its session, and this one begins with the next session.
        if isTouching, hole.lowerBound == session.lowerBound, let last = missing.popLast() {
          missing.append(last.lowerBound..<hole.upperBound)
        } else {
          missing.append(hole)
        }
        isTouching = false
      }
      isTouching = holes.last.map { $0.upperBound == session.upperBound } ?? false
    }
    return missing
  }

  /// Stretches that touch or overlap made one.
  static func joined(_ ranges: [Range<Timestamp>]) -> [Range<Timestamp>] {
    var result: [Range<Timestamp>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  private static func cut(_ range: Range<Timestamp>, to bounds: Range<Timestamp>) -> Range<Timestamp>? {
    let start = max(range.lowerBound, bounds.lowerBound)
    let end = min(range.upperBound, bounds.upperBound)
    return start < end ? start..<end : nil
  }
}
