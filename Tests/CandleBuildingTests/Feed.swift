import CandleBuilding
import MarketData

/// A feed of the 23rd of November 2026 in front of an aggregator, written in wall time and rupees.
struct Feed {
  var aggregator: CandleAggregator
  /// Everything that was handed out, in order.
  private(set) var closed: [Candle] = []
  private(set) var records: [Tick] = []

  static let instrument = InstrumentID(rawValue: 7)

  init(interval: Interval = .minute) {
    aggregator = CandleAggregator(interval: interval)
  }

  /// `09:15:59` or `09:16:02.5` on that day.
  static func time(_ clock: String) -> Timestamp {
    guard let time = Timestamp(rfc3339: "2026-11-23T\(clock)+05:30") else {
      preconditionFailure("\(clock) is not a time of day")
    }
    return time
  }

  static func price(_ rupees: Double) -> Price { Price(units: Int64((rupees * 1e4).rounded()) * 100_000) }

  /// A snapshot stamped and received at `clock`, whose last trade was at `traded` (left out: at no known time).
  mutating func tick(
    _ clock: String, traded: String? = nil, price: Double, volume: Int64, received: String? = nil,
    stamped: Bool = true, flags: TickFlags = [], openInterest: UInt32 = 0,
    instrument: InstrumentID = Feed.instrument
  ) {
    let lastTradeSeconds = traded.map { UInt32(Feed.time($0).seconds) } ?? 0
    apply(
      Tick(
        instrument: instrument, sequence: UInt64(records.count + 1),
        receiveTime: Feed.time(received ?? clock),
        exchangeTime: stamped ? Feed.time(clock) : .unknown, lastPrice: Feed.price(price), dayVolume: volume,
        lastTradeSeconds: lastTradeSeconds, lastQuantity: 1, openInterest: openInterest, flags: flags))
  }

  /// The venue says what the day's high and low are.
  mutating func summary(_ clock: String, high: Double, low: Double) {
    let summary = DaySummary(
      open: Feed.price(high), high: Feed.price(high), low: Feed.price(low), previousClose: Feed.price(low))
    apply(summary.record(of: Feed.instrument, receiveTime: Feed.time(clock)))
  }

  /// The feed was down from `start` (nil: not known since when) to `end`, or, while open, was noticed to be at `end`.
  mutating func gap(
    from start: String?, to end: String, cause: GapCause, isOpen: Bool = false,
    instrument: InstrumentID = .all
  ) {
    apply(
      Tick(
        instrument: instrument, sequence: UInt64(records.count + 1), receiveTime: Feed.time(end),
        exchangeTime: start.map(Feed.time) ?? .unknown, lastPrice: .zero, dayVolume: 0, lastTradeSeconds: 0,
        lastQuantity: cause.rawValue, openInterest: 0, flags: isOpen ? .gapOpen : [], kind: .gap))
  }

  mutating func apply(_ record: Tick) {
    records.append(record)
    aggregator.apply(record, into: &closed)
  }

  mutating func advance(to clock: String) {
    aggregator.advance(to: Feed.time(clock), into: &closed)
  }

  /// The last state of the candle that starts at `clock` if the data ended here; nil when there is none.
  func candle(_ clock: String, of instrument: InstrumentID = Feed.instrument) -> Candle? {
    var ended = aggregator
    var states = closed
    ended.finish(into: &states)
    return states.last { $0.start == Feed.time(clock) && $0.instrument == instrument }
  }

  /// The state of the candle that starts at `clock` that was handed out last.
  func handedOut(_ clock: String, of instrument: InstrumentID = Feed.instrument) -> Candle? {
    closed.last { $0.start == Feed.time(clock) && $0.instrument == instrument }
  }

  /// Starts, as wall time, of all candles handed out, with their states.
  var history: [String] {
    closed.map { "\(CivilTime($0.start).timeText) \($0.state)" }
  }
}

extension Candle {
  /// Open, high, low, close as decimals and the volume: `100 100.05 99.9 100.05 v13`.
  var summary: String { "\(open) \(high) \(low) \(close) v\(volume)" }
}

/// A small seeded generator (SplitMix64), so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
