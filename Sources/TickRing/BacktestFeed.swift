internal import CandleStore
internal import Configuration
internal import Foundation
internal import MarketData
internal import TickArchive

/// The recorded past as a feed: ticks from the archive, and stored candles where there are no ticks.
///
/// The clock is the data's. Each candle of the store appears at its sealing, unless ticks made that minute. Paced by
/// a speed, nothing appears before the machine's clock has come to it; without one it comes as fast as it is read.
final class BacktestFeed: MarketFeed {
  let mode = DataMode.backtest
  private let from: Timestamp
  private let to: Timestamp
  private let pace: FeedClock?
  /// How far the data may be told, as the last read found it: one look at the clock serves a whole step, or what
  /// became due in between would be passed over.
  private var reach: Timestamp
  private let graceNanoseconds: Int64
  private let known: [Instrument]
  private var observed = InstrumentSet()
  private var observedIDs: Set<InstrumentID> = []
  private let moment: PastMoment
  private let archive: ArchiveReader?
  private var ticks: ArchiveTicks?
  private let store: CandleStore?
  private var schedule: CandleSchedule
  private var fault: Fault?

  init(_ configuration: FeedConfiguration) throws(Fault) {
    let range = configuration.backtest
    guard let from = range.from, let to = range.to else {
      throw Fault(.configuration, "mode is backtest, but backtest.from and backtest.to do not name a range")
    }
    let directory = configuration.dataDirectory
    let archive: ArchiveReader? =
      FileManager.default.fileExists(atPath: directory + "/archive")
      ? try ArchiveReader(directory: directory + "/archive", feed: configuration.feed) : nil
    let storePath = directory + "/candles.sqlite"
    let store: CandleStore? =
      FileManager.default.fileExists(atPath: storePath)
      ? try CandleStore(path: storePath, mode: .readOnly) : nil
    guard archive != nil || store != nil else {
      throw Fault(
        .missingInput,
        "'\(directory)' holds neither candles.sqlite nor archive/; a back-test needs recorded data")
    }
    var known: [InstrumentID: Instrument] = [:]
    for instrument in archive?.instruments ?? [] { known[instrument.id] = instrument }
    for instrument in try store?.instruments() ?? [] { known[instrument.id] = instrument }
    self.known = known.values.sorted { $0.id < $1.id }
    self.from = from
    self.to = to
    self.store = store
    reach = from
    graceNanoseconds = Int64(configuration.candles.graceMilliseconds) * 1_000_000
    pace =
      range.speed == 0
      ? nil : FeedClock(feedOrigin: from, wallOrigin: .wallClock(), speed: Double(range.speed))
    self.archive = archive
    if let archive { ticks = try ArchiveTicks(archive, from: from, to: to, behind: nil) }
    schedule = CandleSchedule(from: from, to: to, graceNanoseconds: graceNanoseconds)
    moment = PastMoment(instruments: (self.known.last?.id.index ?? -1) + 1, now: from)
  }

  var now: Timestamp { moment.now }
  var clock: FeedClock { pace ?? FeedClock(feedOrigin: now, wallOrigin: .wallClock(), speed: 1) }
  var instruments: [(id: InstrumentID, symbol: Symbol)] { known.map { ($0.id, $0.symbol) } }
  var instrumentVersion: UInt64 { 1 }
  var backlog: (waiting: UInt64, lost: UInt64) { (0, 0) }

  func observe(_ symbols: [String]) throws(Fault) {
    for id in try ids(symbols) {
      observed.insert(id)
      observedIDs.insert(id)
    }
    schedule.observe(observedIDs, after: now)
  }

  func unobserve(_ symbols: [String]) throws(Fault) {
    for id in try ids(symbols) {
      observed.remove(id)
      observedIDs.remove(id)
    }
    schedule.observe(observedIDs, after: now)
  }

  private func ids(_ symbols: [String]) throws(Fault) -> [InstrumentID] {
    var ids: [InstrumentID] = []
    for symbol in symbols {
      guard let instrument = known.first(where: { $0.symbol.text == symbol }) else {
        throw DataPoller.unknown(symbol, among: known.map(\.symbol.text))
      }
      ids.append(instrument.id)
    }
    return ids
  }

  func read(max: Int, _ body: (Span<Tick>) -> Void) -> Int {
    reach = pace.map { min($0.now(), to) } ?? to
    guard ticks != nil else { return 0 }
    // Where everything is observed nothing need be sorted out.
    let filter = observedIDs.count == known.count ? nil : observed
    do throws(Fault) {
      return try ticks?.read(max: max, observed: filter, until: reach, body) ?? 0
    } catch {
      fault = error
      ticks = nil
      return 0
    }
  }

  func release() {}

  func takeBack() -> Bool {
    guard let archive, ticks != nil else { return false }
    do throws(Fault) {
      ticks = try ArchiveTicks(archive, from: now, to: to, behind: moment.lastNoted)
    } catch {
      fault = error
      ticks = nil
    }
    return true
  }

  func note(_ tick: Tick) {
    moment.note(tick)
  }

  func advance(to time: Timestamp) { moment.advance(to: time) }

  var quietUntil: Timestamp { reach }

