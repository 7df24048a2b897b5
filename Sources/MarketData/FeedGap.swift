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

  /// Reads a record of kind ``TickKind/gap``.
  public init(_ record: Tick) {
    self.init(
      instrument: record.instrument, start: record.exchangeTime,
      end: record.flags.contains(.gapOpen) ? nil : record.receiveTime,
      cause: GapCause(rawValue: record.lastQuantity))
  }
}
