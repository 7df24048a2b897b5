import MarketData

/// The instruments of a synthetic market: a few of every segment, then shares `SIM0001`, `SIM0002`, …
struct SyntheticInstruments {
  private(set) var list: [SimulatedInstrument] = []
  private var generator: SeededGenerator
  private let expiry: CivilTime

  private static let months = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
  ]

  /// Makes `count` instruments whose derivatives expire at the end of the month after `start`.
  init(count: Int, seed: UInt64, start: Timestamp) {
    generator = SeededGenerator(seed: SeededGenerator.hash(seed, 0x1157))
    expiry = Self.lastThursday(ofMonthAfter: CivilTime(start))
    addSpecials()
    list = Array(list.prefix(count))
    while list.count < count { addShare(number: list.count) }
  }

  private mutating func addSpecials() {
    let month = "\(expiry.year % 100)\(Self.months[expiry.month - 1])"
    addIndex(1, "SIM50", "SIMULATED FIFTY", 2_450_000)
    addIndex(2, "SIMBANK", "SIMULATED BANKS", 5_120_000)
    addIndex(3, "SIMVIX", "SIMULATED VOLATILITY", 1415)
    add(40_001, .nfo, "SIM50\(month)FUT", "SIM50", kind: "FUT", lot: 25, tick: 5, price: 2_462_000)
    add(40_002, .nfo, "SIMBANK\(month)FUT", "SIMBANK", kind: "FUT", lot: 15, tick: 5, price: 5_145_000)
    add(
      40_003, .nfo, "SIM50\(month)24500CE", "SIM50", kind: "CE", lot: 25, tick: 5, price: 31_250,
      strike: 24_500)
    add(
      40_004, .nfo, "SIM50\(month)24500PE", "SIM50", kind: "PE", lot: 25, tick: 5, price: 28_400,
      strike: 24_500)
    add(1201, .cds, "SIMUSD\(month)FUT", "SIMUSD", kind: "FUT", lot: 1, tick: 25_000, price: 835_250_000)
    add(1202, .bcd, "SIMEUR\(month)FUT", "SIMEUR", kind: "FUT", lot: 1, tick: 25, price: 912_500)
    add(60_001, .mcx, "SIMGOLD\(month)FUT", "SIMGOLD", kind: "FUT", lot: 1, tick: 100, price: 7_185_000)
    add(60_002, .mcx, "SIMCRUDE\(month)FUT", "SIMCRUDE", kind: "FUT", lot: 100, tick: 100, price: 642_000)
    add(500_001, .bse, "SIMB001", "SIMULATED COMPANY B1", kind: "EQ", lot: 1, tick: 5, price: 84_500)
    add(70_001, .bfo, "SIMSEN\(month)FUT", "SIMSEN", kind: "FUT", lot: 10, tick: 5, price: 8_040_000)
  }

  /// Prices of shares lie between 20 and 5000 rupees, as many between 20 and 40 as between 2500 and 5000.
  private mutating func addShare(number: Int) {
    var price = 2000.0
    for _ in 0..<8 { price *= 1 + generator.unit() }
    let digits = String(number)
    let padded = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    add(
      1000 + UInt32(number), .nse, "SIM\(padded)", "SIMULATED COMPANY \(number)", kind: "EQ", lot: 1, tick: 5,
      price: Int32(min(price, 500_000) / 5) * 5)
  }

  private mutating func addIndex(_ number: UInt32, _ symbol: String, _ name: String, _ price: Int32) {
    list.append(
      SimulatedInstrument(
        exchangeToken: 1000 + number, segment: .indices, exchange: "NSE", tradingSymbol: symbol, name: name,
        segmentName: "INDICES", instrumentType: "EQ", expiry: "", strike: .zero, priceTick: 5, lotSize: 1,
        openingPrice: price))
  }

  private mutating func add(
    _ exchangeToken: UInt32, _ segment: KiteSegment, _ symbol: String, _ name: String, kind: String,
    lot: UInt32, tick: Int32, price: Int32, strike: Int64 = 0
  ) {
    let exchange =
      switch segment {
      case .nfo: "NFO"
      case .cds: "CDS"
      case .bse: "BSE"
      case .bfo: "BFO"
      case .bcd: "BCD"
      case .mcx: "MCX"
      case .nse, .mcxsx, .indices: "NSE"
      }
    let segmentName =
      switch kind {
      case "EQ": exchange
      case "FUT": "\(exchange)-FUT"
      default: "\(exchange)-OPT"
      }
    list.append(
      SimulatedInstrument(
        exchangeToken: exchangeToken, segment: segment, exchange: exchange, tradingSymbol: symbol, name: name,
        segmentName: segmentName, instrumentType: kind, expiry: kind == "EQ" ? "" : expiry.dateText,
        strike: Price(units: strike * Price.unitsPerOne), priceTick: tick, lotSize: lot, openingPrice: price))
  }

  private static func lastThursday(ofMonthAfter date: CivilTime) -> CivilTime {
    let monthsAhead = date.month + 1
    let nextMonth = CivilTime(
      year: date.year + monthsAhead / 12, month: monthsAhead % 12 + 1, day: 1)
    let thursday = 4
    let lastDay = Timestamp(seconds: Int64(nextMonth.dayNumber - 1) * 86_400)
    let weekday = CivilTime(lastDay, offsetSeconds: 0).isoWeekday
    return CivilTime(lastDay + -Int64((weekday - thursday + 7) % 7) * 86_400_000_000_000, offsetSeconds: 0)
  }
}
