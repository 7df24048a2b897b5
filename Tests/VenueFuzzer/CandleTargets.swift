import MarketData

@testable import Venues

/// Gives a service its answers with candles; the first byte chooses the HTTP status and the interval.
struct CandleAnswerReader {
  static let statuses = [200, 400, 403, 429, 500]
  private static let part = CandleRequest(
    Instrument(
      id: InstrumentID(rawValue: 1), symbol: sampleSymbol, venueToken: "1:2885", priceTick: .zero, lotSize: 1),
    from: Timestamp(seconds: 0), to: Timestamp(seconds: 4_000_000_000))
  private let dayPart: CandleRequest = {
    var part = Self.part
    part.interval = .day
    return part
  }()

  func read(_ input: [UInt8], by services: [any CandleService]) {
    guard let first = input.first else { return }
    var choice = Int(first)
    func choose(of count: Int) -> Int {
      defer { choice /= count }
      return choice % count
    }
    let status = Self.statuses[choose(of: Self.statuses.count)]
    let service = services[choose(of: services.count)]
    let part = choose(of: 2) == 0 ? Self.part : dayPart
    let response = HTTPResponse(status: status, body: Array(input.dropFirst()))
    do throws(CandleRefusal) {
      for candle in try service.candles(in: response, for: part).within(part, of: service.name) {
        precondition(candle.start >= part.from && candle.start < part.to)
        let prices = [candle.open, candle.high, candle.low, candle.close].map { $0.units / 1_000_000_000 }
        seededBug(prices.reduce(candle.volume, &+))
      }
    } catch {
      checkSentence(error.fault.message)
    }
  }
}

/// Kite's answers with candles.
struct KiteCandleAnswers: FuzzTarget {
  static let name = "kite-candles"
  private let reader = CandleAnswerReader()
  private let service = KiteCandles { KiteCredentials(apiKey: "", accessToken: "") }

  init() {}

  static func seeds() -> [[UInt8]] {
    let candles = """
      {"status":"success","data":{"candles":[["2026-11-23T09:15:00+0530",1704.5,1705,1702.05,1703.1,199,7],\
      ["2026-11-23T09:16:00+0530",1703,1704.0,1700,1701.95,120,8]]}}
      """
    let refusal =
      "{\"status\":\"error\",\"message\":\"Too many\\u0020requests\",\"error_type\":\"NetworkException\"}"
    return [[0] + Array(candles.utf8), [2] + Array(refusal.utf8), [3] + Array(refusal.utf8)]
  }

  mutating func read(_ input: [UInt8]) { reader.read(input, by: [service]) }
}

/// Angel One's answers with candles, in all shapes that its refusals have.
struct AngelOneCandleAnswers: FuzzTarget {
  static let name = "angelone-candles"
  private let reader = CandleAnswerReader()
  private let service = AngelOneCandles(session: angelOneSession { HTTPResponse(status: 500) })

  init() {}

  static func seeds() -> [[UInt8]] {
    let candles = """
      {"status":true,"message":"SUCCESS","errorcode":"","data":[["2026-11-23T09:15:00+05:30",1704.5,1705,1702.05,\
      1703.1,199],["2026-11-23T09:16:00+05:30",1703,1704.0,1700,1701.95,120]]}
      """
    let refusal = "{\"success\":false,\"message\":\"Invalid Token\",\"errorCode\":\"AG8001\",\"data\":\"\"}"
    let empty =
      "{\"status\":false,\"message\":\"Something\\twent wrong\",\"errorcode\":\"AB1004\",\"data\":null}"
    return [
      [0] + Array(candles.utf8), [0] + Array(refusal.utf8), [1] + Array(empty.utf8),
      [2] + Array("Access denied because of exceeding access rate".utf8),
    ]
  }

  mutating func read(_ input: [UInt8]) { reader.read(input, by: [service]) }
}

