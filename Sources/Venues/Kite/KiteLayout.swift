/// Where things lie in a binary message of the Kite Connect v3 ticker. All integers are big-endian.
///
/// A message is a 16-bit packet count, then for each packet a 16-bit length and so many bytes. The length alone
/// chooses the packet's layout. Prices are read signed (the vendor's documentation says int32, and crude oil has
/// traded below zero); quantities, open interest, tokens and times are unsigned.
enum KiteLayout {
  static let messageHeaderBytes = 2
  static let packetHeaderBytes = 2
  /// A binary message of at most this many bytes carries no packet: it is the heartbeat.
  static let heartbeatBytesMax = 1

  static let ltpBytes = 8
  static let indexQuoteBytes = 28
  static let indexFullBytes = 32
  static let quoteBytes = 44
  static let fullBytes = 184

  static let token = 0
  static let lastPrice = 4

  /// Offsets in the index layouts, whose order is high, low, open, close.
  enum Index {
    static let high = 8
    static let low = 12
    static let open = 16
    static let close = 20
    static let exchangeTime = 28
  }

  /// Offsets in the quote layout, which is the head of the full layout; the order is open, high, low, close.
  enum Quote {
    static let lastQuantity = 8
    static let averagePrice = 12
    static let dayVolume = 16
    static let totalBuyQuantity = 20
    static let totalSellQuantity = 24
    static let open = 28
    static let high = 32
    static let low = 36
    static let close = 40
  }

  /// Offsets in the full layout after its quote.
  enum Full {
    static let lastTradeTime = 44
    static let openInterest = 48
    static let openInterestDayHigh = 52
    static let openInterestDayLow = 56
    static let exchangeTime = 60
    static let bids = 64
    static let asks = 124
    static let depthLevels = 5
    static let depthEntryBytes = 12
    static let depthPrice = 4
    static let depthOrders = 8
  }

  /// Segments are the low byte of a token.
  enum Segment {
    static let currency: UInt8 = 3
    static let bseCurrency: UInt8 = 6
    static let indices: UInt8 = 9
    static let nseCommodity: UInt8 = 12
  }

  static func segment(ofToken token: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: token) }

  /// The number by which a segment's integers are divided to give rupees.
  ///
  /// The vendor's clients long disagreed about NSE commodities (12): the default of 100 gave prices a hundred times
  /// too high. In September 2026 the vendor checked raw packets against the market and set 10 000 in its Python,
  /// Go, Java and .NET clients (zerodha/javakiteconnect pull request 57), so 10 000 it is.
  @inline(__always)
  static func priceDivisor(ofToken token: UInt32) -> Int64 {
    switch segment(ofToken: token) {
    case Segment.currency: 10_000_000
    case Segment.bseCurrency, Segment.nseCommodity: 10_000
    default: 100
    }
  }
}

extension RawSpan {
  /// The big-endian 16 bits at `offset`, which the caller has checked to lie inside.
  @inline(__always)
  func bigEndian16(at offset: Int) -> UInt16 {
    UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
  }

  /// The big-endian 32 bits at `offset`, which the caller has checked to lie inside.
  @inline(__always)
  func bigEndian32(at offset: Int) -> UInt32 {
    UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
  }
}

/// Walks over the packets of one message, checking every declared length against the bytes that are there.
struct KitePacketCursor {
  private(set) var offset = 0
  private(set) var packetsRead = 0
  let packetCount: Int

  enum Step {
    /// A packet of `length` bytes at `offset`, wholly inside the message.
    case packet(offset: Int, length: Int)
    /// All declared packets were read; bytes behind the last are ignored, as the vendor's clients do.
    case end
    /// The message is shorter than it declares; nothing in the remainder can be trusted.
    case broken
  }

  /// Starts at the head of a message longer than ``KiteLayout/heartbeatBytesMax``.
  init(_ message: RawSpan) {
    packetCount = Int(message.bigEndian16(at: 0))
    offset = KiteLayout.messageHeaderBytes
  }

  @inline(__always)
  mutating func next(in message: RawSpan) -> Step {
    guard packetsRead < packetCount else { return .end }
    let start = offset + KiteLayout.packetHeaderBytes
    guard start <= message.byteCount else { return .broken }
    let length = Int(message.bigEndian16(at: offset))
    guard length <= message.byteCount - start else { return .broken }
    packetsRead += 1
    offset = start + length
    return .packet(offset: start, length: length)
  }

  /// What is wrong where ``next(in:)`` said `broken`.
  func breakDescription(in message: RawSpan) -> String {
    let place = "packet \(packetsRead + 1) of \(packetCount) at byte \(offset)"
    let left = message.byteCount - offset
    guard left >= KiteLayout.packetHeaderBytes else {
      return "\(place) should begin with a 2-byte length, but \(left) of the message's "
        + "\(message.byteCount) bytes are left"
    }
    return "\(place) declares \(message.bigEndian16(at: offset)) bytes, but "
      + "\(left - KiteLayout.packetHeaderBytes) of the message's \(message.byteCount) bytes are left"
  }

  /// What is wrong with a packet whose length is not one of the five.
  func unknownLengthDescription(length: Int) -> String {
    "packet \(packetsRead) of \(packetCount) at byte \(offset - length) has \(length) bytes, "
      + "which is no known layout (8, 28, 32, 44 or 184)"
  }
}
