internal import MarketData
internal import SharedRing

/// A consumer's lane as the receive thread sees it: the ring and what its consumer observes.
final class Lane: FannedLane, @unchecked Sendable {
  // @unchecked: made by the control thread, then used by the receive thread alone; the rest asks the kernel or reads
  // what never changes.

  /// What a lane carries from some record on; versions count its changes.
  struct Filter {
    var instruments: InstrumentSet
    var version: UInt64
  }

  let name: String
  let isTakenOver: Bool
  /// What the lane carried for an earlier feed handler; a consumer can write there.
  let filterLeft: InstrumentSet
  /// The filter's version when the lane was made.
  let firstVersion: UInt64
  let refusals: [String]
  private var writer: LaneWriter

  init(name: String, writer: consuming LaneWriter) {
    self.name = name
    self.isTakenOver = writer.isTakenOver
    self.filterLeft = writer.filterLeft
    self.firstVersion = writer.filterVersion
    self.refusals = writer.refusals
    self.writer = writer
  }

  func stage(_ batch: Span<Tick>) -> Bool { writer.stageObserved(batch) }

  func publishStaged() { writer.publishStaged() }

  /// Records that found the lane full; once the publishing thread has ended.
  var dropped: UInt64 { writer.dropped }

  /// Slots of the ring.
  var capacity: Int { writer.capacity }

  /// How many of `count` records fit, by the consumer's cursor as it is now.
  func room(for count: Int) -> Int {
    writer.hasRoom(for: count) ? count : writer.capacity - Int(writer.waiting())
  }

  /// Puts a filter in force for everything behind `sequence`, and notes so in the lane for its consumer.
  func observe(_ filter: Filter, behind sequence: UInt64) {
    writer.noteFilter(filter.instruments, version: filter.version, behind: sequence)
  }

  /// True once a consumer has cut the shared memory short; may be asked from any thread.
  var isTruncated: Bool { writer.isTruncated }

  /// Asks the kernel, so it may be called from any thread.
  var hasConsumer: Bool { writer.hasConsumer }

  /// Process that reads it, as it says.
  var consumerPID: Int32 { writer.consumerPID }
}
