internal import MarketData

/// Who observes which instruments, and how much of each: the venue is asked for the union, counted by reference, each
/// instrument in the richest mode that anyone wants.
struct Subscriptions {
  /// Everyone who can observe.
  enum Observer: Hashable {
    case configuration
    case control
    case lane(String)
  }

  private var observed: [Observer: [InstrumentID: FeedMode]] = [:]
  private var wanted: [InstrumentID: [FeedMode: Int]] = [:]

  /// The instruments that anyone observes, in order of their numbers.
  var union: [InstrumentID] { wanted.keys.sorted() }

  var unionCount: Int { wanted.count }

  /// The mode in which the venue is asked for an instrument; nil when nobody observes it.
  func mode(of instrument: InstrumentID) -> FeedMode? { wanted[instrument]?.keys.max() }

  func instruments(of observer: Observer) -> Set<InstrumentID> { Set((observed[observer] ?? [:]).keys) }

  /// True when the union, or a mode in it, changed. Observing again changes the mode.
  mutating func observe(
    _ instruments: some Sequence<InstrumentID>, by observer: Observer, mode: FeedMode = .full
  ) -> Bool {
    var changed = false
    for instrument in instruments {
      let before = self.mode(of: instrument)
      if let old = observed[observer, default: [:]].updateValue(mode, forKey: instrument) {
        drop(instrument, old)
      }
      wanted[instrument, default: [:]][mode, default: 0] += 1
      if self.mode(of: instrument) != before { changed = true }
    }
    return changed
  }

  /// True when the union, or a mode in it, changed. Instruments that the observer does not observe are passed over.
  mutating func unobserve(_ instruments: some Sequence<InstrumentID>, by observer: Observer) -> Bool {
    var changed = false
    for instrument in instruments {
      let before = mode(of: instrument)
      guard let old = observed[observer]?.removeValue(forKey: instrument) else { continue }
      drop(instrument, old)
      if mode(of: instrument) != before { changed = true }
    }
    return changed
  }

  /// Forgets an observer; true when the union, or a mode in it, changed.
  mutating func remove(_ observer: Observer) -> Bool {
    let changed = unobserve(instruments(of: observer), by: observer)
    observed[observer] = nil
    return changed
  }

  private mutating func drop(_ instrument: InstrumentID, _ mode: FeedMode) {
    let left = (wanted[instrument]?[mode] ?? 1) - 1
    wanted[instrument]?[mode] = left > 0 ? left : nil
    if wanted[instrument]?.isEmpty ?? false { wanted[instrument] = nil }
  }
}
