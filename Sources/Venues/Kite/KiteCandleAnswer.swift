import MarketData

/// The answer of Kite's candle endpoint, read from its JSON text without a Double.
struct KiteCandleAnswer {
  var isSuccess = false
  var candles: [Candle] = []
  var errorType = ""
  var message = ""

  /// Shortest text of a candle, for reserving memory: `["2017-12-15T09:15:00+0530",1,1,1,1,1],`.
  private static let candleBytesMin = 38

  /// Reads a whole answer, success or error; candles are for `instrument` and `interval`.
  ///
  /// - Throws: `Fault` of kind `protocolViolation` when the bytes are not JSON of the expected shape.
  init(_ bytes: [UInt8], instrument: InstrumentID, interval: Interval) throws(Fault) {
    var reader = CandleRowReader(instrument: instrument, interval: interval, offset: "+0530")
    var scanner = JSONScanner(bytes)
    var answer = (status: "", errorType: "", message: "")
    var candles: [Candle] = []
    try scanner.object { (key, scanner) throws(Fault) in
      switch key {
      case "status": answer.status = try scanner.string()
      case "error_type": answer.errorType = try scanner.words()
      case "message": answer.message = try scanner.words()
      case "data" where scanner.peek() == UInt8(ascii: "{"):
        try scanner.object { (key, scanner) throws(Fault) in
          guard key == "candles" else { return try scanner.skipValue() }
          candles.reserveCapacity(bytes.count / Self.candleBytesMin)
          try scanner.array { (scanner) throws(Fault) in candles.append(try reader.candle(from: &scanner)) }
        }
      default: try scanner.skipValue()
      }
    }
    try scanner.expectEnd()
    isSuccess = answer.status == "success" && answer.errorType.isEmpty
    self.candles = candles
    errorType = answer.errorType
    message = answer.message
  }
}
