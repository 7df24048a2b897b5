/// What the ticks of a vendor look like: the current state of every instrument, ready to be sent.
protocol StreamBook: Sendable {
  /// Gives the instrument's next tick its number, with vendors that number their ticks.
  mutating func advance(_ index: Int)
  /// Encodes the instrument's state.
  mutating func update(_ index: Int, to quote: Quote)
  /// Appends the instrument's packet for `mode` to a frame.
  func append(_ index: Int, mode: TickerMode, to frame: inout [UInt8])
  /// What stands before a frame's first packet.
  var frameHead: DataFrame.Head { get }
}

/// The current full packet of every instrument, ready to be copied into frames.
///
/// Each mode's packet is a prefix of the full one (8 and 44 of 184 bytes, 8 and 28 of 32), so an instrument is
/// encoded once per update, whatever its subscribers asked for. All fields are big-endian.
struct PacketBook: StreamBook {
  private static let stride = TickerMode.full.packetLength(isTradable: true)
  private static let bidsOffset = 64
  private static let asksOffset = 124
  private static let levelLength = 12

  private var bytes: [UInt8]
  private let isTradable: [Bool]

  /// Prepares a zero packet with its token for each instrument.
  init(instruments: [SimulatedInstrument]) {
    bytes = Array(repeating: 0, count: instruments.count * Self.stride)
    isTradable = instruments.map(\.segment.isTradable)
    bytes.withUnsafeMutableBytes { buffer in
      for (index, instrument) in instruments.enumerated() {
        buffer.storeBytes(of: instrument.token.bigEndian, toByteOffset: index * Self.stride, as: UInt32.self)
      }
    }
  }

  var frameHead: DataFrame.Head { .count }

  mutating func advance(_ index: Int) {}

  /// Encodes the instrument's state.
  mutating func update(_ index: Int, to quote: Quote) {
    let base = index * Self.stride
    let tradable = isTradable[index]
    bytes.withUnsafeMutableBytes { buffer in
      func put(_ offset: Int, _ value: Int32) {
        buffer.storeBytes(of: value.bigEndian, toByteOffset: base + offset, as: Int32.self)
      }
      func put(_ offset: Int, _ value: UInt32) {
        buffer.storeBytes(of: value.bigEndian, toByteOffset: base + offset, as: UInt32.self)
      }
      func put(_ offset: Int, _ level: DepthLevel) {
        put(offset, level.quantity)
        put(offset + 4, level.price)
        buffer.storeBytes(of: level.orders.bigEndian, toByteOffset: base + offset + 8, as: UInt16.self)
      }
      put(4, quote.lastPrice)
      guard tradable else {
        put(8, quote.high)
        put(12, quote.low)
        put(16, quote.open)
        put(20, quote.close)
        put(24, quote.lastPrice &- quote.close)
        put(28, quote.exchangeSeconds)
        return
      }
      put(8, quote.lastQuantity)
      put(12, quote.averagePrice)
      put(16, quote.volume)
      put(20, quote.totalBuyQuantity)
      put(24, quote.totalSellQuantity)
      put(28, quote.open)
      put(32, quote.high)
      put(36, quote.low)
      put(40, quote.close)
      put(44, quote.lastTradeSeconds)
      put(48, quote.openInterest)
      put(52, quote.openInterestHigh)
      put(56, quote.openInterestLow)
      put(60, quote.exchangeSeconds)
      for level in 0..<Quote.depthLevels {
        put(Self.bidsOffset + level * Self.levelLength, quote.bids[level])
        put(Self.asksOffset + level * Self.levelLength, quote.asks[level])
      }
    }
  }

  /// Appends the instrument's packet for `mode` with its two length bytes.
  func append(_ index: Int, mode: TickerMode, to frame: inout [UInt8]) {
    let length = mode.packetLength(isTradable: isTradable[index])
    let base = index * Self.stride
    frame.append(0)
    frame.append(UInt8(length))
    frame.append(contentsOf: bytes[base..<base + length])
  }
}
