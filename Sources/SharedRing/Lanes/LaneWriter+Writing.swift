public import CSharedRing
public import MarketData

// The path of a tick. Swift moves the payload and C stores stamps and cursors, and the loops are compiled into the
// caller's module. What is looked at or counted a few times a lap is in `LaneTally`, behind calls that take and
// return values, so that the cursors stay in registers.
extension LaneWriter {
  /// Writes one record, or counts it as dropped when the lane is full. Does not move the published cursor, nor wake a
  /// sleeping consumer; ``flush()`` does, once a batch.
  ///
  /// The record that follows a drop carries ``TickFlags/gapBefore`` in this lane.
  @inlinable
  public mutating func write(_ tick: Tick) -> Bool {
    var mark = Self.noMark
    // One way out, and the cursor stored on it: a loop then keeps the cursor in a register.
    var isAccepted = true
    if _slowPath(end >= limit) {
      isAccepted = makeRoom() > 0
      if isAccepted { mark = owedMark() } else { tally.noteDropped(1) }
    }
    if isAccepted { store(tick, at: end, mark: mark) }
    end &+= isAccepted ? 1 : 0
    return isAccepted
  }

  /// Writes those records of a batch that the lane carries (see ``noteFilter(_:version:behind:)``), and those that
  /// concern the whole feed, then publishes the cursor once; what the quality rules took out of the stream is left
  /// out. What finds the lane full is dropped and counted. A batch that holds nothing for this lane touches no shared
  /// memory, and wakes nobody.
  @inlinable
  public mutating func writeObserved(_ batch: Span<Tick>) {
    guard stageObserved(batch) else { return }
    tickring_run_fence()
    publishStaged()
  }

  /// As ``writeObserved(_:)``, but for the last run where that is streamed: it waits for ``publishStaged()``, behind a
  /// ``fence()``, before anything else is written. True when there is one. See ``LaneFan``.
  @inlinable
  package mutating func stageObserved(_ batch: Span<Tick>) -> Bool {
    let before = end
    var next = 0
    while next < batch.count {
      if staged != nil {
        tickring_run_fence()
        publishStaged()
      }
      let run = reserve(min(batch.count - next, Self.streamedMax))
      guard run > 0 else {
        while next < batch.count {
          if isWanted(batch[next]) { _ = write(batch[next]) }
          next += 1
        }
        break
      }
      if run >= Self.streamedMin {
        next = stream(batch, from: next)
        continue
      }
      let upTo = next + run
      var position = end
      while next < upTo {
        if isWanted(batch[next]) {
          storeMarked(batch[next], at: position)
          position &+= 1
        }
        next += 1
      }
      end = position
    }
    if staged != nil { return true }
    if end != before { flush() }
    return false
  }

  /// Orders what was staged before its publication.
  @inlinable
  package static func fence() { tickring_run_fence() }

  /// Publishes what was staged, behind a fence: stamps its first record, moves the cursor and wakes the consumer.
  @inlinable
  package mutating func publishStaged() {
    guard let run = staged else { return }
    staged = nil
    tickring_slot_publish(slot(end), run.instrument.rawValue, end)
    end = run.end
    flush()
  }

  /// From so many slots on a run is written past the caches. That costs a consumer which waits for it the time in which
  /// a line comes from memory, but the producer no longer the time in which each comes from the consumer's cache: less
  /// where the two share none, and where there are many lanes, with one fence between them.
  @usableFromInline static var streamedMin: Int { 32 }

  /// Longest run that is streamed: so long a consumer that waits for its first record waits at most.
  @usableFromInline static var streamedMax: Int { 256 }

  /// Fills the reserved run with wanted records from `start` on and stages it: all but the stamp of its first slot, by
  /// which it is published. Returns where in the batch it stopped.
  @inlinable
  mutating func stream(_ batch: Span<Tick>, from start: Int) -> Int {
    var next = start
    while next < batch.count, !isWanted(batch[next]) { next += 1 }
    guard next < batch.count else { return next }
    let head = next
    next += 1
    var position = end &+ 1
    while position != reservedEnd, next < batch.count {
      if isWanted(batch[next]) {
        stream(batch[next], at: position)
        position &+= 1
      }
      next += 1
    }
    stageRun(batch[head], upTo: position)
    return next
  }

