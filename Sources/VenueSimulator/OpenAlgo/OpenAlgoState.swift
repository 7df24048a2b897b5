import Foundation
import MarketData

/// All that changes at a simulated OpenAlgo server: a plain value machine, to which the time comes with every call.
struct OpenAlgoState {
  /// One client; `send` takes a message, or nil for the end of the connection.
  private struct Client {
    let send: @Sendable (String?) -> Void
    var isAuthenticated = false
    /// The mode of each subscribed instrument, by index.
    var modes: [Int: Int] = [:]
    var ticks = 0
  }

  private var market: any SimulatedMarket
  private var minuteLog: MinuteLog
  private var clock: FeedClock?
  private var clients: [Int: Client] = [:]
  private var lastID = 0
  private let indexByName: [String: Int]
  private let configuration: OpenAlgoVenue.Configuration
  private(set) var ticksSent = 0

  private static let leadMilliseconds: Int64 = 20
  private static let updatesPerStep = 2000
  private static let modeNames = [1: "LTP", 2: "Quote", 3: "Depth"]

  init(configuration: OpenAlgoVenue.Configuration, market: any SimulatedMarket) {
    self.configuration = configuration
    self.market = market
    minuteLog = MinuteLog(instrumentCount: market.instruments.count)
    indexByName = Dictionary(
      market.instruments.enumerated().map { ($1.openAlgoName, $0) }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: The clock and the market

  func plannedClock(now: Timestamp) -> FeedClock {
    clock
      ?? FeedClock(
        feedOrigin: market.start, wallOrigin: now + Self.leadMilliseconds * 1_000_000,
        speed: configuration.speed)
  }

  mutating func startClock(now: Timestamp) -> FeedClock {
    let started = plannedClock(now: now)
    clock = started
    return started
  }

  /// Plays what is due.
  mutating func step(now: Timestamp) {
    guard let clock, now >= clock.wallOrigin else { return }
    let time = clock.feedTime(at: now)
    for _ in 0..<Self.updatesPerStep {
      guard let index = market.nextUpdate(until: time) else { return }
      let quote = market.quote(of: index)
      if quote.lastTradeSeconds == quote.exchangeSeconds { minuteLog.record(quote, of: index) }
      publish(index, quote)
    }
  }

  private mutating func publish(_ index: Int, _ quote: Quote) {
    for (id, client) in clients {
      guard let mode = client.modes[index] else { continue }
      client.send(tick(index, quote, mode: mode))
      ticksSent += 1
      clients[id]?.ticks += 1
      if let limit = configuration.cutAfterTicks, client.ticks + 1 >= limit {
        client.send(nil)
        clients[id] = nil
      }
    }
  }

  private func tick(_ index: Int, _ quote: Quote, mode: Int) -> String {
    let instrument = market.instruments[index]
    let divisor = Double(instrument.segment.priceDivisor)
    // As adapters that calculate in floating point have it: now and then a digit far behind is off.
    func price(_ wire: Int32) -> Double { Double(wire) / divisor * 1.1 / 1.1 }
    var data = "\"ltp\":\(price(quote.lastPrice)),\"ltt\":\(quote.lastTradeSeconds)"
    data += ",\"timestamp\":\(UInt64(quote.exchangeSeconds) * 1000)"
    if mode >= 2 {
      data += ",\"open\":\(price(quote.open)),\"high\":\(price(quote.high)),\"low\":\(price(quote.low))"
      data += ",\"close\":\(price(quote.close)),\"volume\":\(quote.volume)"
      data +=
        ",\"last_trade_quantity\":\(quote.lastQuantity),\"avg_trade_price\":\(price(quote.averagePrice))"
      data +=
        ",\"total_buy_quantity\":\(quote.totalBuyQuantity),\"total_sell_quantity\":\(quote.totalSellQuantity)"
      data += ",\"oi\":\(quote.openInterest)"
    }
    if mode >= 3 {
      data += ",\"depth\":{\"buy\":[\(levels(quote.bids, price))],\"sell\":[\(levels(quote.asks, price))]}"
    }
    return "{\"type\":\"market_data\",\"symbol\":\"\(instrument.tradingSymbol)\",\"exchange\":"
      + "\"\(instrument.openAlgoExchange)\",\"mode\":\(mode),\"data\":{\(data)},\"broker\":\"simulator\"}"
  }

  private func levels(_ levels: InlineArray<5, DepthLevel>, _ price: (Int32) -> Double) -> String {
    levels.indices.map { index in
      let level = levels[index]
      return "{\"price\":\(price(level.price)),\"quantity\":\(level.quantity),\"orders\":\(level.orders)}"
    }.joined(separator: ",")
  }

  // MARK: Clients

  mutating func connect(_ send: @escaping @Sendable (String?) -> Void) -> Int {
    lastID += 1
    clients[lastID] = Client(send: send)
    return lastID
  }

  mutating func disconnect(_ id: Int) { clients[id] = nil }

  mutating func drop() {
    for client in clients.values { client.send(nil) }
    clients = [:]
  }

  /// Carries out a client's message.
  mutating func take(_ text: String, from id: Int, now: Timestamp) {
    guard let client = clients[id] else { return }
    guard let message = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
      return client.send(Self.error("INVALID_JSON", "Invalid JSON message"))
    }
    let action = message["action"] as? String ?? message["type"] as? String ?? ""
    switch action {
    case "authenticate", "auth": authenticate(id, message)
    case "ping": client.send("{\"type\":\"pong\",\"server_timestamp\":\(now.nanoseconds / 1_000_000)}")
    case _ where !client.isAuthenticated:
      client.send(Self.error("NOT_AUTHENTICATED", "You must authenticate first"))
    case "subscribe": subscribe(id, message, now: now)
    case "unsubscribe": unsubscribe(id, message)
    case "unsubscribe_all": clients[id]?.modes = [:]
    default: client.send(Self.error("INVALID_ACTION", "Invalid action: \(action)"))
    }
  }

  private mutating func authenticate(_ id: Int, _ message: [String: Any]) {
    let key = message["api_key"] as? String ?? message["apikey"] as? String
    guard key == configuration.apiKey else {
      clients[id]?.send(Self.error("AUTHENTICATION_ERROR", "Invalid API key"))
      return
    }
    clients[id]?.isAuthenticated = true
    clients[id]?.send(
      "{\"type\":\"auth\",\"status\":\"success\",\"message\":\"Authentication successful\",\"broker\":\"simulator\","
        + "\"user_id\":\"demo\",\"supported_features\":{\"ltp\":true,\"quote\":true,\"depth\":true}}")
  }

  /// The `symbols` of a message, or its one symbol and exchange.
  private static func symbols(of message: [String: Any]) -> [[String: Any]] {
    if let symbols = message["symbols"] as? [[String: Any]] { return symbols }
    return message["symbol"] == nil ? [] : [message]
  }

  private static func mode(_ value: Any?) -> Int? {
    if let number = value as? Int { return modeNames[number] == nil ? nil : number }
    guard let name = value as? String else { return value == nil ? 2 : nil }
    return modeNames.first { $0.value == name }?.key
  }

  private mutating func subscribe(_ id: Int, _ message: [String: Any], now: Timestamp) {
    let symbols = Self.symbols(of: message)
    guard !symbols.isEmpty else {
      clients[id]?.send(Self.error("INVALID_PARAMETERS", "At least one symbol must be specified"))
      return
    }
    guard let mode = Self.mode(message["mode"]) else {
      clients[id]?.send(Self.error("INVALID_MODE", "Invalid mode"))
      return
    }
    _ = startClock(now: now)
    var answers: [String] = []
    var isPartial = false
    var snapshots: [Int] = []
    for symbol in symbols {
      let (name, exchange) = (symbol["symbol"] as? String ?? "", symbol["exchange"] as? String ?? "")
      let index = indexByName["\(exchange):\(name)"]
      if let index {
        clients[id]?.modes[index] = mode
        snapshots.append(index)
      }
      isPartial = isPartial || index == nil
      answers.append(
        "{\"symbol\":\(Self.quoted(name)),\"exchange\":\(Self.quoted(exchange)),\"status\":\"\(index == nil ? "error" : "success")\","
          + "\"mode\":\"\(Self.modeNames[mode] ?? "")\",\"depth\":5,\"broker\":\"simulator\"}")
    }
    clients[id]?.send(
      "{\"type\":\"subscribe\",\"status\":\"\(isPartial ? "partial" : "success")\",\"subscriptions\":"
        + "[\(answers.joined(separator: ","))],\"message\":\"Subscription processing complete\","
        + "\"broker\":\"simulator\"}")
    for index in snapshots { clients[id]?.send(tick(index, market.quote(of: index), mode: mode)) }
    ticksSent += snapshots.count
  }

  private mutating func unsubscribe(_ id: Int, _ message: [String: Any]) {
    for symbol in Self.symbols(of: message) {
      let name = "\(symbol["exchange"] as? String ?? ""):\(symbol["symbol"] as? String ?? "")"
      guard let index = indexByName[name], let mode = Self.mode(symbol["mode"]) else { continue }
      // Another mode than the subscribed one is another subscription there.
      if clients[id]?.modes[index] == mode { clients[id]?.modes[index] = nil }
    }
    clients[id]?.send(
      "{\"type\":\"unsubscribe\",\"status\":\"success\",\"message\":\"Unsubscription processing complete\","
        + "\"successful\":[],\"failed\":[],\"broker\":\"simulator\"}")
  }

  /// A JSON string of a client's text.
  private static func quoted(_ text: String) -> String {
    (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  private static func error(_ code: String, _ message: String) -> String {
    "{\"status\":\"error\",\"code\":\"\(code)\",\"message\":\"\(message)\"}"
  }

  // MARK: What REST asks for

  /// The rows of the list of instruments.
  var instrumentRows: [[String: Any]] {
    market.instruments.map { instrument in
      [
        "symbol": instrument.tradingSymbol, "brsymbol": instrument.tradingSymbol, "name": instrument.name,
        "exchange": instrument.openAlgoExchange, "brexchange": instrument.exchange,
        "token": "\(instrument.token)",
        "expiry": "", "strike": 0.0, "lotsize": Int(instrument.lotSize),
        "instrumenttype": instrument.instrumentType,
        "tick_size": Double(instrument.priceTick) / Double(instrument.segment.priceDivisor),
      ]
    }
  }

  func material(of name: String, now: Timestamp) -> HistoricalMaterial? {
    guard let index = indexByName[name] else { return nil }
    let clock = plannedClock(now: now)
    return HistoricalMaterial(
      instrument: market.instruments[index], history: market.history, traded: minuteLog[index],
      now: now >= clock.wallOrigin ? clock.feedTime(at: now) : clock.feedOrigin)
  }
}

extension SimulatedInstrument {
  /// OpenAlgo keeps indices on exchanges of their own.
  fileprivate var openAlgoExchange: String { segmentName == "INDICES" ? "\(exchange)_INDEX" : exchange }

  fileprivate var openAlgoName: String { "\(openAlgoExchange):\(tradingSymbol)" }
}