  func nextStoredCandle() throws(Fault) -> (candle: Candle, time: Timestamp)? {
    guard let store else { return nil }
    return try schedule.next(in: store)
  }

  func skipStoredCandle() { schedule.skip() }

  func notice() -> MarketEvent? {
    if let fault { return .halt(reason: fault.message) }
    return reach < to ? nil : .ended
  }

  func latest(_ instrument: InstrumentID) -> Tick? {
    moment.latest(instrument)
  }

  func history() throws(Fault) -> any CandleHistory { store ?? NoHistory() }

  func close() {}
}

/// The ticks of a range of an archive, block by block.
private struct ArchiveTicks: ~Copyable {
  private var scan: ArchiveScan
  private var position = 0
  private var count = 0
  private var wanted: [Tick] = []
  /// What comes first has been handed out, up to this.
  private var last: PastMoment.Place?

  init(_ archive: ArchiveReader, from: Timestamp, to: Timestamp, behind last: PastMoment.Place?) throws(Fault)
  {
    scan = try archive.scan(TickSelection(from: from, to: to))
    self.last = last
  }

  /// Lends the next observed records received up to `limit`; all of them when `observed` is nil.
  mutating func read(max: Int, observed: InstrumentSet?, until limit: Timestamp, _ body: (Span<Tick>) -> Void)
    throws(Fault) -> Int
  {
    while true {
      if position == count {
        guard try scan.advance() else { return 0 }
        position = 0
        scan.withTicks { ticks in
          count = ticks.count
          guard let last else { return }
          while position < count, !last.isBefore(ticks[position]) { position += 1 }
        }
        if position == count { continue }
        last = nil
      }
      var lent = 0
      var isWaiting = false
      let first = position
      var next = position
      scan.withTicks { ticks in
        let end = min(first + max, ticks.count)
        if ticks[first].receiveTime > limit {
          isWaiting = true
        } else if observed == nil, ticks[end - 1].receiveTime <= limit {
          next = end
          lent = end - first
          body(ticks.extracting(first..<end))
        } else {
          wanted.removeAll(keepingCapacity: true)
          while next < ticks.count, wanted.count < max, ticks[next].receiveTime <= limit {
            let tick = ticks[next]
            next += 1
            if tick.instrument == .all || observed?.contains(tick.instrument) ?? true { wanted.append(tick) }
          }
          lent = wanted.count
          if lent > 0 { body(wanted.span) }
        }
      }
      position = next
      if lent > 0 || isWaiting { return lent }
    }
  }
}

/// The stored minute candles of the observed instruments in the order of their sealing, a day after the other.
private struct CandleSchedule {
  private let from: Timestamp
  private let to: Timestamp
  private let graceNanoseconds: Int64
  private var observed: Set<InstrumentID> = []
  private var day: Int
  private var candles: [Candle] = []
  private var position = 0
  /// Candles sealed up to this are over.
  private var after = Timestamp.unknown

  init(from: Timestamp, to: Timestamp, graceNanoseconds: Int64) {
    self.from = from
    self.to = to
    self.graceNanoseconds = graceNanoseconds
    day = CivilTime(from).dayNumber
  }

  /// Changes the instruments; the day is looked at anew, from where the clock stands. Candles that were sealed by then
  /// and not handed out yet stay: several may be sealed at one instant.
  mutating func observe(_ instruments: Set<InstrumentID>, after now: Timestamp) {
    observed = instruments
    after = now
    day = CivilTime(max(from, now)).dayNumber
    candles = candles[position...].filter {
      $0.end + graceNanoseconds <= now && instruments.contains($0.instrument)
    }
    position = 0
  }

  mutating func next(in store: CandleStore) throws(Fault) -> (candle: Candle, time: Timestamp)? {
    while position == candles.count {
      let start = CivilTime(dayNumber: day).timestamp()
      guard start < to, !observed.isEmpty else { return nil }
      day += 1
      try load(from: max(from, start), to: min(to, CivilTime(dayNumber: day).timestamp()), store)
    }
    let candle = candles[position]
    return (candle, candle.end + graceNanoseconds)
  }

  mutating func skip() { position += 1 }

  private mutating func load(from: Timestamp, to end: Timestamp, _ store: CandleStore) throws(Fault) {
    candles = []
    position = 0
    for instrument in observed {
      candles += try store.candles(of: instrument, interval: .minute, from: from, to: end).filter {
        let sealing = $0.end + graceNanoseconds
        return sealing <= to && sealing > after
      }
    }
    candles.sort { ($0.start, $0.instrument) < ($1.start, $1.instrument) }
  }
}

/// The history of a back-test that has ticks only.
private struct NoHistory: CandleHistory {
  func candles(of _: InstrumentID, interval _: Interval, from _: Timestamp, to _: Timestamp) throws(Fault)
    -> [Candle]
  { [] }
  func latestCandles(of _: InstrumentID, interval _: Interval, count _: Int, before _: Timestamp)
    throws(Fault)
    -> [Candle]
  { [] }
  func bounds(of _: InstrumentID, interval _: Interval) throws(Fault) -> ClosedRange<Timestamp>? { nil }
}
