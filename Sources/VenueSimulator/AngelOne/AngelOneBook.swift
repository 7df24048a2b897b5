/// The current frames of every instrument, ready to be sent: one for the modes last price, quote and snap quote, whose
/// layouts are prefixes of each other, and one for depth. All fields are little-endian.
struct AngelOneBook: StreamBook {
  private static let snapQuoteBytes = 379
  private static let depthBytes = 443
  private static let stride = snapQuoteBytes + depthBytes
  private static let tokenBytes = 25
  private static let depthLevels = 20
  private static let bandPercent: Int64 = 20
  private static let yearBandPercent: Int64 = 40

  private var bytes: [UInt8]
  private let priceTicks: [Int64]
  /// Frames of the instrument so far; indices have no numbers.
  private var numbers: [Int64]
  private let isNumbered: [Bool]

  init(instruments: [SimulatedInstrument], directory: AngelOneDirectory) {
    bytes = Array(repeating: 0, count: instruments.count * Self.stride)
    priceTicks = instruments.map { Int64($0.priceTick) }
    numbers = Array(repeating: 0, count: instruments.count)
    isNumbered = instruments.map(\.segment.isTradable)
    for (index, identity) in directory.identities.enumerated() {
      guard let identity else { continue }
      for start in [index * Self.stride, index * Self.stride + Self.snapQuoteBytes] {
        bytes[start + 1] = identity.exchange
        for (offset, byte) in identity.tokenText.utf8.prefix(Self.tokenBytes).enumerated() {
          bytes[start + 2 + offset] = byte
        }
      }
    }
  }

  var frameHead: DataFrame.Head { .none }

  /// Gives the instrument's next frame its number.
  mutating func advance(_ index: Int) {
    if isNumbered[index] { numbers[index] += 1 }
  }

  /// Encodes the instrument's state.
  mutating func update(_ index: Int, to quote: Quote) {
    let base = index * Self.stride
    let (number, priceTick) = (numbers[index], priceTicks[index])
    let isTradable = isNumbered[index]
    bytes.withUnsafeMutableBytes { buffer in
      let frame = FrameWriter(buffer: buffer, start: base)
      let milliseconds = Int64(quote.exchangeSeconds) * 1000
      frame.put(27, number)
      frame.put(35, milliseconds)
      frame.put(43, Int64(quote.lastPrice))
      frame.put(91, Int64(quote.open))
      frame.put(99, Int64(quote.high))
      frame.put(107, Int64(quote.low))
      frame.put(115, Int64(quote.close))
      frame.putSnapQuote(quote, bandPercent: Self.bandPercent, yearBandPercent: Self.yearBandPercent)
      if isTradable { frame.putTrading(quote) }
      let depth = FrameWriter(buffer: buffer, start: base + Self.snapQuoteBytes)
      depth.put(27, milliseconds)
      depth.put(35, milliseconds + 1)
      depth.putDepth(quote, levels: Self.depthLevels, priceTick: priceTick)
    }
  }

  /// Appends the instrument's frame for `mode`.
  func append(_ index: Int, mode: TickerMode, to frame: inout [UInt8]) {
    let start = index * Self.stride + (mode == .depth ? Self.snapQuoteBytes : 0)
    frame.append(mode.rawValue)
    frame.append(contentsOf: bytes[start + 1..<start + Self.frameBytes(mode)])
  }

  /// Bytes of a frame of the mode.
  static func frameBytes(_ mode: TickerMode) -> Int {
    switch mode {
    case .ltp: 51
    case .quote: 123
    case .full: snapQuoteBytes
    case .depth: depthBytes
    }
  }
}

/// Writes the fields of one frame.
private struct FrameWriter {
  let buffer: UnsafeMutableRawBufferPointer
  let start: Int

  private static let bestFive = 147
  private static let bestFiveBytes = 20
  private static let depthBids = 43
  private static let depthAsks = 243
  private static let depthLevelBytes = 10

  func put<Value: FixedWidthInteger>(_ offset: Int, _ value: Value) {
    buffer.storeBytes(of: value.littleEndian, toByteOffset: start + offset, as: Value.self)
  }

  func put(_ offset: Int, _ value: Double) { put(offset, value.bitPattern) }

  /// What only tradable instruments have.
  func putTrading(_ quote: Quote) {
    put(51, Int64(quote.lastQuantity))
    put(59, Int64(quote.averagePrice))
    put(67, Int64(quote.volume))
    put(75, Double(quote.totalBuyQuantity))
    put(83, Double(quote.totalSellQuantity))
    put(123, Int64(quote.lastTradeSeconds))
    put(131, Int64(quote.openInterest))
    let interestRise = Double(quote.openInterest) - Double(quote.openInterestLow)
    put(139, quote.openInterestLow == 0 ? 0 : interestRise / Double(quote.openInterestLow) * 100)
  }

  func putSnapQuote(_ quote: Quote, bandPercent: Int64, yearBandPercent: Int64) {
    for level in 0..<Quote.depthLevels {
      put(bestFive: level, flag: 1, quote.bids[level])
      put(bestFive: Quote.depthLevels + level, flag: 0, quote.asks[level])
    }
    let close = Int64(quote.close)
    put(347, close + close * bandPercent / 100)
    put(355, close - close * bandPercent / 100)
    put(363, max(Int64(quote.high), close + close * yearBandPercent / 100))
    put(371, min(Int64(quote.low), close - close * yearBandPercent / 100))
  }

  /// Flag 1 marks a bid.
  private func put(bestFive entry: Int, flag: UInt16, _ level: DepthLevel) {
    let offset = Self.bestFive + entry * Self.bestFiveBytes
    put(offset, flag)
    put(offset + 2, Int64(level.quantity))
    put(offset + 10, Int64(level.price))
    put(offset + 18, level.orders)
  }

  /// Beyond the five levels that the market knows, further ones follow one price step apart.
  func putDepth(_ quote: Quote, levels: Int, priceTick: Int64) {
    for level in 0..<levels {
      let known = min(level, Quote.depthLevels - 1)
      let distance = Int64(level - known) * priceTick
      put(depth: Self.depthBids, level, quote.bids[known], price: Int64(quote.bids[known].price) - distance)
      put(depth: Self.depthAsks, level, quote.asks[known], price: Int64(quote.asks[known].price) + distance)
    }
  }

  private func put(depth side: Int, _ level: Int, _ known: DepthLevel, price: Int64) {
    let offset = side + level * Self.depthLevelBytes
    put(offset, Int32(clamping: known.quantity))
    put(offset + 4, Int32(clamping: price))
    put(offset + 8, Int16(clamping: known.orders))
  }
}
