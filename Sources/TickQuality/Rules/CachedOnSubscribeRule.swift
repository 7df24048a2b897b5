import MarketData

/// Flags the snapshot that a venue replays from its memory when an instrument is subscribed.
///
/// Only the first tick after a subscription is looked at. It is cached when its last trade (where the venue sends no
/// trade time, its exchange time) happened before the subscription. Venues cut their times to whole seconds, so a
/// stamp of 09:15:00 stands for any instant of `[09:15:00, 09:15:01)`, and the tick is cached only when that whole
/// second lies before the subscription: subscribed at 09:15:00.7, a trade stamped 09:15:00 may be new and passes, one
/// stamped 09:14:59 cannot be. A first tick without any time is of unknowable age and counts as cached: it may set
/// the last value, but must not become a trade.
struct CachedOnSubscribeRule: TickRule {
  static let name = "cached"
  static let purpose = "the venue replayed it from its memory on subscription"
  static var flag: TickFlags { .cachedOnSubscribe }

  /// The subscription whose first tick is still to come.
  struct Memory: BitwiseCopyable {
    var subscribedSeconds: Int64 = 0
    var awaitsFirstTick = false

    /// Remembers a subscription sent at an instant of the feed's clock.
    init(subscribedAt instant: Timestamp) {
      subscribedSeconds = instant.seconds
      awaitsFirstTick = true
    }

    init() {}
  }
  static var freshMemory: Memory { Memory() }

  init(_: RuleValues) {}

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    guard memory.awaitsFirstTick else { return false }
    memory.awaitsFirstTick = false
    let seconds = tick.lastTradeSeconds != 0 ? Int64(tick.lastTradeSeconds) : tick.exchangeTime.seconds
    return seconds < memory.subscribedSeconds
  }

  func noteSubscribed(at instant: Timestamp, memory: inout Memory) { memory = Memory(subscribedAt: instant) }
}
