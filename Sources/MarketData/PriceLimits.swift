/// The prices between which the exchange lets an instrument trade today (its circuit limits).
///
/// They travel as a record of kind ``TickKind/priceLimits``, and only when they changed: ``Tick/lastPrice`` is the upper
/// limit and ``Tick/dayVolume`` the lower, in units of 1e-9.
public struct PriceLimits: Sendable, Hashable, BitwiseCopyable {
  /// The lowest price.
  public var lower: Price
  /// The highest price.
  public var upper: Price

  /// Makes limits.
  @inlinable
  public init(lower: Price, upper: Price) {
    self.lower = lower
    self.upper = upper
  }

  /// Reads a record of kind ``TickKind/priceLimits``.
  @inlinable
  public init(_ record: Tick) {
    self.init(lower: Price(units: record.dayVolume), upper: record.lastPrice)
  }

  /// True when they leave room for a price.
  @inlinable
  public var areUsable: Bool { lower.units > 0 && lower <= upper }

  /// The limits as a record, received with the tick that it precedes.
  @inlinable
  public func record(of instrument: InstrumentID, receiveTime: Timestamp) -> Tick {
    Tick(
      instrument: instrument, sequence: 0, receiveTime: receiveTime, exchangeTime: .unknown, lastPrice: upper,
      dayVolume: lower.units, lastTradeSeconds: 0, lastQuantity: 0, openInterest: 0, kind: .priceLimits)
  }
}
