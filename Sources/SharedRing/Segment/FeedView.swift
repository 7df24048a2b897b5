public import CSharedRing
internal import Glibc
public import MarketData

/// A read-only view of a feed: last values, instruments, counters, for anyone who may map it.
@safe
public final class FeedView: @unchecked Sendable {
  // @unchecked: nothing is written through it, and every shared word is read atomically.

  private let mapping: SharedMapping
  @usableFromInline let counters: UnsafeRawPointer
  @usableFromInline let lastValues: UnsafePointer<Tick>
  private let formingRows: UnsafePointer<tickring_forming>
  private let instrumentRows: UnsafePointer<tickring_instrument>
  @usableFromInline let instrumentsMax: Int
  private let header: UnsafePointer<tickring_feed_header>

  /// The feed's name.
  public let feed: String
  /// The clock by which the feed stamps and seals.
  public var clock: FeedClock {
    let words = tickring_clock_load(header, counters + FeedCounter.clockVersion.rawValue &* 8)
    return FeedClock(
      feedOrigin: Timestamp(nanoseconds: words.feed_origin_ns),
      wallOrigin: Timestamp(nanoseconds: words.wall_origin_ns),
      // Shared memory may say anything; a clock runs forward or stands still.
      speed: words.speed >= 0 && words.speed.isFinite ? words.speed : 1)
  }
  /// Where the feed handler listens for requests.
  public let controlSocket: String
  /// Where the feed handler keeps candles and archive.
  public let dataDirectory: String
  /// Process that feeds it, or last fed it.
  public let producerPID: Int32
  /// How often a feed handler had started on this segment when it was mapped; ``isSuperseded`` tells of the next.
  public let epoch: UInt64

  /// Maps a feed.
  ///
  /// - Throws: ``Fault`` of kind `unavailable` when it is absent, too small or not initialised (each said as such),
  ///   `protocolViolation` when its layout is another one. ``state(feed:)`` tells the same as a value.
  public init(feed: String) throws(Fault) {
    try SegmentNames.check(feed, what: "feed")
    let name = SegmentNames.feed(feed)
    guard let mapping = try SharedMapping(existing: name, access: .readOnly) else {
      throw Fault(
        .unavailable, "there is no feed '\(feed)' (no shared memory '\(name)'); start `tickring ingest` first"
      )
    }
    let header = mapping.base.assumingMemoryBound(to: tickring_feed_header.self)
    let result = AttachResult(tickring_feed_check(mapping.base, UInt64(mapping.byteCount)))
    let version = result == .otherVersion ? header.pointee.layout_version : 0
    if let fault = result.fault(
      of: "feed '\(feed)'", name: name, version: version, readable: Int(TICKRING_FEED_LAYOUT_VERSION))
    {
      throw fault
    }
    let layout = FeedLayout(instrumentsMax: Int(header.pointee.instruments_max))
    self.counters = UnsafeRawPointer(mapping.base + layout.countersOffset)
    self.instrumentRows = UnsafePointer(
      (mapping.base + layout.instrumentsOffset).assumingMemoryBound(to: tickring_instrument.self))
    self.lastValues = UnsafePointer(
      (mapping.base + layout.lastValuesOffset).assumingMemoryBound(to: Tick.self))
    self.formingRows = UnsafePointer(
      (mapping.base + layout.formingOffset).assumingMemoryBound(to: tickring_forming.self))
    self.instrumentsMax = Int(header.pointee.instruments_max)
    self.feed = feed
    self.header = UnsafePointer(header)
    self.controlSocket = mapping.text(
      at: FeedLayout.controlSocket, byteCountMax: Int(TICKRING_PATH_BYTES))
    self.dataDirectory = mapping.text(
      at: FeedLayout.dataDirectory, byteCountMax: Int(TICKRING_REASON_BYTES))
    self.producerPID = header.pointee.producer_pid
    self.epoch = tickring_word_load_acquire(counters + FeedCounter.epoch.rawValue * 8)
    self.mapping = mapping
  }

