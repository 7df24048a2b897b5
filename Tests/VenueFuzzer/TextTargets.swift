import MarketData

@testable import Venues

/// Kite's answers with candles, of any HTTP status; the first byte chooses which.
struct KiteCandleAnswers: FuzzTarget {
  static let name = "kite-candles"
  private static let statuses = [200, 400, 403, 429, 500]
  private let service = KiteCandles { KiteCredentials(apiKey: "", accessToken: "") }
  private let part = CandleRequest(
    Instrument(
      id: InstrumentID(rawValue: 1), symbol: sampleSymbol, venueToken: "738561", priceTick: .zero, lotSize: 1),
    from: Timestamp(seconds: 0), to: Timestamp(seconds: 4_000_000_000))

  init() {}

  static func seeds() -> [[UInt8]] {
    let candles = """
      {"status":"success","data":{"candles":[["2026-11-23T09:15:00+0530",1704.5,1705,1702.05,1703.1,2499,7],\
      ["2026-11-23T09:16:00+0530",1703,1704.0,1700,1701.95,120,8]]}}
      """
    let refusal =
      "{\"status\":\"error\",\"message\":\"Too many\\u0020requests\",\"error_type\":\"NetworkException\"}"
    return [[0] + Array(candles.utf8), [2] + Array(refusal.utf8), [3] + Array(refusal.utf8)]
  }

  mutating func read(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let status = Self.statuses[Int(first) % Self.statuses.count]
    let response = HTTPResponse(
      status: status, contentType: "application/json", body: Array(input.dropFirst()))
    do {
      for candle in try service.candles(in: response, for: part) { seededBug(candle.volume) }
    } catch {
      precondition(!error.fault.message.isEmpty)
    }
  }
}

/// The venues' lists of instruments: Kite's CSV, Angel One's JSON.
struct InstrumentLists: FuzzTarget {
  static let name = "instrument-lists"

  init() {}

  static func seeds() -> [[UInt8]] {
    let csv = """
      instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,\
      segment,exchange
      408065,1594,INFY,"INFOSYS, LTD",0,,0,0.05,1,EQ,NSE,NSE
      12345602,48225,NIFTY26NOV25000CE,NIFTY,0,2026-11-24,25000,0.05,75,CE,NFO-OPT,NFO

      """
    let json = """
      [{"token":"2885","symbol":"RELIANCE-EQ","name":"RELIANCE","expiry":"","strike":"-1.000000","lotsize":"1",\
      "instrumenttype":"","exch_seg":"NSE","tick_size":"10.000000"},{"token":"43125","symbol":"NIFTY24NOV26FUT",\
      "name":"NIFTY","expiry":"24NOV2026","strike":"0.000000","lotsize":"75","instrumenttype":"FUTIDX",\
      "exch_seg":"NFO","tick_size":"5.000000"}]
      """
    return [Array(csv.utf8), Array(json.utf8)]
  }

  mutating func read(_ input: [UInt8]) {
    if let rows = try? KiteInstruments.parse(csv: input, source: "fuzz") {
      for row in rows { seededBug(row.name.utf8.reduce(0) { $0 &+ Int($1) }) }
    }
    if let list = try? AngelOneInstruments(json: input, source: "fuzz") {
      for row in list.rows { seededBug(row.name.utf8.reduce(0) { $0 &+ Int($1) }) }
    }
  }
}

/// What venues say in words, and the JSON reader below all of them.
struct VenueTexts: FuzzTarget {
  static let name = "texts"

  init() {}

  static func seeds() -> [[UInt8]] {
    [
      "{\"correlationID\":\"a\",\"errorCode\":\"E1002\",\"errorMessage\":\"Invalid \\u20b9\\n\"}",
      "{\"type\":\"error\",\"data\":[1,-2.50,{\"x\":null}],\"y\":true}", "[12.5,\"\\\"\",[],{}]",
    ].map { Array($0.utf8) }
  }

  mutating func read(_ input: [UInt8]) {
    if let text = AngelOneMessage.errorText(input) { seededBug(text.utf8.reduce(0) { $0 &+ Int($1) }) }
    var scanner = JSONScanner(input)
    _ = try? scanner.skipValue()
    precondition(scanner.index <= input.count)
    var reader = JSONScanner(input)
    _ = try? reader.array { (element) throws(Fault) in
      if element.peek() == UInt8(ascii: "\"") {
        _ = try element.string()
      } else {
        _ = try element.number(fractionDigits: 9)
      }
    }
    if let text = try? HexText.bytes(String(decoding: input, as: UTF8.self)) {
      precondition(text.count <= input.count)
    }
  }
}

/// `Symbol` throws on nonsense, which this is not.
private let sampleSymbol: Symbol = {
  do { return try Symbol("NSE:RELIANCE") } catch { fatalError("\(error)") }
}()
