/// A part of the market that keeps hours of its own.
public enum MarketSegment: String, Sendable, Hashable, CaseIterable {
  /// Shares, funds and indices (NSE, BSE).
  case cash
  /// Futures and options on shares and indices (NFO, BFO).
  case fno
  /// Currency derivatives (CDS, BCD).
  case currency
  /// Commodity derivatives (MCX, NCO).
  case commodity

  /// The segment of an exchange's name in a ``Symbol``; nil for an exchange that no calendar covers.
  public init?(exchange: some StringProtocol) {
    switch exchange {
    case "NSE", "BSE": self = .cash
    case "NFO", "BFO": self = .fno
    case "CDS", "BCD": self = .currency
    case "MCX", "NCO": self = .commodity
    default: return nil
    }
  }
}

/// Whose hours an instrument keeps: those of its segment, with or without the closing auction.
public struct MarketGroup: Sendable, Hashable {
  /// The segment.
  public var segment: MarketSegment
  /// True for an instrument that takes part in the closing auction, which ends its continuous trading earlier.
  public var hasClosingAuction: Bool

  /// Makes a group.
  public init(_ segment: MarketSegment, hasClosingAuction: Bool = false) {
    self.segment = segment
    self.hasClosingAuction = hasClosingAuction
  }
}

/// What kind of trading goes on in a part of a session.
public enum SessionPhase: String, Sendable, Hashable, CaseIterable {
  /// The call auction before continuous trading.
  case preOpen = "pre-open"
  /// Continuous trading: the only phase whose trades make minute candles.
  case continuous
  /// The call auction that finds the closing price.
  case closingAuction = "closing-auction"
  /// Trading at the closing price.
  case postClose = "post-close"
}

/// A phase from its first instant to its end, exclusive.
public struct PhaseSpan: Sendable, Hashable {
  /// The kind of trading.
  public var phase: SessionPhase
  /// The first instant.
  public var start: Timestamp
  /// The first instant after it.
  public var end: Timestamp

  /// Makes a span.
  public init(_ phase: SessionPhase, from start: Timestamp, to end: Timestamp) {
    self.phase = phase
    self.start = start
    self.end = end
  }

  /// True from ``start`` up to, not including, ``end``.
  public func contains(_ instant: Timestamp) -> Bool { start <= instant && instant < end }
}

/// One stretch of trading with the auctions around it. A day may hold two.
public struct TradingSession: Sendable, Hashable {
  /// `regular`, or what makes it special: `Muhurat`, `Budget`.
  public var name: String
  /// Its phases in order of time; exactly one of them is ``SessionPhase/continuous``.
  public var phases: [PhaseSpan]
  /// Begin of continuous trading, to which candles are anchored.
  public var start: Timestamp
  /// End of continuous trading, exclusive.
  public var end: Timestamp

  /// Makes a session from its phases in order of time, one of which must be continuous; nil otherwise.
  public init?(name: String, phases: [PhaseSpan]) {
    guard let continuous = phases.first(where: { $0.phase == .continuous }) else { return nil }
    self.name = name
    self.phases = phases
    start = continuous.start
    end = continuous.end
  }
}

/// What a calendar says of one date and one group of instruments.
public struct TradingDay: Sendable, Hashable {
  /// Days since 1970-01-01 of the date, by the exchange's clocks.
  public var dayNumber: Int
  /// The sessions in order of time; empty when the market is closed.
  public var sessions: [TradingSession]
  /// Why the market is closed, or why its hours are unusual; nil on an ordinary day.
  public var note: String?

  /// Makes a day.
  public init(dayNumber: Int, sessions: [TradingSession], note: String? = nil) {
    self.dayNumber = dayNumber
    self.sessions = sessions
    self.note = note
  }

  /// True when there is a session.
  public var isOpen: Bool { !sessions.isEmpty }

  /// The phase at an instant; nil when the market is closed then.
  public func phase(at instant: Timestamp) -> SessionPhase? {
    for session in sessions {
      for span in session.phases where span.contains(instant) { return span.phase }
    }
    return nil
  }

  /// From where the intervals of a candle are counted at an instant, and where the last of them ends, if it does (candle
  /// rule 17): the session in which the instant lies. After a session its end, up to the next one's start, so that what is
  /// traded there is in no session's candle; before the first one its start, from which is counted backwards. Nil where
  /// there is no session.
  public func anchor(at instant: Timestamp) -> (start: Timestamp, end: Timestamp?)? {
    guard let last = sessions.last(where: { $0.start <= instant }) else {
      return sessions.first.map { ($0.start, nil) }
    }
    if instant < last.end { return (last.start, last.end) }
    return (last.end, sessions.first { $0.start > instant }?.start)
  }

  /// Minutes of continuous trading.
  public var continuousMinutes: Int {
    sessions.reduce(0) { $0 + Int(($1.end - $1.start) / Interval.minute.nanoseconds) }
  }
}

/// Knows when a market trades. A calendar file is one; tests and markets that never close bring their own.
public protocol SessionSchedule: Sendable {
  /// What is known of a date.
  ///
  /// - Parameter dayNumber: Days since 1970-01-01, by the exchange's clocks.
  /// - Throws: ``Fault`` when the date lies outside of what is known.
  func tradingDay(_ dayNumber: Int, of group: MarketGroup) throws(Fault) -> TradingDay
}

extension SessionSchedule {
  /// The day, by the exchange's clocks, on which an instant falls.
  public func tradingDay(at instant: Timestamp, of group: MarketGroup) throws(Fault) -> TradingDay {
    try tradingDay(CivilTime(instant).dayNumber, of: group)
  }
}

/// A market that trades continuously from midnight to midnight on every day.
public struct AlwaysOpen: SessionSchedule {
  /// Makes the schedule.
  public init() {}

  /// The whole day as one session.
  public func tradingDay(_ dayNumber: Int, of group: MarketGroup) -> TradingDay {
    let start = CivilTime(dayNumber: dayNumber).timestamp()
    let span = PhaseSpan(.continuous, from: start, to: start + 86_400 * Timestamp.nanosecondsPerSecond)
    let session = TradingSession(name: "always open", phases: [span])
    return TradingDay(dayNumber: dayNumber, sessions: session.map { [$0] } ?? [])
  }
}
