/// A part of a source that was lost while others live: one of several connections, say.
public struct LostPart: Sendable {
  /// The part's number, from 0, as ``TickSource/restore(part:)`` takes it.
  public var part: Int
  /// What it carried.
  public var instruments: [InstrumentID]
  /// When it last brought anything, in monotonic nanoseconds.
  public var lastAlive: Int64
  /// True when it fell silent, without having been closed.
  public var isStalled: Bool
  /// Why it counts as lost.
  public var fault: Fault

  /// Makes a loss from its fields.
  public init(part: Int, instruments: [InstrumentID], lastAlive: Int64, isStalled: Bool, fault: Fault) {
    self.part = part
    self.instruments = instruments
    self.lastAlive = lastAlive
    self.isStalled = isStalled
    self.fault = fault
  }
}
