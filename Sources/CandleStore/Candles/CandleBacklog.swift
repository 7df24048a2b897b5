public import MarketData

/// Candle states on their way into the store: what waits while a batch gathers, and while the disk is full or fails.
///
/// A store that refuses does not stop the feed, since every candle can be rebuilt from the tick archive. In order:
///
/// 1. states wait here and are written again, first after ``retryMillisecondsMin``, then with the doubled pause up
///    to ``retryMillisecondsMax``;
/// 2. of candles that wait only the latest state of each is kept;
/// 3. beyond ``countMax`` the states of unsealed candles leave, then the oldest candles, which are counted in
///    ``dropped``.
///
/// The first write that succeeds brings all that waits and ends it. A value without clock or disk: time is passed in.
public struct CandleBacklog: Sendable {
  /// Candles kept at most.
  public let countMax: Int
  /// Sealed candles that left because there were too many: they are in the archive only, until the next start
  /// rebuilds the day.
  public private(set) var dropped: UInt64 = 0
  /// What the store said last; nil while it takes what it is given.
  public private(set) var fault: Fault?

  /// First pause after a refusal.
  public static let retryMillisecondsMin: Int64 = 1000
  /// Longest pause between two attempts.
  public static let retryMillisecondsMax: Int64 = 60_000

  private var states: [Candle] = []
  private var gaps: [FeedGap] = []
  private var pauseMilliseconds: Int64 = 0
  private var nextAttempt: Int64 = .min

  /// Makes an empty backlog; by default for some 600 MB of candles at worst.
  public init(countMax: Int = 4_000_000) {
    precondition(countMax > 0)
    self.countMax = countMax
  }

  /// Candle states that wait.
  public var count: Int { states.count }
  /// True when nothing waits.
  public var isEmpty: Bool { states.isEmpty && gaps.isEmpty }

  /// Adds states in the order in which they came, and leaves `candles` empty with its memory.
  public mutating func take(_ candles: inout [Candle]) {
    guard !candles.isEmpty else { return }
    states.append(contentsOf: candles)
    candles.removeAll(keepingCapacity: true)
    if states.count > countMax { shrink() }
  }

  /// Adds a gap.
  public mutating func take(_ gap: FeedGap) { gaps.append(gap) }

  /// True when the store is to be tried at this monotonic time in nanoseconds.
  public func isDue(at now: Int64) -> Bool { !isEmpty && now >= nextAttempt }

  /// Gives everything that waits to `store` and `storeGaps`, and returns what was stored; when either refuses, all
  /// stays and the next attempt waits.
  ///
  /// - Throws: A ``Fault`` that waiting does not mend: anything but `inputOutput`, `held`, `cannotCreate` and
  ///   `system`.
  public mutating func flush(
    at now: Int64, storeGaps: ([FeedGap]) throws(Fault) -> Void, store: ([Candle]) throws(Fault) -> Void
  ) throws(Fault) -> [Candle] {
    do {
      try storeGaps(gaps)
      gaps.removeAll()
      try store(states)
      let stored = states
      states.removeAll(keepingCapacity: true)
      fault = nil
      pauseMilliseconds = 0
      nextAttempt = .min
      return stored
    } catch {
      guard [.inputOutput, .held, .cannotCreate, .system].contains(error.kind) else { throw error }
      fault = error
      pauseMilliseconds = min(
        max(pauseMilliseconds * 2, Self.retryMillisecondsMin), Self.retryMillisecondsMax)
      nextAttempt = now &+ pauseMilliseconds * 1_000_000
      return []
    }
  }

  private mutating func shrink() {
    if let order = CandleKey.storingOrder(states) { states = order.map { states[Int($0)] } }
    // Every shrinking leaves a tenth of the room free, or each further candle would sort anew.
    let target = countMax - countMax / 10
    guard states.count > target else { return }
    states.removeAll { $0.state.rawValue < CandleState.final.rawValue }
    guard states.count > target else { return }
    states.sort { ($0.start, $0.instrument) < ($1.start, $1.instrument) }
    let surplus = states.count - target
    states.removeFirst(surplus)
    dropped += UInt64(surplus)
  }
}
