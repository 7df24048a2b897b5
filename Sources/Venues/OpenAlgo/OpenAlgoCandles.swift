public import MarketData

/// Past candles of an OpenAlgo server over REST, as requests and answers.
public struct OpenAlgoCandles: CandleService {
  /// The server's words for our intervals.
  private static let intervals: [Int: String] = [
    60: "1m", 180: "3m", 300: "5m", 600: "10m", 900: "15m", 1800: "30m", 3600: "1h", 86_400: "D",
    604_800: "W",
  ]
  /// Days of one request. The server cuts ranges to its broker's limits by itself; this keeps an answer within its
  /// own time limit.
  private static let intradayDaysMax = 30
  private static let dailyDaysMax = 2000

  private let baseURL: String
  private let apiKey: @Sendable () throws(Fault) -> String

  /// Requests that the server allows unless its owner set something else.
  public static let rateLimits = [RateLimit(requests: 50, per: .seconds(1))]

  /// In sentences for people.
  public let name = "OpenAlgo"

  /// Makes the service at `baseURL`, such as `http://127.0.0.1:5000`; `apiKey` is asked before each request.
  public init(baseURL: String, apiKey: @escaping @Sendable () throws(Fault) -> String) {
    self.baseURL = baseURL
    self.apiKey = apiKey
  }

  /// Days that one request may span.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that the server has no word for.
  public func daysMax(of interval: Interval) throws(Fault) -> Int {
    _ = try Self.word(for: interval)
    return interval < .day ? Self.intradayDaysMax : Self.dailyDaysMax
  }

  private static func word(for interval: Interval) throws(Fault) -> String {
    guard let word = intervals[interval.seconds] else {
      throw Fault(
        .usage,
        "OpenAlgo keeps no \(interval) candles; it has 1m, 3m, 5m, 10m, 15m, 30m, 1h, 1d and 1w, as far as its broker "
          + "has them")
    }
    return word
  }

  /// `POST /api/v1/history`.
  ///
  /// - Throws: ``Fault`` of kind `usage` for an interval that there is not, and what `apiKey` throws.
  public func request(for part: CandleRequest) throws(Fault) -> HTTPRequest {
    let symbol = part.instrument.symbol
    // The server counts whole days, both ends in.
    let members = [
      "apikey": try apiKey(), "symbol": String(symbol.text.dropFirst(symbol.exchange.count + 1)),
      "exchange": String(symbol.exchange), "interval": try Self.word(for: part.interval),
      "start_date": CivilTime(part.from).dateText, "end_date": CivilTime(part.to + -1).dateText,
      "source": "api",
    ]
    let body = members.sorted { $0.key < $1.key }.map {
      "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))"
    }
    return HTTPRequest(
      .post, "\(baseURL)/api/v1/history", headers: [(name: "Content-Type", value: "application/json")],
      body: Array("{\(body.joined(separator: ","))}".utf8))
  }

  /// Reads an answer, and turns every failure that it tells of into a refusal.
  public func candles(in response: HTTPResponse, for part: CandleRequest) throws(CandleRefusal) -> [Candle] {
    let title = "OpenAlgo's \(part.interval) candles of \(part.instrument.symbol)"
    let answer: OpenAlgoAnswer<Candle>
    do {
      answer = try OpenAlgoAnswer(response.body) { (scanner, row) throws(Fault) in
        try Candle(openAlgoRow: row, &scanner, of: part)
      }
    } catch {
      throw OpenAlgoAnswer<Candle>.refusal(response, "\(title): \(error.message)", isReadable: false)
    }
    guard answer.isSuccess, response.status == 200 else {
      throw OpenAlgoAnswer<Candle>.refusal(response, "\(title): \(answer.message)", isReadable: true)
    }
    return answer.rows
  }
}

/// `{"status":"success","data":[…]}` or `{"status":"error","message":…}`.
struct OpenAlgoAnswer<Row> {
  private(set) var isSuccess = false
  private(set) var message = "no reason is given"
  private(set) var rows: [Row] = []

