public import CSharedRing
public import MarketData

// The path of a tick on the consumer's side: contiguous runs, one release for many.
extension LaneReader {
  /// Stamps that are followed one by one before the producer's cursor is asked for the rest of the run.
  @usableFromInline static var stampsMax: Int { 8 }

  /// Hands out the next run of at most `max` records, which lie in shared memory and stay valid until released,
  /// and moves on behind them without releasing. Returns how many there were.
  ///
  /// After a look that found nothing the record that was waited for comes alone, and at once: whether another follows
  /// stands on a line that has yet to come from the producer.
  @inlinable
  public mutating func read<E: Error>(max: Int, _ body: (Span<Tick>) throws(E) -> Void) throws(E) -> Int {
    let count = available(isWaiting && flow < Self.fullFlow ? Swift.min(max, 1) : max)
    isWaiting = count == 0
    guard count > 0 else { return 0 }
    let first = Int(truncatingIfNeeded: next & mask)
    try body(Span(_unsafeStart: UnsafePointer(slots + first), count: count))
    next &+= UInt64(count)
    return count
  }

  /// Shows what waits, in one run or two, and leaves it unread; while nobody writes.
  public mutating func peek(_ body: (Span<Tick>) -> Void) {
    let first = next
    while read(max: .max, body) > 0 {}
    next = first
  }

  /// Reads the next run of at most `max` records and releases them late: by the eighth of the ring while records keep
  /// coming, at once when there are none.
  ///
  /// A consumer that is killed therefore sees up to an eighth of the ring again; one that must not calls
  /// ``read(max:_:)`` and ``release(upTo:)``.
  ///
  /// In full flow, once it has caught up, it waits for about a microsecond before it looks again; see ``standBack()``.
  @inlinable
  public mutating func drain<E: Error>(max: Int, _ body: (Span<Tick>) throws(E) -> Void) throws(E) -> Int {
    if isCaughtUp, flow >= Self.fullFlow { standBack() }
    let count = try read(max: max, body)
    isCaughtUp = count < max && next == publishedSeen
    flow &+= UInt32(truncatingIfNeeded: Swift.min(count, Self.flowCountMax)) &<< 4 &- flow &>> 6
    if count > 0 { drained = next }
    if drained &- releasedNow > (count > 0 ? mask &>> 3 : 0) { releaseDrained() }
    return count
  }

  /// Leaves the next line to the producer for a moment.
  ///
  /// A consumer that keeps up with a producer in full flow takes each line away while it is being filled, and the next
  /// ones too, at which the processor looks ahead; both then go at the pace of the lines' journeys to and fro. Stepping
  /// back lets the producer fill a run of lines, which then come in one stream, several times as fast.
  @inlinable
  mutating func standBack() {
    flow = Self.fullFlow / 2
    for _ in 0..<Self.standBackPauses { tickring_pause() }
  }

  /// The flow is full at one record a look, on average over some 64 looks: a consumer that waits for single records
  /// looks far more often than it finds one.
  @usableFromInline static var fullFlow: UInt32 { 1024 }
  /// Records of one look that count as flow.
  @usableFromInline static var flowCountMax: Int { 64 }
  @usableFromInline static var standBackPauses: Int { 64 }

  /// Gives everything before `position` back to the producer, at once.
  public mutating func release(upTo position: UInt64) {
    precondition(position <= next, "only what was read can be released")
    guard position > releasedNow else { return }
    drained = position
    releaseDrained()
  }

  @inlinable
  mutating func releaseDrained() {
    releasedNow = drained
    tickring_cursor_store(released, drained)
  }

  /// True when a record waits. One look at one cache line.
  @inlinable
  public var hasRecord: Bool {
    next != publishedSeen || tickring_slot_holds(slots + Int(truncatingIfNeeded: next & mask), next)
  }

  /// How many records lie ready in one run, at most `max`.
  ///
  /// While the producer is known to be ahead nothing is loaded; else the next stamp is polled, on the very cache line
  /// that will be read, and only a run that goes on asks for the producer's cursor.
  @inlinable
  mutating func available(_ max: Int) -> Int {
    let first = Int(truncatingIfNeeded: next & mask)
    let limit = Swift.min(max, Int(truncatingIfNeeded: mask) + 1 - first)
    let known = publishedSeen &- next
    if known > 0, known <= mask &+ 1 { return Swift.min(limit, Int(truncatingIfNeeded: known)) }
    var count = 0
    while count < limit, tickring_slot_holds(slots + (first + count), next &+ UInt64(count)) {
      count += 1
      guard count == Self.stampsMax else { continue }
      let ahead = tickring_cursor_load(published) &- next
      // Within a batch the cursor is behind the stamps, which are then followed on.
      if ahead > UInt64(count), ahead <= mask &+ 1 {
        publishedSeen = next &+ ahead
        return Swift.min(limit, Int(truncatingIfNeeded: ahead))
      }
    }
    // Nothing is known to lie ahead of what is handed out now.
    publishedSeen = next &+ UInt64(count)
    return count
  }
}
