import MarketData

/// One line of a gateway, taken apart as far as a tick needs it and without allocating: strings are places in the
/// line's bytes.
struct GatewayLine {
  /// The line's `type`.
  private(set) var type: JSONString?
  private(set) var symbol: JSONString?
  private(set) var price: Price?
  private(set) var time = Timestamp.unknown
  private(set) var lastTradeTime = Timestamp.unknown
  private(set) var volume: Int64?
  private(set) var lastQuantity: Int64 = 0
  private(set) var openInterest: Int64 = 0
  /// A time that could not be read, and so counts as none: the member, and where it stands in the line's bytes.
  private(set) var unreadableTime: (member: StaticString, place: Range<Int>)?

  /// Reads a whole line; what a tick does not have is passed over.
  ///
  /// - Throws: ``Fault`` of kind `protocolViolation` when it is no JSON object, or a tick's field is of another kind.
  init(_ scanner: inout JSONScanner) throws(Fault) {
    var line = GatewayLine()
    try scanner.members { (key, scanner) throws(Fault) in
      try line.take(key, from: &scanner)
    }
    try scanner.expectEnd()
    guard line.type != nil else {
      throw Fault(.protocolViolation, "the object has no text \"type\", as in {\"type\":\"heartbeat\"}")
    }
    self = line
  }

  private init() {}

  private mutating func take(_ key: JSONString, from scanner: inout JSONScanner) throws(Fault) {
    let isText = scanner.peek() == UInt8(ascii: "\"")
    if isText, scanner.isText(key, "type") {
      type = try scanner.strictString()
    } else if isText, scanner.isText(key, "symbol") {
      symbol = try scanner.strictString()
    } else if scanner.isText(key, "price") {
      guard let decimal = try scanner.looseDecimal("price") else { return price = nil }
      guard let exact = decimal.price else {
        throw Fault(.protocolViolation, "its price is beyond any price")
      }
      price = exact
    } else if scanner.isText(key, "time") {
      time = try takeTime("time", from: &scanner)
    } else if scanner.isText(key, "last_trade_time") {
      lastTradeTime = try takeTime("last_trade_time", from: &scanner)
    } else if scanner.isText(key, "volume") {
      volume = try scanner.looseDecimal("volume")?.scaled(fractionDigits: 0)
    } else if scanner.isText(key, "last_quantity") {
      lastQuantity = try scanner.looseDecimal("last_quantity")?.scaled(fractionDigits: 0) ?? 0
    } else if scanner.isText(key, "open_interest") {
      openInterest = try scanner.looseDecimal("open_interest")?.scaled(fractionDigits: 0) ?? 0
    } else {
      try scanner.skipStrictly()
    }
  }

  private mutating func takeTime(_ member: StaticString, from scanner: inout JSONScanner) throws(Fault)
    -> Timestamp
  {
    _ = scanner.peek()
    let start = scanner.index
    let time = try scanner.looseTime()
    if !time.isKnown {
      let place = start..<scanner.index
      let saysNothing = Self.wordsForNoTime.contains { scanner.bytes[place].elementsEqual($0.utf8) }
      if !saysNothing { unreadableTime = (member, place) }
    }
    return time
  }

  private static let wordsForNoTime = ["null", "NaN", "\"\"", "0"]

  func isType(_ name: StaticString, in scanner: JSONScanner) -> Bool {
    type.map { scanner.isText($0, name) } ?? false
  }

  /// - Throws: ``Fault`` of kind `protocolViolation` when the line of type `tick` lacks what every tick has.
  func checkTick(in scanner: JSONScanner) throws(Fault) -> (symbol: JSONString, price: Price) {
    guard let symbol, !symbol.range.isEmpty else {
      throw Fault(.protocolViolation, "the tick has no text \"symbol\", as in \"NSE:RELIANCE\"")
    }
    guard let price else {
      throw Fault(.protocolViolation, "the tick of \(scanner.words(of: symbol)) has no number \"price\"")
    }
    return (symbol, price)
  }
}