  /// Reads a whole answer; `readRow` takes one row of `data`, which is told its number from 1.
  init(
    _ body: [UInt8], _ readRow: (_ scanner: inout JSONScanner, _ number: Int) throws(Fault) -> Row
  ) throws(Fault) {
    var scanner = JSONScanner(body)
    var answer = (isSuccess: false, message: "no reason is given", rows: [Row]())
    try scanner.members { (key, scanner) throws(Fault) in
      if scanner.isText(key, "status"), scanner.peek() == UInt8(ascii: "\"") {
        let status = try scanner.strictString()
        answer.isSuccess = scanner.isText(status, "success")
      } else if scanner.isText(key, "message") {
        // Refused parameters come as an object of lists.
        let isText = scanner.peek() == UInt8(ascii: "\"")
        answer.message = excerpt(
          of: isText ? try scanner.quotedText().utf8 : try scanner.normalizedValue().utf8)
      } else if scanner.isText(key, "data"), scanner.peek() == UInt8(ascii: "[") {
        try scanner.array { (scanner) throws(Fault) in
          answer.rows.append(try readRow(&scanner, answer.rows.count + 1))
        }
      } else {
        try scanner.skipStrictly()
      }
    }
    try scanner.expectEnd()
    (isSuccess, message, rows) = answer
  }

  /// The refusal that an answer without rows stands for.
  static func refusal(_ response: HTTPResponse, _ sentence: String, isReadable: Bool) -> CandleRefusal {
    let kind: Fault.Kind =
      switch response.status {
      case 401, 403: .refused
      case 408, 429, 500...599: .unavailable
      default: isReadable ? .unavailable : .protocolViolation
      }
    let status = response.status == 200 ? "" : " (HTTP status \(response.status))"
    return CandleRefusal(
      Fault(kind, sentence + status), remedy: CandleRefusal.remedy(forStatus: response.status))
  }
}

extension Candle {
  /// Reads `{"timestamp":…,"open":…,"high":…,"low":…,"close":…,"volume":…,"oi":…}`.
  fileprivate init(openAlgoRow number: Int, _ scanner: inout JSONScanner, of part: CandleRequest)
    throws(Fault)
  {
    var start = Timestamp.unknown
    var prices = (open: Price?.none, high: Price?.none, low: Price?.none, close: Price?.none)
    var volume: Int64 = 0
    var openInterest: Int64 = 0
    try scanner.members { (key, scanner) throws(Fault) in
      if scanner.isText(key, "timestamp") {
        start = try scanner.looseTime()
      } else if scanner.isText(key, "open") {
        prices.open = try scanner.looseDecimal("open")?.price
      } else if scanner.isText(key, "high") {
        prices.high = try scanner.looseDecimal("high")?.price
      } else if scanner.isText(key, "low") {
        prices.low = try scanner.looseDecimal("low")?.price
      } else if scanner.isText(key, "close") {
        prices.close = try scanner.looseDecimal("close")?.price
      } else if scanner.isText(key, "volume") {
        volume = try scanner.looseDecimal("volume")?.scaled(fractionDigits: 0) ?? 0
      } else if scanner.isText(key, "oi") {
        openInterest = try scanner.looseDecimal("oi")?.scaled(fractionDigits: 0) ?? 0
      } else {
        try scanner.skipStrictly()
      }
    }
    guard start.isKnown, let open = prices.open, let high = prices.high, let low = prices.low,
      let close = prices.close
    else {
      throw Fault(
        .protocolViolation,
        "row \(number) of data needs a timestamp in Unix seconds and the numbers open, high, low and close")
    }
    // Some brokers' days begin at midnight UTC there, so that UTC clocks print the Indian date.
    if part.interval >= .day, start.seconds % 86_400 == 0 {
      start = start + -Int64(CivilTime.indiaOffsetSeconds) * Timestamp.nanosecondsPerSecond
    }
    self.init(
      instrument: part.instrument.id, interval: part.interval, start: start, open: open, high: high, low: low,
      close: close, volume: volume, openInterest: openInterest, origin: .venue)
  }
}
