import Foundation
import MarketData
import Testing
import VenueSimulator

@Suite struct HistoryTests {
  private static let authorization = "Authorization: token simkey:simtoken"

  private static func target(
    _ token: UInt32, _ interval: String, _ from: String, _ to: String, extra: String = ""
  ) -> String {
    let query = "from=\(from)&to=\(to)\(extra)".replacingOccurrences(of: " ", with: "%20")
    return "/instruments/historical/\(token)/\(interval)?\(query)"
  }

  private static func candles(_ body: String) throws -> [[Any]] {
    let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    return (object?["data"] as? [String: Any])?["candles"] as? [[Any]] ?? []
  }

  private static func number(_ candle: [Any], _ position: Int) -> Double {
    (candle[position] as? NSNumber)?.doubleValue ?? .nan
  }

  @Test func aSessionHas375ConsistentMinutesThatJoinOn() async throws {
    let market = try syntheticMarket()
    let share = try #require(market.instruments.first { $0.segment == .nse })
    let opening = Double(share.openingPrice) / 100
    try await withVenue(market) { _, port in
      let client = try TickerClient(port: port)
      let answer = try client.get(
        Self.target(share.token, "minute", "2024-08-02 09:15:00", "2024-08-05 10:00:00"),
        headers: [Self.authorization])
      #expect(answer.head.hasPrefix("HTTP/1.1 200"))
      let candles = try Self.candles(answer.body)
      // Friday's session, then Monday up to the simulation's start.
      #expect(candles.count == 375 + 45)
      #expect(candles.first?[0] as? String == "2024-08-02T09:15:00+0530")
      #expect(candles[374][0] as? String == "2024-08-02T15:29:00+0530")
      #expect(candles.last?[0] as? String == "2024-08-05T09:59:00+0530")
      for (candle, next) in zip(candles, candles.dropFirst()) {
        #expect(candle.count == 6)
        let (open, high, low, close) = (
          Self.number(candle, 1), Self.number(candle, 2), Self.number(candle, 3), Self.number(candle, 4)
        )
        #expect(low > 0 && low <= min(open, close) && high >= max(open, close))
        #expect(abs(open / opening - 1) < 0.5)
        #expect(Self.number(next, 1) == close)
      }
      #expect(Self.number(candles[candles.count - 1], 4) == opening)
    }
  }

  @Test func wholePricesLackAFraction() async throws {
    let market = try syntheticMarket()
    let gold = try #require(market.instruments.first { $0.exchange == "MCX" })
    try await withVenue(market) { _, port in
      let body = try TickerClient(port: port).get(
        Self.target(gold.token, "minute", "2024-08-02 09:15:00", "2024-08-02 09:15:00", extra: "&oi=1"),
        headers: [Self.authorization]
      ).body
      #expect(!body.contains("."))
      #expect(try Self.candles(body).map(\.count) == [7])
    }
  }

  @Test(arguments: [("5minute", 75), ("15minute", 25), ("60minute", 7), ("day", 1)])
  func longerIntervalsMergeTheMinutesOfASession(interval: String, count: Int) async throws {
    let market = try syntheticMarket()
    let token = market.instruments[3].token
    try await withVenue(market) { _, port in
      let client = try TickerClient(port: port)
      func fetch(_ interval: String) throws -> [[Any]] {
        try Self.candles(
          client.get(
            Self.target(token, interval, "2024-08-02 00:00:00", "2024-08-02 23:59:59"),
            headers: [Self.authorization]
          ).body)
      }
      let (minutes, merged) = (try fetch("minute"), try fetch(interval))
      #expect(merged.count == count)
      #expect(Self.number(merged[0], 1) == Self.number(minutes[0], 1))
      #expect(Self.number(merged[count - 1], 4) == Self.number(minutes[374], 4))
      let highs = [minutes, merged].map { $0.map { Self.number($0, 2) }.max() }
      #expect(highs[0] == highs[1])
      let volumes: [Double] = [minutes, merged].map { $0.reduce(0) { $0 + Self.number($1, 5) } }
      #expect(volumes[0] == volumes[1])
    }
  }

