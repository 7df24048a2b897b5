public import CSharedRing
public import MarketData

// The path of a tick. Swift moves the payload and C stores stamps and cursors: in this split ThreadSanitizer sees
// both sides, and the loops are compiled into the caller's module without a call.
extension LaneWriter {
  /// Writes one record, or counts it as dropped when the lane is full. Does not move the published cursor, nor wake a
  /// sleeping consumer; ``flush()`` does, once a batch.
  ///
  /// The record that follows a drop carries ``TickFlags/gapBefore`` in this lane.
  @inlinable
  public mutating func write(_ tick: Tick) -> Bool {
    if end &- releasedSeen > mask {
      refreshReleased()
      if end &- releasedSeen > mask {
        noteDropped(1)
        return false
      }
    }
    let slot = UnsafeMutableRawPointer(slots + Int(truncatingIfNeeded: end & mask))
    store(tick, into: slot)
    tickring_slot_publish(slot, tick.instrument.rawValue, end)
    end &+= 1
    return true
  }

  /// Writes those records of a batch that `observed` holds, and those that concern the whole feed, then publishes
  /// the cursor once. What finds the lane full is dropped and counted.
  @inlinable
  public mutating func write(_ batch: Span<Tick>, observed: InstrumentSet) {
    for index in batch.indices {
      let tick = batch[index]
      if observed.contains(tick.instrument) || tick.instrument == .all { _ = write(tick) }
    }
    flush()
  }

  /// Writes a whole batch and publishes the cursor once; returns how many records found the lane full.
  @inlinable
  public mutating func write(_ batch: Span<Tick>) -> Int {
    var written = 0
    while written < batch.count {
      let run = reserve(batch.count - written)
      if run == 0 { break }
      for index in 0..<run { fill(index, batch[written + index]) }
      publish(run)
      written += run
    }
    let dropped = batch.count - written
    if dropped > 0 { noteDropped(dropped) }
    flush()
    return dropped
  }

  /// Reserves a run of contiguous slots to be filled in place, at most `count`; the run is shorter where the lane
  /// has less room or the ring ends. Returns its length, 0 when the lane is full; nothing is dropped or counted.
  ///
  /// ```swift
  /// let run = writer.reserve(256)
  /// for index in 0..<run { writer.fill(index, next()) }
  /// writer.publish(run)
  /// writer.flush()
  /// ```
  @inlinable
  public mutating func reserve(_ count: Int) -> Int {
    let wanted = UInt64(clamping: count)
    var room = mask &+ 1 &- (end &- releasedSeen)
    if room < wanted {
      refreshReleased()
      room = mask &+ 1 &- (end &- releasedSeen)
    }
    let toRingEnd = mask &+ 1 &- (end & mask)
    reserved = Int(truncatingIfNeeded: min(wanted, min(room, toRingEnd)))
    return reserved
  }

  /// Fills slot `index` of the reserved run. No consumer sees it yet.
  @inlinable
  public mutating func fill(_ index: Int, _ tick: Tick) {
    precondition(index >= 0 && index < reserved, "only a reserved slot can be filled")
    let position = end &+ UInt64(truncatingIfNeeded: index)
    let slot = UnsafeMutableRawPointer(slots + Int(truncatingIfNeeded: position & mask))
    store(tick, into: slot)
    tickring_slot_prepare(slot, tick.instrument.rawValue, position, mask &+ 1)
  }

  /// Publishes the first `count` slots of the reserved run, all of which must have been filled, in their order; the
  /// rest of the run is given back. ``flush()`` then moves the cursor.
  @inlinable
  public mutating func publish(_ count: Int) {
    precondition(count >= 0 && count <= reserved, "only what was reserved can be published")
    for _ in 0..<count {
      tickring_slot_publish_prepared(slots + Int(truncatingIfNeeded: end & mask), end)
      end &+= 1
    }
    reserved = 0
  }

  /// Moves the published cursor and the lane's counters to what was written, and wakes a consumer that sleeps: once
  /// a batch.
  @inlinable
  public mutating func flush() {
    if end &- releasedSeen > highWater { noteHighWater() }
    tickring_cursor_store(published, end)
    if tickring_lane_wake(base) { noteWake() }
  }

  /// Records waiting, by the consumer's cursor as it is now.
  public mutating func waiting() -> UInt64 {
    refreshReleased()
    return end - releasedSeen
  }

  /// True when at least `count` more records fit.
  public mutating func hasRoom(for count: Int) -> Bool {
    let needed = UInt64(count)
    if end - releasedSeen + needed <= mask + 1 { return true }
    refreshReleased()
    return end - releasedSeen + needed <= mask + 1
  }

  /// Counts records that the caller gives up because the lane is full; the next one says that a gap came before it.
  @usableFromInline
  mutating func noteDropped(_ count: Int) {
    droppedCount &+= UInt64(count)
    owesGapFlag = true
    mapping.set(.dropped, droppedCount)
    guard !isFull else { return }
    isFull = true
    fullEvents &+= 1
    mapping.set(.fullEvents, fullEvents)
  }

  /// Bytes 8 to 63 of a record, with the mark that is owed after a drop; the first 8 are the stamp's.
  @inlinable
  mutating func store(_ tick: Tick, into slot: UnsafeMutableRawPointer) {
    var record = tick
    if owesGapFlag {
      record.flags.insert(.gapBefore)
      owesGapFlag = false
      isFull = false
    }
    withUnsafeBytes(of: &record) { bytes in
      (slot + 8).copyMemory(from: bytes.baseAddress.unsafelyUnwrapped + 8, byteCount: 56)
    }
  }

  @usableFromInline
  mutating func refreshReleased() {
    let claimed = tickring_cursor_load(released)
    if claimed > releasedSeen, claimed <= end { releasedSeen = claimed }
    // A producer that goes round the ring comes by here at least once a lap. Its cursor must not fall behind by more:
    // a producer that recovers follows the stamps from there, and older ones have been overwritten.
    tickring_cursor_store(published, end)
    mapping.set(.laps, end / (mask + 1))
  }

  @usableFromInline
  mutating func noteHighWater() {
    refreshReleased()
    let waiting = end - releasedSeen
    guard waiting > highWater else { return }
    highWater = waiting
    mapping.set(.highWater, waiting)
  }

  @usableFromInline
  mutating func noteWake() {
    wakes &+= 1
    mapping.set(.wakes, wakes)
  }
}
