import MarketData
import Synchronization
import TickRing

/// A feed that is a script: no network, no clock, no disk.
final class ScriptedFeed: MarketFeed {
  let mode: DataMode
  /// True when its time is not the machine's, as of a back-test or a replay: its store may know the future.
  let isReplayed: Bool
  var clock: FeedClock {
    isReplayed ? FeedClock(feedOrigin: now, wallOrigin: .unknown, speed: 1) : .system
  }
  var now: Timestamp
  var instruments: [(id: InstrumentID, symbol: Symbol)]
  let instrumentVersion: UInt64 = 1
  private(set) var observed: Set<String> = []
  private var ticks: [Tick]
  private var position = 0
  private var newest: [InstrumentID: Tick] = [:]
  private let stored: [Candle]
  private var storedPosition = 0
  private let last: MarketEvent?
  private let hold: Hold?

  static let names = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"]
  /// 09:15 on the 23rd of November 2026.
  static let open = Timestamp(seconds: 1_795_405_500)

  init(
    mode: DataMode = .backtest, isReplayed: Bool? = nil, ticks: [Tick] = [], stored: [Candle] = [],
    last: MarketEvent? = .ended, hold: Hold? = nil
  ) {
    self.hold = hold
    self.mode = mode
    self.isReplayed = isReplayed ?? (mode == .backtest)
    self.ticks = ticks
    self.stored = stored
    self.last = last
    now = Self.open
    instruments = Self.names.enumerated().compactMap { index, name in
      (try? Symbol(name)).map { (InstrumentID(rawValue: UInt32(index)), $0) }
    }
  }

  /// A trade so many seconds after the open, a tenth of a second under way.
  static func tick(_ second: Double, _ price: Double, volume: Int64, instrument: UInt32 = 0) -> Tick {
    let time = open + Int64(second * 1e9)
    return Tick(
      instrument: InstrumentID(rawValue: instrument), sequence: UInt64((second + 1000) * 1000),
      receiveTime: time + 100_000_000, exchangeTime: time, lastPrice: Price(units: Int64(price * 1e9)),
      dayVolume: volume, lastTradeSeconds: UInt32(time.seconds), lastQuantity: 1, openInterest: 0)
  }

  static func candle(_ minute: Int64, close: Double = 100, instrument: UInt32 = 0, volume: Int64 = 10)
    -> Candle
  {
    let price = Price(units: Int64(close * 1e9))
    return Candle(
      instrument: InstrumentID(rawValue: instrument), interval: .minute,
      start: open + minute * 60_000_000_000,
      open: price, high: price, low: price, close: price, volume: volume, origin: .venue)
  }

  func observe(_ symbols: [String]) throws(Fault) { observed.formUnion(symbols) }
  func unobserve(_ symbols: [String]) throws(Fault) { observed.subtract(symbols) }

  func read(max: Int, _ body: (Span<Tick>) -> Void) -> Int {
    if hold?.look() == true { return 0 }
    let count = min(max, ticks.count - position)
    guard count > 0 else { return 0 }
    let part = Array(ticks[position..<position + count])
    body(part.span)
    position += count
    return count
  }
  func release() {}
  func note(_ tick: Tick) {
    now = max(now, tick.receiveTime)
    newest[tick.instrument] = tick
  }
  func advance(to time: Timestamp) { now = max(now, time) }
  /// The script's range ends ten minutes after the open.
  var quietUntil: Timestamp { Self.open + 600_000_000_000 }
  func nextStoredCandle() throws(Fault) -> (candle: Candle, time: Timestamp)? {
    guard storedPosition < stored.count else { return nil }
    return (stored[storedPosition], stored[storedPosition].end + 3_000_000_000)
  }
  func skipStoredCandle() { storedPosition += 1 }
  func notice() -> MarketEvent? { hold?.isHolding == true ? nil : last }
  var backlog: (waiting: UInt64, lost: UInt64) { (UInt64(ticks.count - position), 0) }
  func latest(_ instrument: InstrumentID) -> Tick? { newest[instrument] }
  func history() throws(Fault) -> any CandleHistory { ScriptedHistory(candles: stored) }
  func close() {}
}

struct ScriptedHistory: CandleHistory {
  let candles: [Candle]

  func candles(of instrument: InstrumentID, interval: Interval, from: Timestamp, to: Timestamp) throws(Fault)
    -> [Candle]
  {
    candles.filter {
      $0.instrument == instrument && $0.interval == interval && $0.start >= from && $0.start < to
    }
  }

  func latestCandles(of instrument: InstrumentID, interval: Interval, count: Int, before: Timestamp)
    throws(Fault) -> [Candle]
  {
    Array(
      try candles(of: instrument, interval: interval, from: Timestamp(nanoseconds: .min), to: before)
        .suffix(count))
  }

  func bounds(of instrument: InstrumentID, interval: Interval) throws(Fault) -> ClosedRange<Timestamp>? {
    let starts = candles.filter { $0.instrument == instrument && $0.interval == interval }.map(\.start)
    return starts.min().flatMap { first in starts.max().map { first...$0 } }
  }
}

/// Keeps a script from going on, as the pace of a back-test does, until it is let go or was asked too often.
final class Hold: Sendable {
  /// Far more looks than anybody who need not wait leaves time for.
  static let looksMax = 20_000
  private let looks = Mutex(0)

  var isAsked: Bool { looks.withLock { $0 > 0 } }
  var isHolding: Bool { looks.withLock { $0 < Self.looksMax } }
  func letGo() { looks.withLock { $0 = Self.looksMax } }
  /// Notes a look; true while there is nothing to see.
  func look() -> Bool {
    looks.withLock { looks in
      looks += 1
      return looks < Self.looksMax
    }
  }
}
