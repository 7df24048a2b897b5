public import CSharedRing
public import MarketData

// The path of a tick. Swift moves the payload and C stores stamps and cursors, and the loops are compiled into the
// caller's module without a call.
extension LaneWriter {
  /// Writes one record, or counts it as dropped when the lane is full. Does not move the published cursor, nor wake a
  /// sleeping consumer; ``flush()`` does, once a batch.
  ///
  /// The record that follows a drop carries ``TickFlags/gapBefore`` in this lane.
  @inlinable
  public mutating func write(_ tick: Tick) -> Bool {
    var record = tick
    if end >= limit {
      guard makeRoom() > 0 else {
        noteDropped(1)
        return false
      }
      payGapFlag(&record)
    }
    store(record, at: end)
    end &+= 1
    return true
  }

  /// Writes those records of a batch that `observed` holds, and those that concern the whole feed, then publishes
  /// the cursor once; what the quality rules took out of the stream is left out. What finds the lane full is dropped
  /// and counted. A batch that holds nothing for this lane touches no shared memory, and wakes nobody.
  ///
  /// Whole runs of slots are filled before the first is published: a consumer that waits at the head looks at the very
  /// line that it waits for, and would take each away from the producer while it is being filled.
  @inlinable
  public mutating func write(_ batch: Span<Tick>, observed: InstrumentSet) {
    let before = end
    var next = 0
    while next < batch.count {
      let run = reserve(min(batch.count - next, Self.filledMax))
      guard run > 0 else {
        while next < batch.count {
          if Self.isWanted(batch[next], by: observed) { _ = write(batch[next]) }
          next += 1
        }
        break
      }
      if run >= Self.streamedMin {
        next = stream(batch, from: next, observed: observed)
        continue
      }
      var filled = 0
      while filled < run, next < batch.count {
        let tick = batch[next]
        next += 1
        guard Self.isWanted(tick, by: observed) else { continue }
        fill(filled, tick)
        filled += 1
      }
      publish(filled)
    }
    if end != before { flush() }
  }

  /// Slots that are filled before they are published: as many as stay in the processor's nearest cache.
  @usableFromInline static var filledMax: Int { 256 }

  /// From so many slots on a run is written past the caches. That costs a consumer which waits for it the time in which
  /// a line comes from memory, but no longer the producer the time in which each comes from the consumer's cache.
  @usableFromInline static var streamedMin: Int { 64 }

  /// Fills the reserved run with wanted records from `next` on and publishes it by the stamp of its first slot, which
  /// is stored last. Returns where in the batch it stopped.
  @inlinable
  mutating func stream(_ batch: Span<Tick>, from start: Int, observed: InstrumentSet) -> Int {
    var next = start
    while next < batch.count, !Self.isWanted(batch[next], by: observed) { next += 1 }
    guard next < batch.count else { return next }
    let head = next
    next += 1
    var position = end &+ 1
    let limit = end &+ UInt64(truncatingIfNeeded: reserved)
    while position != limit, next < batch.count {
      if Self.isWanted(batch[next], by: observed) {
        withUnsafeBytes(of: batch[next]) { bytes in
          tickring_slot_stream(slot(position), bytes.baseAddress.unsafelyUnwrapped, position)
        }
        position &+= 1
      }
      next += 1
    }
    publishRun(batch[head], upTo: position)
    return next
  }

  /// Writes the first record of a run whose others were streamed, and publishes them all.
  @inlinable
  mutating func publishRun(_ first: Tick, upTo position: UInt64) {
    var record = first
    payGapFlag(&record)
    let slot = slot(end)
    move(record, into: slot)
    tickring_run_publish(slot, record.instrument.rawValue, end)
    end = position
    reserved = 0
  }

  @inlinable
  static func isWanted(_ tick: Tick, by observed: InstrumentSet) -> Bool {
    (observed.contains(tick.instrument) || tick.instrument == .all) && !tick.kind.isQuarantined
  }

