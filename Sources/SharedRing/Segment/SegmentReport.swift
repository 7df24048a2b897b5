internal import CSharedRing
internal import Glibc
public import MarketData

/// What lies in shared memory under one name: read without writing a byte, whatever state it is in.
public struct SegmentReport: Sendable {
  /// One end of a segment.
  public struct Role: Sendable, Hashable {
    /// True while a process holds it: the kernel's lock says so.
    public var isHeld: Bool
    /// Process that holds or last held it, as the header says; 0 when it says none.
    public var pid: Int32
  }
  /// A counter as it was read.
  public struct Counter: Sendable {
    /// Short stable name.
    public var name: String
    /// What it counts.
    public var meaning: String
    /// Its value.
    public var value: UInt64
  }

  /// Name of the object, beginning with a slash.
  public let object: String
  /// The feed to which it belongs.
  public let feed: String
  /// The lane's name; nil for a feed segment.
  public let lane: String?
  /// Size in bytes.
  public let byteCount: Int
  /// Number of the user who owns it.
  public let owner: UInt32
  /// Its file mode.
  public let mode: UInt32
  /// What an attaching program finds.
  public let attach: AttachResult
  /// Version of its layout; nil when it was never initialised.
  public let layoutVersion: UInt32?
  /// When it was made; by the file system where the header cannot be read.
  public let created: Timestamp
  /// Who writes.
  public let producer: Role
  /// Who reads; of a feed segment nobody in particular.
  public let consumer: Role
  /// Slots of a lane.
  public let capacity: Int?
  /// What the feed handler of a feed segment is doing.
  public let state: FeedState?
  /// Why it halted.
  public let haltReason: String?
  /// When its receive thread last went round.
  public let heartbeat: Timestamp?
  /// Data directory into which a lane's records go; empty for a strategy's lane.
  public let journalOwner: String
  /// Records of a journal that were not stored yet; for another layout version the difference of its cursors, which
  /// have stayed in their places since version 1.
  public let unstored: UInt64
  /// All counters; empty for another layout.
  public let counters: [Counter]

  /// Records of a lane that its consumer has not released, at most as many as it has slots, whatever a consumer may have
  /// written where it should not; nil for a feed segment and another layout.
  public var waiting: UInt64? {
    func value(_ counter: LaneCounter) -> UInt64? { counters.first { $0.name == counter.name }?.value }
    guard let capacity, let published = value(.published), let released = value(.released) else { return nil }
    return published > released ? min(published - released, UInt64(capacity)) : 0
  }

  /// Looks at the segment of a lane; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it may not be opened.
  public init?(lane: String, of feed: String) throws(Fault) {
    try self.init(object: SegmentNames.lane(lane, of: feed))
  }

  /// Looks at an object named as TickRing names its own; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` when it may not be opened, `usage` for another kind of name.
  public init?(object: String) throws(Fault) {
    let name = try SegmentNames.parse(object)
    guard let mapping = try SharedMapping(existing: object, access: .readOnly) else { return nil }
    let base = mapping.base
    let status = mapping.status
    self.object = object
    feed = name.feed
    lane = name.lane
    byteCount = mapping.byteCount
    owner = status.owner
    mode = status.mode
    let isLane = name.lane != nil
    let result = AttachResult(
      isLane
        ? tickring_lane_check(base, UInt64(byteCount)) : tickring_feed_check(base, UInt64(byteCount)))
    let isProducerHeld = mapping.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER))
    attach = result == .ready && !isProducerHeld ? .staleProducer : result
    let hasHeader = result != .tooSmall && result != .notInitialised
    // Magic and version come first in every layout.
    layoutVersion = hasHeader ? (base + 8).load(as: UInt32.self) : nil
    let isConsumerHeld = isLane && mapping.isLockedByOther(role: Int32(TICKRING_LOCK_CONSUMER))
    let laneHeader = base.assumingMemoryBound(to: tickring_lane_header.self)
    let feedHeader = base.assumingMemoryBound(to: tickring_feed_header.self)
    let isReadable = result == .ready
    var made = status.changed
    if isReadable {
      made = Timestamp(
        nanoseconds: isLane ? laneHeader.pointee.created_wall_ns : feedHeader.pointee.created_wall_ns)
    }
    created = made
    let producerPID =
      isReadable ? (isLane ? laneHeader.pointee.producer_pid : feedHeader.pointee.producer_pid) : 0
    producer = Role(isHeld: isProducerHeld, pid: producerPID)
    consumer = Role(isHeld: isConsumerHeld, pid: isReadable && isLane ? laneHeader.pointee.consumer_pid : 0)
    capacity = isReadable && isLane ? Int(clamping: laneHeader.pointee.capacity) : nil
    journalOwner =
      isReadable && isLane
      ? mapping.text(at: LaneLayout.owner, byteCountMax: Int(TICKRING_REASON_BYTES)) : ""
    if isReadable, isLane {
      unstored = journalOwner.isEmpty ? 0 : mapping.unreadInJournal
    } else {
      unstored = isLane && name.lane == SegmentNames.recorderLane ? mapping.cursorDifference : 0
    }
    guard isReadable else {
      (state, haltReason, heartbeat, counters) = (nil, nil, nil, [])
      return
    }
    guard !isLane else {
      (state, haltReason, heartbeat) = (nil, nil, nil)
      counters = LaneCounter.allCases.map {
        Counter(name: $0.name, meaning: $0.meaning, value: mapping.value($0))
      }
      return
    }
    func value(_ counter: FeedCounter) -> UInt64 {
      tickring_word_load_acquire(base + Int(TICKRING_PAGE_BYTES) + counter.rawValue * 8)
    }
    counters = FeedCounter.allCases.map { Counter(name: $0.name, meaning: $0.meaning, value: value($0)) }
    let feedState = FeedState(rawValue: value(.state))
    state = feedState
    haltReason =
      feedState == .halted
      ? mapping.text(at: FeedLayout.haltReason, byteCountMax: Int(TICKRING_REASON_BYTES)) : nil
    let beat = Timestamp(nanoseconds: Int64(bitPattern: value(.wallHeartbeat)))
    heartbeat = beat.isKnown ? beat : nil
  }
}
