internal import MarketData

/// A fingerprint of a stream of events: two back-tests of the same range give the same. Ticks count as in
/// ``TickStreamHash``; of candles every field, of gaps their bounds and cause.
public struct MarketEventHash: Sendable {
  private var state = TickStreamHash()

  /// Makes the hash of no events.
  public init() {}

  /// Events taken in so far.
  public var count: UInt64 { state.count }
  /// The fingerprint of what was taken in.
  public var value: UInt64 { state.value }
  /// The fingerprint as 16 hexadecimal digits.
  public var text: String { state.text }

  /// Takes in one event.
  public mutating func update(_ event: MarketEvent) {
    switch event {
    case .tick(let tick): state.update(tick)
    case .candle(let candle):
      // A candle has more fields than a record; two records hold them.
      state.update(
        Self.record(
          .candle, candle.instrument, candle.start, candle.end, candle.open, candle.volume,
          quantity: UInt32(truncatingIfNeeded: candle.revision), openInterest: UInt32(candle.state.rawValue)))
      state.update(
        Self.record(
          .candle, candle.instrument, Timestamp(nanoseconds: candle.high.units),
          Timestamp(nanoseconds: candle.low.units), candle.close, candle.turnover,
          quantity: UInt32(truncatingIfNeeded: candle.tickCount),
          openInterest: UInt32(truncatingIfNeeded: candle.openInterest) ^ UInt32(candle.flags.rawValue) << 16
            ^ UInt32(truncatingIfNeeded: candle.coverage) << 8 ^ UInt32(candle.origin.rawValue)))
    case .gap(let gap):
      state.update(
        Self.record(
          .gap, gap.instrument, gap.start, gap.end ?? .unknown, .zero, 0, quantity: gap.cause.rawValue,
          openInterest: 0))
    case .repaired(let gap):
      state.update(
        Self.record(
          .repaired, gap.instrument, gap.start, gap.end ?? .unknown, .zero, 0, quantity: gap.cause.rawValue,
          openInterest: 0))
    case .feedLost, .feedReturned, .halt, .ended:
      state.update(Self.record(.end, .all, .unknown, .unknown, .zero, 0, quantity: 0, openInterest: 0))
    }
  }

  private enum Mark: UInt8 {
    case candle = 200
    case gap, end, repaired
  }

  private static func record(
    _ mark: Mark, _ instrument: InstrumentID, _ first: Timestamp, _ second: Timestamp, _ price: Price,
    _ volume: Int64, quantity: UInt32, openInterest: UInt32
  ) -> Tick {
    Tick(
      instrument: instrument, sequence: 0, receiveTime: first, exchangeTime: second, lastPrice: price,
      dayVolume: volume, lastTradeSeconds: 0, lastQuantity: quantity, openInterest: openInterest,
      kind: TickKind(rawValue: mark.rawValue))
  }
}
