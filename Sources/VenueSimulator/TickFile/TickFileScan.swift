import MarketData

/// The state of reading a tick file: what was traded, and the scale of each instrument so far.
struct TickFileScan {
  /// A trade whose instrument's scale is not settled yet.
  struct Trade {
    var receiveTime: Timestamp
    var exchangeSeconds: UInt32
    var instrument: UInt32
    var price: Price
    var quantityNano: Int64
  }

  /// The exchange under which a file's instruments are listed.
  static let exchange = "SIM"
  private static let firstExchangeToken: UInt32 = 1001
  /// As many as a Kite client's three connections may subscribe to.
  private static let instrumentsMax = 9000

  private(set) var trades: [Trade] = []
  private let path: String
  private var columns: TickFileColumns?
  private var indices: [ArraySlice<UInt8>: Int] = [:]
  private var symbols: [Symbol] = []
  private var scales: [TickFileScale] = []
  private var openingPrices: [Price] = []

  init(path: String) { self.path = path }

  /// Takes in one line of the file.
  ///
  /// - Throws: ``Fault`` of kind `badData`.
  mutating func take(_ line: ArraySlice<UInt8>, number: Int) throws(Fault) {
    guard let columns else {
      columns = try TickFileColumns(header: line, path: path)
      return
    }
    let row = try columns.row(line, path: path, number: number)
    if let last = trades.last, row.receiveTime < last.receiveTime {
      throw Fault(
        .badData, "\(path):\(number): receive time goes back; a tick file is ordered by receive_time_ns")
    }
    guard trades.count < TickFileMarket.tradesMax else {
      throw Fault(.badData, "\(path):\(number): a tick file holds at most \(TickFileMarket.tradesMax) trades")
    }
    let index = try index(of: row, number: number)
    if let complaint = scales[index].take(row) {
      throw Fault(.badData, "\(path):\(number): \(symbols[index]) cannot be carried exactly: \(complaint)")
    }
    trades.append(
      Trade(
        receiveTime: row.receiveTime, exchangeSeconds: UInt32(clamping: row.exchangeTime.seconds),
        instrument: UInt32(index), price: row.price, quantityNano: row.quantityNano))
  }

  /// What the venue lists, in the order of first appearance; valid when all lines were taken in.
  var listings: [(instrument: SimulatedInstrument, mapping: TickFileMapping)] {
    symbols.indices.map { index in
      let scale = scales[index]
      let name = String(symbols[index].text.dropFirst(Self.exchange.utf8.count + 1))
      let instrument = SimulatedInstrument(
        exchangeToken: Self.firstExchangeToken + UInt32(index), segment: scale.segment,
        exchange: Self.exchange, tradingSymbol: name, name: name, segmentName: Self.exchange,
        instrumentType: "EQ", expiry: "", strike: .zero, priceTick: scale.priceTick, lotSize: 1,
        openingPrice: TickFileScale.wirePrice(openingPrices[index], in: scale.segment) ?? 1)
      let mapping = TickFileMapping(
        symbol: symbols[index], token: instrument.token, priceDivisor: scale.segment.priceDivisor,
        quantityDigits: scale.quantityDigits)
      return (instrument, mapping)
    }
  }

  /// The trades in wire units; valid when all lines were taken in.
  func recordedTrades() -> [RecordedTrade] {
    trades.compactMap { trade in
      let scale = scales[Int(trade.instrument)]
      return TickFileScale.wirePrice(trade.price, in: scale.segment).map { price in
        RecordedTrade(
          receiveTime: trade.receiveTime, exchangeSeconds: trade.exchangeSeconds,
          instrument: trade.instrument, price: price,
          quantity: scale.wireQuantity(nano: trade.quantityNano))
      }
    }
  }

  private mutating func index(of row: TickFileRow, number: Int) throws(Fault) -> Int {
    if let known = indices[row.symbol] { return known }
    let name = String(decoding: row.symbol, as: UTF8.self).uppercased()
    let symbol: Symbol
    do {
      symbol = try Symbol("\(Self.exchange):\(name)")
    } catch {
      throw Fault(.badData, "\(path):\(number): \(error.message)")
    }
    guard !symbols.contains(symbol) else {
      throw Fault(.badData, "\(path):\(number): symbol '\(name)' appears in two spellings")
    }
    guard symbols.count < Self.instrumentsMax else {
      throw Fault(.badData, "\(path):\(number): a tick file holds at most \(Self.instrumentsMax) instruments")
    }
    let index = symbols.count
    // A copy: the slice would keep its whole chunk of the file alive.
    indices[ArraySlice(Array(row.symbol))] = index
    symbols.append(symbol)
    scales.append(TickFileScale())
    openingPrices.append(row.price)
    return index
  }
}
