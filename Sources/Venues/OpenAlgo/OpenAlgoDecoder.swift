public import MarketData

/// Turns messages of an OpenAlgo server into ticks. Pure: bytes, a table and a time go in, ticks come out.
public struct OpenAlgoDecoder: Sendable {
  /// The instruments whose messages become ticks, by `EXCHANGE:SYMBOL`; messages of others are counted and skipped.
  private var instruments = SymbolTable()
  /// The name that is looked up, made anew for each tick in the same memory.
  private var name: [UInt8] = []

  /// Makes a decoder that knows no instrument yet.
  public init() {}

  /// Makes an instrument known under the name that the server gives it.
  public mutating func insert(_ symbol: Symbol, _ instrument: InstrumentID) {
    instruments.insert(symbol.text, instrument)
  }

  /// Appends the tick of one message to `ticks`, stamped with `receiveTime`, and counts in `statistics`.
  ///
  /// Total: every sequence of bytes is accepted. Returns the message when it is well-formed and no tick.
  mutating func decode(
    _ message: [UInt8], receiveTime: Timestamp, into ticks: inout [Tick], statistics: inout SourceStatistics
  ) -> OpenAlgoFrame? {
    var scanner = JSONScanner(message)
    let frame: OpenAlgoFrame
    do {
      frame = try OpenAlgoFrame(&scanner)
    } catch {
      statistics.badFrames += 1
      statistics.lastBadFrame = error.message
      return nil
    }
    guard frame.kind == .marketData else { return frame }
    guard let instrument = instrument(of: frame, in: scanner) else {
      statistics.unknownInstruments += 1
      return nil
    }
    var tick = Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime, exchangeTime: frame.time,
      lastPrice: frame.lastPrice, dayVolume: frame.dayVolume ?? 0,
      lastTradeSeconds: UInt32(exactly: frame.lastTradeTime.seconds) ?? 0,
      lastQuantity: UInt32(clamping: frame.lastQuantity), openInterest: UInt32(clamping: frame.openInterest))
    // A volume of zero that only stands for none must not look like a fallen one.
    if frame.dayVolume == nil || name.isIndexName { tick.flags.insert(.withoutVolume) }
    if !tick.exchangeTime.isKnown { tick.flags.insert(.noExchangeTime) }
    ticks.append(tick)
    statistics.ticks += 1
    return nil
  }

  private mutating func instrument(of frame: OpenAlgoFrame, in scanner: JSONScanner) -> InstrumentID? {
    guard let exchange = frame.exchange, let symbol = frame.symbol else { return nil }
    name.removeAll(keepingCapacity: true)
    append(exchange, of: scanner)
    name.append(UInt8(ascii: ":"))
    append(symbol, of: scanner)
    return instruments.instrument(named: name)
  }

  private mutating func append(_ text: JSONString, of scanner: JSONScanner) {
    if text.hasEscapes {
      name.append(contentsOf: scanner.text(of: text).utf8)
    } else {
      name.append(contentsOf: scanner.bytes[text.range])
    }
  }
}

extension [UInt8] {
  /// Whether `EXCHANGE:SYMBOL` is of one of the exchanges for indices: NSE_INDEX, BSE_INDEX and so on.
  fileprivate var isIndexName: Bool {
    guard let colon = firstIndex(of: UInt8(ascii: ":")) else { return false }
    return self[..<colon].suffix(6).elementsEqual("_INDEX".utf8)
  }
}
