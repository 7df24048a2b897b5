import MarketData

/// When the feed was down, in receive time, as its gap records tell (rules 11 and 12).
///
/// Before its first record the feed counts as down.
struct FeedCoverage {
  /// A stretch without feed, `[start, end)`.
  private struct Outage {
    var start: Timestamp
    var end: Timestamp
    var isOpen: Bool { end == FeedCoverage.never }
  }

  /// Outages remembered of the whole feed, and of each instrument; a feed that broke more often than this within the
  /// life of a kept candle forgets the oldest ones that have ended.
  static let outagesMax = 256

  private static let never = Timestamp(nanoseconds: .max)
  /// Of the whole feed.
  private var common: [Outage] = []
  /// Of single instruments: a connection that carried thousands of them leaves one for each.
  private var own: [InstrumentID: [Outage]] = [:]
  private var firstRecord = FeedCoverage.never

  /// The feed's first record, of whatever kind, was received.
  mutating func begin(at received: Timestamp) {
    firstRecord = received
  }

  /// Takes in a gap record and returns the stretch in which candles may have to be amended.
  ///
  /// While `isOpen`, the gap is taken to last until a closing record of the same scope, which may move its start.
  mutating func note(scope: InstrumentID, from start: Timestamp, to end: Timestamp, isOpen: Bool)
    -> (from: Timestamp, to: Timestamp)
  {
    let outage = Outage(start: start, end: isOpen ? Self.never : end)
    return scope == .all
      ? Self.note(outage, in: &common) : Self.note(outage, in: &own[scope, default: []])
  }

  private static func note(_ noted: Outage, in outages: inout [Outage]) -> (from: Timestamp, to: Timestamp) {
    var outage = noted
    var affected = (from: outage.start, to: outage.end)
    if let index = outages.lastIndex(where: \.isOpen) {
      outage.start = min(outage.start, outages[index].start)
      // Closing gives back what the open gap had taken from later candles.
      affected = (from: outage.start, to: never)
      outages.remove(at: index)
    }
    if outages.count == outagesMax {
      outages.remove(at: outages.firstIndex { !$0.isOpen } ?? 0)
    }
    outages.append(outage)
    return affected
  }

  /// The share of `[start, end)` in which the feed of the instrument is known to have been alive, in whole percent
  /// rounded down: 100 means all of it. Nothing is known of the time after `knownUntil`.
  func percent(of instrument: InstrumentID, from start: Timestamp, to end: Timestamp, knownUntil: Timestamp)
    -> UInt8
  {
    Self.percent(
      aliveNanoseconds(of: instrument, from: start, to: min(end, knownUntil)), of: end - start)
  }

  /// The same share of several stretches together.
  func percent(of instrument: InstrumentID, in spans: [CandleBounds.Span], knownUntil: Timestamp) -> UInt8 {
    var alive: Int64 = 0
    var length: Int64 = 0
    for span in spans {
      length += span.end - span.start
      alive += aliveNanoseconds(of: instrument, from: span.start, to: min(span.end, knownUntil))
    }
    return Self.percent(alive, of: length)
  }

  private static func percent(_ alive: Int64, of length: Int64) -> UInt8 {
    guard length > 0 else { return 0 }
    if alive == length { return 100 }
    // Whole percent from a length of at most some years in nanoseconds: the product needs more than 64 bits.
    return UInt8(clamping: Int128(alive) * 100 / Int128(length))
  }

  private func aliveNanoseconds(of instrument: InstrumentID, from start: Timestamp, to limit: Timestamp)
    -> Int64
  {
    var alive: Int64 = 0
    var cursor = max(start, firstRecord)
    if common.isEmpty, own.isEmpty { return cursor < limit ? limit - cursor : 0 }
    while cursor < limit {
      guard let outage = earliestOutage(of: instrument, endingAfter: cursor), outage.start < limit else {
        alive += limit - cursor
        break
      }
      if outage.start > cursor { alive += outage.start - cursor }
      cursor = outage.end
    }
    return alive
  }

  /// True when the feed of the instrument started or came back after `start` and before `end`.
  func cameBack(_ instrument: InstrumentID, after start: Timestamp, before end: Timestamp) -> Bool {
    if firstRecord > start && firstRecord < end { return true }
    let endsWithin: (Outage) -> Bool = { $0.end > start && $0.end < end }
    return common.contains(where: endsWithin) || own[instrument]?.contains(where: endsWithin) ?? false
  }

  private func earliestOutage(of instrument: InstrumentID, endingAfter instant: Timestamp) -> Outage? {
    var earliest: Outage?
    let note: (Outage) -> Void = { outage in
      guard outage.end > instant else { return }
      if let known = earliest, known.start <= outage.start { return }
      earliest = outage
    }
    common.forEach(note)
    own[instrument]?.forEach(note)
    return earliest
  }
}
