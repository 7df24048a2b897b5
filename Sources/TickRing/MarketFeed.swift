public import MarketData
public import SharedRing

/// What a ``DataPoller`` needs of the world: records in order, a clock, and past candles. The seam at which live
/// shared memory, an archive, and a test's script are exchanged. All calls come from one thread at a time.
public protocol MarketFeed: AnyObject {
  /// Where the data come from.
  var mode: DataMode { get }
  /// The clock of the data.
  var clock: FeedClock { get }
  /// The feed's time now: of live data what the clock shows, in a back-test the time of the last step.
  var now: Timestamp { get }
  /// Every instrument that the feed knows.
  var instruments: [(id: InstrumentID, symbol: Symbol)] { get }
  /// Grows when ``instruments`` changed.
  var instrumentVersion: UInt64 { get }

  /// Asks for the records of more instruments.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the feed cannot have.
  func observe(_ symbols: [String]) throws(Fault)
  /// Asks no more for these.
  func unobserve(_ symbols: [String]) throws(Fault)

  /// Lends the next records, at most `max` (at least 1), and returns how many there were; 0 when there is nothing yet.
  func read(max: Int, _ body: (Span<Tick>) -> Void) -> Int
  /// Gives back what was read: it has been handed out.
  func release()
  /// What is observed has changed: in a back-test the records behind the last one that was noted are lent anew by it,
  /// and the answer is true. False where what was lent stands, for it was observed when it came.
  func takeBack() -> Bool
  /// Told of each record before it is handed out: in a back-test it is the instrument's newest from now on, and the
  /// clock stands at its receive time. Nothing in a live feed.
  func note(_ tick: Tick)
  /// Sets the clock of a back-test, which never goes back. Nothing in a live feed.
  func advance(to now: Timestamp)
  /// How far stored candles may be told while there is no record: in a back-test whose records have come to their end
  /// up to the end of the range, in a paced one what its clock shows.
  var quietUntil: Timestamp { get }
  /// The stored candle that appears next as an event of its own, and when; nil where ticks are all there is.
  func nextStoredCandle() throws(Fault) -> (candle: Candle, time: Timestamp)?
  /// Goes on behind ``nextStoredCandle()``.
  func skipStoredCandle()
  /// What the feed has to say of itself once all records have been read: that it was lost, is back, halted or ended;
  /// nil while there is nothing to say. Behind ``MarketEvent/ended`` nothing follows, nor behind
  /// ``MarketEvent/halt(reason:)`` unless ``canResume``.
  func notice() -> MarketEvent?
  /// True while a HALT that was told last may still be resumed.
  var canResume: Bool { get }
  /// Waits until a record is there, or for at most so long.
  func wait(_ strategy: WaitStrategy, nanosecondsMax: Int64)
  /// Drops what waits, and returns how many records were passed over.
  func skipToLatest() -> UInt64
  /// Records that wait, and records that were lost because nobody read them.
  var backlog: (waiting: UInt64, lost: UInt64) { get }

  /// The candle of the running minute as the feed handler has built it; nil where there is none but what a strategy's
  /// own ticks make.
  func forming(_ instrument: InstrumentID) -> Candle?
  /// The newest tick of an instrument at ``now``.
  func latest(_ instrument: InstrumentID) -> Tick?
  /// Past candles.
  ///
  /// - Throws: ``Fault`` when there is no store or it cannot be read.
  func history() throws(Fault) -> any CandleHistory
  /// Gives back what the feed holds for this consumer.
  func close()
}

extension MarketFeed {
  /// Only a running feed handler can be told to resume.
  public var canResume: Bool { false }
}

/// Past candles of instruments, whatever keeps them.
public protocol CandleHistory {
  /// The candles of an instrument that start in `[from, to)`, ascending; the best there is of each interval.
  func candles(of instrument: InstrumentID, interval: Interval, from: Timestamp, to: Timestamp) throws(Fault)
    -> [Candle]
  /// The last `count` candles of an instrument that start before `before`, ascending.
  func latestCandles(of instrument: InstrumentID, interval: Interval, count: Int, before: Timestamp)
    throws(Fault) -> [Candle]
  /// Starts of the first and the last candle of an instrument; nil when there is none.
  func bounds(of instrument: InstrumentID, interval: Interval) throws(Fault) -> ClosedRange<Timestamp>?
}

extension MarketFeed {
  /// Nothing is taken back.
  public func takeBack() -> Bool { false }
  /// Returns at once: a feed that is read and not received has its records ready.
  public func wait(_: WaitStrategy, nanosecondsMax _: Int64) {}
  /// None: a feed without a feed handler behind it.
  public func forming(_: InstrumentID) -> Candle? { nil }
  /// Passes over nothing: what is read and not received is never late.
  public func skipToLatest() -> UInt64 { 0 }
}