  /// Writes a whole batch and publishes the cursor once; returns how many records found the lane full.
  @inlinable
  public mutating func write(_ batch: Span<Tick>) -> Int {
    var written = 0
    while written < batch.count {
      let run = reserve(min(batch.count - written, Self.filledMax))
      if run == 0 { break }
      if run >= Self.streamedMin {
        for index in 1..<run {
          let position = end &+ UInt64(truncatingIfNeeded: index)
          withUnsafeBytes(of: batch[written + index]) { bytes in
            tickring_slot_stream(slot(position), bytes.baseAddress.unsafelyUnwrapped, position)
          }
        }
        publishRun(batch[written], upTo: end &+ UInt64(truncatingIfNeeded: run))
      } else {
        for index in 0..<run { fill(index, batch[written + index]) }
        publish(run)
      }
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
    var room = limit > end ? limit &- end : 0
    if room < wanted { room = makeRoom() }
    let toRingEnd = mask &+ 1 &- (end & mask)
    reserved = Int(truncatingIfNeeded: min(wanted, min(room, toRingEnd)))
    return reserved
  }

  /// Fills slot `index` of the reserved run. No consumer sees it yet.
  @inlinable
  public mutating func fill(_ index: Int, _ tick: Tick) {
    precondition(index >= 0 && index < reserved, "only a reserved slot can be filled")
    var record = tick
    if owesGapFlag { payGapFlag(&record) }
    let position = end &+ UInt64(truncatingIfNeeded: index)
    let slot = slot(position)
    move(record, into: slot)
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
    moveCursor()
    if tickring_lane_wake(base) {
      wakes &+= 1
      LaneTally.noteWakes(base, wakes)
    }
  }

  /// The first half of ``flush()``: apart, so that a benchmark can tell what the second one costs.
  @inlinable
  package mutating func moveCursor() {
    tickring_cursor_store(published, end)
  }

  /// Records waiting, by the consumer's cursor as it is now.
  public mutating func waiting() -> UInt64 {
    refreshReleased()
    return end &- releasedSeen
  }

  /// True when at least `count` more records fit.
  @inlinable
  public mutating func hasRoom(for count: Int) -> Bool {
    let needed = UInt64(clamping: count)
    return end &+ needed <= limit || makeRoom() >= needed
  }

  // What follows is inlined as well, the rare parts too: a call that were handed the writer would keep its cursors
  // in memory throughout the caller's loop.

  /// Looks at the consumer's cursor; returns how many records fit. Not until a record is written that pays the gap
  /// flag, if one is owed, may the writer go on without looking; else not before it has filled a part of the ring.
  ///
  /// Each look takes the line of the cursor away from the consumer, which writes it: a look a batch cost a third of a
  /// round trip.
  @inlinable
  mutating func makeRoom() -> UInt64 {
    refreshReleased()
    let room = mask &+ 1 &- (end &- releasedSeen)
    limit = owesGapFlag ? end : end &+ min(room, Swift.max(1, (mask &+ 1) / Self.looksPerLap))
    return room
  }

  /// How often in a lap the producer looks at the consumer's cursor at the least, which is how finely the high-water
  /// mark is known.
  @usableFromInline static var looksPerLap: UInt64 { 16 }

  /// Puts the mark that is owed after a drop on the record that is written next.
  @inlinable
  mutating func payGapFlag(_ record: inout Tick) {
    guard owesGapFlag else { return }
    record.flags.insert(.gapBefore)
    owesGapFlag = false
    isFull = false
  }

  @inlinable
  func slot(_ position: UInt64) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(slots + Int(truncatingIfNeeded: position & mask))
  }

  /// Bytes 8 to 63 of a record; the first 8 are the stamp's.
  @inlinable
  func move(_ record: Tick, into slot: UnsafeMutableRawPointer) {
    withUnsafeBytes(of: record) { bytes in
      (slot + 8).copyMemory(from: bytes.baseAddress.unsafelyUnwrapped + 8, byteCount: 56)
    }
  }

  @inlinable
  func store(_ record: Tick, at position: UInt64) {
    let slot = slot(position)
    move(record, into: slot)
    tickring_slot_publish(slot, record.instrument.rawValue, position)
  }

  /// Counts records that the caller gives up because the lane is full; the next one says that a gap came before it.
  @inlinable
  mutating func noteDropped(_ count: Int) {
    droppedCount &+= UInt64(truncatingIfNeeded: count)
    owesGapFlag = true
    limit = end
    if !isFull { fullEvents &+= 1 }
    isFull = true
    LaneTally.noteDropped(base, droppedCount, fullEvents)
  }

  @inlinable
  mutating func refreshReleased() {
    let claimed = tickring_cursor_load(released)
    if claimed > releasedSeen, claimed <= end { releasedSeen = claimed }
    // A producer that goes round the ring comes by here several times a lap. Its cursor must not fall behind by more
    // than one: a producer that recovers follows the stamps from there, and older ones have been overwritten.
    tickring_cursor_store(published, end)
    if end &- releasedSeen > highWater { highWater = end &- releasedSeen }
    LaneTally.noteLook(base, end, mask, highWater)
  }
}

/// The producer's counters in a lane, which change seldom.
@usableFromInline
enum LaneTally {
  @usableFromInline
  static func noteDropped(_ lane: UnsafeMutableRawPointer, _ dropped: UInt64, _ fullEvents: UInt64) {
    set(.dropped, lane, dropped)
    set(.fullEvents, lane, fullEvents)
  }

  @usableFromInline
  static func noteLook(
    _ lane: UnsafeMutableRawPointer, _ end: UInt64, _ mask: UInt64, _ highWater: UInt64
  ) {
    set(.laps, lane, end / (mask + 1))
    set(.highWater, lane, highWater)
  }

  @usableFromInline
  static func noteWakes(_ lane: UnsafeMutableRawPointer, _ wakes: UInt64) { set(.wakes, lane, wakes) }

  private static func set(_ counter: LaneCounter, _ lane: UnsafeMutableRawPointer, _ value: UInt64) {
    tickring_word_store_release(lane + counter.offset, value)
  }
}
