import MarketData

/// A line of a gateway that is no tick.
enum GatewayMessage {
  /// What a gateway says first.
  struct Hello: Equatable {
    var protocolVersion: Int64
    var name: String
    var capabilities: Set<String>
  }

  /// A past candle, before it is known whose it is.
  struct Row: Equatable {
    var start: Timestamp
    var open: Price
    var high: Price
    var low: Price
    var close: Price
    var volume: Int64
    var openInterest: Int64
  }

  case hello(Hello)
  case candles(id: Int64, rows: [Row], isLast: Bool)
  case instruments(id: Int64, rows: [InstrumentListing], isLast: Bool)
  case error(id: Int64?, kind: String, message: String)
  case log(level: String, message: String)
  /// `heartbeat` and `pong`.
  case alive
  /// Of a type that this version does not know.
  case unknown(type: String)

  /// Reads a line whose `type` is known.
  ///
  /// - Throws: ``Fault`` of kind `protocolViolation` that names the field or the row that is wrong.
  init(_ line: GatewayLine, _ scanner: JSONScanner) throws(Fault) {
    var scanner = scanner
    scanner.index = scanner.start
    if line.isType("heartbeat", in: scanner) || line.isType("pong", in: scanner) {
      self = .alive
      return
    }
    let type = line.type.map(scanner.text(of:)) ?? ""
    var fields = Fields()
    switch type {
    case "hello", "candles", "instruments", "error", "log":
      try scanner.members { (key, scanner) throws(Fault) in
        try fields.take(key, type: type, from: &scanner)
      }
    default:
      self = .unknown(type: excerpt(of: type.utf8))
      return
    }
    switch type {
    case "hello":
      guard let version = fields.protocolVersion else {
        throw Fault(.protocolViolation, "the hello has no number \"protocol\", as in \"protocol\":1")
      }
      self = .hello(
        Hello(protocolVersion: version, name: fields.name ?? "", capabilities: fields.capabilities))
    case "candles":
      guard let rows = fields.candles else {
        throw Fault(.protocolViolation, "the candles have no list \"rows\"")
      }
      self = .candles(id: try fields.requiredID(type), rows: rows, isLast: fields.isLast)
    case "instruments":
      guard let rows = fields.instruments else {
        throw Fault(.protocolViolation, "the instruments have no list \"rows\"")
      }
      self = .instruments(id: try fields.requiredID(type), rows: rows, isLast: fields.isLast)
    case "error":
      self = .error(
        id: fields.id, kind: fields.kind ?? "", message: fields.message ?? "an error without a message")
    default: self = .log(level: fields.level ?? "info", message: fields.message ?? "")
    }
  }
}

/// The fields of all types, as far as a line has them.
private struct Fields {
  var id: Int64?
  var protocolVersion: Int64?
  var name: String?
  var capabilities: Set<String> = []
  var kind: String?
  var level: String?
  var message: String?
  var isLast = true
  var candles: [GatewayMessage.Row]?
  var instruments: [InstrumentListing]?

  func requiredID(_ type: String) throws(Fault) -> Int64 {
    guard let id else {
      throw Fault(
        .protocolViolation, "the \(type) have no \"id\", the number of the request that they answer")
    }
    return id
  }

  mutating func take(_ key: JSONString, type: String, from scanner: inout JSONScanner) throws(Fault) {
    let first = scanner.peek()
    switch scanner.text(of: key) {
    case "id": id = try scanner.looseDecimal("id")?.scaled(fractionDigits: 0)
    case "protocol": protocolVersion = try scanner.looseDecimal("protocol")?.scaled(fractionDigits: 0)
    case "name" where first == UInt8(ascii: "\""): name = try scanner.words()
    case "kind" where first == UInt8(ascii: "\""): kind = try scanner.words()
    case "level" where first == UInt8(ascii: "\""): level = try scanner.words()
    case "message" where first == UInt8(ascii: "\""): message = try scanner.words()
    case "last" where first == UInt8(ascii: "f"):
      try scanner.skipStrictly()
      isLast = false
    case "capabilities" where first == UInt8(ascii: "["):
      try scanner.array { (scanner) throws(Fault) in capabilities.insert(try scanner.quotedText()) }
    case "rows" where first == UInt8(ascii: "[") && type == "candles":
      var rows: [GatewayMessage.Row] = []
      try scanner.array { (scanner) throws(Fault) in
        rows.append(try GatewayMessage.Row(&scanner, number: rows.count + 1))
      }
      candles = rows
    case "rows" where first == UInt8(ascii: "[") && type == "instruments":
      var rows: [InstrumentListing] = []
      try scanner.array { (scanner) throws(Fault) in
        rows.append(try InstrumentListing(gatewayRow: &scanner, number: rows.count + 1))
      }
      instruments = rows
    default: try scanner.skipStrictly()
    }
  }
}

