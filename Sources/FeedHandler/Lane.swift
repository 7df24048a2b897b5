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

  /// Records that found the lane full; once the publishing thread has ended.
  var dropped: UInt64 { writer.dropped }

  /// How many of `count` records fit, by the consumer's cursor as it is now.
  func room(for count: Int) -> Int {
    writer.hasRoom(for: count) ? count : writer.capacity - Int(writer.waiting())
  }

  func observe(_ instruments: InstrumentSet) { observed = instruments }

  /// Asks the kernel, so it may be called from any thread.
  var hasConsumer: Bool { writer.hasConsumer }
}
