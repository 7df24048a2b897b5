internal import ArgumentParser
internal import Configuration
internal import MarketData
internal import SharedRing

struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Ask for latest prices or stored candles.",
    subcommands: [Latest.self, QueryCandlesCommand.self])

  struct Latest: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "latest", abstract: "Latest price of instruments of a running feed, from shared memory.")

    @Option(help: "Name of the feed.") var feed: String
    @Flag(help: "Print one JSON object a line.") var json = false
    @Argument(help: "Symbols; none means all that have a price.") var symbols: [String] = []

    private struct Line: Encodable {
      var symbol: String
      var price: String
      var ageMilliseconds: Int64
      var volume: Int64
      var flags: String

      enum CodingKeys: String, CodingKey {
        case symbol, price, volume, flags
        case ageMilliseconds = "age_ms"
      }
    }

    func run() throws {
      let view = try FeedView(feed: feed)
      let known = view.instruments()
      var wanted = known.map { (symbol: $0.symbol, id: $0.id) }
      if !symbols.isEmpty {
        let ids = Dictionary(uniqueKeysWithValues: known.map { ($0.symbol, $0.id) })
        wanted = []
        for text in symbols {
          let symbol = try Symbol(text)
          guard let id = ids[symbol] else {
            throw Fault(
              .usage,
              "feed '\(feed)' knows no symbol '\(symbol)'; `tickring observe` it first"
                + nearestHint(to: symbol.text, among: known.map(\.symbol.text)))
          }
          wanted.append((symbol, id))
        }
      }
      let now = view.clock.now()
      for (symbol, id) in wanted {
        guard let tick = view.latest(id) else {
          if !symbols.isEmpty { Console.error("\(symbol) has no tick yet") }
          continue
        }
        try show(tick, symbol, ageMilliseconds: (now - tick.receiveTime) / 1_000_000)
      }
    }

    private func show(_ tick: Tick, _ symbol: Symbol, ageMilliseconds: Int64) throws(Fault) {
      if json {
        return try Console.json(
          Line(
            symbol: symbol.text, price: tick.lastPrice.description, ageMilliseconds: ageMilliseconds,
            volume: tick.dayVolume, flags: tick.flags.description))
      }
      let flags = tick.flags.isEmpty ? "" : "  [\(tick.flags)]"
      Console.line(
        "\(Format.padded(symbol.text, 24)) \(Format.leftPadded(tick.lastPrice.description, 14))  "
          + "\(Format.duration(ageMilliseconds * 1_000_000)) old\(flags)")
    }
  }
}

extension Format {
  /// A candle's turnover in the quote currency, without trailing zeros.
  static func turnover(_ candle: Candle) -> String {
    let unit = UInt64(Candle.turnoverUnitsPerOne)
    var fraction = String(candle.turnover.magnitude % unit + unit).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    let whole = "\(candle.turnover < 0 ? "-" : "")\(candle.turnover.magnitude / unit)"
    return fraction.isEmpty ? whole : "\(whole).\(fraction)"
  }

  /// A candle in columns.
  static func candle(_ candle: Candle) -> String {
    let prices = [candle.open, candle.high, candle.low, candle.close]
      .map { leftPadded($0.description, 12) }.joined(separator: " ")
    return "\(candle.start.rfc3339)  \(prices) \(leftPadded(count(candle.volume), 14))  \(candle.state) "
      + "\(candle.origin)\(candle.flags.isEmpty ? "" : "  [\(candle.flags)]")"
  }
}

/// A candle as one JSON object, prices as decimal text.
struct CandleLine: Encodable {
  var symbol: String
  var interval: String
  var start: String
  var open: String
  var high: String
  var low: String
  var close: String
  var volume: Int64
  var openInterest: Int64
  var ticks: Int
  var turnover: String
  var coverage: Int
  var flags: String
  var state: String
  var revision: Int
  var origin: String

  enum CodingKeys: String, CodingKey {
    case symbol, interval, start, open, high, low, close, volume, ticks, turnover, coverage, flags, state,
      revision,
      origin
    case openInterest = "open_interest"
  }

  init(_ candle: Candle, symbol: String) {
    self.symbol = symbol
    interval = candle.interval.description
    start = candle.start.rfc3339
    open = candle.open.description
    high = candle.high.description
    low = candle.low.description
    close = candle.close.description
    volume = candle.volume
    openInterest = candle.openInterest
    ticks = candle.tickCount
    turnover = Format.turnover(candle)
    coverage = candle.coverage
    flags = candle.flags.description
    state = "\(candle.state)"
    revision = candle.revision
    origin = "\(candle.origin)"
  }
}