extension JSONScanner {
  /// Takes a string and resolves its escapes.
  mutating func quotedText() throws(Fault) -> String { text(of: try strictString()) }
}

extension GatewayMessage.Row {
  /// Reads `[time, open, high, low, close, volume]`, with open interest as an optional seventh.
  fileprivate init(_ scanner: inout JSONScanner, number: Int) throws(Fault) {
    var numbers: [JSONDecimal?] = []
    var start = Timestamp.unknown
    var count = 0
    try scanner.array { (scanner) throws(Fault) in
      if count == 0 {
        start = try scanner.looseTime()
      } else {
        numbers.append(try scanner.looseDecimal("candle"))
      }
      count += 1
    }
    let shape = "[time, open, high, low, close, volume] or with open interest as a seventh"
    guard (6...7).contains(count) else {
      throw Fault(.protocolViolation, "row \(number) has \(count) values, where \(shape) should be")
    }
    guard start.isKnown else {
      throw Fault(
        .protocolViolation, "row \(number) begins with no time; Unix seconds or RFC 3339 with a zone is one")
    }
    let prices = numbers.prefix(4).compactMap { $0?.price }
    guard prices.count == 4, let volume = numbers[4]?.scaled(fractionDigits: 0), volume >= 0 else {
      throw Fault(.protocolViolation, "row \(number) has no number somewhere in \(shape)")
    }
    self.init(
      start: start, open: prices[0], high: prices[1], low: prices[2], close: prices[3], volume: volume,
      openInterest: numbers.count > 5 ? numbers[5]?.scaled(fractionDigits: 0) ?? 0 : 0)
    guard low <= min(open, close), high >= max(open, close) else {
      throw Fault(
        .protocolViolation,
        "row \(number) has open \(open), high \(high), low \(low), close \(close); open and close must lie between "
          + "low and high")
    }
  }
}

extension InstrumentListing {
  /// Reads `{"symbol":"NSE:RELIANCE","token":"2885","tick_size":0.05,"lot_size":1}`, of which the symbol is needed.
  fileprivate init(gatewayRow scanner: inout JSONScanner, number: Int) throws(Fault) {
    var symbol: String?
    var token: String?
    var tick: JSONDecimal?
    var lot: JSONDecimal?
    try scanner.members { (key, scanner) throws(Fault) in
      if scanner.isText(key, "symbol") {
        symbol = try scanner.quotedText()
      } else if scanner.isText(key, "token") {
        let isText = scanner.peek() == UInt8(ascii: "\"")
        token = isText ? try scanner.quotedText() : try scanner.normalizedValue()
      } else if scanner.isText(key, "tick_size") {
        tick = try scanner.looseDecimal("tick_size")
      } else if scanner.isText(key, "lot_size") {
        lot = try scanner.looseDecimal("lot_size")
      } else {
        try scanner.skipStrictly()
      }
    }
    guard let symbol else {
      throw Fault(.protocolViolation, "row \(number) has no text \"symbol\", as in \"NSE:RELIANCE\"")
    }
    do {
      self.init(
        symbol: try Symbol(symbol), venueToken: token ?? "", priceTick: tick?.price ?? .zero,
        lotSize: max(1, lot?.scaled(fractionDigits: 0) ?? 1))
    } catch {
      throw Fault(.protocolViolation, "row \(number): \(error.message)")
    }
  }
}
