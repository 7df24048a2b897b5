public import CSharedRing
internal import Glibc
public import MarketData

/// The producer's end of a lane: a single-producer single-consumer ring of ticks in shared memory.
///
/// Everything that the consumer can write is treated as hostile: its cursor is accepted only when it moves forward
/// and not past what was published, and is used for nothing but to compute free space.
@safe
public struct LaneWriter: ~Copyable, @unchecked Sendable {
  // @unchecked: it may be handed to another thread, and being noncopyable it is in one thread's hands at a time.

  @usableFromInline let mapping: SharedMapping
  @usableFromInline let slots: UnsafeMutablePointer<Tick>
  @usableFromInline let mask: UInt64
  @usableFromInline let published: OpaquePointer
  @usableFromInline let released: OpaquePointer

  /// Position of the next record, that is, how many were ever published.
  @inlinable
  public var position: UInt64 { end }
  @usableFromInline var end: UInt64
  @usableFromInline var releasedSeen: UInt64
  @usableFromInline var droppedCount: UInt64
  @usableFromInline var highWater: UInt64
  @usableFromInline var fullEvents: UInt64
  @usableFromInline var isFull = false
  /// True while the next accepted record must say that something is missing before it.
  @usableFromInline var owesGapFlag = false

  /// The newest record that a previous producer published here; nil when the lane was new or empty.
  public let recovered: Tick?
  /// True when the lane was left by an earlier producer and taken over with what it holds.
  public let isTakenOver: Bool

  /// Slot counts that make sense: 1 KiB to 1 GiB of slots.
  public static let capacityRange = 16...16_777_216

  /// Creates the lane `lane` of `feed`, or takes over the one that a dead producer left, with all it holds.
  ///
  /// A left-over of another capacity, layout version or owner is replaced.
  /// - Parameters:
  ///   - capacity: slots, a power of two within ``capacityRange``.
  ///   - owner: the data directory into which the lane's records go, when it is a journal; empty for a consumer's
  ///     lane. A journal that still holds records for another capacity or owner is never thrown away.
  /// - Throws: ``Fault`` of kind `usage` for a bad name or capacity, `held` when another producer lives,
  ///   `configuration` when a journal with unread records would have to go, or what creating the object throws.
  public init(feed: String, lane: String, capacity: Int, permissions: UInt32, owner: String = "")
    throws(Fault)
  {
    try SegmentNames.check(lane, what: "lane")
    guard Self.capacityRange.contains(capacity), capacity.nonzeroBitCount == 1 else {
      throw Fault(
        .usage,
        "lane '\(lane)' cannot have \(capacity) slots; a power of two from \(Self.capacityRange.lowerBound) to "
          + "\(Self.capacityRange.upperBound) is needed")
    }
    let name = SegmentNames.lane(lane, of: feed)
    let byteCount = Int(TICKRING_LANE_SLOTS_OFFSET) + capacity * MemoryLayout<Tick>.stride
    try Self.removeUnusable(name, capacity: capacity, owner: owner)

    let mapping = try SharedMapping(creating: name, byteCount: byteCount, permissions: permissions)
    guard mapping.tryLock(role: Int32(TICKRING_LOCK_PRODUCER)) else {
      throw Fault(.held, "lane '\(lane)' of feed '\(feed)' is being written by another process")
    }
    let header = mapping.base.assumingMemoryBound(to: tickring_lane_header.self)
    let isTakenOver = tickring_word_load_acquire(mapping.base) == TICKRING_LANE_MAGIC
    if !isTakenOver {
      header.pointee.layout_version = UInt32(TICKRING_LAYOUT_VERSION)
      header.pointee.slot_bytes = UInt32(TICKRING_SLOT_BYTES)
      header.pointee.segment_bytes = UInt64(byteCount)
      header.pointee.capacity = UInt64(capacity)
      mapping.setText(feed, at: Self.feedOffset, byteCountMax: Int(TICKRING_NAME_BYTES))
      mapping.setText(lane, at: Self.laneOffset, byteCountMax: Int(TICKRING_NAME_BYTES))
      mapping.setText(owner, at: Self.ownerOffset, byteCountMax: Int(TICKRING_REASON_BYTES))
    }
    header.pointee.epoch &+= 1
    header.pointee.producer_pid = getpid()
    tickring_word_store_release(mapping.base, TICKRING_LANE_MAGIC)

    self.slots = (mapping.base + Int(TICKRING_LANE_SLOTS_OFFSET)).assumingMemoryBound(to: Tick.self)
    self.mask = UInt64(capacity - 1)
    self.published = tickring_lane_published(mapping.base)
    self.released = tickring_lane_released(mapping.base)
    self.droppedCount = tickring_cursor_load(tickring_lane_dropped(mapping.base))
    self.highWater = tickring_cursor_load(tickring_lane_high_water(mapping.base))
    self.fullEvents = tickring_cursor_load(tickring_lane_full_events(mapping.base))
    self.isTakenOver = isTakenOver
    // What was published between two producers never reached a consumer's lane; a journal has no such hole, since
    // only its producer gives records their sequence.
    self.owesGapFlag = isTakenOver && owner.isEmpty

    // The published cursor runs late, so the end is where the stamps stop following each other.
    let publishedSeen = tickring_cursor_load(published)
    var end = publishedSeen
    while end &- publishedSeen <= mask, Self.stamp(slots, mask, end) == UInt32(truncatingIfNeeded: end &+ 1) {
      end &+= 1
    }
    self.end = end
    self.recovered = end > 0 ? slots[Int((end - 1) & mask)] : nil
    // A consumer's cursor that makes no sense frees nothing: at worst the lane stays full.
    let releasedNow = tickring_cursor_load(released)
    let oldest = end > mask + 1 ? end - (mask + 1) : 0
    self.releasedSeen = releasedNow >= oldest && releasedNow <= end ? releasedNow : oldest
    self.mapping = mapping
    tickring_cursor_store(published, end)
  }

