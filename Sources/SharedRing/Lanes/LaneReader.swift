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
///   if count == 0 { reader.wait(.spinThenFutex, nanosecondsMax: 100_000_000) }
/// }
/// ```
///
/// The consumer starts where the lane's previous consumer released, so a restarted strategy goes on without a hole.
/// Here it attaches; how it reads is in `LaneReader+Reading.swift`.
@safe
public struct LaneReader: ~Copyable, @unchecked Sendable {
  // @unchecked: as for the writer, a noncopyable value is in one thread's hands at a time.

  let mapping: SharedMapping
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let slots: UnsafeMutablePointer<Tick>
  @usableFromInline let mask: UInt64
  @usableFromInline let published: OpaquePointer
  @usableFromInline let released: OpaquePointer

  /// Position of the next record to read.
  @inlinable
  public var position: UInt64 { next }
  @usableFromInline var next: UInt64
  /// The producer's cursor as last looked at, which may have been before what has been read since.
  @usableFromInline var publishedSeen: UInt64
  /// What the segment's `released` cursor says.
  @usableFromInline var releasedNow: UInt64
  /// What may be released whenever it suits: the end of what was drained.
  @usableFromInline var drained: UInt64
  /// From this position on something is due besides reading: see ``passCheckpoint()``.
  @usableFromInline var checkpoint: UInt64
  @usableFromInline var pace: ReadingPace
  /// True when the last look found nothing.
  @usableFromInline var isWaiting = false
  var sleeps: UInt64

  /// Attaches to a lane that the feed handler has made.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when the lane is absent or not ready, `held` with the holder's pid
  ///   when another process reads it, `protocolViolation` when its layout is another one. ``state(feed:lane:)``
  ///   tells the same as a value.
  public init(feed: String, lane: String) throws(Fault) {
    let name = SegmentNames.lane(lane, of: feed)
    guard let mapping = try SharedMapping(existing: name, access: .readWrite) else {
      throw Fault(.unavailable, "feed '\(feed)' has no lane '\(lane)' (no shared memory '\(name)')")
    }
    let header = mapping.base.assumingMemoryBound(to: tickring_lane_header.self)
    let result = AttachResult(tickring_lane_check(mapping.base, UInt64(mapping.byteCount)))
    let version = result == .otherVersion ? header.pointee.layout_version : 0
    if let fault = result.fault(
      of: "lane '\(name)'", name: name, version: version, readable: Int(TICKRING_LANE_LAYOUT_VERSION))
    {
      throw fault
    }
    guard mapping.tryLock(role: Int32(TICKRING_LOCK_CONSUMER)) else {
      throw Fault(
        .held,
        "lane '\(lane)' of feed '\(feed)' is being read by process \(header.pointee.consumer_pid); "
          + "choose another lane name")
    }
    header.pointee.consumer_pid = getpid()
    self.base = mapping.base
    self.slots = (base + Int(TICKRING_LANE_SLOTS_OFFSET)).assumingMemoryBound(to: Tick.self)
    self.mask = header.pointee.capacity - 1
    self.published = tickring_lane_published(base)
    self.released = tickring_lane_released(base)
    self.next = tickring_cursor_load(released)
    self.publishedSeen = next
    self.releasedNow = next
    self.drained = next
    self.checkpoint = next
    self.pace = ReadingPace(at: next)
    self.sleeps = mapping.value(.sleeps)
    mapping.set(.attaches, mapping.value(.attaches) &+ 1)
    self.mapping = mapping
  }

  deinit {
    if drained > releasedNow { tickring_cursor_store(released, drained) }
  }

  /// What lies under a lane's name, and whether a producer holds it.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it may not be opened.
  public static func state(feed: String, lane: String) throws(Fault) -> AttachResult {
    let name = SegmentNames.lane(lane, of: feed)
    guard let mapping = try SharedMapping(existing: name, access: .readOnly) else { return .absent }
    let result = AttachResult(tickring_lane_check(mapping.base, UInt64(mapping.byteCount)))
    guard result == .ready else { return result }
    return mapping.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) ? .ready : .staleProducer
  }

  /// Number of slots.
  public var capacity: Int { Int(mask) + 1 }

  /// Records that wait to be read, as far as the producer has told: late by at most one batch.
  public var lag: UInt64 {
    let published = tickring_cursor_load(published)
    return published > next ? published - next : 0
  }

  /// Records that the producer dropped because this lane was full, over the life of the lane.
  public var dropped: UInt64 { mapping.value(.dropped) }

  /// Reads a counter of the lane.
  public func value(_ counter: LaneCounter) -> UInt64 { mapping.value(counter) }

  /// True while a producer holds the other end: the kernel says so, even after a `kill -9`.
  public var isProducerAlive: Bool { mapping.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) }

  /// Drops what waits and goes on with what is published from now on; returns how many records were passed over.
  @discardableResult
  public mutating func skipToLatest() -> UInt64 {
    let skipped = lag
    next += skipped
    publishedSeen = next
    mapping.set(.skipped, mapping.value(.skipped) &+ skipped)
    release(upTo: next)
    return skipped
  }

  /// Tells the processor that the caller spins.
  @inlinable
  public static func pause() { tickring_pause() }
}
