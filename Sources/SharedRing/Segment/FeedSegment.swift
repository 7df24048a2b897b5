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
  private let formingRows: UnsafeMutablePointer<tickring_forming>

  /// Rows in the instrument table.
  public let instrumentsMax: Int
  /// What was found in place of a new segment, in a sentence; nil when there was nothing.
  public let takeover: String?
  /// What was asked of the kernel for the segment's memory and refused, in sentences.
  public var refusals: [String] { mapping.refusals }

  /// Longest data directory that the header holds.
  public static let pathBytesMax = Int(TICKRING_REASON_BYTES) - 1
  /// Instrument tables that make sense; the largest takes 8 MiB of rows and last values.
  public static let instrumentsMaxRange = 1...Int(TICKRING_INSTRUMENTS_MAX)

  /// Creates the feed segment, or takes over in place the one that an earlier feed handler left.
  ///
  /// In place, where layout, size and data directory agree: whoever has it mapped goes on reading last values, and
  /// sees that ``FeedCounter/epoch`` went up. A left-over of another kind is replaced. Nobody but its owner may write it,
  /// whatever the mode of `options` allows for lanes.
  ///
  /// - Throws: ``Fault`` of kind `held`, naming the pid, when another feed handler runs under this name, or what
  ///   creating shared memory throws.
  public init(
    feed: String, instrumentsMax: Int, controlSocket: String, dataDirectory: String,
    options: SegmentOptions = SegmentOptions()
  ) throws(Fault) {
    try SegmentNames.check(feed, what: "feed")
    precondition(Self.instrumentsMaxRange.contains(instrumentsMax))
    let name = SegmentNames.feed(feed)
    let layout = FeedLayout(instrumentsMax: instrumentsMax)
    var takeover: String?
    let mapping = try SegmentClaim.claim(
      name, byteCount: layout.byteCount, options: options.withoutOtherWriters
    ) {
      old throws(Fault) in
      let result = AttachResult(tickring_feed_check(old.base, UInt64(old.byteCount)))
      guard result == .ready else {
        takeover = "removed shared memory '\(name)' that a dead process left unfinished or in another layout"
        return false
      }
      takeover = Self.takeoverSentence(feed, old)
      // Numbers of instruments come from the data directory: under another one the rows mean something else.
      let oldDirectory = old.text(at: FeedLayout.dataDirectory, byteCountMax: Int(TICKRING_REASON_BYTES))
      return old.byteCount == layout.byteCount && oldDirectory == dataDirectory
    } heldFault: { other in
      Self.heldFault(feed, other)
    }
    let base = mapping.base
    self.counters = base + layout.countersOffset
    self.instruments = (base + layout.instrumentsOffset).assumingMemoryBound(to: tickring_instrument.self)
    self.lastValues = (base + layout.lastValuesOffset).assumingMemoryBound(to: Tick.self)
    self.formingRows = (base + layout.formingOffset).assumingMemoryBound(to: tickring_forming.self)
    self.instrumentsMax = instrumentsMax
    self.takeover = takeover

    // Who attaches meanwhile finds a segment that is not initialised, and comes again.
    tickring_word_store_release(base, 0)
    let epoch = tickring_word_load_relaxed(counters + FeedCounter.epoch.rawValue * 8)
    for counter in FeedCounter.allCases where counter != .epoch && counter != .instrumentCount {
      tickring_word_store_relaxed(counters + counter.rawValue * 8, 0)
    }
    let header = base.assumingMemoryBound(to: tickring_feed_header.self)
    header.pointee.layout_version = UInt32(TICKRING_FEED_LAYOUT_VERSION)
    header.pointee.instruments_max = UInt32(instrumentsMax)
    header.pointee.segment_bytes = UInt64(layout.byteCount)
    header.pointee.counters_offset = UInt64(layout.countersOffset)
    header.pointee.instruments_offset = UInt64(layout.instrumentsOffset)
    header.pointee.last_values_offset = UInt64(layout.lastValuesOffset)
    header.pointee.forming_offset = UInt64(layout.formingOffset)
    header.pointee.created_wall_ns = Timestamp.wallClock().nanoseconds
    header.pointee.clock_speed = FeedClock.system.speed
    header.pointee.producer_pid = getpid()
    mapping.setText(feed, at: FeedLayout.feed, byteCountMax: Int(TICKRING_NAME_BYTES))
    mapping.setText(controlSocket, at: FeedLayout.controlSocket, byteCountMax: Int(TICKRING_PATH_BYTES))
    mapping.setText(dataDirectory, at: FeedLayout.dataDirectory, byteCountMax: Int(TICKRING_REASON_BYTES))
    for row in 0..<instrumentsMax { instruments[row].ticks = 0 }
    tickring_word_store_release(counters + FeedCounter.epoch.rawValue * 8, epoch &+ 1)
    tickring_word_store_release(base, TICKRING_FEED_MAGIC)
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

  /// Puts a tick into its instrument's row and counts it, or as many as it stands for; ticks of instruments beyond the
  /// table are left out.
  @inlinable
  public func storeLastValue(_ tick: Tick, counting count: UInt64 = 1) {
    guard tick.instrument.rawValue < UInt32(truncatingIfNeeded: instrumentsMax) else { return }
    withUnsafeBytes(of: tick) { bytes in
      tickring_last_value_store(
        lastValues + tick.instrument.index, bytes.baseAddress.unsafelyUnwrapped)
    }
    countTicks(tick.instrument.index, count)
  }

  /// Puts the running minute of an instrument into its row; from the recorder thread alone.
  ///
  /// - Parameter newest: The newest record that the candle takes into account, be it of any instrument.
  public func storeForming(_ candle: Candle, upTo newest: Tick) {
    guard candle.instrument.index < instrumentsMax else { return }
    var row = tickring_forming()
    row.instrument = candle.instrument.rawValue
    row.start_ns = candle.start.nanoseconds
    (row.open, row.high) = (candle.open.units, candle.high.units)
    (row.low, row.close) = (candle.low.units, candle.close.units)
    (row.volume, row.turnover) = (candle.volume, candle.turnover)
    (row.received_ns, row.sequence) = (newest.receiveTime.nanoseconds, newest.sequence)
    row.open_interest = UInt32(clamping: candle.openInterest)
    row.tick_count = UInt32(clamping: candle.tickCount)
    row.flags = candle.flags.rawValue
    row.coverage = UInt8(clamping: candle.coverage)
    tickring_forming_store(formingRows + candle.instrument.index, &row)
  }

  /// Adds to the ticks of the instrument in a row of the table.
  @inlinable
  func countTicks(_ row: Int, _ count: UInt64) {
    let word = UnsafeMutableRawPointer(instruments + row) + 56
    tickring_word_store_relaxed(word, tickring_word_load_relaxed(word) &+ count)
  }

  /// Empties every row, and its last value, that `isKnown` does not confirm: after a take-over, before anything is
  /// published, those of instruments whose numbers mean something else by now.
  public func keepRows(_ isKnown: (InstrumentID, Symbol) -> Bool) {
    let rows = min(Int(clamping: value(.instrumentCount)), instrumentsMax)
    var kept = 0
    for index in 0..<rows {
      let text = mapping.text(at: symbolOffset(index), byteCountMax: Int(TICKRING_NAME_BYTES))
      if let symbol = try? Symbol(text), isKnown(InstrumentID(rawValue: UInt32(index)), symbol) {
        kept = index + 1
      } else {
        tickring_last_value_clear(lastValues + index)
        tickring_forming_clear(formingRows + index)
        mapping.setText("", at: symbolOffset(index), byteCountMax: Int(TICKRING_NAME_BYTES))
      }
    }
    set(.instrumentCount, UInt64(kept))
    add(.instrumentVersion)
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
      let offset = symbolOffset(instrument.id.index)
      // A row that says so already is being read, perhaps, by whoever has the segment mapped.
      guard mapping.text(at: offset, byteCountMax: Int(TICKRING_NAME_BYTES)) != instrument.symbol.text else {
        continue
      }
      mapping.setText(instrument.symbol.text, at: offset, byteCountMax: Int(TICKRING_NAME_BYTES))
    }
    let end = UInt64(newInstruments.map { $0.id.index + 1 }.max() ?? 0)
    set(.instrumentCount, max(end, value(.instrumentCount)))
    add(.instrumentVersion)
  }

  /// Tells readers the feed's clock: a live feed's before its state becomes running, and never after; a replay's
  /// whenever it is paused, moved or set to another speed. From one thread at a time.
  public func setClock(_ clock: FeedClock) {
    tickring_clock_store(
      mapping.base.assumingMemoryBound(to: tickring_feed_header.self),
      counters + FeedCounter.clockVersion.rawValue * 8,
      tickring_clock(
        feed_origin_ns: clock.feedOrigin.nanoseconds, wall_origin_ns: clock.wallOrigin.nanoseconds,
        speed: clock.speed))
  }

  /// Empties every last value: a replay that went elsewhere has none yet.
  public func clearLastValues() {
    for row in 0..<instrumentsMax {
      tickring_last_value_clear(lastValues + row)
      tickring_forming_clear(formingRows + row)
    }
  }

  /// Latches a HALT: the reason first, then the state, so that whoever sees the state can read the reason.
  public func halt(reason: String) {
    guard value(.state) != FeedState.halted.rawValue else { return }
    mapping.setText(reason, at: FeedLayout.haltReason, byteCountMax: Int(TICKRING_REASON_BYTES))
    set(.state, FeedState.halted.rawValue)
  }

  /// Ends a HALT: whoever sees the state knows that the reason holds no more.
  public func resume(as state: FeedState) {
    guard value(.state) == FeedState.halted.rawValue else { return }
    set(.state, state.rawValue)
  }

  /// Ticks of an instrument published since the process started.
  public func tickCount(of instrument: InstrumentID) -> UInt64 {
    guard instrument.index < instrumentsMax else { return 0 }
    return tickring_word_load_relaxed(UnsafeRawPointer(instruments + instrument.index) + 56)
  }

  /// Removes the segment's name; processes that have it mapped can read it to its end.
  public func unlink() {
    SharedMapping.unlink(mapping.name)
  }

  private func symbolOffset(_ row: Int) -> Int {
    UnsafeMutableRawPointer(instruments + row) - mapping.base + FeedLayout.symbolInRow
  }

  private static func heldFault(_ feed: String, _ other: borrowing SharedMapping) -> Fault {
    guard other.byteCount >= MemoryLayout<tickring_feed_header>.size else {
      return Fault(.held, "feed '\(feed)' is just being started by another process")
    }
    let pid = other.base.assumingMemoryBound(to: tickring_feed_header.self).pointee.producer_pid
    return Fault(
      .held, "feed '\(feed)' is held by process \(pid); stop it, or give this feed another name")
  }

  private static func takeoverSentence(_ feed: String, _ old: borrowing SharedMapping) -> String {
    let pid = old.base.assumingMemoryBound(to: tickring_feed_header.self).pointee.producer_pid
    let state = tickring_word_load_acquire(old.base + Int(TICKRING_PAGE_BYTES))
    guard state == FeedState.halted.rawValue else {
      return "took over feed '\(feed)' that process \(pid) left when it died"
    }
    let reason = old.text(at: FeedLayout.haltReason, byteCountMax: Int(TICKRING_REASON_BYTES))
    return "took over feed '\(feed)' that process \(pid) left halted: \(reason)"
  }
}

/// Where the parts of a feed segment lie.
struct FeedLayout {
  let countersOffset = Int(TICKRING_PAGE_BYTES)
  let instrumentsOffset = 2 * Int(TICKRING_PAGE_BYTES)
  let lastValuesOffset: Int
  let formingOffset: Int
  let byteCount: Int

  init(instrumentsMax: Int) {
    lastValuesOffset = Int(tickring_feed_last_values_offset(UInt32(instrumentsMax)))
    formingOffset = Int(tickring_feed_forming_offset(UInt32(instrumentsMax)))
    byteCount = Int(tickring_feed_bytes(UInt32(instrumentsMax)))
  }

  static let feed = MemoryLayout<tickring_feed_header>.offset(of: \.feed) ?? 0
  static let controlSocket = MemoryLayout<tickring_feed_header>.offset(of: \.control_socket) ?? 0
  static let dataDirectory = MemoryLayout<tickring_feed_header>.offset(of: \.data_directory) ?? 0
  static let haltReason = MemoryLayout<tickring_feed_header>.offset(of: \.halt_reason) ?? 0
  static let symbolInRow = MemoryLayout<tickring_instrument>.offset(of: \.symbol) ?? 0
}
