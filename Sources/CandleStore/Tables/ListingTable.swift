internal import GRDB
public import MarketData

/// A venue's list of instruments as it was on a day.
public struct StoredListings: Sendable {
  /// The day, in days since 1970-01-01 of India's date.
  public var day: Int
  /// When it was fetched.
  public var fetched: Timestamp
  /// Its rows, by symbol.
  public var listings: [InstrumentListing]
}

/// What a list of instruments changed against the one before.
public struct ListingChanges: Sendable, Equatable {
  /// Instruments that are new.
  public var added = 0
  /// Instruments of which something else is said than before.
  public var changed = 0
  /// Instruments that are gone.
  public var removed = 0
}

extension CandleStore {
  /// Keeps a venue's list of a day; only what differs from the day before takes room. Of one symbol the first row
  /// counts. A list of the same day is replaced, one of a day before the latest is not taken.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`; then nothing of it was kept.
  @discardableResult
  public func recordListings(
    _ listings: [InstrumentListing], of venue: String, day: Int, fetched: Timestamp
  ) throws(Fault) -> ListingChanges {
    let path = path
    return try write("keep a list of instruments in") { database in
      var changes = ListingChanges()
      let latest = try Int.fetchOne(
        database, sql: "SELECT max(day) FROM listing_days WHERE venue = ?", arguments: [venue])
      if let latest, latest > day { return changes }
      var known: [Symbol: (listing: InstrumentListing, firstDay: Int)] = [:]
      let rows = try Row.fetchCursor(
        database,
        sql: "\(Self.listingSelection), first_day FROM listings WHERE venue = ? AND until_day IS NULL",
        arguments: [venue])
      while let row = try rows.next() {
        let listing = try Self.listing(of: row, path: path)
        known[listing.symbol] = (listing, try row.decode(Int.self, atIndex: 9))
      }
      let end = { (symbol: Symbol, firstDay: Int) in
        if firstDay == day {
          try database.cachedStatement(
            sql: "DELETE FROM listings WHERE venue = ? AND symbol = ? AND first_day = ?"
          )
          .execute(arguments: [venue, symbol.text, firstDay])
        } else {
          try database.cachedStatement(
            sql: "UPDATE listings SET until_day = ? WHERE venue = ? AND symbol = ? AND first_day = ?"
          ).execute(arguments: [day, venue, symbol.text, firstDay])
        }
      }
      var seen = Set<Symbol>(minimumCapacity: listings.count)
      for listing in listings where seen.insert(listing.symbol).inserted {
        if let old = known.removeValue(forKey: listing.symbol) {
          if old.listing == listing { continue }
          changes.changed += 1
          try end(listing.symbol, old.firstDay)
        } else {
          changes.added += 1
        }
        try database.cachedStatement(
          sql: """
            INSERT OR REPLACE INTO listings (venue, symbol, first_day, venue_token, name, type, price_tick, price_scale,
              lot_size, expiry_day, strike) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).execute(arguments: [
          venue, listing.symbol.text, day, listing.venueToken, listing.name, listing.type,
          listing.priceTick.units,
          listing.priceScale, listing.lotSize, listing.expiryDay, listing.strike?.units,
        ])
      }
      changes.removed = known.count
      for (symbol, old) in known { try end(symbol, old.firstDay) }
      try database.execute(
        sql: "INSERT OR REPLACE INTO listing_days (venue, day, fetched, instruments) VALUES (?, ?, ?, ?)",
        arguments: [venue, day, fetched.nanoseconds, seen.count])
      return changes
    }
  }

  /// A venue's list: the latest, or that of the last day up to `day` on which one was fetched; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func listings(of venue: String, onOrBefore day: Int = .max) throws(Fault) -> StoredListings? {
    let path = path
    return try read("read a list of instruments from") { database in
      guard
        let head = try Row.fetchOne(
          database,
          sql:
            "SELECT day, fetched, instruments FROM listing_days WHERE venue = ? AND day <= ? ORDER BY day DESC",
          arguments: [venue, day])
      else { return nil }
      let found = try head.decode(Int.self, atIndex: 0)
      var stored = StoredListings(
        day: found, fetched: Timestamp(nanoseconds: try head.decode(Int64.self, atIndex: 1)), listings: [])
      stored.listings.reserveCapacity(try head.decode(Int.self, atIndex: 2))
      let rows = try Row.fetchCursor(
        database,
        sql: """
          \(Self.listingSelection) FROM listings
          WHERE venue = ? AND first_day <= ? AND (until_day IS NULL OR until_day > ?) ORDER BY symbol
          """, arguments: [venue, found, found])
      while let row = try rows.next() { stored.listings.append(try Self.listing(of: row, path: path)) }
      return stored
    }
  }

  /// When a venue's latest list was fetched; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func latestListingTime(of venue: String) throws(Fault) -> Timestamp? {
    try read("read a list of instruments from") { database in
      try Int64.fetchOne(
        database, sql: "SELECT fetched FROM listing_days WHERE venue = ? ORDER BY day DESC",
        arguments: [venue]
      ).map(Timestamp.init(nanoseconds:))
    }
  }

  /// The days of which a venue's list is kept, ascending.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func listingDays(of venue: String) throws(Fault) -> [Int] {
    try read("read a list of instruments from") { database in
      try Int.fetchAll(
        database, sql: "SELECT day FROM listing_days WHERE venue = ? ORDER BY day", arguments: [venue])
    }
  }

  /// Forgets all lists of days before `day` but each venue's latest.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput`, `held` or `cannotCreate`.
  public func removeListings(before day: Int) throws(Fault) {
    try write("forget lists of instruments in") { database in
      try database.execute(
        sql: """
          DELETE FROM listing_days WHERE day < ?
            AND day < (SELECT max(day) FROM listing_days AS other WHERE other.venue = listing_days.venue)
          """, arguments: [day])
      try database.execute(sql: "DELETE FROM listings WHERE until_day <= ?", arguments: [day])
    }
  }

  private static let listingSelection =
    "SELECT symbol, venue_token, name, type, price_tick, price_scale, lot_size, expiry_day, strike"

  private static func listing(of row: Row, path: String) throws -> InstrumentListing {
    let name = try row.decode(String.self, atIndex: 0)
    guard let symbol = try? Symbol(name) else {
      throw Fault(.badData, "the candle store '\(path)' lists '\(name)', which is no symbol; delete that row")
    }
    return InstrumentListing(
      symbol: symbol, venueToken: try row.decode(String.self, atIndex: 1),
      name: try row.decode(String.self, atIndex: 2), type: try row.decode(String.self, atIndex: 3),
      priceTick: Price(units: try row.decode(Int64.self, atIndex: 4)),
      priceScale: try row.decode(Int64.self, atIndex: 5), lotSize: try row.decode(Int64.self, atIndex: 6),
      expiryDay: try row.decode(Int?.self, atIndex: 7),
      strike: try row.decode(Int64?.self, atIndex: 8).map { Price(units: $0) })
  }
}
