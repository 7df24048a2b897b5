public import MarketData

/// Past candles of Kite Connect v3 over REST, as requests and answers.
public struct KiteCandles: CandleService {
  /// The intervals that the venue keeps, with the most days that one request may span.
  private static let intervals: [Int: (name: String, daysMax: Int)] = [
    60: ("minute", 60), 180: ("3minute", 100), 300: ("5minute", 100), 600: ("10minute", 100),
    900: ("15minute", 200), 1800: ("30minute", 200), 3600: ("60minute", 400), 86_400: ("day", 2000),
  ]

  private let baseURL: String
  private let credentials: KiteCredentialsProvider

  /// Requests for candles that the venue allows.
  public static let rateLimits = [RateLimit(requests: 3, per: .seconds(1))]
  /// The vendor's own server.
  public static let vendorURL = "https://api.kite.trade"

  /// In sentences for people.
  public let name = "Kite"

  /// Makes the service at `baseURL`.
  public init(baseURL: String = KiteCandles.vendorURL, credentials: @escaping KiteCredentialsProvider) {
    self.baseURL = baseURL
    self.credentials = credentials
  }

  /// The venue's limit.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that the venue does not keep.
  public func daysMax(of interval: Interval) throws(Fault) -> Int { try Self.entry(of: interval).daysMax }

  private static func entry(of interval: Interval) throws(Fault) -> (name: String, daysMax: Int) {
    guard let known = intervals[interval.seconds] else {
      throw Fault(
        .usage, "Kite keeps no \(interval) candles; it has 1m, 3m, 5m, 10m, 15m, 30m, 1h and 1d")
    }
    return known
  }

  /// `GET /instruments/historical/{token}/{interval}`.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that the venue does not keep, and what the credentials'
  ///   provider throws.
  public func request(for part: CandleRequest) throws(Fault) -> HTTPRequest {
    let interval = try Self.entry(of: part.interval).name
    // The venue counts both ends in, and candles start at whole seconds.
    let last = Timestamp(seconds: (part.to + -1).seconds)
    let url =
      "\(baseURL)/instruments/historical/\(percentEncoded(part.instrument.venueToken))/\(interval)"
      + "?from=\(Self.queryTime(part.from))&to=\(Self.queryTime(last))&oi=1"
    return HTTPRequest(.get, url, headers: try credentials().headers)
  }

  /// `yyyy-mm-dd HH:MM:SS` on the exchange's clocks.
  private static func queryTime(_ time: Timestamp) -> String {
    let civil = CivilTime(time)
    return percentEncoded("\(civil.dateText) \(civil.timeText)")
  }

  /// Reads an answer, and turns every failure that it tells of into a refusal.
  public func candles(in response: HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle] {
    let title = "Kite's \(part.interval) candles of \(part.instrument.symbol)"
    let isSuccess = (200...299).contains(response.status)
    let answer: KiteCandleAnswer
    do {
      answer = try KiteCandleAnswer(response.body, instrument: part.instrument.id, interval: part.interval)
    } catch {
      if isSuccess {
        throw CandleRefusal(Fault(.protocolViolation, "\(title): \(error.message)"), remedy: .retry)
      }
      // Gateways answer in HTML.
      throw KiteError.refusal(
        status: response.status, errorType: "",
        "\(title): HTTP status \(response.status): \(excerpt(of: response.body))")
    }
    guard answer.isSuccess, isSuccess else {
      let type = answer.errorType.isEmpty ? "" : " (\(answer.errorType))"
      throw KiteError.refusal(
        status: response.status, errorType: answer.errorType,
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

  /// The refusal for an HTTP status and the venue's `error_type`: `NetworkException` is also the type of 429.
  static func refusal(status: Int, errorType: String, _ sentence: String) -> CandleRefusal {
    let kind = kind(status: status, errorType: errorType)
    let advice = errorType == "TokenException" ? "; the token is dead: \(KiteTokens.advice)" : ""
    let remedy: CandleRefusal.Remedy =
      switch (status, kind) {
      case (429, _): .slowDown
      case (_, .refused): .newCredentials
      case (_, .unavailable): .retry
      default: .none
      }
    return CandleRefusal(Fault(kind, sentence + advice), remedy: remedy)
  }
}