/// An OpenAlgo server's answers with candles and with its list of instruments.
struct OpenAlgoAnswers: FuzzTarget {
  static let name = "openalgo-answers"
  private let reader = CandleAnswerReader()
  private let service = OpenAlgoCandles(baseURL: "") { "" }

  init() {}

  static func seeds() -> [[UInt8]] {
    let candles = """
      {"status":"success","data":[{"timestamp":1764042300,"open":1704.5,"high":"1705","low":1702.05,"close":1703.1,\
      "volume":199,"oi":7},{"timestamp":"2026-11-23T09:16:00+05:30","open":1703,"high":1704.0,"low":1.7e3,\
      "close":1701.95,"volume":null}]}
      """
    let instruments = """
      {"status":"success","data":[{"symbol":"NIFTY24NOV26FUT","exchange":"NFO","name":"Nifty","token":"43125",\
      "expiry":"24-NOV-26","strike":-1.0,"lotsize":75,"instrumenttype":"FUT","tick_size":0.05}]}
      """
    let refusal = "{\"status\":\"error\",\"message\":{\"symbol\":[\"Missing data\\n\"]}}"
    return [
      [0] + Array(candles.utf8), [5] + Array(candles.utf8), [0] + Array(instruments.utf8),
      [1] + Array(refusal.utf8),
    ]
  }

  mutating func read(_ input: [UInt8]) {
    reader.read(input, by: [service])
    guard let first = input.first else { return }
    let statuses = CandleAnswerReader.statuses
    let response = HTTPResponse(
      status: statuses[Int(first) % statuses.count], body: Array(input.dropFirst()))
    do throws(Fault) {
      for listing in try OpenAlgoInstruments.listings(in: response, title: "fuzz") {
        seededBug("\(listing.symbol)\(listing.name)".utf8.reduce(0) { $0 &+ Int($1) })
      }
    } catch {
      checkSentence(error.message)
    }
  }
}

/// A master data store's answers, in JSON and CSV, with names and with positions, of either kind of time.
struct MasterAnswers: FuzzTarget {
  static let name = "master-candles"
  private let reader = CandleAnswerReader()
  private let services: [any CandleService]

  init() {
    var list = CandleFormat()
    list.rows = "data.candles"
    list.columns = ["0", "1", "2", "3", "4", "5"]
    list.priceScale = 100
    var csv = CandleFormat()
    csv.shape = .csv
    var dated = csv
    dated.columns = ["Date", "Open", "High", "Low", "Close", "Volume"]
    dated.time = good { try TimeFormat("%d-%b-%Y %H:%M", offsetSeconds: CivilTime.indiaOffsetSeconds) }
    services = [CandleFormat(), list, csv, dated].map { format in
      MasterCandles(
        url: good { try MasterTemplate("http://localhost", environment: [:]) }, headers: [], format: format,
        daysMax: 30)
    }
  }

  static func seeds() -> [[UInt8]] {
    let objects = """
      [{"timestamp":1764042300,"open":1704.5,"high":1705,"low":1702.05,"close":1703.1,"volume":199,"oi":null},\
      {"timestamp":"2026-11-23T09:16:00+05:30","open":"1703","high":1704.0,"low":1.7e3,"close":1701.95,"volume":7}]
      """
    let lists = "{\"data\":{\"name\":\"x\",\"candles\":[[1764042300000,170450,170500,170205,170310,199]]}}"
    let csv = "timestamp,open,high,low,close,volume,oi\r\n1764042300,1704.5,1705,1702.05,1703.1,199,\r\n"
    let dated = "Date,Open,High,Low,Close,Volume\n23-Nov-2026 09:15,1704.5,1705,1702.05,\"1703.1\",199\n"
    return [objects, lists, csv, dated].enumerated().map { [UInt8($0 * 5)] + Array($1.utf8) }
      + [[2] + Array("<html>Forbidden</html>".utf8)]
  }

  mutating func read(_ input: [UInt8]) { reader.read(input, by: services) }
}