  /// Number of slots.
  public var capacity: Int { Int(mask) + 1 }

  /// Records dropped because the lane was full, over the life of the lane.
  public var dropped: UInt64 { droppedCount }

  /// Records waiting, by the consumer's cursor as it is now.
  public mutating func waiting() -> UInt64 {
    refreshReleased()
    return end - releasedSeen
  }

  /// True when a consumer holds the other end.
  public var hasConsumer: Bool { mapping.isLockedByOther(role: Int32(TICKRING_LOCK_CONSUMER)) }

  /// Writes one record, or counts it as dropped when the lane is full. Does not move the published cursor;
  /// ``flush()`` does, once a batch.
  ///
  /// The record that follows a drop carries ``TickFlags/gapBefore`` in this lane.
  @inlinable
  public mutating func write(_ tick: Tick) -> Bool {
    if end &- releasedSeen > mask {
      refreshReleased()
      if end &- releasedSeen > mask {
        noteDrop()
        return false
      }
    }
    let slot = UnsafeMutableRawPointer(slots + Int(truncatingIfNeeded: end & mask))
    var record = tick
    if owesGapFlag {
      record.flags.insert(.gapBefore)
      owesGapFlag = false
      isFull = false
    }
    // Swift moves the payload and C stores the stamp: in this split ThreadSanitizer sees both sides.
    withUnsafeBytes(of: &record) { bytes in
      (slot + 8).copyMemory(from: bytes.baseAddress.unsafelyUnwrapped + 8, byteCount: 56)
    }
    end &+= 1
    tickring_word_store_release(
      slot, UInt64(record.instrument.rawValue) << 32 | UInt64(UInt32(truncatingIfNeeded: end)))
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
    var dropped = 0
    for index in batch.indices where !write(batch[index]) { dropped += 1 }
    flush()
    return dropped
  }

  /// Moves the published cursor and the lane's counters to what was written: once a batch.
  @inlinable
  public mutating func flush() {
    let waiting = end &- releasedSeen
    if waiting > highWater { noteHighWater() }
    tickring_cursor_store(published, end)
  }

  /// True when at least `count` more records fit.
  public mutating func hasRoom(for count: Int) -> Bool {
    let needed = UInt64(count)
    if end - releasedSeen + needed <= mask + 1 { return true }
    refreshReleased()
    return end - releasedSeen + needed <= mask + 1
  }

  @usableFromInline
  mutating func refreshReleased() {
    let claimed = tickring_cursor_load(released)
    if claimed > releasedSeen, claimed <= end { releasedSeen = claimed }
  }

  @usableFromInline
  mutating func noteHighWater() {
    refreshReleased()
    let waiting = end - releasedSeen
    guard waiting > highWater else { return }
    highWater = waiting
    tickring_cursor_store(tickring_lane_high_water(mapping.base), waiting)
  }

  @usableFromInline
  mutating func noteDrop() {
    droppedCount &+= 1
    owesGapFlag = true
    tickring_cursor_store(tickring_lane_dropped(mapping.base), droppedCount)
    guard !isFull else { return }
    isFull = true
    fullEvents &+= 1
    tickring_cursor_store(tickring_lane_full_events(mapping.base), fullEvents)
  }

  private static let feedOffset = MemoryLayout<tickring_lane_header>.offset(of: \.feed) ?? 0
  private static let laneOffset = MemoryLayout<tickring_lane_header>.offset(of: \.lane) ?? 0
  private static let ownerOffset = MemoryLayout<tickring_lane_header>.offset(of: \.owner) ?? 0

  private static func stamp(_ slots: UnsafeMutablePointer<Tick>, _ mask: UInt64, _ position: UInt64) -> UInt32
  {
    UInt32(truncatingIfNeeded: tickring_word_load_acquire(slots + Int(position & mask)))
  }

  private static func removeUnusable(_ name: String, capacity: Int, owner: String) throws(Fault) {
    guard let old = try SharedMapping(existing: name, access: .readWrite) else { return }
    if old.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) {
      throw Fault(.held, "shared memory '\(name)' is being written by another process")
    }
    let header = old.base.assumingMemoryBound(to: tickring_lane_header.self)
    guard old.byteCount >= Int(TICKRING_LANE_SLOTS_OFFSET), header.pointee.magic == TICKRING_LANE_MAGIC,
      header.pointee.layout_version == UInt32(TICKRING_LAYOUT_VERSION)
    else { return SharedMapping.unlink(name) }
    let oldCapacity = header.pointee.capacity
    let oldOwner = old.text(at: ownerOffset, byteCountMax: Int(TICKRING_REASON_BYTES))
    let oldByteCount = UInt64(TICKRING_LANE_SLOTS_OFFSET) &+ oldCapacity &* UInt64(MemoryLayout<Tick>.stride)
    if oldCapacity == UInt64(capacity), oldOwner == owner, UInt64(old.byteCount) == oldByteCount { return }
    let published = tickring_cursor_load(tickring_lane_published(old.base))
    let released = tickring_cursor_load(tickring_lane_released(old.base))
    guard owner.isEmpty || published == released else {
      throw Fault(
        .configuration,
        "shared memory '\(name)' holds \(published &- released) records that a killed run could not store; start "
          + "once with \(oldCapacity) slots and data directory '\(oldOwner)', as that run had, to store them")
    }
    SharedMapping.unlink(name)
  }
}
