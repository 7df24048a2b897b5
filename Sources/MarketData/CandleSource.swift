/// Candles that a ``CandleSource`` is asked for: those of one instrument whose start lies in `[from, to)`.
public struct CandleRequest: Sendable, Hashable {
  /// Whose candles.
  public var instrument: Instrument
  /// Their length.
  public var interval: Interval
  /// The first instant at which one may start.
  public var from: Timestamp
  /// The instant before which each starts.
  public var to: Timestamp

  /// Makes a request.
  public init(_ instrument: Instrument, interval: Interval = .minute, from: Timestamp, to: Timestamp) {
    self.instrument = instrument
    self.interval = interval
    self.from = from
    self.to = to
  }

  /// The request cut into ones that touch at most `days` days of India's calendar each, so that dates may say in a
  /// request which days it is about; ascending, without hole or overlap; none when the range is empty. `days` is
  /// positive.
  public func parts(ofAtMost days: Int) -> [CandleRequest] {
    precondition(days > 0, "a request spans at least one day")
    let span = Int64(days).multipliedReportingOverflow(by: 86_400 * Timestamp.nanosecondsPerSecond)
    var parts: [CandleRequest] = []
    var start = from
    while start < to {
      var part = self
      part.from = start
      let midnight = CivilTime(dayNumber: CivilTime(start).dayNumber).timestamp()
      if !span.overflow, to - midnight > span.partialValue { part.to = midnight + span.partialValue }
      parts.append(part)
      start = part.to
    }
    return parts
  }
}

/// What became of a request, or of a part of one that the venue's limits made necessary to cut.
public struct CandleDelivery: Sendable {
  /// The part: its range lies inside that of the request that it belongs to.
  public var part: CandleRequest
  /// Which of the requests it belongs to, as an index into what was asked for.
  public var requestIndex: Int
  /// The candles, ascending, all inside the part's range; or why there are none.
  public var outcome: Result<[Candle], Fault>

  /// Makes a delivery.
  public init(part: CandleRequest, requestIndex: Int, outcome: Result<[Candle], Fault>) {
    self.part = part
    self.requestIndex = requestIndex
    self.outcome = outcome
  }
}

/// Who goes first when several callers want more than a venue's limits allow.
public enum CandleUrgency: Int, Sendable, Comparable, CaseIterable {
  /// What nobody waits for: comparing, filling up the past.
  case routine
  /// What the feed waits for before it starts.
  case preparation
  /// Minutes that strategies miss now.
  case repair

  /// More urgent is greater.
  public static func < (left: CandleUrgency, right: CandleUrgency) -> Bool { left.rawValue < right.rawValue }
}

/// A source of past candles.
public protocol CandleSource {
  /// Fetches the candles of one instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Throws: ``Fault`` of kind `refused` when the credentials are dead, `usage` for an interval that the source does
  ///   not keep, `unavailable` or `protocolViolation`.
  func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp) throws(Fault)
    -> [Candle]

  /// Fetches the candles of many requests, several at once where the source can, and delivers them part by part on
  /// the calling thread, in any order; each part is delivered once, as candles or as a failure of that part alone.
  ///
  /// Returns early, with parts undelivered, when `shouldStop` says so; it is asked several times a second.
  /// - Throws: ``Fault`` of kind `refused` when the credentials are dead, so that asking on makes no sense, and what
  ///   `deliver` throws.
  func fetch(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault)
}

extension CandleSource {
  /// One request after the other, for sources that have nothing to gain from several at once.
  public func fetch(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    for (index, request) in requests.enumerated() {
      if shouldStop() { return }
      var outcome: Result<[Candle], Fault>
      do {
        outcome = .success(
          try candles(
            of: request.instrument, interval: request.interval, from: request.from, to: request.to))
      } catch {
        if error.kind == .refused { throw error }
        outcome = .failure(error)
      }
      try deliver(CandleDelivery(part: request, requestIndex: index, outcome: outcome))
    }
  }
}
