/// What became of a part of a source, such as one of several connections, while others live.
public enum PartChange: Sendable {
  /// It was lost, or did not come with the others.
  case lost(LostPart)
  /// It is open, for the first time or again, and carries these.
  case opened(part: Int, instruments: [InstrumentID])
  /// An attempt to open it again has failed.
  case failed(part: Int, fault: Fault)
}

/// A part of a source that was lost while others live: one of several connections, say.
public struct LostPart: Sendable {
  /// The part's number, from 0, as ``TickSource/restore(part:)`` takes it.
  public var part: Int
  /// What it carried, or was to carry.
  public var instruments: [InstrumentID]
  /// When it last brought anything, in monotonic nanoseconds; of one that never did, when it was to be opened.
  public var lastAlive: Int64
  /// How it was lost.
  public var manner: Manner
  /// Why it counts as lost.
  public var fault: Fault

  /// How a part is lost.
  public enum Manner: Sendable {
    /// It broke off.
    case broken
    /// It fell silent, without having been closed.
    case stalled
    /// It could not be opened.
    case unopened
  }

  /// Makes a loss from its fields.
  public init(part: Int, instruments: [InstrumentID], lastAlive: Int64, manner: Manner, fault: Fault) {
    self.part = part
    self.instruments = instruments
    self.lastAlive = lastAlive
    self.manner = manner
    self.fault = fault
  }
}
