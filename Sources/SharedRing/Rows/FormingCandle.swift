internal import CSharedRing
public import MarketData

/// The candle of a running minute as it stands in shared memory.
public struct FormingCandle: Sendable, Hashable {
  /// The candle, with the state ``CandleState/forming``; its coverage is that of the whole minute as far as it had gone.
  public var candle: Candle
  /// Receive time of the newest record of the feed that was taken into account.
  public var received: Timestamp
  /// The number of that record: the candle is right for the feed up to there.
  public var sequence: UInt64

  init(_ row: tickring_forming) {
    candle = Candle(
      instrument: InstrumentID(rawValue: row.instrument), interval: .minute,
      start: Timestamp(nanoseconds: row.start_ns), open: Price(units: row.open), high: Price(units: row.high),
      low: Price(units: row.low), close: Price(units: row.close), volume: row.volume,
      openInterest: Int64(row.open_interest), tickCount: Int(row.tick_count), turnover: row.turnover,
      coverage: Int(row.coverage), flags: CandleFlags(rawValue: row.flags), state: .forming, origin: .built)
    received = Timestamp(nanoseconds: row.received_ns)
    sequence = row.sequence
  }
}
