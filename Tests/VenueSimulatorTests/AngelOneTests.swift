import Foundation
import MarketData
import Testing
import VenueSimulator

/// The simulated Angel One: logins, refusals, candles, list, and the stream byte for byte.
@Suite struct AngelOneTests {
  private static func withAngelOne<Result: Sendable>(
    _ market: some SimulatedMarket, _ configure: (inout SimulatedVenue.Configuration) -> Void = { _ in },
    _ body: @escaping @Sendable (AngelOneClient) throws -> Result
  ) async throws -> Result {
    try await withVenue(
      market,
      {
        $0.vendor = .angelone
        configure(&$0)
      }
    ) { _, port in try body(AngelOneClient(port: port)) }
  }

  /// A market in which nothing happens before a client has seen what it wants.
  private static func quietMarket(count: Int = 40) throws -> SyntheticMarket {
    try syntheticMarket(count: count, updatesPerSecond: 1e-9)
  }

  @Test func loginsAreCheckedAndTokensOpenTheRest() async throws {
    try await Self.withAngelOne(try Self.quietMarket()) { fresh in
      var client = fresh
      #expect(try client.logIn(pin: "1111").code == "AB1007")
      #expect(try client.logIn(clientCode: "X").code == "AB1007")
      #expect(try client.logIn(totp: "12345x").code == "AB1050")
      #expect(try client.get("/rest/secure/angelbroking/user/v1/getProfile").code == "AG8001")
      let login = try client.logIn()
      #expect(login.status == 200 && login.json["status"] as? Bool == true)
      let profile = try client.get("/rest/secure/angelbroking/user/v1/getProfile")
      #expect(profile.data["clientcode"] as? String == "DEMO")
      let (first, feed) = (client.jwt, client.feed)
      #expect(try client.renew().json["status"] as? Bool == true)
      #expect(client.jwt != first && client.feed != feed)
      #expect(try client.post("/rest/auth/angelbroking/jwt/v1/generateTokens", [:]).code == "AB8050")
      #expect(
        try client.post("/rest/secure/angelbroking/user/v1/logout", ["clientcode": "DEMO"]).json["status"]
          as? Bool == true)
      #expect(try client.get("/rest/secure/angelbroking/user/v1/getProfile").code == "AG8001")
      client.apiKey = "other"
      #expect(try client.logIn().code == "AG8004")
      #expect(try client.get("/rest/nothing").status == 404)
    }
  }

  @Test func candlesAreThoseOfTheSameMarketAtKite() async throws {
    let (from, to) = ("2024-08-01 15:25", "2024-08-02 09:20")
    let market = try Self.quietMarket()
    let share = try #require(market.instruments.first { $0.tradingSymbol == "SIM0020" })
    let kite = try await withVenue(market) { _, port in
      let encode = { (text: String) in text.replacingOccurrences(of: " ", with: "+") + ":00" }
      return try TickerClient(port: port).get(
        "/instruments/historical/\(share.token)/minute?from=\(encode(from))&to=\(encode(to))",
        headers: ["Authorization: token simkey:simtoken"]
      ).body
    }
    let angel = try await Self.withAngelOne(market) { fresh in
      var client = fresh
      _ = try client.logIn()
      return try client.candles("\(share.exchangeToken)", from: from, to: to)
    }
    func rows(_ text: String, _ keys: [String]) throws -> [[String]] {
      var value = try JSONSerialization.jsonObject(with: Data(text.utf8))
      for key in keys { value = try #require((value as? [String: Any])?[key]) }
      return try #require(value as? [[Any]]).map { row in
        // The two vendors write whole numbers, and the distance from UTC, each in its own way.
        row.map { cell in
          (cell as? NSNumber).map { "\($0.doubleValue)" }
            ?? "\(cell)".replacingOccurrences(of: "+05:30", with: "+0530")
        }
      }
    }
    let expected = try rows(kite, ["data", "candles"])
    #expect(expected.count == 11)
    #expect(try rows(angel.text, ["data"]) == expected)
  }

  @Test func requestsForCandlesAreCheckedAndLimited() async throws {
    try await Self.withAngelOne(
      try Self.quietMarket(), { $0.angelOne.keepsRateLimits = true }
    ) { fresh in
      var client = fresh
      _ = try client.logIn()
      #expect(try client.logIn().text == "Access denied because of exceeding access rate")
      #expect(try client.candles("1", from: "2024-08-01 09:15", to: "2024-08-01 09:20").code == "AB1009")
      let tooLong = try client.candles("1020", from: "2024-06-01 09:15", to: "2024-08-01 09:20")
      #expect(tooLong.code == "AB4000")
      #expect(
        try client.candles("1020", from: "2024-08-01", to: "2024-08-01 09:20", interval: "ONE_MINUTE").code
          == "AB4000")
      // The vendor refuses what is too much in two ways.
      let fourth = try client.candles("1020", from: "2024-08-01 09:15", to: "2024-08-01 09:20")
      #expect(fourth.status == 403 && fourth.text == "Access denied because of exceeding access rate")
      #expect(try client.candles("1020", from: "2024-08-01 09:15", to: "2024-08-01 09:20").code == "AB1004")
      Thread.sleep(forTimeInterval: 1.05)
      let none = try client.candles("1020", from: "2024-08-03 09:15", to: "2024-08-04 09:20")
      #expect(none.json["status"] as? Bool == true && none.json["data"] is NSNull)
    }
  }

  @Test func theListHasEverySegmentInTextsOnly() async throws {
    let market = try Self.quietMarket()
    let text = try await Self.withAngelOne(market) {
      try $0.get("/OpenAPI_File/files/OpenAPIScripMaster.json").text
    }
    let rows = try JSONDecoder().decode([[String: String]].self, from: Data(text.utf8))
    // BSE's currencies are not on the stream.
    #expect(rows.count == market.instruments.count - 1)
    let bySymbol = Dictionary(uniqueKeysWithValues: rows.map { ($0["symbol"] ?? "", $0) })
    #expect(
      bySymbol["SIM0020-EQ"]?["exch_seg"] == "NSE" && bySymbol["SIM0020-EQ"]?["tick_size"] == "5.000000")
    #expect(bySymbol["SIM50"]?["instrumenttype"] == "AMXIDX" && bySymbol["SIM50"]?["token"] == "99926001")
    let option = try #require(rows.first { $0["symbol"]?.hasSuffix("24500CE") == true })
    #expect(option["strike"] == "2450000.000000" && option["instrumenttype"] == "OPTIDX")
    #expect(
      option["expiry"]?.wholeMatch(of: #/\d\d[A-Z][a-z][a-z]20\d\d/#) != nil && option["lotsize"] == "25")
    #expect(rows.first { $0["exch_seg"] == "CDS" }?["tick_size"] == "0.250000")
  }

  /// Little-endian, by the offsets of the vendor's documentation.
  private static func number(_ frame: [UInt8], _ offset: Int, _ width: Int = 8) -> Int64 {
    let bits = (0..<width).reduce(UInt64(0)) { $0 | UInt64(frame[offset + $1]) << (8 * UInt64($1)) }
    return width == 8 ? Int64(bitPattern: bits) : Int64(bits)
  }

  private static func double(_ frame: [UInt8], _ offset: Int) -> Double {
    Double(bitPattern: UInt64(bitPattern: number(frame, offset)))
  }

  @Test func framesOfEveryModeAreByteForByteTheVendors() async throws {
    try await Self.withAngelOne(ScriptedMarket(), { $0.leadMilliseconds = 600_000 }) { fresh in
      var client = fresh
      _ = try client.logIn()
      let stream = try client.stream()
      var frames: [Int: [UInt8]] = [:]
      for mode in 1...4 {
        stream.change(1, mode: mode, [(1, ["2885"])])
        frames[mode] = try stream.frame()
      }
      #expect((1...4).map { frames[$0]?.count } == [51, 123, 379, 443])
      for (mode, frame) in frames {
        #expect(frame[0] == UInt8(mode) && frame[1] == 1)
        #expect(Array(frame[2..<27]) == Array("2885".utf8) + [UInt8](repeating: 0, count: 21))
      }
      let snap = try #require(frames[3])
      // Each mode's frame is the beginning of the next one's, but for the first byte.
      for mode in [1, 2] {
        #expect(
          frames[mode]?.dropFirst().elementsEqual(snap.dropFirst().prefix((frames[mode]?.count ?? 0) - 1))
            == true)
      }
      let integers: [Int: Int64] = [
        27: 0, 35: 1_625_461_888_000, 43: 250_105, 51: 7, 59: 250_001, 67: 3_000_000_000, 91: 250_000,
        99: 250_200,
        107: 249_900, 115: 249_500, 123: 1_625_461_887, 131: 11, 347: 299_400, 355: 199_600,
      ]
      for (offset, value) in integers { #expect(Self.number(snap, offset) == value, "\(offset)") }
      #expect(Self.double(snap, 75) == 16_909_060 && Self.double(snap, 83) == 84_281_096)
      #expect(Self.double(snap, 139) == 10)
      for level in 0..<5 {
        let (bid, ask) = (147 + 20 * level, 247 + 20 * level)
        #expect(Self.number(snap, bid, 2) == 1 && Self.number(snap, ask, 2) == 0)
        #expect(
          Self.number(snap, bid + 2) == Int64(1 + level) && Self.number(snap, ask + 2) == Int64(16 + level))
        #expect(Self.number(snap, bid + 10) == Int64(250_100 - 5 * level))
        #expect(Self.number(snap, ask + 10) == Int64(250_110 + 5 * level))
        #expect(Self.number(snap, bid + 18, 2) == Int64(0x0101 + level))
      }
      let depth = try #require(frames[4])
      #expect(Self.number(depth, 27) == 1_625_461_888_000)
      for level in 0..<20 {
        #expect(Self.number(depth, 43 + 10 * level + 4, 4) == Int64(250_100 - 5 * level))
        #expect(Self.number(depth, 243 + 10 * level + 4, 4) == Int64(250_110 + 5 * level))
      }
      // An index has no quantities, and no numbers.
      stream.change(1, mode: 3, [(1, ["99926001"])])
      let index = try stream.frame()
      #expect(
        Self.number(index, 43) == 1_999_964 && Self.number(index, 67) == 0 && Self.number(index, 27) == 0)
    }
  }

  @Test func requestsBeyondTheLimitsAreComplainedOfAndTheRestGoesOn() async throws {
    try await Self.withAngelOne(
      try Self.quietMarket(),
      {
        $0.angelOne.pairsPerConnectionMax = 3
        $0.angelOne.depthTokensMax = 1
      }
    ) { fresh in
      var client = fresh
      _ = try client.logIn()
      let stream = try client.stream()
      stream.send(text: "ping")
      #expect(try stream.receive() == .text("pong"))
      stream.sendFrame(opcode: 9, Array("ping".utf8))
      #expect(try stream.receive() == .pong(Array("ping".utf8)))
      for text in ["{", #"{"action":2}"#, #"{"action":1,"params":{"mode":5,"tokenList":[]}}"#] {
        stream.send(text: text)
        #expect(try stream.text().contains(#""errorCode":"E1001""#))
      }
      // A repetition does not count again, and what does not exist is passed over.
      stream.change(1, mode: 1, [(1, ["1014", "1014", "7"]), (3, ["500001"])])
      for token in ["1014", "500001"] { #expect(try stream.frame()[2...].starts(with: token.utf8)) }
      stream.change(1, mode: 1, [(1, ["1014"])])
      stream.change(1, mode: 3, [(1, ["1014", "1015"])], id: "second")
      let limit = try stream.text()
      #expect(limit.contains(#""correlationID":"second""#) && limit.contains(#""errorCode":"E1002""#))
      stream.change(1, mode: 4, [(2, ["40001"])])
      #expect(try stream.text().contains("E1002"))
      stream.change(1, mode: 4, [(1, ["1014"])])
      #expect(try stream.frame().count == 443)
      stream.change(0, mode: 4, [(1, ["1014"])])
      stream.change(1, mode: 3, [(1, ["1015"])])
      #expect(try stream.frame().count == 379)
    }
  }

  @Test func theStreamIsOpenedByTheSessionAlone() async throws {
    try await Self.withAngelOne(try Self.quietMarket()) { fresh in
      var client = fresh
      _ = try client.logIn()
      for (changes, reason) in [
        (["x-api-key": "x"], "Invalid Api Key"), (["x-client-code": "x"], "Invalid Client Code"),
        (["x-feed-token": "x"], "Invalid Feed Token"), (["Authorization": "Bearer x"], "Invalid Auth Token"),
      ] {
        let answer = try client.open(try TickerClient(port: client.port), changing: changes)
        #expect(answer.hasPrefix("HTTP/1.1 401"))
        #expect(answer.lowercased().contains("x-error-message: \(reason.lowercased())"))
      }
      let none = ["Authorization": "", "x-api-key": "", "x-client-code": "", "x-feed-token": ""]
      let query = "?clientCode=DEMO&feedToken=\(client.feed)&apiKey=simkey"
      let byQuery = try TickerClient(port: client.port)
      #expect(try client.open(byQuery, changing: none, query: query).hasPrefix("HTTP/1.1 101"))
      let others = try (0..<2).map { _ in try client.stream() }
      let fourth = try client.open(try TickerClient(port: client.port))
      #expect(fourth.hasPrefix("HTTP/1.1 429"))
      _ = others
    }
  }

  @Test func theStreamIsTheSameForTheSameSeedAndNumbersItsTicks() async throws {
    func run() async throws -> [[UInt8]] {
      try await Self.withAngelOne(try syntheticMarket(count: 40, updatesPerSecond: 50)) { fresh in
        var client = fresh
        _ = try client.logIn()
        let stream = try client.stream()
        stream.change(1, mode: 3, [(1, (14..<40).map { "\(1000 + $0)" })])
        return try (0..<400).map { _ in try stream.frame() }
      }
    }
    let first = try await run()
    // The snapshots are of the moment of subscription; after them, each instrument's frames are numbered without holes.
    func byToken(_ frames: [[UInt8]]) -> [[UInt8]: [[UInt8]]] {
      Dictionary(grouping: frames) { Array($0[2..<27]) }
    }
    for (_, frames) in byToken(first) {
      let numbers = frames.map { Self.number($0, 27) }
      #expect(numbers == Array(numbers[0]..<(numbers[0] + Int64(numbers.count))))
    }
    let second = byToken(try await run())
    for (token, frames) in byToken(first) {
      let known = Dictionary(
        uniqueKeysWithValues: (second[token] ?? []).map { (Self.number($0, 27), $0) })
      for frame in frames {
        if let other = known[Self.number(frame, 27)] { #expect(other == frame) }
      }
    }
  }

  @Test func anExpiredSessionEndsConnectionsAndANewLoginOpensNewOnes() async throws {
    try await Self.withAngelOne(try Self.quietMarket()) { fresh in
      var client = fresh
      _ = try client.logIn()
      let stream = try client.stream()
      stream.change(1, mode: 1, [(1, ["1014"])])
      _ = try stream.frame()
      let request = try TickerClient(port: client.port)
      request.send(
        Array("POST /simulator/faults HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\ntoken-expiry".utf8))
      _ = try request.httpAnswer()
      #expect(try stream.receive() == .end)
      #expect(try client.candles("1014", from: "2024-08-01 09:15", to: "2024-08-01 09:20").code == "AG8002")
      #expect(try client.open(try TickerClient(port: client.port)).hasPrefix("HTTP/1.1 401"))
      _ = try client.logIn()
      _ = try client.stream()
    }
  }
}
