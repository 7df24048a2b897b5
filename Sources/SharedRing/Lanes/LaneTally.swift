internal import CSharedRing

/// What the producer of a lane knows of its consumer, and counts: looked at a few times a lap, and therefore apart
/// from the cursors of ``LaneWriter``, which a call that were handed the writer would force into memory.
@usableFromInline
final class LaneTally {
  private let base: UnsafeMutableRawPointer
  private let mask: UInt64
  /// The consumer's cursor as last looked at.
  private var releasedSeen: UInt64
  private(set) var dropped: UInt64
  private var highWater: UInt64
  private var fullEvents: UInt64
  private var wakes: UInt64
  private var isFull = false
  /// True while the next accepted record must say that something is missing before it.
  ///
  /// Only the producer's thread comes here, and no access encloses another: the check of that at run time, which a
  /// property gets that other modules may see, would take most of a drop's time.
  @exclusivity(unchecked) private var owesGap: Bool

  init(_ mapping: borrowing SharedMapping, mask: UInt64, releasedSeen: UInt64, owesGap: Bool) {
    base = mapping.base
    self.mask = mask
    self.releasedSeen = releasedSeen
    self.owesGap = owesGap
    dropped = mapping.value(.dropped)
    highWater = mapping.value(.highWater)
    fullEvents = mapping.value(.fullEvents)
    wakes = mapping.value(.wakes)
  }

  /// How often in a lap the producer looks at the consumer's cursor at the least, which is how finely the high-water
  /// mark is known.
  private static let looksPerLap: UInt64 = 16

  /// Looks at the consumer's cursor; returns how many records fit behind `end`, and up to where the producer may write
  /// without looking again: not until a record is written that carries the gap mark, if one is owed, and not before it
  /// has filled a part of the ring.
  ///
  /// The cursor is accepted only when it moves forward and not past what was published. Each look takes its line away
  /// from the consumer, which writes it: a look a batch cost a third of a round trip. The limit is found here, for what
  /// a caller's loop would need for it would take registers from the path of a record.
  @usableFromInline @inline(never)
  func look(behind end: UInt64) -> (room: UInt64, limit: UInt64) {
    let claimed = tickring_cursor_load(tickring_lane_released(base))
    if claimed > releasedSeen, claimed <= end { releasedSeen = claimed }
    // A producer that goes round the ring comes by here several times a lap. Its cursor must not fall behind by more
    // than one: a producer that recovers follows the stamps from there, and older ones have been overwritten.
    tickring_cursor_store(tickring_lane_published(base), end)
    let waiting = end &- releasedSeen
    highWater = max(highWater, waiting)
    set(.laps, end >> UInt64((mask + 1).trailingZeroBitCount))  // a division would be most of a drop's time
    set(.highWater, highWater)
    let room = mask &+ 1 &- waiting
    return (room, owesGap ? end : end &+ min(room, max(1, (mask &+ 1) / Self.looksPerLap)))
  }

  /// Counts records that the caller gives up because the lane is full; the next one says that a gap came before it.
  @usableFromInline @inline(never)
  func noteDropped(_ count: Int) {
    dropped &+= UInt64(truncatingIfNeeded: count)
    owesGap = true
    if !isFull { fullEvents &+= 1 }
    isFull = true
    set(.dropped, dropped)
    set(.fullEvents, fullEvents)
  }

  /// True once after a drop: the record that is written next takes the mark.
  @usableFromInline @inline(never)
  func payGap() -> Bool {
    defer { owesGap = false }
    if owesGap { isFull = false }
    return owesGap
  }

  /// Counts that a sleeping consumer was woken.
  @usableFromInline @inline(never)
  func noteWake() {
    wakes &+= 1
    set(.wakes, wakes)
  }

  private func set(_ counter: LaneCounter, _ value: UInt64) {
    tickring_word_store_release(base + counter.offset, value)
  }
}
