public import CSharedRing
internal import Glibc
public import MarketData

/// The feed handler's end of the feed segment: header, counters, instrument table and last values.
///
/// A final class because the receive thread, the recorder and the control thread each write counters of their own
/// in it; every word has one writing thread.
@safe
public final class FeedSegment: @unchecked Sendable {
  // @unchecked: each word of the mapping is written by one thread, as FeedCounter groups them, through atomics.

  private let mapping: SharedMapping
  @usableFromInline let counters: UnsafeMutableRawPointer
  @usableFromInline let lastValues: UnsafeMutablePointer<Tick>
  @usableFromInline let instruments: UnsafeMutablePointer<tickring_instrument>

  /// Rows in the instrument table.
  public let instrumentsMax: Int
  /// What was found in place of a new segment, in a sentence; nil when there was nothing.
  public let takeover: String?

  /// Longest data directory that the header holds.
  public static let pathBytesMax = Int(TICKRING_REASON_BYTES) - 1
  /// Instrument tables that make sense; the largest takes 128 MiB of rows and last values.
  public static let instrumentsMaxRange = 1...1_048_576

  /// Creates the feed segment, in place of what a dead feed handler left.
  ///
  /// - Throws: ``Fault`` of kind `held`, naming the pid, when another feed handler runs under this name, or what
  ///   creating shared memory throws.
  public init(
    feed: String, instrumentsMax: Int, controlSocket: String, dataDirectory: String,
    permissions: UInt32
  ) throws(Fault) {
    try SegmentNames.check(feed, what: "feed")
    precondition(Self.instrumentsMaxRange.contains(instrumentsMax))
    let name = SegmentNames.feed(feed)
    let layout = FeedLayout(instrumentsMax: instrumentsMax)
    let (takeover, oldEpoch) = try Self.removeLeftover(name, feed: feed)
    let mapping = try SharedMapping(creating: name, byteCount: layout.byteCount, permissions: permissions)
    guard mapping.tryLock(role: Int32(TICKRING_LOCK_PRODUCER)) else {
      throw Self.heldFault(feed, mapping.base.assumingMemoryBound(to: tickring_feed_header.self))
    }
    let header = mapping.base.assumingMemoryBound(to: tickring_feed_header.self)
    header.pointee.layout_version = UInt32(TICKRING_LAYOUT_VERSION)
    header.pointee.instruments_max = UInt32(instrumentsMax)
    header.pointee.segment_bytes = UInt64(layout.byteCount)
    header.pointee.counters_offset = UInt64(layout.countersOffset)
    header.pointee.instruments_offset = UInt64(layout.instrumentsOffset)
    header.pointee.last_values_offset = UInt64(layout.lastValuesOffset)
    header.pointee.epoch = oldEpoch &+ 1
    header.pointee.created_wall_ns = Timestamp.wallClock().nanoseconds
    header.pointee.clock_speed = FeedClock.system.speed
    header.pointee.producer_pid = getpid()
    mapping.setText(feed, at: FeedLayout.feed, byteCountMax: Int(TICKRING_NAME_BYTES))
    mapping.setText(controlSocket, at: FeedLayout.controlSocket, byteCountMax: Int(TICKRING_PATH_BYTES))
    mapping.setText(dataDirectory, at: FeedLayout.dataDirectory, byteCountMax: Int(TICKRING_REASON_BYTES))
    tickring_word_store_release(mapping.base, TICKRING_FEED_MAGIC)

    self.counters = mapping.base + layout.countersOffset
    self.instruments = (mapping.base + layout.instrumentsOffset)
      .assumingMemoryBound(to: tickring_instrument.self)
    self.lastValues = (mapping.base + layout.lastValuesOffset).assumingMemoryBound(to: Tick.self)
    self.instrumentsMax = instrumentsMax
    self.takeover = takeover
    self.mapping = mapping
  }

  /// Sets a counter; only from the thread that owns it.
  @inlinable
  public func set(_ counter: FeedCounter, _ value: UInt64) {
    tickring_word_store_release(counters + counter.rawValue &* 8, value)
  }

  /// Adds to a counter; only from the thread that owns it.
  @inlinable
  public func add(_ counter: FeedCounter, _ increment: UInt64 = 1) {
    let word = counters + counter.rawValue &* 8
    tickring_word_store_release(word, tickring_word_load_relaxed(word) &+ increment)
  }

  /// Reads a counter.
  @inlinable
  public func value(_ counter: FeedCounter) -> UInt64 {
    tickring_word_load_acquire(counters + counter.rawValue &* 8)
  }

  /// Puts a tick into its instrument's row and counts it; ticks of instruments beyond the table are left out.
  @inlinable
  public func storeLastValue(_ tick: Tick) {
    guard tick.instrument.rawValue < UInt32(truncatingIfNeeded: instrumentsMax) else { return }
    withUnsafeBytes(of: tick) { bytes in
      tickring_last_value_store(
        lastValues + tick.instrument.index, bytes.baseAddress.unsafelyUnwrapped)
    }
    let count = UnsafeMutableRawPointer(instruments + tick.instrument.index) + 56
    tickring_word_store_relaxed(count, tickring_word_load_relaxed(count) &+ 1)
  }

