internal import CandleStore
internal import Configuration
internal import MarketData

/// The venue's instruments of the day, from which symbols become instruments with numbers of their own.
struct InstrumentDirectory: Sendable {
  private let listings: [Symbol: InstrumentListing]
  private let venue: String

  init(_ rows: [InstrumentListing], venue: String) {
    listings = Dictionary(rows.map { ($0.symbol, $0) }, uniquingKeysWith: { first, _ in first })
    self.venue = venue
  }

  var count: Int { listings.count }

  /// Cash instruments on which contracts are traded: since 2026-08-03 these close by auction.
  var closingAuctionSymbols: Set<Symbol> {
    var symbols: Set<Symbol> = []
    for listing in listings.values where !listing.name.isEmpty {
      let cash: String
      switch listing.symbol.exchange {
      case "NFO": cash = "NSE:\(listing.name)"
      case "BFO": cash = "BSE:\(listing.name)"
      default: continue
      }
      if let symbol = try? Symbol(cash), listings[symbol] != nil { symbols.insert(symbol) }
    }
    return symbols
  }

  /// True when the venue lists the symbol today.
  func lists(_ symbol: Symbol) -> Bool { listings[symbol] != nil }

  var allSymbols: [Symbol] { listings.keys.sorted() }

  /// Gives each symbol its instrument; numbers are stable across runs, since the store keeps them.
  ///
  /// - Throws: ``Fault`` of kind `usage` for a symbol that the venue does not list, with the nearest that it does.
  func instruments(for symbols: [Symbol], in store: CandleStore) throws(Fault) -> [Instrument] {
    var found: [InstrumentListing] = []
    for symbol in symbols {
      guard let listing = listings[symbol] else {
        throw Fault(
          .usage,
          "\(venue) lists no instrument \(symbol)\(nearestHint(to: symbol.text, among: listings.keys.map(\.text)))"
        )
      }
      found.append(listing)
    }
    return try store.instrumentIDs(
      for: found.map { ($0.symbol, $0.venueToken, $0.priceTick, $0.lotSize) })
  }
}
