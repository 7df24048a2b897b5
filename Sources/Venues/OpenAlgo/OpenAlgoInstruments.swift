public import MarketData

/// An OpenAlgo server's list of instruments, which it takes from its broker each morning.
public enum OpenAlgoInstruments {
  /// Downloads the list of one exchange (`NSE`), or of all.
  ///
  /// - Throws: ``Fault`` of kind `refused` when the server does not accept the API key, `unavailable` when it does not
  ///   deliver, `protocolViolation` when its answer cannot be understood.
  public static func download(
    with client: HTTPClient, baseURL: String, apiKey: String, exchange: String? = nil
  ) throws(Fault) -> [InstrumentListing] {
    let filter = exchange.map { "&exchange=\(percentEncoded($0))" } ?? ""
    let url = "\(baseURL)/api/v1/instruments?apikey=\(percentEncoded(apiKey))&format=json\(filter)"
    return try listings(
      in: try client.send(HTTPRequest(.get, url)), title: "GET \(baseURL)/api/v1/instruments")
  }

  /// Reads an answer; `title` says in messages what was asked.
  ///
  /// - Throws: as ``download(with:baseURL:apiKey:exchange:)``.
  static func listings(in response: HTTPResponse, title: String) throws(Fault) -> [InstrumentListing] {
    let answer: OpenAlgoAnswer<InstrumentListing?>
    do {
      answer = try OpenAlgoAnswer(response.body) { (scanner, _) throws(Fault) in
        try InstrumentListing(openAlgoRow: &scanner)
      }
    } catch {
      throw OpenAlgoAnswer<InstrumentListing?>.refusal(
        response, "\(title): \(error.message)", isReadable: false
      ).fault
    }
    guard answer.isSuccess, response.status == 200 else {
      throw OpenAlgoAnswer<InstrumentListing?>.refusal(
        response, "\(title): \(answer.message)", isReadable: true
      ).fault
    }
    return answer.rows.compactMap(\.self)
  }
}

extension InstrumentListing {
  /// Reads a row of the list; nil when it has a name that no ``Symbol`` can hold, which then cannot be asked for.
  fileprivate init?(openAlgoRow scanner: inout JSONScanner) throws(Fault) {
    var texts: [String: String] = [:]
    var numbers: [String: JSONDecimal] = [:]
    try scanner.members { (key, scanner) throws(Fault) in
      let key = scanner.text(of: key)
      switch key {
      case "symbol", "exchange", "name", "token", "expiry", "instrumenttype":
        let isText = scanner.peek() == UInt8(ascii: "\"")
        texts[key] = isText ? try scanner.quotedText() : try scanner.normalizedValue()
      case "tick_size": numbers[key] = try scanner.looseDecimal("tick_size")
      case "lotsize": numbers[key] = try scanner.looseDecimal("lotsize")
      case "strike": numbers[key] = try scanner.looseDecimal("strike")
      default: try scanner.skipStrictly()
      }
    }
    guard let exchange = texts["exchange"], let name = texts["symbol"],
      let symbol = try? Symbol("\(exchange):\(name)")
    else { return nil }
    let strike = numbers["strike"]?.price
    self.init(
      symbol: symbol, venueToken: texts["token"] ?? "", name: texts["name"] ?? "",
      type: texts["instrumenttype"] ?? "", priceTick: numbers["tick_size"]?.price ?? .zero,
      lotSize: numbers["lotsize"]?.scaled(fractionDigits: 0) ?? 1,
      expiryDay: texts["expiry"].flatMap(Self.day(openAlgo:)),
      strike: strike.flatMap { $0 > .zero ? $0 : nil })
  }

  private static let months = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
  ]

  /// The day of `28-NOV-24`, in days since 1970-01-01; nil for anything else.
  private static func day(openAlgo text: String) -> Int? {
    let parts = text.uppercased().split(separator: "-")
    guard parts.count == 3, let day = Int(parts[0]), let month = months.firstIndex(of: String(parts[1])),
      let year = Int(parts[2]), parts[2].count == 2
    else { return nil }
    let civil = CivilTime(year: 2000 + year, month: month + 1, day: day)
    return civil.isValid ? civil.dayNumber : nil
  }
}
