public import MarketData

/// A market that repeats the trades of a recorded file at their recorded receive times.
///
/// Each trade becomes one update with the cumulative volume since the file's start, the trade's quantity, and its
/// exchange time in whole seconds, which is the wire's resolution. Depth is made up; prices and quantities are
/// exact (``mappings``). History before the file is made up around the first prices, for every minute of the day.
public struct TickFileMarket: SimulatedMarket {
  /// The file's instruments in the order in which they first appear.
  public let instruments: [SimulatedInstrument]
  /// How each instrument is carried on the wire, in the same order.
  public let mappings: [TickFileMapping]
  /// The first trade's receive time.
  public let start: Timestamp
  /// Made-up minutes before the file's start.
  public let history: PriceHistory
  /// Trades in the file.
  public var tradeCount: Int { trades.count }
  /// True when the last trade was played.
  public var isFinished: Bool { position == trades.count }

  /// A file's trades come in its own order only.
  public var tradesOnDemand: Bool { false }

  /// Trades that a file may hold: they are kept in memory, 24 bytes each.
  public static let tradesMax = 50_000_000

  private let trades: [RecordedTrade]
  private var position = 0
  private var quotes: [Quote]
  private var turnovers: [UInt64]
  private var generator: SeededGenerator

  /// Reads and checks the whole file.
  ///
  /// The file is a CSV table, plain or gzip, whose first line names at least the columns `receive_time_ns`,
  /// `exchange_time_ns`, `symbol`, `price` and `quantity`; receive times never decrease.
  /// - Throws: ``Fault`` of kind `missingInput` or, naming file, line and what would be right, `badData`.
  public init(path: String, seed: UInt64 = 1) throws(Fault) {
    var scan = TickFileScan(path: path)
    try CompressedLines.forEach(inFile: path) { (line, number) throws(Fault) in
      try scan.take(line, number: number)
    }
    guard let first = scan.trades.first else {
      throw Fault(.badData, "tick file '\(path)' holds no trade")
    }
    let start = first.receiveTime
    let history = PriceHistory(seed: seed, minutes: .aroundTheClock, start: start)
    let instruments = scan.listings.map(\.instrument)
    trades = scan.recordedTrades()
    mappings = scan.listings.map(\.mapping)
    self.instruments = instruments
    self.start = start
    self.history = history
    generator = SeededGenerator(seed: seed)
    turnovers = Array(repeating: 0, count: instruments.count)
    quotes = instruments.map { instrument in
      var quote = Quote()
      let price = instrument.openingPrice
      quote.lastPrice = price
      (quote.open, quote.high, quote.low, quote.averagePrice) = (price, price, price, price)
      quote.close = history.previousClose(of: instrument)
      quote.lastTradeSeconds = UInt32(clamping: history.end.seconds - 1)
      quote.exchangeSeconds = quote.lastTradeSeconds
      return quote
    }
    for index in quotes.indices { layDepth(index) }
  }

  /// The state of the instrument at `index` now.
  public func quote(of index: Int) -> Quote { quotes[index] }

  /// Plays the next trade if it was received at or before `time`.
  public mutating func nextUpdate(until time: Timestamp) -> Int? {
    guard position < trades.count, trades[position].receiveTime <= time else { return nil }
    let trade = trades[position]
    position += 1
    let index = Int(trade.instrument)
    quotes[index].trade(price: trade.price, quantity: trade.quantity, at: trade.exchangeSeconds)
    turnovers[index] += UInt64(trade.quantity) * UInt64(trade.price)
    quotes[index].averagePrice = Int32(clamping: turnovers[index] / UInt64(max(quotes[index].volume, 1)))
    layDepth(index)
    return index
  }

  /// Does nothing: only recorded trades are repeated.
  public mutating func trade(_ index: Int, at time: Timestamp) {}

  private mutating func layDepth(_ index: Int) {
    quotes[index].layDepth(
      priceTick: instruments[index].priceTick, lotSize: instruments[index].lotSize, bits: generator.next())
  }
}

/// One trade in the wire's units.
struct RecordedTrade: Sendable {
  var receiveTime: Timestamp
  var exchangeSeconds: UInt32
  var instrument: UInt32
  var price: Int32
  var quantity: UInt32
}
