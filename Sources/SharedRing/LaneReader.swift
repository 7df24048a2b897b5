public import CSharedRing
internal import Glibc
public import MarketData

/// The consumer's end of a lane.
///
/// ```swift
/// var reader = try LaneReader(feed: "nse", lane: "alpha")
/// while true {
///   let count = reader.drain(max: 1024) { ticks in
///     for index in ticks.indices { print(ticks[index].lastPrice) }
///   }
///   if count == 0 { LaneReader.pause() }
/// }
/// ```
///
/// The consumer starts where the lane's previous consumer released, so a restarted strategy goes on without a hole.
@safe
public struct LaneReader: ~Copyable, @unchecked Sendable {
  // @unchecked: as for the writer, a noncopyable value is in one thread's hands at a time.

  @usableFromInline let mapping: SharedMapping
  @usableFromInline let slots: UnsafeMutablePointer<Tick>
  @usableFromInline let mask: UInt64
  @usableFromInline let released: OpaquePointer

  /// Position of the next record to read.
  @inlinable
  public var position: UInt64 { next }
  @usableFromInline var next: UInt64

  /// Attaches to a lane that the feed handler has made.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when the lane is absent or not ready, `held` with the holder's pid
  ///   when another process reads it, `protocolViolation` when its layout is another one.
  public init(feed: String, lane: String) throws(Fault) {
    let name = SegmentNames.lane(lane, of: feed)
    guard let mapping = try SharedMapping(existing: name, access: .readWrite) else {
      throw Fault(.unavailable, "feed '\(feed)' has no lane '\(lane)' (no shared memory '\(name)')")
    }
    guard mapping.byteCount >= Int(TICKRING_LANE_SLOTS_OFFSET) else {
      throw Fault(.unavailable, "lane '\(name)' is too small to hold a header; its producer is not ready")
    }
    guard tickring_word_load_acquire(mapping.base) == TICKRING_LANE_MAGIC else {
      throw Fault(.unavailable, "lane '\(name)' is not initialised; its producer is not ready")
    }
    let header = mapping.base.assumingMemoryBound(to: tickring_lane_header.self)
    guard header.pointee.layout_version == UInt32(TICKRING_LAYOUT_VERSION) else {
      throw Fault(
        .protocolViolation,
        "lane '\(name)' has layout version \(header.pointee.layout_version); "
          + "this program reads version \(TICKRING_LAYOUT_VERSION)")
    }
    let capacity = header.pointee.capacity
    guard LaneWriter.capacityRange.contains(Int(clamping: capacity)), capacity.nonzeroBitCount == 1,
      header.pointee.slot_bytes == UInt32(TICKRING_SLOT_BYTES),
      mapping.byteCount == Int(TICKRING_LANE_SLOTS_OFFSET) + Int(capacity) * MemoryLayout<Tick>.stride
    else {
      throw Fault(.protocolViolation, "lane '\(name)' says sizes that do not fit its shared memory")
    }
    guard mapping.tryLock(role: Int32(TICKRING_LOCK_CONSUMER)) else {
      throw Fault(
        .held,
        "lane '\(lane)' of feed '\(feed)' is being read by process \(header.pointee.consumer_pid); "
          + "choose another lane name")
    }
    header.pointee.consumer_pid = getpid()
    self.slots = (mapping.base + Int(TICKRING_LANE_SLOTS_OFFSET)).assumingMemoryBound(to: Tick.self)
    self.mask = capacity - 1
    self.released = tickring_lane_released(mapping.base)
    self.next = tickring_cursor_load(released)
    self.mapping = mapping
  }

  /// Number of slots.
  public var capacity: Int { Int(mask) + 1 }

  /// Records that wait to be read, as far as the producer has told: late by at most one batch.
  public var lag: UInt64 {
    let published = tickring_cursor_load(tickring_lane_published(mapping.base))
    return published > next ? published - next : 0
  }

  /// Records that the producer dropped because this lane was full, over the life of the lane.
  public var dropped: UInt64 { tickring_cursor_load(tickring_lane_dropped(mapping.base)) }

  /// Hands out the next run of at most `max` records, which lie in shared memory and stay valid until released,
  /// and moves on behind them without releasing. Returns how many there were.
  @inlinable
  public mutating func read<E: Error>(max: Int, _ body: (Span<Tick>) throws(E) -> Void) throws(E) -> Int {
    let first = Int(truncatingIfNeeded: next & mask)
    let limit = min(max, Int(mask) + 1 - first)
    var count = 0
    while count < limit {
      let word = tickring_word_load_acquire(slots + (first + count))
      guard UInt32(truncatingIfNeeded: word) == UInt32(truncatingIfNeeded: next &+ UInt64(count) &+ 1)
      else { break }
      count += 1
    }
    guard count > 0 else { return 0 }
    let run = Span(_unsafeStart: UnsafePointer(slots + first), count: count)
    try body(run)
    next &+= UInt64(count)
    return count
  }

  /// Reads the next run of at most `max` records and releases them: one release for the whole run.
  @inlinable
  public mutating func drain<E: Error>(max: Int, _ body: (Span<Tick>) throws(E) -> Void) throws(E) -> Int {
    let count = try read(max: max, body)
    if count > 0 { tickring_cursor_store(released, next) }
    return count
  }

  /// Gives everything before `position` back to the producer.
  public mutating func release(upTo position: UInt64) {
    precondition(position <= next, "only what was read can be released")
    tickring_cursor_store(released, position)
  }

  /// Drops what waits and goes on with what is published from now on.
  public mutating func skipToLatest() {
    next = max(next, tickring_cursor_load(tickring_lane_published(mapping.base)))
    tickring_cursor_store(released, next)
  }

  /// Tells the processor that the caller spins.
  @inlinable
  public static func pause() { tickring_pause() }
}
