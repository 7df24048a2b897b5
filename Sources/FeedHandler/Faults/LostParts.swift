internal import MarketData

/// The parts of a source that are lost while others live: since when, why, and when each is tried again. A value
/// without a clock; times of attempts are monotonic nanoseconds.
struct LostParts {
  /// What is told of a part's outage.
  struct Outage {
    var gap: FeedGap
    /// Whom the gap concerns.
    var instruments: [InstrumentID]
  }

  private struct Entry {
    var outage: Outage
    /// Never while one is under way, or the budget is spent.
    var nextAttempt: Int64
  }

  /// Of a part that was never lost.
  private let freshRetry: RetryPolicy
  private var entries: [Int: Entry] = [:]
  private var retries: [Int: RetryPolicy] = [:]
  private var restored: [Int: Int64] = [:]
  /// Lost parts whose budget is spent.
  private var givenUp: Set<Int> = []
  /// Gaps that an earlier run left open.
  private var leftOpen: [Outage]

  /// - Parameters:
  ///   - leftOpen: gaps of single instruments whose end is not known, to be closed with the next connection.
  ///   - retry: with its whole budget.
  init(leftOpen: [FeedGap], retry: RetryPolicy) {
    self.leftOpen = RepairJob.grouped(leftOpen).map { Outage(gap: $0.gap, instruments: $0.instruments) }
    freshRetry = retry
  }

  /// True while none is lost.
  var isEmpty: Bool { entries.isEmpty }

  /// A part is lost. One that has lived for as long as the longest delay has its whole budget again.
  mutating func noteLost(_ part: Int, _ outage: Outage, at now: Int64) {
    let wasHealthy = restored[part].map { now - $0 > Int64(freshRetry.delayMillisecondsMax) * 1_000_000 }
    if wasHealthy ?? true { retries[part] = freshRetry }
    entries[part] = Entry(outage: outage, nextAttempt: now)
  }

  /// True while the budget of a lost part is spent.
  var hasGivenUp: Bool { !givenUp.isEmpty }

  /// Gives all that were given up their whole budget again; they are due at once.
  mutating func renew(at now: Int64) {
    for part in givenUp {
      retries[part] = freshRetry
      entries[part]?.nextAttempt = now
    }
    givenUp = []
  }

  /// When a lost part is tried next: draws the delay before another attempt; nil when the budget is spent, after which
  /// the part is not tried until ``renew(at:)``.
  ///
  /// - Parameter isIdle: true while no market is open, when attempts cost nothing.
  mutating func delay(
    _ part: Int, at now: Int64, isIdle: Bool, using generator: inout some RandomNumberGenerator
  ) -> Int? {
    var retry = retries[part] ?? freshRetry
    let delay =
      isIdle
      ? retry.idleDelayMilliseconds(using: &generator) : retry.nextDelayMilliseconds(using: &generator)
    retries[part] = retry
    guard let delay else {
      givenUp.insert(part)
      entries[part]?.nextAttempt = .max
      return nil
    }
    entries[part]?.nextAttempt = now + Int64(delay) * 1_000_000
    return delay
  }

  /// The parts whose next attempt is due.
  func due(at now: Int64) -> [Int] {
    guard entries.values.contains(where: { $0.nextAttempt <= now }) else { return [] }
    return entries.filter { $0.value.nextAttempt <= now }.keys.sorted()
  }

  /// An attempt begins, after which the next one has to be drawn anew.
  mutating func noteAttempt(_ part: Int) { entries[part]?.nextAttempt = .max }

  /// A part is open; returns its outage, unless it is open for the first time.
  mutating func noteRestored(_ part: Int, at now: Int64) -> Outage? {
    restored[part] = now
    givenUp.remove(part)
    return entries.removeValue(forKey: part)?.outage
  }

  /// The whole source was connected anew; returns every outage that has ended with it.
  mutating func noteConnected(at now: Int64) -> [Outage] {
    defer {
      for part in entries.keys { restored[part] = now }
      entries = [:]
      givenUp = []
      leftOpen = []
    }
    return leftOpen + entries.sorted { $0.key < $1.key }.map(\.value.outage)
  }
}
