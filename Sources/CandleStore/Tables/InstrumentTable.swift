internal import GRDB
public import MarketData

extension CandleStore {
  /// What is to be known of an instrument; its number is the store's to give.
  public typealias InstrumentEntry = (symbol: Symbol, venueToken: String, priceTick: Price, lotSize: Int64)

  /// Registers instruments and tells their numbers, in the order asked.
  ///
  /// A symbol seen before keeps its number, and what else is known of it is brought up to date; a new one gets the
  /// next number, from 0. The numbers give archived ticks their meaning: one lost in a power cut would be given to
  /// another instrument, so no store runs with less than `synchronous = FULL`.
  /// - Throws: ``Fault`` of kind `inputOutput`, `held`, `badData` or `cannotCreate`; then nothing was registered.
  public func instrumentIDs(for entries: [InstrumentEntry]) throws(Fault) -> [Instrument] {
    let path = path
    return try write("register instruments in") { database in
      let insertion = try database.makeStatement(
        sql: """
          INSERT INTO instruments (id, symbol, venue_token, price_tick, lot_size)
          VALUES ((SELECT coalesce(max(id) + 1, 0) FROM instruments), ?, ?, ?, ?)
          ON CONFLICT (symbol) DO UPDATE SET
            venue_token = excluded.venue_token, price_tick = excluded.price_tick, lot_size = excluded.lot_size
          """)
      var instruments: [Instrument] = []
      for entry in entries {
        try insertion.execute(
          arguments: [entry.symbol.text, entry.venueToken, entry.priceTick.units, entry.lotSize])
        let row = try Row.fetchOne(
          database, sql: "\(Self.instrumentSelection) WHERE symbol = ?", arguments: [entry.symbol.text])
        if let row { instruments.append(try Self.instrument(of: row, path: path)) }
      }
      return instruments
    }
  }

  /// The instrument of that name; nil when it was never registered.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func instrument(for symbol: Symbol) throws(Fault) -> Instrument? {
    let path = path
    return try read("read instruments from") { database in
      try Row.fetchOne(
        database, sql: "\(Self.instrumentSelection) WHERE symbol = ?", arguments: [symbol.text]
      ).map { row in try Self.instrument(of: row, path: path) }
    }
  }

  /// All instruments in the order of their numbers.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` or `badData`.
  public func instruments() throws(Fault) -> [Instrument] {
    let path = path
    return try read("read instruments from") { database in
      try Row.fetchAll(database, sql: "\(Self.instrumentSelection) ORDER BY id")
        .map { row in try Self.instrument(of: row, path: path) }
    }
  }

  private static let instrumentSelection =
    "SELECT id, symbol, venue_token, price_tick, lot_size FROM instruments"

  private static func instrument(of row: Row, path: String) throws -> Instrument {
    let number = try row.decode(Int64.self, atIndex: 0)
    let name = try row.decode(String.self, atIndex: 1)
    guard let id = UInt32(exactly: number), let symbol = try? Symbol(name) else {
      throw Fault(
        .badData,
        """
        the candle store '\(path)' holds the instrument \(number) '\(name)', which is no valid number and name; \
        restore the file from a copy
        """)
    }
    return Instrument(
      id: InstrumentID(rawValue: id), symbol: symbol, venueToken: try row.decode(String.self, atIndex: 2),
      priceTick: Price(units: try row.decode(Int64.self, atIndex: 3)),
      lotSize: try row.decode(Int64.self, atIndex: 4))
  }
}
