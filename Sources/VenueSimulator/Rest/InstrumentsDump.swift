import MarketData

/// Kite's daily list of instruments as CSV.
struct InstrumentsDump: Sendable {
  private let lines: [(exchange: String, line: String)]

  private static let header =
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    + "instrument_type,segment,exchange\n"

  init(instruments: [SimulatedInstrument]) {
    lines = instruments.map { instrument in
      let columns = [
        "\(instrument.token)", "\(instrument.exchangeToken)", instrument.tradingSymbol, instrument.name,
        Self.decimal(.zero), instrument.expiry, Self.decimal(instrument.strike),
        Self.decimal(instrument.price(instrument.priceTick)), "\(instrument.lotSize)",
        instrument.instrumentType, instrument.segmentName, instrument.exchange,
      ]
      return (instrument.exchange, columns.joined(separator: ",") + "\n")
    }
  }

  /// The whole list, or the part of one exchange; nil when nothing is listed there.
  func csv(exchange: String? = nil) -> String? {
    let chosen = lines.filter { exchange == nil || $0.exchange == exchange }
    return chosen.isEmpty ? nil : chosen.reduce(into: Self.header) { $0 += $1.line }
  }

  /// The dump always writes a fraction: `0.0`, `0.05`.
  private static func decimal(_ price: Price) -> String {
    let text = price.description
    return text.contains(".") ? text : text + ".0"
  }
}