  /// What lies under a feed's name, and whether a feed handler holds it.
  ///
  /// - Throws: ``Fault`` of kind `usage` when it is no name of a feed, `missingInput` when it may not be opened.
  public static func state(feed: String) throws(Fault) -> AttachResult {
    try SegmentNames.check(feed, what: "feed")
    guard let mapping = try SharedMapping(existing: SegmentNames.feed(feed), access: .readOnly) else {
      return .absent
    }
    let result = AttachResult(tickring_feed_check(mapping.base, UInt64(mapping.byteCount)))
    guard result == .ready else { return result }
    return mapping.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) ? .ready : .staleProducer
  }

  /// True once another feed handler has taken this segment over: clock, paths and pid may then be others, and are
  /// read by mapping the feed again.
  public var isSuperseded: Bool { value(.epoch) != epoch }

  /// True when both have mapped one piece of shared memory, and not one of the same name that was made since.
  public func isSameSegment(as other: FeedView) -> Bool { mapping.isSameObject(as: other.mapping) }

  /// Reads a counter.
  @inlinable
  public func value(_ counter: FeedCounter) -> UInt64 {
    tickring_word_load_acquire(counters + counter.rawValue &* 8)
  }

  /// What the feed handler is doing; nil for a number this program does not know.
  public var state: FeedState? { FeedState(rawValue: value(.state)) }

  /// True while a feed handler holds the feed: the kernel says so, even after a `kill -9`.
  public var isProducerAlive: Bool { mapping.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) }

  /// Why the feed handler halted; nil unless it did.
  public var haltReason: String? {
    guard state == .halted else { return nil }
    return mapping.text(at: FeedLayout.haltReason, byteCountMax: Int(TICKRING_REASON_BYTES))
  }

  /// The newest tick of an instrument; nil when there was none yet. Some 10 ns, without a lock or a system call.
  @inlinable
  public func latest(_ instrument: InstrumentID) -> Tick? {
    guard instrument.index < instrumentsMax else { return nil }
    return withUnsafeTemporaryAllocation(of: Tick.self, capacity: 1) { buffer in
      let copy = buffer.baseAddress.unsafelyUnwrapped
      if tickring_last_value_load(lastValues + instrument.index, copy) { return copy.pointee }
      return awaitRow(instrument.index, into: copy) ? copy.pointee : nil
    }
  }

  /// Longest wait for a feed handler that lost its processor while it wrote a row.
  private static let rowNanosecondsMax: Int64 = 100_000_000

  /// Reads a row that was being written at each of many looks; false when it is empty, or was left so by a producer
  /// that died in it.
  @usableFromInline
  func awaitRow(_ index: Int, into copy: UnsafeMutablePointer<Tick>) -> Bool {
    let row = lastValues + index
    guard tickring_last_value_is_busy(row) else { return tickring_last_value_load(row, copy) }
    let end = Timestamp.monotonicNanoseconds() + Self.rowNanosecondsMax
    while isProducerAlive, Timestamp.monotonicNanoseconds() < end {
      sched_yield()
      if tickring_last_value_load(row, copy) { return true }
    }
    return false
  }

  /// The candle of an instrument's running minute, as the feed handler's recorder has built it; nil when there has been
  /// no trade in it, or the minute is over at `now`. Some 20 ns, without a lock or a system call.
  ///
  /// - Parameter now: The feed's time, as its ``clock`` shows.
  public func forming(_ instrument: InstrumentID, at now: Timestamp) -> FormingCandle? {
    guard instrument.index < instrumentsMax else { return nil }
    var row = tickring_forming()
    guard tickring_forming_load(formingRows + instrument.index, &row),
      tickring_forming_is_running(&row, now.nanoseconds)
    else { return nil }
    return FormingCandle(row)
  }

  /// Ticks of an instrument published since the feed handler started.
  public func tickCount(_ instrument: InstrumentID) -> UInt64 {
    guard instrument.index < instrumentsMax else { return 0 }
    return tickring_word_load_relaxed(UnsafeRawPointer(instrumentRows + instrument.index) + 56)
  }

  /// The instrument table as it is now: symbols by identifier.
  ///
  /// Rows that no instrument has taken are left out. The venue's token is not in shared memory.
  public func instruments() -> [(id: InstrumentID, symbol: Symbol, priceTick: Price)] {
    let count = min(Int(clamping: value(.instrumentCount)), instrumentsMax)
    return (0..<count).compactMap { index in
      let offset = UnsafeRawPointer(instrumentRows + index) - UnsafeRawPointer(mapping.base)
      let text = mapping.text(at: offset + FeedLayout.symbolInRow, byteCountMax: Int(TICKRING_NAME_BYTES))
      guard let symbol = try? Symbol(text) else { return nil }
      return (
        InstrumentID(rawValue: UInt32(index)), symbol, Price(units: instrumentRows[index].price_tick)
      )
    }
  }
}
