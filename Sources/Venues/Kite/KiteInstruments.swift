public import MarketData

/// One row of Kite's instrument dump, as far as a feed handler needs it.
public struct KiteInstrument: Sendable, Hashable {
  /// `EXCHANGE:TRADINGSYMBOL`.
  public var symbol: Symbol
  /// The number by which ticker and history know the instrument.
  public var token: UInt32
  /// The smallest price step; zero for indices.
  public var priceTick: Price
  /// Units in one lot; zero for indices.
  public var lotSize: Int64
  /// The issuer's name; for derivatives the underlying's.
  public var name = ""
  /// `EQ`, `FUT`, `CE` or `PE`.
  public var type = ""
  /// The day of expiry in days since 1970-01-01.
  public var expiryDay: Int?
  /// An option's strike price.
  public var strike: Price?

  /// The instrument under the number that the data directory gave it.
  public func instrument(id: InstrumentID) -> Instrument {
    Instrument(id: id, symbol: symbol, venueToken: String(token), priceTick: priceTick, lotSize: lotSize)
  }

  /// The row in terms that all venues share.
  public var listing: InstrumentListing {
    InstrumentListing(
      symbol: symbol, venueToken: String(token), name: name, type: type, priceTick: priceTick,
      priceScale: KiteLayout.priceDivisor(ofToken: token), lotSize: lotSize, expiryDay: expiryDay,
      strike: strike)
  }
}

/// Kite's instrument dump: a CSV file of all that can be subscribed to, made anew each morning.
public enum KiteInstruments {
  private static let columns = ["instrument_token", "exchange", "tradingsymbol", "tick_size", "lot_size"]
  /// What people want to know as well; a dump without them is as good a dump.
  private static let optionalColumns = ["name", "instrument_type", "expiry", "strike"]

  /// Downloads the dump of one exchange (`NSE`), or of all. Needs no credentials.
  ///
  /// - Throws: `Fault` of kind `unavailable` or `refused` when the venue does not deliver, `badData` when a row is
  ///   malformed.
  public static func download(
    with client: HTTPClient, baseURL: String = KiteCandles.vendorURL, exchange: String? = nil
  ) throws(Fault) -> [KiteInstrument] {
    let url = "\(baseURL)/instruments" + (exchange.map { "/\(percentEncoded($0))" } ?? "")
    let response = try client.send(HTTPRequest(.get, url, headers: [KiteCredentials.versionHeader]))
    guard response.status == 200 else {
      throw Fault(
        KiteError.kind(status: response.status, errorType: ""),
        "GET \(url): HTTP status \(response.status): \(excerpt(of: response.body))")
    }
    return try parse(csv: response.body, source: url)
  }

  /// Reads a dump. Columns are found by their names in the first line, so new ones do no harm.
  ///
  /// - Throws: `Fault` of kind `badData` naming `source` and the line, when a row is malformed.
  public static func parse(csv: [UInt8], source: String) throws(Fault) -> [KiteInstrument] {
    do {
      return try parse(csv)
    } catch {
      throw Fault(error.kind, "\(source): \(error.message)")
    }
  }

  private static func parse(_ csv: [UInt8]) throws(Fault) -> [KiteInstrument] {
    var reader = CSVReader(csv)
    guard let header = try reader.next() else {
      throw Fault(.badData, "the file is empty, where the line of column names should be")
    }
    var places: [Int] = []
    for column in columns {
      guard let place = header.firstIndex(of: column) else {
        throw Fault(.badData, "line \(reader.line): there is no column '\(column)'")
      }
      places.append(place)
    }
    let optionalPlaces = optionalColumns.map { header.firstIndex(of: $0) }
    var instruments: [KiteInstrument] = []
    while let fields = try reader.next() {
      guard fields.count == header.count else {
        throw Fault(
          .badData, "line \(reader.line): \(fields.count) fields, where the first line has \(header.count)")
      }
      do {
        var instrument = try row(places.map { fields[$0] })
        try describe(&instrument, optionalPlaces.map { $0.map { fields[$0] } ?? "" })
        instruments.append(instrument)
      } catch {
        throw Fault(.badData, "line \(reader.line): \(error.message)")
      }
    }
    return instruments
  }

  /// Reads the fields of one row in the order of ``columns``.
  private static func row(_ fields: [String]) throws(Fault) -> KiteInstrument {
    guard let token = UInt32(fields[0]) else {
      throw Fault(.badData, "instrument_token '\(fields[0])' is no number up to \(UInt32.max)")
    }
    guard let priceTick = Price(decimal: fields[3]), priceTick >= .zero else {
      throw Fault(.badData, "tick_size '\(fields[3])' is no decimal number from 0")
    }
    guard let lotSize = Int64(fields[4]), lotSize >= 0 else {
      throw Fault(.badData, "lot_size '\(fields[4])' is no whole number from 0")
    }
    return KiteInstrument(
      symbol: try Symbol("\(fields[1]):\(fields[2])"), token: token, priceTick: priceTick, lotSize: lotSize)
  }

  /// Adds the fields of one row in the order of ``optionalColumns``.
  private static func describe(_ instrument: inout KiteInstrument, _ fields: [String]) throws(Fault) {
    instrument.name = fields[0]
    instrument.type = fields[1]
    if !fields[2].isEmpty {
      guard let day = CivilTime.dayNumber(date: fields[2]) else {
        throw Fault(.badData, "expiry '\(fields[2])' is no date such as 2026-11-26")
      }
      instrument.expiryDay = day
    }
    // Shares and futures carry a strike of zero.
    if instrument.type == "CE" || instrument.type == "PE" {
      guard let strike = Price(decimal: fields[3]) else {
        throw Fault(.badData, "strike '\(fields[3])' is no decimal number")
      }
      instrument.strike = strike
    }
  }
}
