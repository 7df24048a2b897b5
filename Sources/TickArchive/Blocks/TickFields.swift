internal import CTickCodec
internal import MarketData

/// Fields of a record that a reader can do without. What identifies a record, its instrument, sequence, receive time,
/// flags and kind, is always there.
public struct TickFields: OptionSet, Sendable, Hashable {
  /// A bit for each field.
  public let rawValue: UInt8

  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// ``MarketData/Tick/exchangeTime``.
  public static let exchangeTime = TickFields(rawValue: 1 << 0)
  /// ``MarketData/Tick/lastPrice``.
  public static let lastPrice = TickFields(rawValue: 1 << 1)
  /// ``MarketData/Tick/lastQuantity``.
  public static let lastQuantity = TickFields(rawValue: 1 << 2)
  /// ``MarketData/Tick/dayVolume``.
  public static let dayVolume = TickFields(rawValue: 1 << 3)
  /// ``MarketData/Tick/lastTradeSeconds``.
  public static let lastTradeSeconds = TickFields(rawValue: 1 << 4)
  /// ``MarketData/Tick/openInterest``.
  public static let openInterest = TickFields(rawValue: 1 << 5)
  /// All of them.
  public static let all: TickFields = [
    .exchangeTime, .lastPrice, .lastQuantity, .dayVolume, .lastTradeSeconds, .openInterest,
  ]

  /// The sections from which these fields are made, and what is always needed.
  var sections: Set<Section> {
    var sections: Set<Section> = [
      .directory, .instrumentCodes, .receiveTimeLow, .receiveTimeHigh, .sequenceLow, .sequenceHigh, .flags,
      .summaries,
    ]
    // Last trades are told from exchange times, and volumes from quantities.
    if !isDisjoint(with: [.exchangeTime, .lastTradeSeconds]) {
      sections.formUnion([.exchangeTimeLow, .exchangeTimeHigh, .exchangeRemainder])
    }
    if !isDisjoint(with: [.lastQuantity, .dayVolume]) { sections.insert(.quantity) }
    if contains(.lastPrice) { sections.formUnion([.priceLow, .priceHigh]) }
    if contains(.dayVolume) { sections.formUnion([.volumeLow, .volumeHigh]) }
    if contains(.lastTradeSeconds) { sections.formUnion([.lastTradeLow, .lastTradeHigh]) }
    if contains(.openInterest) { sections.insert(.openInterest) }
    return sections
  }

  /// The same as bits.
  var sectionMask: UInt32 { sections.reduce(0) { $0 | 1 << UInt32($1.rawValue) } }

  /// Sets the fields of records to zero that are not among these.
  func blankOthers(in ticks: UnsafeMutableBufferPointer<Tick>) {
    guard self != .all else { return }
    for index in ticks.indices {
      if !contains(.exchangeTime) { ticks[index].exchangeTime = .unknown }
      if !contains(.lastPrice) { ticks[index].lastPrice = .zero }
      if !contains(.lastQuantity) { ticks[index].lastQuantity = 0 }
      if !contains(.dayVolume) { ticks[index].dayVolume = 0 }
      if !contains(.lastTradeSeconds) { ticks[index].lastTradeSeconds = 0 }
      if !contains(.openInterest) { ticks[index].openInterest = 0 }
    }
  }
}
