internal import Glibc
public import MarketData

/// A venue's candles over REST: sends what a ``CandleService`` words, at the pace of a ``RequestBudget`` that all
/// callers share, and tries again what may succeed later. Any number of threads may ask at once.
public final class RESTHistory: CandleSource, Sendable {
  private let service: any CandleService
  private let budget: RequestBudget
  private let caFile: String?

  /// How often one request is sent before it fails.
  static let attemptsMax = 5
  /// Longest pause before the next attempt, also when the venue asks for a longer one.
  static let pauseSecondsMax = 60

  /// Makes a history that asks `service`.
  ///
  /// - Parameter caFile: PEM file with the certificates to trust instead of the system's.
  public init(_ service: any CandleService, budget: RequestBudget, caFile: String? = nil) {
    self.service = service
    self.budget = budget
    self.caFile = caFile
  }

  /// Fetches the candles of one instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Throws: `Fault` of kind `usage` for an interval that the venue does not keep, `refused` when it rejects the
  ///   credentials or the subscription, `unavailable` when it does not answer or has too much to do,
  ///   `protocolViolation` when its answer cannot be understood.
  public func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    var parts: [(start: Timestamp, candles: [Candle])] = []
    let request = CandleRequest(instrument, interval: interval, from: from, to: to)
    try fetch([request], urgency: .preparation, until: { false }) { (delivery) throws(Fault) in
      parts.append((delivery.part.from, try delivery.outcome.get()))
    }
    return parts.sorted { $0.start < $1.start }.flatMap(\.candles)
  }

  /// Fetches the candles of many requests, as ``CandleSource`` says.
  public func fetch(
    _ requests: [CandleRequest], urgency: CandleUrgency, until shouldStop: () -> Bool,
    deliver: (CandleDelivery) throws(Fault) -> Void
  ) throws(Fault) {
    let client = try HTTPClient(caFile: caFile)
    for (index, request) in requests.enumerated() {
      for part in request.parts(ofAtMost: try service.daysMax(of: request.interval)) {
        var outcome: Result<[Candle], Fault>
        do {
          guard let candles = try exchange(part, client, urgency, shouldStop) else { return }
          outcome = .success(candles)
        } catch {
          if error.kind == .refused || error.kind == .configuration { throw error }
          outcome = .failure(error)
        }
        try deliver(CandleDelivery(part: part, requestIndex: index, outcome: outcome))
      }
    }
  }

  /// Nil when it was told to stop.
  private func exchange(
    _ part: CandleRequest, _ client: HTTPClient, _ urgency: CandleUrgency, _ shouldStop: () -> Bool
  ) throws(Fault) -> [Candle]? {
    var attempt = 1
    while true {
      while case let pause = budget.takeTurn(urgency), pause > 0 {
        if shouldStop() { return nil }
        usleep(UInt32(min(pause / 1000 + 1, 50_000)))
      }
      let response = try client.send(try service.request(for: part))
      do {
        return try service.candles(in: response, for: part).within(part, of: service.name)
      } catch let refusal as CandleRefusal {
        guard refusal.remedy == .slowDown, attempt < Self.attemptsMax else { throw refusal.fault }
        let seconds = min(response.retryAfterSeconds ?? 1 << (attempt - 1), Self.pauseSecondsMax)
        budget.postpone(nanoseconds: Int64(seconds) * Timestamp.nanosecondsPerSecond)
        attempt += 1
      } catch let fault as Fault {
        throw fault
      } catch {
        throw Fault(.software, "\(error)")
      }
    }
  }
}

extension [Candle] {
  /// Those that lie in the part's range.
  ///
  /// - Throws: ``Fault`` of kind `protocolViolation` when they do not ascend.
  func within(_ part: CandleRequest, of venue: String) throws(Fault) -> [Candle] {
    var previous: Timestamp?
    var isInside = true
    for candle in self {
      if let previous, candle.start <= previous {
        throw Fault(
          .protocolViolation,
          "\(venue)'s \(part.interval) candles of \(part.instrument.symbol) are not ascending at "
            + candle.start.rfc3339)
      }
      previous = candle.start
      isInside = isInside && candle.start >= part.from && candle.start < part.to
    }
    return isInside ? self : filter { $0.start >= part.from && $0.start < part.to }
  }
}
