public import MarketData

/// Angel One's list of instruments: one JSON array of some 200 000 objects, made anew each morning, in which every
/// value is a text.
///
/// Symbols are those that other brokers of the exchange have: shares without the series `-EQ`, indices in capitals.
public struct AngelOneInstruments: Sendable {
  /// The rows that can be subscribed to.
  public private(set) var rows: [InstrumentListing] = []
  /// Rows that were passed over: of a segment that the stream does not carry, or with a field that cannot be read.
  public private(set) var skippedCount = 0
  /// Why the first of those was passed over; empty when there was none.
  public private(set) var firstSkipped = ""

  /// The vendor's own server for the list, which needs no credentials.
  public static let vendorURL = "https://margincalculator.angelbroking.com"
  /// Where the list lies on it.
  public static let path = "/OpenAPI_File/files/OpenAPIScripMaster.json"
  /// Longest list: three times what it had in 2024.
  static let bytesMax = 128 << 20
  /// Longest time to download it.
  static let timeoutMilliseconds = 120_000

  /// Downloads the list.
  ///
  /// - Throws: `Fault` of kind `unavailable` or `refused` when the venue does not deliver, `badData` when what it
  ///   delivers is no list of instruments.
  public static func download(with client: HTTPClient, baseURL: String = vendorURL) throws(Fault)
    -> AngelOneInstruments
  {
    var request = HTTPRequest(.get, baseURL + path)
    request.responseBodyBytesMax = bytesMax
    request.timeoutMilliseconds = timeoutMilliseconds
    let response = try client.send(request)
    guard response.status == 200 else {
      throw AngelOneRefusal(status: response.status, body: response.body).fault("GET \(request.url)")
    }
    return try AngelOneInstruments(json: response.body, source: request.url)
  }

  /// Reads the list. A row that cannot be used is counted and passed over: one odd contract among 200 000 must not
  /// keep the feed from starting.
  ///
  /// - Throws: `Fault` of kind `badData` naming `source` when the text is no JSON array of objects, or holds no row
  ///   that can be used.
  public init(json: [UInt8], source: String) throws(Fault) {
    var scanner = JSONScanner(json)
    do throws(Fault) {
      rows.reserveCapacity(json.count / Self.rowBytesTypical)
      try scanner.array { (scanner) throws(Fault) in
        let row = try AngelOneRow(&scanner)
        do throws(Fault) {
          rows.append(try row.listing())
        } catch {
          skippedCount += 1
          if skippedCount == 1 { firstSkipped = error.message }
        }
      }
      try scanner.expectEnd()
    } catch {
      throw Fault(.badData, "\(source): \(error.message)")
    }
    guard !rows.isEmpty else {
      let reason =
        skippedCount == 0 ? "the list is empty" : "none of \(skippedCount) rows can be used: \(firstSkipped)"
      throw Fault(.badData, "\(source): \(reason)")
    }
  }

  /// For reserving memory.
  private static let rowBytesTypical = 230
}

/// The texts of one row.
private struct AngelOneRow {
  var token = ""
  var symbol = ""
  var name = ""
  var expiry = ""
  var strike = ""
  var lotSize = ""
  var kind = ""
  var segment = ""
  var tickSize = ""

  init(_ scanner: inout JSONScanner) throws(Fault) {
    var row = self
    try scanner.object { (key, scanner) throws(Fault) in
      guard scanner.peek() == UInt8(ascii: "\"") else { return try scanner.skipValue() }
      switch key {
      case "token": row.token = try scanner.string()
      case "symbol": row.symbol = try scanner.string()
      case "name": row.name = try scanner.string()
      case "expiry": row.expiry = try scanner.string()
      case "strike": row.strike = try scanner.string()
      case "lotsize": row.lotSize = try scanner.string()
      case "instrumenttype": row.kind = try scanner.string()
      case "exch_seg": row.segment = try scanner.string()
      case "tick_size": row.tickSize = try scanner.string()
      default: try scanner.skipValue()
      }
    }
    self = row
  }

  /// The words of the list for what the stream has numbers for.
  private static let exchanges: [String: UInt8] = [
    "NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "NCDEX": 7, "CDS": 13,
  ]
  private static let indexKind = "AMXIDX"
  private static let shareSuffix = "-EQ"
  /// Prices of the list are a hundred times rupees, in every segment.
  private static let priceFactor: Int64 = 100

  func listing() throws(Fault) -> InstrumentListing {
    guard let exchange = Self.exchanges[segment] else {
      throw flaw("exch_seg '\(segment)' is not on the stream")
    }
    guard let number = UInt32(token), let token = AngelOneToken(exchange: exchange, number: number) else {
      throw flaw("token '\(self.token)' is no number up to \(AngelOneToken.numberMax)")
    }
    guard let priceTick = Self.price(tickSize), priceTick >= .zero else {
      throw flaw("tick_size '\(tickSize)' is no number of hundredths from 0")
    }
    guard let lotSize = lotSize.isEmpty ? 0 : Int64(lotSize), lotSize >= 0 else {
      throw flaw("lotsize '\(self.lotSize)' is no whole number from 0")
    }
    guard let expiryDay = expiry.isEmpty ? .some(nil) : Self.day(expiry).map({ $0 as Int? }) else {
      throw flaw("expiry '\(expiry)' is no date such as 04Apr2024")
    }
    return InstrumentListing(
      symbol: try Symbol("\(segment):\(tradingSymbol)"), venueToken: token.venueToken, name: name, type: kind,
      priceTick: priceTick, priceScale: AngelOneLayout.priceDivisor(ofExchange: exchange), lotSize: lotSize,
      expiryDay: expiryDay, strike: Self.price(strike).flatMap { $0 > .zero ? $0 : nil })
  }

  private var tradingSymbol: String {
    if kind == Self.indexKind { return symbol.uppercased() }
    let isShare = kind.isEmpty && segment == "NSE" && symbol.hasSuffix(Self.shareSuffix)
    return isShare ? String(symbol.dropLast(Self.shareSuffix.utf8.count)) : symbol
  }

  /// `5.000000`, in hundredths.
  private static func price(_ text: String) -> Price? {
    guard let hundredfold = Price(decimal: text), hundredfold.units % priceFactor == 0 else { return nil }
    return Price(units: hundredfold.units / priceFactor)
  }

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// `04Apr2024`, in letters of either case.
  private static func day(_ text: String) -> Int? {
    guard text.utf8.count == 9, let month = months.firstIndex(of: text.dropFirst(2).prefix(3).lowercased())
    else { return nil }
    let digits = String(month + 1)
    return CivilTime.dayNumber(
      date: "\(text.suffix(4))-\(digits.utf8.count == 1 ? "0" : "")\(digits)-\(text.prefix(2))")
  }

  private func flaw(_ text: String) -> Fault { Fault(.badData, "\(segment):\(symbol): \(text)") }
}
