internal import MarketData

/// Who observes which instruments: the venue is asked for the union, counted by reference.
struct Subscriptions {
  /// Everyone who can observe.
  enum Observer: Hashable {
    case configuration
    case control
    case lane(String)
  }

  private var observed: [Observer: Set<InstrumentID>] = [:]
  private var counts: [InstrumentID: Int] = [:]

  /// The instruments that anyone observes, in order of their numbers.
  var union: [InstrumentID] { counts.keys.sorted() }

  var unionCount: Int { counts.count }

  func instruments(of observer: Observer) -> Set<InstrumentID> { observed[observer] ?? [] }

  /// True when the union changed.
  mutating func observe(_ instruments: some Sequence<InstrumentID>, by observer: Observer) -> Bool {
    var changed = false
    for instrument in instruments where observed[observer, default: []].insert(instrument).inserted {
      counts[instrument, default: 0] += 1
      if counts[instrument] == 1 { changed = true }
    }
    return changed
  }

  /// True when the union changed. Instruments that the observer does not observe are passed over.
  mutating func unobserve(_ instruments: some Sequence<InstrumentID>, by observer: Observer) -> Bool {
    var changed = false
    for instrument in instruments where observed[observer]?.remove(instrument) != nil {
      let left = (counts[instrument] ?? 1) - 1
      counts[instrument] = left > 0 ? left : nil
      if left == 0 { changed = true }
    }
    return changed
  }

  /// Forgets an observer; true when the union changed.
  mutating func remove(_ observer: Observer) -> Bool {
    let changed = unobserve(instruments(of: observer), by: observer)
    observed[observer] = nil
    return changed
  }
}