  @inlinable
  func stream(_ tick: Tick, at position: UInt64) {
    withUnsafeBytes(of: tick) { bytes in
      tickring_slot_stream(slot(position), bytes.baseAddress.unsafelyUnwrapped, position)
    }
  }

  /// Writes the first record of a run whose others were streamed, but for its stamp.
  @inlinable
  mutating func stageRun(_ first: Tick, upTo position: UInt64) {
    move(first, into: slot(end), mark: owedMark())
    staged = StagedRun(instrument: first.instrument, end: position)
  }

  @inlinable
  func isWanted(_ tick: Tick) -> Bool {
    (observed.contains(tick.instrument) || tick.instrument == .all) && !tick.kind.isQuarantined
  }

  /// Writes a whole batch and publishes the cursor once; returns how many records found the lane full.
  @inlinable
  public mutating func write(_ batch: Span<Tick>) -> Int {
    var written = 0
    while written < batch.count {
      let run = reserve(min(batch.count - written, Self.streamedMax))
      if run == 0 { break }
      if run >= Self.streamedMin {
        for index in 1..<run { stream(batch[written + index], at: end &+ UInt64(truncatingIfNeeded: index)) }
        stageRun(batch[written], upTo: reservedEnd)
        tickring_run_fence()
        publishStaged()
      } else {
        for index in 0..<run {
          storeMarked(batch[written + index], at: end &+ UInt64(truncatingIfNeeded: index))
        }
        end = reservedEnd
      }
      written += run
    }
    let dropped = batch.count - written
    if dropped > 0 {
      tally.noteDropped(dropped)
      limit = end
    }
    flush()
    return dropped
  }

  /// Reserves a run of contiguous slots to be filled in place, at most `count`; the run is shorter where the lane
  /// has less room or the ring ends. Returns its length, 0 when the lane is full; nothing is dropped or counted, and
  /// what of the run is not filled is free again.
  ///
  /// ```swift
  /// let run = writer.reserve(32)
  /// for _ in 0..<run { writer.append(next()) }
  /// writer.flush()
  /// ```
  @inlinable
  public mutating func reserve(_ count: Int) -> Int {
    let wanted = UInt64(clamping: count)
    var room = limit > end ? limit &- end : 0
    if room < wanted { room = makeRoom() }
    let toRingEnd = mask &+ 1 &- (end & mask)
    let run = min(wanted, min(room, toRingEnd))
    reservedEnd = end &+ run
    return Int(truncatingIfNeeded: run)
  }

  /// Fills the next slot of the reserved run, which a consumer may see at once.
  ///
  /// Each record is published as it is filled. A second pass over the run that published it as a whole would take
  /// several times as long between two processes: by then the consumer has begun to take the lines away.
  @inlinable
  public mutating func append(_ tick: Tick) {
    precondition(end < reservedEnd, "only a reserved slot can be filled")
    storeMarked(tick, at: end)
    end &+= 1
  }

  /// Moves the published cursor to what was written, and wakes a consumer that sleeps: once a batch.
  @inlinable
  public mutating func flush() {
    moveCursor()
    if tickring_lane_wake(base) { tally.noteWake() }
  }

  /// The first half of ``flush()``: apart, so that a benchmark can tell what the second one costs.
  @inlinable
  package mutating func moveCursor() {
    tickring_cursor_store(published, end)
  }

  /// Records waiting, by the consumer's cursor as it is now.
  public mutating func waiting() -> UInt64 {
    mask &+ 1 &- tally.look(behind: end).room
  }

  /// True when at least `count` more records fit.
  @inlinable
  public mutating func hasRoom(for count: Int) -> Bool {
    let needed = UInt64(clamping: count)
    return end &+ needed <= limit || makeRoom() >= needed
  }

