internal import MarketData
internal import SharedRing

/// A consumer's lane as the receive thread sees it: the ring and what its consumer observes.
final class Lane: @unchecked Sendable {
  // @unchecked: made by the control thread, then used by the receive thread alone.

  let name: String
  let isTakenOver: Bool
  private var writer: LaneWriter
  private var observed: InstrumentSet

  init(name: String, writer: consuming LaneWriter, observed: InstrumentSet) {
    self.name = name
    self.isTakenOver = writer.isTakenOver
    self.writer = writer
    self.observed = observed
  }

  func publish(_ batch: Span<Tick>) { writer.write(batch, observed: observed) }

  func observe(_ instruments: InstrumentSet) { observed = instruments }

  /// Asks the kernel, so it may be called from any thread.
  var hasConsumer: Bool { writer.hasConsumer }
}
