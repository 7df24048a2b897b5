import MarketData

/// How Angel One names a simulated instrument: the number of its exchange on the stream, the exchange's word in lists
/// and requests, and a token that is unique there.
struct AngelOneIdentity: Sendable, Hashable {
  let exchange: UInt8
  let word: String
  let token: UInt32

  /// The tokens of indices begin here: Nifty 50 is 99926000.
  private static let firstIndexToken: UInt32 = 99_926_000

  /// Nil for what Angel One does not list: BSE's currencies.
  init?(_ instrument: SimulatedInstrument) {
    switch instrument.segment {
    case .nse, .indices: (exchange, word) = (1, "NSE")
    case .nfo: (exchange, word) = (2, "NFO")
    case .bse: (exchange, word) = (3, "BSE")
    case .bfo: (exchange, word) = (4, "BFO")
    case .mcx: (exchange, word) = (5, "MCX")
    case .cds: (exchange, word) = (13, "CDS")
    case .bcd, .mcxsx: return nil
    }
    token =
      instrument.segment == .indices
      ? Self.firstIndexToken + instrument.exchangeToken % 1000 : instrument.exchangeToken
  }

  /// The token as it stands in requests, lists and frames.
  var tokenText: String { String(token) }

  /// `1/2885`, unique among all instruments.
  var venueToken: String { "\(exchange)/\(token)" }
}

/// The instruments of a market by what Angel One calls them.
struct AngelOneDirectory: Sendable {
  /// By the instruments' positions in the market; nil for what is not listed.
  let identities: [AngelOneIdentity?]
  private let indexByToken: [String: Int]

  init(_ instruments: [SimulatedInstrument]) {
    identities = instruments.map { AngelOneIdentity($0) }
    indexByToken = Dictionary(
      identities.enumerated().compactMap { index, identity in identity.map { ($0.venueToken, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// The position of the instrument that the stream knows so.
  func index(exchange: Int, token: String) -> Int? { indexByToken["\(exchange)/\(token)"] }

  /// The position of the instrument that requests for candles know so.
  func index(word: String, token: String) -> Int? {
    let exchanges = ["NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "CDS": 13]
    return exchanges[word].flatMap { index(exchange: $0, token: token) }
  }
}
