public import MarketData

/// Past candles of Kite Connect v3 over REST.
///
/// Long ranges are cut into requests that the venue allows, each waits for its turn in the budget, and "too many
/// requests" is tried again after the pause that the venue asks for. One thread at a time; several histories may
/// share one budget.
public final class KiteHistory: CandleSource {
  /// How often one request is sent while the venue answers "too many requests".
  static let attemptsMax = 5
  /// Longest pause granted to the venue before the next attempt.
  static let pauseSecondsMax = 60

  /// The intervals that the venue keeps, with the most days that one request may span.
  private static let intervals: [Int: (name: String, daysMax: Int)] = [
    60: ("minute", 60), 180: ("3minute", 100), 300: ("5minute", 100), 600: ("10minute", 100),
    900: ("15minute", 200), 1800: ("30minute", 200), 3600: ("60minute", 400), 86_400: ("day", 2000),
  ]

  private let client: HTTPClient
  private let baseURL: String
  private let budget: RequestBudget
  private let credentials: KiteCredentialsProvider

  /// Requests a second that the venue allows for candles.
  public static let requestsPerSecondMax = 3
  /// The vendor's own server.
  public static let vendorURL = "https://api.kite.trade"

  /// Makes a history that sends its requests through `client` to `baseURL`.
  public init(
    client: HTTPClient, baseURL: String = KiteHistory.vendorURL, budget: RequestBudget,
    credentials: @escaping KiteCredentialsProvider
  ) {
    self.client = client
    self.baseURL = baseURL
    self.budget = budget
    self.credentials = credentials
  }

  /// Fetches the candles of one instrument whose start lies in `[from, to)`, ascending.
  ///
  /// - Throws: `Fault` of kind `usage` for an interval that the venue does not keep, `refused` when it rejects the
  ///   credentials or the subscription, `unavailable` when it does not answer or has too much to do,
  ///   `protocolViolation` when its answer cannot be understood.
  public func candles(of instrument: Instrument, interval: Interval, from: Timestamp, to: Timestamp)
    throws(Fault) -> [Candle]
  {
    guard let known = Self.intervals[interval.seconds] else {
      throw Fault(
        .usage, "Kite keeps no \(interval) candles; it has 1m, 3m, 5m, 10m, 15m, 30m, 1h and 1d")
    }
    let spanNanoseconds = Int64(known.daysMax) * 86_400 * Timestamp.nanosecondsPerSecond
    var candles: [Candle] = []
    var start = from
    while start < to {
      let end = to - start > spanNanoseconds ? start + spanNanoseconds : to
      let part = try request(instrument, interval: interval, name: known.name, from: start, to: end)
      for candle in part where candle.start >= start && candle.start < end {
        guard candles.last.map({ $0.start < candle.start }) ?? true else {
          throw Fault(
            .protocolViolation,
            "Kite's \(interval) candles of \(instrument.symbol) are not ascending at \(candle.start.rfc3339)")
        }
        candles.append(candle)
      }
      start = end
    }
    return candles
  }

  private func request(
    _ instrument: Instrument, interval: Interval, name: String, from: Timestamp, to: Timestamp
  ) throws(Fault) -> [Candle] {
    // The venue counts both ends in, and candles start at whole seconds.
    let last = Timestamp(seconds: (to + -1).seconds)
    let url =
      "\(baseURL)/instruments/historical/\(percentEncoded(instrument.venueToken))/\(name)"
      + "?from=\(Self.queryTime(from))&to=\(Self.queryTime(last))&oi=1"
    var attempt = 1
    while true {
      budget.waitForTurn()
      let response = try client.send(HTTPRequest(.get, url, headers: try credentials().headers))
      if response.status == 429, attempt < Self.attemptsMax {
        let seconds = min(response.retryAfterSeconds ?? 1 << (attempt - 1), Self.pauseSecondsMax)
        budget.postpone(nanoseconds: Int64(seconds) * Timestamp.nanosecondsPerSecond)
        attempt += 1
        continue
      }
      let title = "Kite's \(interval) candles of \(instrument.symbol)"
      return try Self.candles(in: response, title: title, instrument: instrument.id, interval: interval)
    }
  }

  /// `yyyy-mm-dd HH:MM:SS` on the exchange's clocks.
  private static func queryTime(_ time: Timestamp) -> String {
    let civil = CivilTime(time)
    return percentEncoded("\(civil.dateText) \(civil.timeText)")
  }

  /// Reads an answer, and turns every failure that it tells of into a fault.
  static func candles(
    in response: HTTPResponse, title: String, instrument: InstrumentID, interval: Interval
  ) throws(Fault) -> [Candle] {
    let answer: KiteCandleAnswer
    do {
      answer = try KiteCandleAnswer(response.body, instrument: instrument, interval: interval)
    } catch {
      guard (200...299).contains(response.status) else {
        // Gateways answer in HTML.
        throw Fault(
          KiteError.kind(status: response.status, errorType: ""),
          "\(title): HTTP status \(response.status): \(WebSocketHandshake.excerpt(of: response.body))")
      }
      throw Fault(.protocolViolation, "\(title): \(error.message)")
    }
    guard answer.isSuccess, (200...299).contains(response.status) else {
      let type = answer.errorType.isEmpty ? "" : " (\(answer.errorType))"
      throw Fault(
        KiteError.kind(status: response.status, errorType: answer.errorType),
        "\(title): HTTP status \(response.status)\(type): \(answer.message)")
    }
    return answer.candles
  }
}

/// What the venue's errors mean for us.
enum KiteError {
  /// The kind of fault for an HTTP status and the venue's `error_type`.
  static func kind(status: Int, errorType: String) -> Fault.Kind {
    switch errorType {
    case "TokenException", "PermissionException", "UserException", "TwoFAException": return .refused
    case "NetworkException", "DataException", "GeneralException": return .unavailable
    default: break
    }
    switch status {
    case 401, 403: return .refused
    case 429, 500...599: return .unavailable
    default: return .protocolViolation
    }
  }
}
