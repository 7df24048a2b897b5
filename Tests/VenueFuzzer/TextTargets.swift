import MarketData

@testable import Venues

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
    take { () throws(Fault) in try KiteInstruments.parse(csv: input, source: "fuzz").map(\.listing) }
    take { () throws(Fault) in try AngelOneInstruments(json: input, source: "fuzz").rows }
  }

  private func take(_ listings: () throws(Fault) -> [InstrumentListing]) {
    do throws(Fault) {
      for listing in try listings() {
        seededBug(listing.name.utf8.reduce(0) { $0 &+ Int($1) })
        precondition(listing.priceScale >= 0)
      }
    } catch {
      checkSentence(error.message)
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
    if let text = AngelOneMessage.errorText(input) {
      checkSentence(text)
      seededBug(text.utf8.reduce(0) { $0 &+ Int($1) })
    }
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

/// The answers to logins, of Kite's exchange of a request token and of Angel One's password.
struct LoginAnswers: FuzzTarget {
  static let name = "logins"
  private static let statuses = [200, 400, 401, 403, 500]

  init() {}

  static func seeds() -> [[UInt8]] {
    let kite = "{\"status\":\"success\",\"data\":{\"user_id\":\"AB1234\",\"access_token\":\"x1y2\"}}"
    let refusal = "{\"status\":\"error\",\"message\":\"Token is invalid\",\"error_type\":\"TokenException\"}"
    // The second of the three parts says {"exp":1764128700}.
    let angelOne = """
      {"status":true,"message":"SUCCESS","errorcode":"","data":{"jwtToken":"Bearer e30.eyJleHAiOjE3NjQxMjg3MDB9.c2ln",\
      "refreshToken":"r","feedToken":"f"}}
      """
    let wrong = "{\"status\":false,\"message\":\"Invalid totp\",\"errorcode\":\"AB1050\",\"data\":null}"
    let pasted = "https://example.in/back?action=login&status=success&request_token=Ab12#top"
    return [kite, refusal, angelOne, wrong, pasted].map { [0] + Array($0.utf8) }
  }

  mutating func read(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let response = HTTPResponse(
      status: Self.statuses[Int(first) % Self.statuses.count], body: Array(input.dropFirst()))
    take { () throws(Fault) in
      try KiteLogin(apiKey: "key").session(in: response).accessToken
    }
    take { () throws(Fault) in try angelOneSession { response }.tokens().jwt }
    take { () throws(Fault) in
      try KiteLogin.requestToken(in: String(decoding: response.body, as: UTF8.self))
    }
  }

  private func take(_ word: () throws(Fault) -> String) {
    do throws(Fault) {
      let word = try word()
      precondition(!word.isEmpty && word.utf8.allSatisfy { (0x20...0x7E).contains($0) })
      seededBug(word.utf8.reduce(0) { $0 &+ Int($1) })
    } catch {
      checkSentence(error.message)
    }
  }
}
