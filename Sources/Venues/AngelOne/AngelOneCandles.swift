public import MarketData

/// Past candles of Angel One over REST, as requests and answers.
public struct AngelOneCandles: CandleService {
  /// The intervals that the venue keeps, with the most days that one request may span.
  private static let intervals: [Int: (name: String, daysMax: Int)] = [
    60: ("ONE_MINUTE", 30), 180: ("THREE_MINUTE", 60), 300: ("FIVE_MINUTE", 100), 600: ("TEN_MINUTE", 100),
    900: ("FIFTEEN_MINUTE", 200), 1800: ("THIRTY_MINUTE", 200), 3600: ("ONE_HOUR", 400),
    86_400: ("ONE_DAY", 2000),
  ]
  private static let path = "/rest/secure/angelbroking/historical/v1/getCandleData"
  /// The words for exchanges in requests; the stream has numbers.
  private static let exchanges: [UInt8: String] = [
    1: "NSE", 2: "NFO", 3: "BSE", 4: "BFO", 5: "MCX", 7: "NCDEX", 13: "CDS",
  ]
  /// Exchanges of commodities open at 09:00, all others at 09:15.
  private static let commodityExchanges: Set<UInt8> = [5, 7]

  /// Requests for candles that the venue allows.
  public static let rateLimits = [
    RateLimit(requests: 3, per: .seconds(1)), RateLimit(requests: 500, per: .seconds(60)),
    RateLimit(requests: 5000, per: .seconds(3600)),
  ]

  /// In sentences for people.
  public let name = "Angel One"

  private let baseURL: String
  private let session: AngelOneSession

  /// Makes the service at `baseURL`, which logs in through `session`.
  public init(baseURL: String = AngelOneSession.vendorURL, session: AngelOneSession) {
    self.baseURL = baseURL
    self.session = session
  }

  /// The venue's limit.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that the venue does not keep.
  public func daysMax(of interval: Interval) throws(Fault) -> Int { try Self.entry(of: interval).daysMax }

  private static func entry(of interval: Interval) throws(Fault) -> (name: String, daysMax: Int) {
    guard let known = intervals[interval.seconds] else {
      throw Fault(
        .usage, "Angel One keeps no \(interval) candles; it has 1m, 3m, 5m, 10m, 15m, 30m, 1h and 1d")
    }
    return known
  }

  /// `POST …/getCandleData`, after a login where one is needed.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that the venue does not keep, `configuration` for an
  ///   instrument without an Angel One token, and what ``AngelOneSession/tokens()`` throws.
  public func request(for part: CandleRequest) throws(Fault) -> HTTPRequest {
    let interval = try Self.entry(of: part.interval).name
    let token = try AngelOneToken(venueToken: part.instrument.venueToken)
    guard let exchange = Self.exchanges[token.exchange] else {
      throw Fault(
        .configuration,
        "\(part.instrument.symbol): Angel One has no candles of its exchange number \(token.exchange)")
    }
    // The venue counts both ends in, to the minute.
    let members = [
      ("exchange", exchange), ("symboltoken", String(token.number)), ("interval", interval),
      ("fromdate", Self.queryTime(Self.alignedStart(of: part, exchange: token.exchange))),
      ("todate", Self.queryTime(part.to + -1)),
    ]
    let body = members.map { "\(JSONText.quoted($0.0)):\(JSONText.quoted($0.1))" }.joined(separator: ",")
    return HTTPRequest(
      .post, baseURL + Self.path, headers: try session.credentials().headers(jwt: try session.tokens().jwt),
      body: Array("{\(body)}".utf8))
  }

  /// Longer candles have been seen aligned to the minute that was asked for instead of the session's beginning, so a
  /// range that begins during a session is asked for from that beginning.
  private static func alignedStart(of part: CandleRequest, exchange: UInt8) -> Timestamp {
    guard part.interval > .minute, part.interval < .day else { return part.from }
    var opening = CivilTime(part.from)
    (opening.hour, opening.minute, opening.second, opening.nanosecond) = (
      9, commodityExchanges.contains(exchange) ? 0 : 15, 0, 0
    )
    return min(part.from, opening.timestamp())
  }

  /// `yyyy-MM-dd HH:mm` on the exchange's clocks.
  private static func queryTime(_ time: Timestamp) -> String {
    let civil = CivilTime(time)
    return "\(civil.dateText) \(civil.timeText.prefix(5))"
  }

  /// Reads an answer, and turns every failure that it tells of into a refusal.
  public func candles(in response: HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle] {
    let title = "Angel One's \(part.interval) candles of \(part.instrument.symbol)"
    var reader = CandleRowReader(
      instrument: part.instrument.id, interval: part.interval, offset: "+05:30")
    var candles: [Candle] = []
    let answer: AngelOneAnswer
    do throws(Fault) {
      answer = try AngelOneAnswer(response.body) { (scanner) throws(Fault) in
        candles.reserveCapacity(response.body.count / Self.rowBytesTypical)
        try scanner.array { (scanner) throws(Fault) in candles.append(try reader.candle(from: &scanner)) }
      }
    } catch {
      if (200...299).contains(response.status) {
        throw CandleRefusal(Fault(.protocolViolation, "\(title): \(error.message)"), remedy: .retry)
      }
      throw AngelOneRefusal(status: response.status, body: response.body).candleRefusal(title)
    }
    if let refusal = AngelOneRefusal(status: response.status, answer: answer) {
      throw refusal.candleRefusal(title)
    }
    return candles
  }

  /// For reserving memory.
  private static let rowBytesTypical = 60

  /// Drops the token of `request`, unless another thread has a newer one already.
  public func credentialsWereRefused(in request: HTTPRequest) {
    let prefix = "Bearer "
    let field = request.headers.first { $0.name == "Authorization" }?.value ?? ""
    if field.hasPrefix(prefix) { session.discard(jwt: String(field.dropFirst(prefix.utf8.count))) }
  }
}

extension AngelOneRefusal {
  /// The refusal of a request for candles.
  fileprivate func candleRefusal(_ title: String) -> CandleRefusal {
    let remedy: CandleRefusal.Remedy =
      switch self {
      case _ where isThrottled: .slowDown
      case _ where isTokenDead: .newCredentials
      case _ where kind == .unavailable: .retry
      default: .none
      }
    return CandleRefusal(fault(title), remedy: remedy)
  }
}
