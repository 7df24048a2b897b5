internal import ArgumentParser
internal import MarketData
internal import TickArchive

/// Archived records as comma-separated values.
enum TickText {
  static let csvHeader =
    "receive_time_ns,exchange_time_ns,last_trade_time_ns,symbol,price,volume,last_quantity,open_interest,flags,"
    + "sequence,kind"

  static func csv(_ tick: Tick, _ symbol: String) -> String {
    let exchange = tick.exchangeTime.isKnown ? "\(tick.exchangeTime.nanoseconds)" : ""
    let lastTrade = tick.lastTradeSeconds == 0 ? "" : "\(tick.lastTradeSeconds)000000000"
    let volume = tick.flags.contains(.withoutVolume) ? "" : "\(tick.dayVolume)"
    return "\(tick.receiveTime.nanoseconds),\(exchange),\(lastTrade),\(symbol),\(tick.lastPrice),\(volume),"
      + "\(tick.lastQuantity),\(tick.openInterest),\(tick.flags),\(tick.sequence),\(tick.kind.rawValue)\n"
  }
}

/// What the column `kind` of printed and exported records says.
enum RecordKinds {
  private static let causes = GapCause.names.map { "\($0.cause.rawValue) \($0.name)" }.joined(separator: ", ")

  static let help = """
    Every record is a row; its kind says what its fields mean. \(TickKind.trade.rawValue) is a tick. \
    \(TickKind.gap.rawValue) is an outage, of the whole feed where the symbol is `*`: the exchange time is its start, \
    the receive time its end, or when it was noticed where the flags say gap-open, and the last quantity its cause. \
    \(TickKind.daySummary.rawValue) are the day's prices before the tick that follows: the price is the high, the \
    volume the low and the exchange time the open, both in units of 1e-9; the previous close in the same units is the \
    last trade's whole seconds plus 2^32 times the last quantity. \(TickKind.rejected.rawValue) is a tick that a quality \
    rule rejected, \(TickKind.original.rawValue) one as it was before it was corrected. \
    \(TickKind.priceLimits.rawValue) are the day's price limits: the price is the upper one, the volume the lower in \
    units of 1e-9. \(TickKind.repaired.rawValue) is an outage whose minutes were fetched: as \
    \(TickKind.gap.rawValue), but that the volume is its end. The causes: \(causes).
    """
}

/// What instruments are called: by their symbols, `*` for the whole feed, `#17` for one without definition.
struct SymbolNames {
  let defined: [InstrumentID: String]

  init(_ instruments: [Instrument]) {
    defined = Dictionary(
      instruments.map { ($0.id, $0.symbol.text) }, uniquingKeysWith: { _, newest in newest })
  }

  func hasName(_ instrument: InstrumentID) -> Bool { defined[instrument] != nil || instrument == .all }

  /// Says of instruments that only their numbers are known.
  func tell(_ undefined: Set<InstrumentID>, notIn path: String) {
    guard !undefined.isEmpty else { return }
    Console.error(
      "\(undefined.count) instruments are named #NUMBER, because their definitions are not in '\(path)'; "
        + "`tickring archive verify` says what of it is damaged")
  }

  subscript(instrument: InstrumentID) -> String {
    defined[instrument] ?? (instrument == .all ? "*" : "#\(instrument.rawValue)")
  }
}

/// Symbols on the command line.
struct SymbolOptions: ParsableArguments {
  @Option(name: .customLong("symbol"), help: "Only these symbols; may be repeated.") var symbols: [String] =
    []

  /// The chosen instruments of an archive; nil when none was named, which means all.
  func instruments(of reader: ArchiveReader, at path: String) throws(Fault) -> Set<InstrumentID>? {
    guard !symbols.isEmpty else { return nil }
    var wanted: Set<InstrumentID> = []
    for symbol in symbols {
      guard let id = reader.instruments.first(where: { $0.symbol.text == symbol })?.id else {
        throw Fault(.usage, "the archive '\(path)' holds no symbol '\(symbol)'")
      }
      wanted.insert(id)
    }
    return wanted
  }
}
