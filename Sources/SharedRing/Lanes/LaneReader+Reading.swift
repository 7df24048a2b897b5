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
    // The cursor moves on one way, found something or not: a loop then keeps it in a register.
    let count = available(isWaiting && pace.flow < ReadingPace.fullFlow ? Swift.min(max, 1) : max)
    isWaiting = count == 0
    if count > 0 {
      let first = Int(truncatingIfNeeded: next & mask)
      try body(Span(_unsafeStart: UnsafePointer(slots + first), count: count))
    }
    next &+= UInt64(truncatingIfNeeded: count)
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
  /// In full flow, once it has caught up or follows closely, it takes about a microsecond longer to return; see
  /// ``ReadingPace``.
  @inlinable
  public mutating func drain<E: Error>(max: Int, _ body: (Span<Tick>) throws(E) -> Void) throws(E) -> Int {
    let count = try read(max: max, body)
    if count > 0 {
      drained = next
      if next >= checkpoint { passCheckpoint() }
    }
    if count < max { noteShortLook(found: count) }
    return count
  }

  /// What is due every few records rather than with each: releasing them, and a look whether the producer is near.
  @inlinable
  mutating func passCheckpoint() {
    let releaseEvery = mask &>> 3
    if next &- releasedNow > releaseEvery { releaseDrained() }
    checkpoint = Swift.min(next &+ Self.checkpointEvery, releasedNow &+ releaseEvery &+ 1)
    if pace.isSustained(at: next), isFollowingClosely { stepBack() }
  }

  /// True when the producer is so near that its lines are taken away from it. That shows on a line ahead, not on the
  /// producer's cursor, which is moved once a batch.
  @inlinable
  var isFollowingClosely: Bool {
    let ahead = next &+ Swift.min(Self.closeMax, mask &>> 2)
    return !tickring_slot_holds(slots + Int(truncatingIfNeeded: ahead & mask), ahead)
  }

  /// After a look that found less than it had asked for.
  @inlinable
  mutating func noteShortLook(found count: Int) {
    if count == 0, drained != releasedNow { releaseDrained() }
    if pace.noteShortLook(at: next), !isKnownAhead { stepBack() }
  }

  @inlinable
  mutating func stepBack() {
    pace.noteStepBack()
    Self.pauseForAMoment()
  }

  @usableFromInline @inline(never)
  static func pauseForAMoment() {
    for _ in 0..<stepBackPauses { tickring_pause() }
  }

  /// About a microsecond.
  private static var stepBackPauses: Int { 64 }
  /// Records between two checkpoints at most.
  @usableFromInline static var checkpointEvery: UInt64 { 64 }
  /// A producer that is nearer than so many records is followed closely: a processor looks a few dozen lines ahead.
  @usableFromInline static var closeMax: UInt64 { 128 }

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
    isKnownAhead || tickring_slot_holds(slots + Int(truncatingIfNeeded: next & mask), next)
  }

  /// True when records are known to lie ahead, from the producer's cursor as it was last looked at: it is then in front
  /// of the next record to read, by a lap at most.
  @inlinable
  var isKnownAhead: Bool { publishedSeen &- next &- 1 <= mask }

  /// How many records lie ready in one run, at most `max`.
  ///
  /// While the producer is known to be ahead nothing is loaded; else the next stamp is polled, on the very cache line
  /// that will be read, and only a run that goes on asks for the producer's cursor. That one record is there is decided
  /// by a branch and not computed from its stamp: the next line would then be asked for only when this one has come.
  @inlinable
  mutating func available(_ max: Int) -> Int {
    guard max > 0 else { return 0 }
    let first = Int(truncatingIfNeeded: next & mask)
    // At least one, as the compiler can see: a loop that reads one record at a time then counts nothing.
    let limit = 1 &+ Int(truncatingIfNeeded: Swift.min(UInt64(max &- 1), ~next & mask))
    if isKnownAhead {
      return 1 &+ Int(truncatingIfNeeded: Swift.min(UInt64(limit &- 1), publishedSeen &- next &- 1))
    }
    guard tickring_slot_holds(slots + first, next) else { return 0 }
    var count = 1
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
    return count
  }
}
