import MarketData

/// Angel One's daily list of instruments: one JSON array in which every value is a text.
struct AngelOneList: Sendable {
  /// The whole list.
  let json: String

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  init(instruments: [SimulatedInstrument], directory: AngelOneDirectory) {
    let rows = zip(instruments, directory.identities).compactMap { instrument, identity in
      identity.map { Self.row(instrument, $0) }
    }
    json = "[" + rows.joined(separator: ",") + "]"
  }

  private static func row(_ instrument: SimulatedInstrument, _ identity: AngelOneIdentity) -> String {
    let isShare = instrument.segment == .nse
    let hasStrike = instrument.strike > .zero
    let members = [
      ("token", identity.tokenText), ("symbol", instrument.tradingSymbol + (isShare ? "-EQ" : "")),
      ("name", instrument.instrumentType == "EQ" ? instrument.tradingSymbol : instrument.name),
      ("expiry", expiry(instrument.expiry)),
      ("strike", hasStrike ? hundredfold(instrument.strike) : "-1.000000"),
      ("lotsize", String(instrument.lotSize)), ("instrumenttype", kind(instrument)),
      ("exch_seg", identity.word), ("tick_size", hundredfold(instrument.price(instrument.priceTick))),
    ]
    return "{" + members.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}"
  }

  private static func kind(_ instrument: SimulatedInstrument) -> String {
    switch (instrument.segment, instrument.instrumentType) {
    case (.indices, _): "AMXIDX"
    case (.mcx, "FUT"): "FUTCOM"
    case (.mcx, _): "OPTFUT"
    case (.cds, "FUT"): "FUTCUR"
    case (.cds, _): "OPTCUR"
    case (_, "FUT"): "FUTIDX"
    case (_, "CE"), (_, "PE"): "OPTIDX"
    default: ""
    }
  }

  /// Hundredths with six digits behind the point: `5.000000`.
  private static func hundredfold(_ price: Price) -> String {
    let parts = Price(units: price.units * 100).description.split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    return "\(parts[0]).\(fraction)" + String(repeating: "0", count: max(0, 6 - fraction.utf8.count))
  }

  /// `2026-12-31` as `31Dec2026`.
  private static func expiry(_ date: String) -> String {
    let parts = date.split(separator: "-")
    guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month) else { return "" }
    return "\(parts[2])\(months[month - 1])\(parts[0])"
  }
}
