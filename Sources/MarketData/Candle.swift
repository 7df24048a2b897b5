/// Length of a candle in whole seconds.
public struct Interval: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Length in seconds, at least 1.
  public let seconds: Int

  /// Makes an interval of so many seconds.
  public init(seconds: Int) {
    precondition(seconds > 0, "an interval lasts at least one second")
    self.seconds = seconds
  }

  /// One minute, the interval that is built from ticks.
  public static let minute = Interval(seconds: 60)

  /// One trading day.
  public static let day = Interval(seconds: 86_400)

  /// One week of trading days, Monday to Sunday.
  public static let week = Interval(seconds: 604_800)

  /// The intervals in which candles are made: one minute is built from ticks, the others are rolled up from it.
  public static let all: [Interval] =
    [1, 3, 5, 10, 15, 30, 60].map(minutes) + [day, week]

  /// An interval of whole minutes.
  public static func minutes(_ count: Int) -> Interval { Interval(seconds: count * 60) }

  /// Length in nanoseconds.
  @inlinable
  public var nanoseconds: Int64 { Int64(seconds) * Timestamp.nanosecondsPerSecond }

  /// One of ``all`` from its name: `1m`, `15m`, `60m` or `1h`, `1d`, `1w`.
  ///
  /// - Throws: ``Fault`` of kind `usage` that names all intervals.
  public init(named name: some StringProtocol) throws(Fault) {
    let name = name.lowercased()
    guard let known = Self.all.first(where: { $0.description == name || "\($0.seconds / 60)m" == name })
    else {
      throw Fault(
        .usage,
        "there is no interval '\(name)'; choose one of \(Self.all.map(\.description).joined(separator: ", "))"
      )
    }
    self = known
  }

  /// `1m`, `15m`, `1h`, `1d`, `1w`, otherwise seconds as in `90s`.
  public var description: String {
    if seconds % 604_800 == 0 { return "\(seconds / 604_800)w" }
    if seconds % 86_400 == 0 { return "\(seconds / 86_400)d" }
    if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    if seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
  }

  /// Shorter intervals come first.
  public static func < (left: Interval, right: Interval) -> Bool { left.seconds < right.seconds }
}

/// Where a candle is in its life.
public enum CandleState: UInt8, Sendable, Hashable, CaseIterable {
  /// Its interval is still running.
  case forming = 0
  /// Its interval ended; late ticks may still change it until it is sealed.
  case provisional = 1
  /// Sealed: interval end plus grace have passed.
  case final = 2
  /// Changed after sealing; ``Candle/revision`` counts how often.
  case revised = 3
}

/// Who made a candle.
public enum CandleOrigin: UInt8, Sendable, Hashable, CaseIterable {
  /// Built here from ticks.
  case built = 0
  /// Fetched from the venue's history.
  case venue = 1
  /// Imported from a file.
  case imported = 2
}

/// What is remarkable about a candle.
public struct CandleFlags: OptionSet, Sendable, Hashable {
  /// The bits as stored in the database.
  public var rawValue: UInt16

  /// Makes a set from its bits.
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The feed started or came back in mid-interval (candle rule 12).
  public static let partial = CandleFlags(rawValue: 1 << 0)
  /// A tick arrived after sealing (rule 15).
  public static let late = CandleFlags(rawValue: 1 << 1)
  /// Receive time had to stand in for exchange time (rule 2).
  public static let receiveTimeUsed = CandleFlags(rawValue: 1 << 2)
  /// Cumulative volume fell inside the interval and was rebased (rule 5).
  public static let volumeRebased = CandleFlags(rawValue: 1 << 3)
  /// A volume jump across an outage was not booked here (rule 6).
  public static let volumeInGap = CandleFlags(rawValue: 1 << 4)
  /// A tick in it was flagged off band, stale or out of order.
  public static let suspect = CandleFlags(rawValue: 1 << 5)

  /// Its interval ends with the session, before its full length (rule 17).
  public static let short = CandleFlags(rawValue: 1 << 6)
  /// An extreme comes from the venue's day high or low, not from a tick (rule 8).
  public static let extremeFolded = CandleFlags(rawValue: 1 << 7)
  /// A trade in it happened while the market was closed.
  public static let outsideSession = CandleFlags(rawValue: 1 << 8)
  /// Fetched from the venue after an outage, because what was built here lacks some of the interval.
  public static let repaired = CandleFlags(rawValue: 1 << 9)

  /// The flags' names in the order of their bits, for output.
  public static let names: [(flag: CandleFlags, name: String)] = [
    (.partial, "partial"), (.late, "late"), (.receiveTimeUsed, "receive-time"),
    (.volumeRebased, "volume-rebased"), (.volumeInGap, "volume-in-gap"), (.suspect, "suspect"),
    (.short, "short"), (.extremeFolded, "extreme-folded"), (.outsideSession, "outside-session"),
    (.repaired, "repaired"),
  ]
}

extension CandleFlags: CustomStringConvertible {
  /// The names of the set flags joined by `|`, or the empty string.
  public var description: String {
    Self.names.filter { contains($0.flag) }.map(\.name).joined(separator: "|")
  }
}

/// Open, high, low and close of one instrument over `[start, start + interval)` in exchange time.
public struct Candle: Sendable, Hashable {
  /// The instrument.
  public var instrument: InstrumentID
  /// The length.
  public var interval: Interval
  /// The first instant of the interval, by which the candle is labelled.
  public var start: Timestamp
  /// Price of the oldest trade by event time.
  public var open: Price
  /// Highest price.
  public var high: Price
  /// Lowest price.
  public var low: Price
  /// Price of the newest trade by event time.
  public var close: Price
  /// Quantity traded in the interval.
  public var volume: Int64
  /// Open interest at the last tick.
  public var openInterest: Int64
  /// Ticks that were trades.
  public var tickCount: Int
  /// Sum of price times volume delta, in units of 1e-4 of the quote currency, truncated: what a volume-weighted
  /// price is made from.
  public var turnover: Int64
  /// Share of the interval in which the feed is known to have been alive, percent from 0 to 100.
  public var coverage: Int
  /// What is remarkable.
  public var flags: CandleFlags
  /// Where it is in its life.
  public var state: CandleState
  /// How often it was changed after sealing.
  public var revision: Int
  /// Who made it.
  public var origin: CandleOrigin

  /// Units of ``turnover`` in one whole unit of the quote currency.
  public static let turnoverUnitsPerOne: Int64 = 10_000

  /// Makes a candle from prices and volume, as history sources have them; the rest describes a complete candle.
  public init(
    instrument: InstrumentID, interval: Interval, start: Timestamp, open: Price, high: Price, low: Price,
    close: Price, volume: Int64, openInterest: Int64 = 0, tickCount: Int = 0, turnover: Int64 = 0,
    coverage: Int = 100, flags: CandleFlags = [], state: CandleState = .final, revision: Int = 0,
    origin: CandleOrigin
  ) {
    self.instrument = instrument
    self.interval = interval
    self.start = start
    self.open = open
    self.high = high
    self.low = low
    self.close = close
    self.volume = volume
    self.openInterest = openInterest
    self.tickCount = tickCount
    self.turnover = turnover
    self.coverage = coverage
    self.flags = flags
    self.state = state
    self.revision = revision
    self.origin = origin
  }
}
