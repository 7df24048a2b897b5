/// The day's open, high, low and the previous close as the venue states them.
///
/// It travels as a record of kind ``TickKind/daySummary`` in the 64 bytes of a ``Tick``, and only when it changed:
/// ``Tick/lastPrice`` is the high, ``Tick/dayVolume`` the low, ``Tick/exchangeTime`` the open, and
/// ``Tick/lastTradeSeconds`` and ``Tick/lastQuantity`` are the low and high half of the previous close, all in units
/// of 1e-9.
public struct DaySummary: Sendable, Hashable, BitwiseCopyable {
  /// The day's first price.
  public var open: Price
  /// The day's highest price so far.
  public var high: Price
  /// The day's lowest price so far.
  public var low: Price
  /// The last price of the day before.
  public var previousClose: Price

  /// Makes a summary.
  @inlinable
  public init(open: Price, high: Price, low: Price, previousClose: Price) {
    self.open = open
    self.high = high
    self.low = low
    self.previousClose = previousClose
  }

  /// Reads a record of kind ``TickKind/daySummary``.
  @inlinable
  public init(_ record: Tick) {
    let close = UInt64(record.lastTradeSeconds) | UInt64(record.lastQuantity) << 32
    self.init(
      open: Price(units: record.exchangeTime.nanoseconds), high: record.lastPrice,
      low: Price(units: record.dayVolume), previousClose: Price(units: Int64(bitPattern: close)))
  }

  /// The summary as a record, received with the tick that it precedes.
  @inlinable
  public func record(of instrument: InstrumentID, receiveTime: Timestamp) -> Tick {
    let close = UInt64(bitPattern: previousClose.units)
    return Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime,
      exchangeTime: Timestamp(nanoseconds: open.units), lastPrice: high, dayVolume: low.units,
      lastTradeSeconds: UInt32(truncatingIfNeeded: close), lastQuantity: UInt32(close >> 32), openInterest: 0,
      kind: .daySummary)
  }
}