  @Test(arguments: [
    ("2030-01-01 09:15:00", "2030-01-02 15:29:00", 0), ("1960-01-04 09:15:00", "1960-01-05 15:29:00", 0),
    ("1678-01-01 00:00:00", "2261-12-31 00:00:00", -1), ("1989-12-31 09:15:00", "1990-01-01 09:16:00", 2),
    ("2024-08-05 09:59:00", "2024-08-06 09:59:00", 1),
  ])
  func whatNobodyCanKnowHasNoCandles(from: String, to: String, count: Int) async throws {
    let market = try syntheticMarket()
    try await withVenue(market) { _, port in
      let client = try TickerClient(port: port)
      let answer = try client.get(
        Self.target(market.instruments[3].token, "minute", from, to), headers: [Self.authorization])
      #expect(answer.head.hasPrefix("HTTP/1.1 \(count < 0 ? 400 : 200)"), "\(answer.head)")
      if count >= 0 { #expect(try Self.candles(answer.body).count == count) }
    }
  }

  @Test(arguments: [
    ("1/minute", "2024-08-02 09:15:00", "2024-08-02 10:15:00", "token"),
    ("TOKEN/week", "2024-08-02 09:15:00", "2024-08-02 10:15:00", "interval"),
    ("TOKEN/minute", "2024-08-02", "2024-08-02 10:15:00", "from"),
    ("TOKEN/minute", "2024-08-02 10:15:00", "2024-08-02 09:15:00", "after"),
    ("TOKEN/minute", "2024-05-01 09:15:00", "2024-08-02 09:15:00", "60 days"),
  ])
  func badInputIsRefusedAsDocumented(path: String, from: String, to: String, word: String) async throws {
    let market = try syntheticMarket()
    let path = path.replacingOccurrences(of: "TOKEN", with: "\(market.instruments[0].token)")
    try await withVenue(market) { _, port in
      let query = "from=\(from)&to=\(to)".replacingOccurrences(of: " ", with: "%20")
      let answer = try TickerClient(port: port).get(
        "/instruments/historical/\(path)?\(query)", headers: [Self.authorization])
      #expect(answer.head.hasPrefix("HTTP/1.1 400"))
      #expect(answer.body.contains(#""error_type":"InputException""#))
      #expect(answer.body.contains(word))
    }
  }

  @Test func aWrongTokenIsRefusedAndTooManyRequestsAreHeldBack() async throws {
    let market = try syntheticMarket()
    let target = Self.target(
      market.instruments[0].token, "minute", "2024-08-02 09:15:00", "2024-08-02 09:16:00")
    try await withVenue(market, { $0.historicalRequestsPerSecondMax = 2 }) { _, port in
      let client = try TickerClient(port: port)
      let refused = try client.get(target, headers: ["Authorization: token simkey:other"])
      #expect(refused.head.hasPrefix("HTTP/1.1 403"))
      #expect(refused.body.contains("TokenException"))
      #expect(try client.get(target, headers: [Self.authorization]).head.hasPrefix("HTTP/1.1 200"))
      // Three requests within a second come sooner or later, however busy the machine is.
      let heldBack = try (0..<100).map { _ in try client.get(target, headers: [Self.authorization]) }
        .first { $0.head.hasPrefix("HTTP/1.1 429") }
      #expect(heldBack?.body.contains("NetworkException") == true)
    }
  }

  @Test func minutesAfterTheStartAreThoseThatWereTraded() async throws {
    let market = try syntheticMarket(count: 5, updatesPerSecond: 20)
    let token = market.instruments[4].token
    try await withVenue(market, { $0.speed = 60 }) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([token], mode: "full")
      var volume = 0
      var high = Int.min
      var minute = 0
      // Reads to the end of the simulation's first minute.
      while true {
        let packets = try client.receivePackets()
        let traded = packets.filter { $0.count == 184 && wireNumber($0, 44) >= Int(mondayMorning.seconds) }
        for packet in traded where wireNumber(packet, 44) < Int(mondayMorning.seconds) + 60 {
          volume = wireNumber(packet, 16)
          high = max(high, wireNumber(packet, 4))
        }
        minute = traded.last.map { wireNumber($0, 44) } ?? minute
        if minute >= Int(mondayMorning.seconds) + 60 { break }
      }
      let body = try TickerClient(port: port).get(
        Self.target(token, "minute", "2024-08-05 10:00:00", "2024-08-05 10:00:00"),
        headers: [Self.authorization]
      ).body
      let candles = try Self.candles(body)
      #expect(candles.count == 1)
      #expect(Self.number(candles[0], 5) == Double(volume))
      // The very first trades may have come in quote mode, without a time.
      #expect(Self.number(candles[0], 2) >= Double(high) / 100)
    }
  }
}

@Suite struct InstrumentsDumpTests {
  private static let header =
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    + "instrument_type,segment,exchange"

  @Test func theDumpListsEveryInstrumentInKitesColumns() async throws {
    let market = try syntheticMarket(count: 200)
    let instruments = market.instruments
    try await withVenue(market) { _, port in
      let client = try TickerClient(port: port)
      let lines = try client.get("/instruments").body.split(separator: "\n").map(String.init)
      #expect(lines[0] == Self.header)
      #expect(lines.count == 201)
      for (line, instrument) in zip(lines.dropFirst(), instruments) {
        let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        #expect(columns.count == 12)
        let (token, exchangeToken) = (try #require(UInt32(columns[0])), try #require(UInt32(columns[1])))
        #expect(token >> 8 == exchangeToken)
        #expect(token == instrument.token)
        #expect(columns[2] == instrument.tradingSymbol)
        #expect(columns[11] == instrument.exchange)
      }
      #expect(lines.contains { $0.contains(",0.0025,1,FUT,CDS-FUT,CDS") })
      let mcx = try client.get("/instruments/MCX").body.split(separator: "\n")
      #expect(mcx.count == 3)
      #expect(try client.get("/instruments/NOWHERE").head.hasPrefix("HTTP/1.1 400"))
      #expect(try client.get("/elsewhere").head.hasPrefix("HTTP/1.1 404"))
    }
  }
}
