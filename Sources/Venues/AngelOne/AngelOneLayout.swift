import MarketData

/// Where things lie in a binary frame of Angel One's SmartStream v2. All integers are little-endian, times Unix
/// milliseconds unless said otherwise; a frame carries one tick, and its first byte chooses its layout.
///
/// Where the vendor's clients disagree, the numbered notes of the protocol description were followed: prices are
/// 64 bits wide and signed in every mode, the change of open interest is an IEEE double, and flag 1 marks a bid.
enum AngelOneLayout {
  /// Subscription modes, which are also the frames' first bytes.
  enum Mode: UInt8 {
    case lastPrice = 1
    case quote = 2
    case snapQuote = 3
    case depth = 4

    /// Bytes of a frame of this mode; longer frames are read by their beginning.
    var frameBytes: Int {
      switch self {
      case .lastPrice: 51
      case .quote: 123
      case .snapQuote: 379
      case .depth: 443
      }
    }

    /// The mode's name in the vendor's Python client, which has none for depth.
    var vendorName: String? {
      switch self {
      case .lastPrice: "LTP"
      case .quote: "QUOTE"
      case .snapQuote: "SNAP_QUOTE"
      case .depth: nil
      }
    }
  }

  static let mode = 0
  static let exchange = 1
  static let token = 2
  static let tokenBytes = 25
  static let headBytes = 27

  static let sequence = 27
  static let exchangeTime = 35
  static let lastPrice = 43

  /// Offsets in the quote layout, which is the head of the snap-quote layout.
  enum Quote {
    static let lastQuantity = 51
    static let averagePrice = 59
    static let dayVolume = 67
    static let totalBuyQuantity = 75
    static let totalSellQuantity = 83
    static let open = 91
    static let high = 99
    static let low = 107
    static let close = 115
  }

  /// Offsets in the snap-quote layout after its quote.
  enum SnapQuote {
    /// In Unix seconds.
    static let lastTradeTime = 123
    static let openInterest = 131
    static let openInterestChangePercent = 139
    static let levels = 147
    static let levelCount = 10
    static let levelBytes = 20
    static let levelQuantity = 2
    static let levelPrice = 10
    static let levelOrders = 18
    static let upperCircuit = 347
    static let lowerCircuit = 355
    static let yearHigh = 363
    static let yearLow = 371
  }

  /// Offsets in the depth layout, whose times lie elsewhere than in the others.
  enum Depth {
    static let exchangeTime = 27
    static let packetTime = 35
    static let bids = 43
    static let asks = 243
    static let levelCount = 20
    static let levelBytes = 10
    static let levelPrice = 4
    static let levelOrders = 8
  }

  /// The currency segment, `cde_fo`.
  static let currencyExchange: UInt8 = 13

  /// Tokens of indices, as the vendor's list of instruments has them (Nifty 50 is 99926000).
  static let indexTokens: ClosedRange<UInt32> = 99_900_000...99_999_999

  /// The number by which an exchange's integers are divided to give rupees: the documentation's "currencies
  /// 10000000, everything else 100".
  @inline(__always)
  static func priceDivisor(ofExchange exchange: UInt8) -> Int64 {
    exchange == currencyExchange ? 10_000_000 : 100
  }
}

extension RawSpan {
  /// The little-endian integer at `offset`, which the caller has checked to lie inside.
  @inline(__always)
  func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Value.Type) -> Value
  {
    Value(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: type))
  }
}
