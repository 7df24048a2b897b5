import MarketData

/// One message of an OpenAlgo server, taken apart without allocating: strings are places in the message's bytes.
///
/// The shapes are those of the server's own code, whose documents describe three others; what stands in `data` is
/// whatever a broker's adapter made, so only the keys that are dependable are read.
struct OpenAlgoFrame {
  /// What a message is, by its `type`; errors have none.
  enum Kind {
    case marketData
    case authentication
    case subscription
    case unsubscription
    case pong
    case error
    case other
  }

  /// How much a tick carries; as the number of a subscription's mode.
  enum Mode: Int64, Sendable, CaseIterable {
    case lastPrice = 1
    case quote = 2
    case depth = 3
  }

  private(set) var kind = Kind.other
  /// The message's `type`, where it is a string.
  private(set) var type: JSONString?
  private(set) var symbol: JSONString?
  private(set) var exchange: JSONString?
  private(set) var status: JSONString?
  private(set) var code: JSONString?
  private(set) var message: JSONString?
  private(set) var lastPrice = Price.zero
  /// The venue's time of the last trade, `ltt`.
  private(set) var lastTradeTime = Timestamp.unknown
  /// The `timestamp` of the tick: the venue's or the adapter's, which nothing tells apart.
  private(set) var time = Timestamp.unknown
  private(set) var dayVolume: Int64?
  private(set) var lastQuantity: Int64 = 0
  private(set) var openInterest: Int64 = 0

  private var mode: Int64?
  private var hasData = false
  private var hasLastPrice = false

  /// Reads a whole message.
  ///
  /// - Throws: ``Fault`` of kind `protocolViolation` when it is no JSON object, or says that it is a tick and is not
  ///   a whole one.
  init(_ scanner: inout JSONScanner) throws(Fault) {
    var frame = OpenAlgoFrame()
    try scanner.members { (key, scanner) throws(Fault) in
      try frame.take(key, from: &scanner)
    }
    try scanner.expectEnd()
    frame.kind = frame.kind(in: scanner)
    if frame.kind == .marketData { try frame.checkTick(in: scanner) }
    self = frame
  }

  private init() {}

  private mutating func take(_ key: JSONString, from scanner: inout JSONScanner) throws(Fault) {
    if scanner.isText(key, "data"), scanner.peek() == UInt8(ascii: "{") {
      hasData = true
      try scanner.members { (key, scanner) throws(Fault) in
        try takeDatum(key, from: &scanner)
      }
    } else if scanner.isText(key, "mode") {
      mode = try scanner.modeNumber()
    } else if scanner.peek() == UInt8(ascii: "\"") {
      let text = try scanner.strictString()
      if scanner.isText(key, "type") { type = text }
      if scanner.isText(key, "symbol") { symbol = text }
      if scanner.isText(key, "exchange") { exchange = text }
      if scanner.isText(key, "status") { status = text }
      if scanner.isText(key, "code") { code = text }
      if scanner.isText(key, "message") { message = text }
    } else {
      try scanner.skipStrictly()
    }
  }

  private mutating func takeDatum(_ key: JSONString, from scanner: inout JSONScanner) throws(Fault) {
    if scanner.isText(key, "ltp") {
      guard let decimal = try scanner.looseDecimal("ltp") else { return hasLastPrice = false }
      guard let price = decimal.price else {
        throw Fault(.protocolViolation, "its ltp is beyond any price")
      }
      lastPrice = price
      hasLastPrice = true
    } else if scanner.isText(key, "ltt") {
      lastTradeTime = try scanner.looseTime()
    } else if scanner.isText(key, "timestamp") {
      time = try scanner.looseTime()
    } else if scanner.isText(key, "volume") {
      dayVolume = try scanner.looseDecimal("volume")?.scaled(fractionDigits: 0)
    } else if scanner.isText(key, "last_trade_quantity") || scanner.isText(key, "last_quantity") {
      lastQuantity = try scanner.looseDecimal("last_quantity")?.scaled(fractionDigits: 0) ?? 0
    } else if scanner.isText(key, "oi") {
      openInterest = try scanner.looseDecimal("oi")?.scaled(fractionDigits: 0) ?? 0
    } else {
      try scanner.skipStrictly()
    }
  }

  private func kind(in scanner: JSONScanner) -> Kind {
    guard let type else {
      return status.map { scanner.isText($0, "error") } == true ? .error : .other
    }
    if scanner.isText(type, "market_data") { return .marketData }
    if scanner.isText(type, "auth") { return .authentication }
    if scanner.isText(type, "subscribe") { return .subscription }
    if scanner.isText(type, "unsubscribe") { return .unsubscription }
    if scanner.isText(type, "pong") { return .pong }
    if scanner.isText(type, "error") { return .error }
    return .other
  }

  private func checkTick(in scanner: JSONScanner) throws(Fault) {
    guard let symbol, !symbol.range.isEmpty, let exchange, !exchange.range.isEmpty else {
      throw Fault(.protocolViolation, "a market_data message needs the texts symbol and exchange")
    }
    let name = "\(scanner.words(of: exchange)):\(scanner.words(of: symbol))"
    guard hasData else {
      throw Fault(.protocolViolation, "the market_data of \(name) needs an object data")
    }
    if let mode, Mode(rawValue: mode) == nil {
      throw Fault(
        .protocolViolation,
        "the market_data of \(name) has mode \(mode), where 1 (LTP), 2 (Quote) or 3 (Depth) should be")
    }
    guard hasLastPrice else {
      throw Fault(.protocolViolation, "the market_data of \(name) carries no number ltp")
    }
  }

  /// Whether the server says that what was asked for was done.
  func isSuccess(in scanner: JSONScanner) -> Bool {
    status.map { scanner.isText($0, "success") } ?? false
  }
}

extension JSONScanner {
  /// Takes a mode: a number, or a text or anything else, which count as none.
  fileprivate mutating func modeNumber() throws(Fault) -> Int64? {
    let first = peek() ?? 0
    guard first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10 else {
      try skipStrictly()
      return nil
    }
    return try decimal()?.scaled(fractionDigits: 0) ?? .max
  }
}
