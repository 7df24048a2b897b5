internal import MarketData

/// What happens to an event for which a subscriber's buffer has no room.
public enum FullBufferPolicy: String, Sendable, Hashable, CaseIterable {
  /// The feed waits until the subscriber has taken one: nothing is lost here, but everybody on this handler waits, and
  /// of live data the lane fills meanwhile.
  case suspend
  /// The oldest event that waits is dropped.
  case dropOldest = "drop-oldest"
  /// The new event is dropped.
  case dropNewest = "drop-newest"
  /// Of each instrument only the newest tick waits, and of each interval's candles the newest; they keep their places.
  case latestOnly = "latest-only"
}

/// A subscriber's bounded buffer as a pure state machine: its methods say what is to be done, and ``EventMailbox`` does
/// it. Gaps and HALTs are never dropped.
struct EventBuffer {
  /// What an offered event comes to.
  enum Offer: Equatable {
    /// It waits, or replaced one that waited.
    case stored
    /// Something was dropped for it, or it was itself.
    case dropped
    /// It was not taken; the producer waits and offers it again.
    case suspend
    /// Nobody will take it any more.
    case finished
  }

  /// What a subscriber that asks for an event gets.
  enum Answer: Equatable {
    case event(MarketEvent)
    /// Nothing yet: wait to be woken.
    case wait
    case finished
  }

  let capacity: Int
  let policy: FullBufferPolicy
  /// Events dropped so far.
  private(set) var dropped: UInt64 = 0
  private var events: [MarketEvent?] = []
  private var first = 0
  private var waiting = 0
  private var isFinished = false
  /// Where the waiting event of a key stands, counted from the first event ever: for ``FullBufferPolicy/latestOnly``.
  private var places: [Key: Int] = [:]
  private var base = 0

  private enum Key: Hashable {
    case tick(InstrumentID)
    case candle(InstrumentID, Interval)

    init?(_ event: MarketEvent) {
      switch event {
      case .tick(let tick): self = .tick(tick.instrument)
      case .candle(let candle): self = .candle(candle.instrument, candle.interval)
      default: return nil
      }
    }
  }

  init(capacity: Int, policy: FullBufferPolicy) {
    precondition(capacity > 0, "a buffer holds at least one event")
    self.capacity = capacity
    self.policy = policy
  }

  /// Events that wait.
  var count: Int { waiting }

  mutating func offer(_ event: MarketEvent) -> Offer {
    if isFinished { return .finished }
    let key = Key(event)
    if policy == .latestOnly, let key {
      if let place = places[key] {
        events[place - base] = event
        dropped += 1
        return .dropped
      }
      // At most one for each instrument and interval, which bounds it.
      places[key] = base + events.count
    } else if waiting >= capacity, key != nil {
      switch policy {
      case .suspend: return .suspend
      case .dropNewest:
        dropped += 1
        return .dropped
      case .dropOldest, .latestOnly:
        // Nothing that may be dropped waits when all are gaps and HALTs; then it is one more.
        if let oldest = events[first...].firstIndex(where: { $0.flatMap(Key.init) != nil }) {
          events[oldest] = nil
          waiting -= 1
          dropped += 1
          append(event)
          return .dropped
        }
      }
    }
    append(event)
    return .stored
  }

  mutating func next() -> Answer {
    while first < events.count {
      let event = events[first]
      events[first] = nil
      first += 1
      guard let event else { continue }
      waiting -= 1
      if policy == .latestOnly, let key = Key(event) { places[key] = nil }
      if waiting == 0 { compact() }
      return .event(event)
    }
    compact()
    return isFinished ? .finished : .wait
  }

  /// No more events come; those that wait are still taken.
  mutating func finish() { isFinished = true }

  private mutating func append(_ event: MarketEvent) {
    if first > capacity, first > events.count / 2 { compact() }
    events.append(event)
    waiting += 1
  }

  private mutating func compact() {
    events.removeFirst(first)
    base += first
    first = 0
  }
}