  /// Looks at the consumer's cursor; returns how many records fit.
  @inlinable @inline(__always)
  mutating func makeRoom() -> UInt64 {
    let (room, newLimit) = tally.look(behind: end)
    limit = newLimit
    return room
  }

  /// Writes a record of a reserved run, with the mark that is owed after a drop.
  @inlinable
  func storeMarked(_ tick: Tick, at position: UInt64) {
    // While a mark is owed the limit stands still.
    let mark = _slowPath(position == limit) ? owedMark() : Self.noMark
    let slot = slot(position)
    move(tick, into: slot, mark: mark)
    tickring_slot_publish(slot, tick.instrument.rawValue, position)
  }

  /// What a record's narrow fields are combined with: the flag of the gap once after a drop, else nothing. A vector,
  /// for a number takes as long to get into one as two stores.
  @inlinable
  func owedMark() -> SIMD4<UInt32> { tally.payGap() ? Self.gapMark : Self.noMark }
  @inlinable static var gapMark: SIMD4<UInt32> {
    SIMD4(0, 0, 0, UInt32(TickFlags.gapBefore.rawValue).littleEndian)
  }
  @inlinable static var noMark: SIMD4<UInt32> { SIMD4(repeating: 0) }

  @inlinable
  func slot(_ position: UInt64) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(slots + Int(truncatingIfNeeded: position & mask))
  }

  /// Bytes 8 to 63 of a record of a run; the first word is the stamp's. As few stores as there can be, for a run's
  /// stores wait for lines that the consumer has.
  @inlinable
  func move(_ record: Tick, into slot: UnsafeMutableRawPointer, mark: SIMD4<UInt32>) {
    let times = SIMD2(record.receiveTime.nanoseconds, record.exchangeTime.nanoseconds)
    let trade = SIMD2(record.lastPrice.units, record.dayVolume)
    slot.storeBytes(of: record.sequence, toByteOffset: 8, as: UInt64.self)
    slot.storeBytes(of: times, toByteOffset: 16, as: SIMD2<Int64>.self)
    slot.storeBytes(of: trade, toByteOffset: 32, as: SIMD2<Int64>.self)
    slot.storeBytes(of: Self.rest(of: record) | mark, toByteOffset: 48, as: SIMD4<UInt32>.self)
  }

  /// The same of a record that is written by itself, from the registers in which its fields have just been computed: to
  /// bring two of them together takes longer than a second store. The narrow ones come first, since they take longest.
  @inlinable
  func moveSingle(_ record: Tick, into slot: UnsafeMutableRawPointer, mark: SIMD4<UInt32>) {
    let rest = Self.rest(of: record) | mark
    slot.storeBytes(of: record.sequence, toByteOffset: 8, as: UInt64.self)
    slot.storeBytes(of: record.receiveTime.nanoseconds, toByteOffset: 16, as: Int64.self)
    slot.storeBytes(of: record.exchangeTime.nanoseconds, toByteOffset: 24, as: Int64.self)
    slot.storeBytes(of: record.lastPrice.units, toByteOffset: 32, as: Int64.self)
    slot.storeBytes(of: record.dayVolume, toByteOffset: 40, as: Int64.self)
    slot.storeBytes(of: rest, toByteOffset: 48, as: SIMD4<UInt32>.self)
  }

  @inlinable
  func store(_ record: Tick, at position: UInt64, mark: SIMD4<UInt32>) {
    let slot = slot(position)
    moveSingle(record, into: slot, mark: mark)
    tickring_slot_publish(slot, record.instrument.rawValue, position)
  }

  /// The narrow fields, bytes 48 to 63, which left to itself the compiler stores one by one.
  @inlinable
  static func rest(of record: Tick) -> SIMD4<UInt32> {
    let marks =
      UInt32(record.flags.rawValue) | UInt32(record.kind.rawValue) << 16 | UInt32(record.reserved) << 24
    return SIMD4(
      record.lastTradeSeconds, record.lastQuantity, record.openInterest, marks.littleEndian)
  }
}