  /// Writes rows of the instrument table; from the control thread.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when an identifier lies beyond the table.
  public func define(_ newInstruments: [Instrument]) throws(Fault) {
    for instrument in newInstruments {
      guard instrument.id.index < instrumentsMax else {
        throw Fault(
          .configuration,
          "instrument \(instrument.symbol) has number \(instrument.id.rawValue), but shared_memory.instruments_max "
            + "is \(instrumentsMax); raise it")
      }
      let row = instruments + instrument.id.index
      row.pointee.id = instrument.id.rawValue
      row.pointee.lot_size = UInt32(clamping: instrument.lotSize)
      row.pointee.price_tick = instrument.priceTick.units
      let offset = UnsafeMutableRawPointer(row) - mapping.base + FeedLayout.symbolInRow
      mapping.setText(instrument.symbol.text, at: offset, byteCountMax: Int(TICKRING_NAME_BYTES))
    }
    let end = UInt64(newInstruments.map { $0.id.index + 1 }.max() ?? 0)
    set(.instrumentCount, max(end, value(.instrumentCount)))
    add(.instrumentVersion)
  }

  /// Tells readers the feed's clock; before the state becomes running, and never after.
  public func setClock(_ clock: FeedClock) {
    let header = mapping.base.assumingMemoryBound(to: tickring_feed_header.self)
    header.pointee.clock_feed_origin_ns = clock.feedOrigin.nanoseconds
    header.pointee.clock_wall_origin_ns = clock.wallOrigin.nanoseconds
    header.pointee.clock_speed = clock.speed
  }

  /// Latches a HALT: the reason first, then the state, so that whoever sees the state can read the reason.
  public func halt(reason: String) {
    guard value(.state) != FeedState.halted.rawValue else { return }
    mapping.setText(reason, at: FeedLayout.haltReason, byteCountMax: Int(TICKRING_REASON_BYTES))
    set(.state, FeedState.halted.rawValue)
  }

  /// Removes the segment's name; processes that have it mapped can read it to its end.
  public func unlink() {
    SharedMapping.unlink(mapping.name)
  }

  private static func heldFault(_ feed: String, _ header: UnsafePointer<tickring_feed_header>) -> Fault {
    Fault(
      .held,
      "feed '\(feed)' is held by process \(header.pointee.producer_pid); stop it, or give this feed another name"
    )
  }

  /// A left-over gives its epoch and goes: whoever has it mapped keeps seeing a dead producer, and is never
  /// mistaken for a reader of the new one.
  private static func removeLeftover(_ name: String, feed: String) throws(Fault) -> (String?, epoch: UInt64) {
    guard let old = try SharedMapping(existing: name, access: .readWrite) else { return (nil, 0) }
    let header = old.base.assumingMemoryBound(to: tickring_feed_header.self)
    let canReadHeader = old.byteCount >= MemoryLayout<tickring_feed_header>.size
    if old.isLockedByOther(role: Int32(TICKRING_LOCK_PRODUCER)) {
      guard canReadHeader else { throw Fault(.held, "shared memory '\(name)' is held by another process") }
      throw heldFault(feed, header)
    }
    SharedMapping.unlink(name)
    guard canReadHeader, tickring_word_load_acquire(old.base) == TICKRING_FEED_MAGIC,
      header.pointee.layout_version == UInt32(TICKRING_LAYOUT_VERSION)
    else { return ("removed shared memory '\(name)' that a dead process left with another layout", 0) }
    return (
      "took over feed '\(feed)' that process \(header.pointee.producer_pid) left when it died",
      header.pointee.epoch
    )
  }
}

/// Where the parts of a feed segment lie.
struct FeedLayout {
  let countersOffset = Int(TICKRING_PAGE_BYTES)
  let instrumentsOffset = 2 * Int(TICKRING_PAGE_BYTES)
  let lastValuesOffset: Int
  let byteCount: Int

  init(instrumentsMax: Int) {
    lastValuesOffset = instrumentsOffset + instrumentsMax * MemoryLayout<tickring_instrument>.stride
    byteCount = lastValuesOffset + instrumentsMax * MemoryLayout<Tick>.stride
  }

  static let feed = MemoryLayout<tickring_feed_header>.offset(of: \.feed) ?? 0
  static let controlSocket = MemoryLayout<tickring_feed_header>.offset(of: \.control_socket) ?? 0
  static let dataDirectory = MemoryLayout<tickring_feed_header>.offset(of: \.data_directory) ?? 0
  static let haltReason = MemoryLayout<tickring_feed_header>.offset(of: \.halt_reason) ?? 0
  static let symbolInRow = MemoryLayout<tickring_instrument>.offset(of: \.symbol) ?? 0
}
