/// A stretch in which the feed, or that of one instrument, was down.
public struct FeedGap: Sendable, Hashable {
  /// The instrument, or ``InstrumentID/all``.
  public var instrument: InstrumentID
  /// Since when nothing is known, by the feed's clock; ``Timestamp/unknown`` when nothing was received before.
  public var start: Timestamp
  /// When the feed was back; nil while it is down.
  public var end: Timestamp?
  /// Why.
  public var cause: GapCause

  /// Makes a gap from its fields.
  public init(instrument: InstrumentID = .all, start: Timestamp, end: Timestamp?, cause: GapCause) {
    self.instrument = instrument
    self.start = start
    self.end = end
    self.cause = cause
  }

  /// Reads a record of kind ``TickKind/gap`` or ``TickKind/repaired``.
  public init(_ record: Tick) {
    if record.kind == .repaired {
      self.init(
        instrument: record.instrument, start: record.exchangeTime,
        end: Timestamp(nanoseconds: record.dayVolume), cause: GapCause(rawValue: record.lastQuantity))
      return
    }
    self.init(
      instrument: record.instrument, start: record.exchangeTime,
      end: record.flags.contains(.gapOpen) ? nil : record.receiveTime,
      cause: GapCause(rawValue: record.lastQuantity))
  }

  /// The record that tells that the gap, which has ended, was repaired at `now`.
  public func repairRecord(at now: Timestamp) -> Tick {
    Tick(
      instrument: instrument, sequence: 0, receiveTime: now, exchangeTime: start, lastPrice: .zero,
      dayVolume: (end ?? now).nanoseconds, lastTradeSeconds: 0, lastQuantity: cause.rawValue, openInterest: 0,
      kind: .repaired)
  }
}
