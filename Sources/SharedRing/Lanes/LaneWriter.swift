internal import CSharedRing
internal import Glibc
public import MarketData

/// The producer's end of a lane: a single-producer single-consumer ring of ticks in shared memory.
///
/// Here it is created or taken over; how it writes is in `LaneWriter+Writing.swift`.
///
/// Everything that the consumer can write is treated as hostile: its cursor is accepted only when it moves forward
/// and not past what was published, and is used for nothing but to compute free space.
@safe
public struct LaneWriter: ~Copyable, @unchecked Sendable {
  // @unchecked: it may be handed to another thread, and being noncopyable it is in one thread's hands at a time.

  let mapping: SharedMapping
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let slots: UnsafeMutablePointer<Tick>
  @usableFromInline let mask: UInt64
  @usableFromInline let published: OpaquePointer
  @usableFromInline let tally: LaneTally

  /// Position of the next record, that is, how many were ever published.
  @inlinable
  public var position: UInt64 { end }
  @usableFromInline var end: UInt64
  /// Up to here the writer may write without looking: room is known, and no gap mark is owed.
  @usableFromInline var limit: UInt64
  /// End of the run that is being filled in place.
  @usableFromInline var reservedEnd: UInt64
  /// What the lane carries: see ``noteFilter(_:version:behind:)``.
  @usableFromInline var observed = InstrumentSet()
  /// The run at ``end`` that is streamed and not yet published.
  @usableFromInline var staged: StagedRun?

  /// A run that lies in its slots, but for the first one's stamp.
  @usableFromInline
  struct StagedRun {
    /// Of the first record.
    @usableFromInline let instrument: InstrumentID
    @usableFromInline let end: UInt64

    @inlinable
    init(instrument: InstrumentID, end: UInt64) {
      self.instrument = instrument
      self.end = end
    }
  }

  /// The newest record that a previous producer published here; nil when the lane was new or empty.
  public let recovered: Tick?
  /// True when the lane was left by an earlier producer and taken over with what it holds.
  public let isTakenOver: Bool
  /// What the earlier producer's lane carried; a consumer can write there, so nothing but a wish.
  public let filterLeft: InstrumentSet
  /// What was asked of the kernel for the lane's memory and refused, in sentences.
  public var refusals: [String] { mapping.refusals }

  /// Slot counts that make sense: 1 KiB to 1 GiB of slots.
  public static let capacityRange = Int(TICKRING_LANE_CAPACITY_MIN)...Int(TICKRING_LANE_CAPACITY_MAX)

  /// Creates the lane `lane` of `feed`, or takes over the one that a dead producer left, with all it holds.
  ///
  /// A left-over of another capacity, layout version or owner is replaced.
  /// - Parameters:
  ///   - capacity: slots, a power of two within ``capacityRange``.
  ///   - owner: the data directory into which the lane's records go, when it is a journal; empty for a consumer's
  ///     lane. A journal that still holds records for another capacity or owner is never thrown away.
  /// - Throws: ``Fault`` of kind `usage` for a bad name or capacity, `held` when another producer lives,
  ///   `configuration` when a journal with unread records would have to go, or what creating the object throws.
  public init(
    feed: String, lane: String, capacity: Int, options: SegmentOptions = SegmentOptions(), owner: String = ""
  ) throws(Fault) {
    try SegmentNames.check(lane, what: "lane")
    guard Self.capacityRange.contains(capacity), capacity.nonzeroBitCount == 1 else {
      throw Fault(
        .usage,
        "lane '\(lane)' cannot have \(capacity) slots; a power of two from \(Self.capacityRange.lowerBound) to "
          + "\(Self.capacityRange.upperBound) is needed")
    }
    let byteCount = Int(tickring_lane_bytes(UInt64(capacity)))
    var mapping = try SegmentClaim.claim(
      SegmentNames.lane(lane, of: feed), byteCount: byteCount, options: options
    ) { old throws(Fault) in
      try Self.isUsable(old, capacity: capacity, owner: owner)
    } heldFault: { _ in
      Fault(.held, "lane '\(lane)' of feed '\(feed)' is being written by another process")
    }
    try mapping.guardAgainstTruncation()
    let base = mapping.base
    let header = base.assumingMemoryBound(to: tickring_lane_header.self)
    let isTakenOver = !mapping.isNew
    if !isTakenOver {
      header.pointee.layout_version = UInt32(TICKRING_LANE_LAYOUT_VERSION)
      header.pointee.slot_bytes = UInt32(TICKRING_SLOT_BYTES)
      header.pointee.segment_bytes = UInt64(byteCount)
      header.pointee.capacity = UInt64(capacity)
      header.pointee.created_wall_ns = Timestamp.wallClock().nanoseconds
      mapping.setText(feed, at: LaneLayout.feed, byteCountMax: Int(TICKRING_NAME_BYTES))
      mapping.setText(lane, at: LaneLayout.lane, byteCountMax: Int(TICKRING_NAME_BYTES))
      mapping.setText(owner, at: LaneLayout.owner, byteCountMax: Int(TICKRING_REASON_BYTES))
    }
    header.pointee.producer_pid = getpid()
    header.pointee.wakes_without_fence = tickring_register_for_barriers() ? 1 : 0
    tickring_word_store_release(base, TICKRING_LANE_MAGIC)

    self.base = base
    self.slots = (base + Int(TICKRING_LANE_SLOTS_OFFSET)).assumingMemoryBound(to: Tick.self)
    self.mask = UInt64(capacity - 1)
    self.published = tickring_lane_published(base)
    self.isTakenOver = isTakenOver
    self.filterLeft = isTakenOver ? mapping.filter() : InstrumentSet()
    // The published cursor runs late, so the end is where the stamps stop following each other. Stamps behind it are of
    // a run that was never published: its first one is missing.
    let publishedSeen = tickring_cursor_load(published)
    var end = publishedSeen
    while end &- publishedSeen <= mask, tickring_slot_holds(slots + Int(end & mask), end) { end &+= 1 }
    for offset in 0..<UInt64(capacity) {
      // Wrapping, for the cursor from which this began lies where a consumer can write.
      let position = end &+ offset
      tickring_slot_withdraw(slots + Int(position & mask), position, UInt64(capacity))
    }
    self.end = end
    self.recovered = end > 0 ? slots[Int((end - 1) & mask)] : nil
    // A consumer's cursor that makes no sense frees nothing: at worst the lane stays full.
    let releasedNow = tickring_cursor_load(tickring_lane_released(base))
    let oldest = end > mask + 1 ? end - (mask + 1) : 0
    self.limit = end
    self.reservedEnd = end
    // What was published between two producers never reached a consumer's lane; a journal has no such hole, since
    // only its producer gives records their sequence.
    self.tally = LaneTally(
      mapping, mask: mask, releasedSeen: releasedNow >= oldest && releasedNow <= end ? releasedNow : oldest,
      owesGap: isTakenOver && owner.isEmpty)
    mapping.set(.epoch, mapping.value(.epoch) &+ 1)
    self.mapping = mapping
    tickring_cursor_store(published, end)
  }

