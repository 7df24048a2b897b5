internal import CSharedRing
internal import MarketData

/// Where the texts of a lane's header lie.
enum LaneLayout {
  static let feed = MemoryLayout<tickring_lane_header>.offset(of: \.feed) ?? 0
  static let lane = MemoryLayout<tickring_lane_header>.offset(of: \.lane) ?? 0
  static let owner = MemoryLayout<tickring_lane_header>.offset(of: \.owner) ?? 0
}

/// The words of a lane that are not on the path of a tick.
extension SharedMapping {
  func value(_ counter: LaneCounter) -> UInt64 { tickring_word_load_acquire(base + counter.offset) }

  func set(_ counter: LaneCounter, _ value: UInt64) {
    tickring_word_store_release(base + counter.offset, value)
  }

  /// What the lane carries, as its page says.
  func filter() -> InstrumentSet {
    let words = base + Int(TICKRING_LANE_FILTER_OFFSET)
    return InstrumentSet(
      words: (0..<Int(TICKRING_LANE_FILTER_WORDS)).map { tickring_word_load_relaxed(words + $0 * 8) })
  }

  func setFilter(_ instruments: InstrumentSet) {
    let words = base + Int(TICKRING_LANE_FILTER_OFFSET)
    for index in 0..<Int(TICKRING_LANE_FILTER_WORDS) {
      tickring_word_store_relaxed(words + index * 8, instruments.word(index))
    }
  }

  /// Records between the two cursors, which have stayed in their places since layout version 1; 0 for an object too
  /// small to have them.
  var cursorDifference: UInt64 {
    guard byteCount >= Int(TICKRING_LANE_FILTER_OFFSET) else { return 0 }
    return value(.published) &- value(.released)
  }

  /// Records published and not released, by the cursors and, beyond them, by the stamps.
  var unreadInJournal: UInt64 {
    let capacity = base.assumingMemoryBound(to: tickring_lane_header.self).pointee.capacity
    let published = value(.published)
    let slots = base + Int(TICKRING_LANE_SLOTS_OFFSET)
    var end = published
    while end &- published < capacity,
      tickring_slot_holds(slots + Int(end & (capacity - 1)) * Int(TICKRING_SLOT_BYTES), end)
    {
      end &+= 1
    }
    return end &- value(.released)
  }
}