  /// Number of slots.
  public var capacity: Int { Int(mask) + 1 }

  /// Records dropped because the lane was full, over the life of the lane.
  public var dropped: UInt64 { tally.dropped }

  /// True when a consumer holds the other end.
  public var hasConsumer: Bool { mapping.isLockedByOther(role: Int32(TICKRING_LOCK_CONSUMER)) }

  /// True once a consumer has cut the lane short, which the producer outlives: nothing reaches the consumer any more,
  /// and the lane reads as full.
  public var isTruncated: Bool { mapping.isTruncated }

  /// Process that reads the lane, as it says.
  public var consumerPID: Int32 {
    base.assumingMemoryBound(to: tickring_lane_header.self).pointee.consumer_pid
  }

  /// Sets what ``writeObserved(_:)`` writes from now on, and notes it in the segment: for the consumer, which waits for
  /// `version` before it takes last values as its beginning, and for the producer that comes after a crash.
  ///
  /// - Parameters:
  ///   - version: grows with each change.
  ///   - sequence: feed sequence of the newest record published before the change.
  public mutating func noteFilter(_ instruments: InstrumentSet, version: UInt64, behind sequence: UInt64) {
    observed = instruments
    mapping.setFilter(instruments)
    mapping.set(.filterSequence, sequence)
    mapping.set(.filterVersion, version)
  }

  /// Changes of the filter over the life of the lane.
  public var filterVersion: UInt64 { mapping.value(.filterVersion) }

  private static func isUsable(_ old: borrowing SharedMapping, capacity: Int, owner: String) throws(Fault)
    -> Bool
  {
    let header = old.base.assumingMemoryBound(to: tickring_lane_header.self)
    let result = AttachResult(tickring_lane_check(old.base, UInt64(old.byteCount)))
    if result == .otherVersion, !owner.isEmpty, old.cursorDifference > 0 {
      throw Fault(
        .configuration,
        "shared memory '\(old.name)' may hold \(old.cursorDifference) records that a killed run of another TickRing "
          + "(layout version \(header.pointee.layout_version)) could not store; start that one once to store them, or "
          + "remove it by hand")
    }
    guard result == .ready else { return false }
    let oldCapacity = header.pointee.capacity
    let oldOwner = old.text(at: LaneLayout.owner, byteCountMax: Int(TICKRING_REASON_BYTES))
    if oldCapacity == UInt64(capacity), oldOwner == owner { return true }
    let unread = old.unreadInJournal
    guard owner.isEmpty || unread == 0 else {
      throw Fault(
        .configuration,
        "shared memory '\(old.name)' holds \(unread) records that a killed run could not store; start "
          + "once with \(oldCapacity) slots and data directory '\(oldOwner)', as that run had, to store them")
    }
    return false
  }
}
