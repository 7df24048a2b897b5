internal import Glibc
package import MarketData
package import SharedRing

/// Gives records their sequence and puts them where others see them: the recorder's lane first, since what a
/// strategy saw must never be missing from the archive, then the last-value table, then the strategies' lanes.
package struct Publisher: ~Copyable {
  private let segment: FeedSegment
  private var recorder: LaneWriter
  private let recorderWaitMillisecondsMax: Int
  private var broadcaster: Broadcaster
  private let mark: StreamMark
  private var receiveTime = Timestamp(nanoseconds: .min)

  /// Sequence of the newest record published.
  private(set) var sequence: UInt64

  package init(
    segment: FeedSegment, recorder: consuming LaneWriter, lastSequence: UInt64,
    recorderWaitMillisecondsMax: Int, mark: StreamMark = StreamMark()
  ) {
    self.segment = segment
    broadcaster = Broadcaster(segment: segment)
    self.mark = mark
    self.recorder = recorder
    self.sequence = lastSequence
    self.recorderWaitMillisecondsMax = recorderWaitMillisecondsMax
    segment.set(.sequence, lastSequence)
    segment.set(.streamHashFirst, lastSequence + 1)
  }

  mutating func add(_ lane: Lane) { broadcaster.add(lane) }

  mutating func removeLane(_ name: String) { broadcaster.removeLane(name) }

  /// Puts a lane's filter in force, from the next record on.
  func observe(_ name: String, _ filter: Lane.Filter) {
    broadcaster.lane(name)?.observe(filter, behind: sequence)
  }

  /// Publishes a batch in its order; the sequence of each record is set here.
  ///
  /// - Throws: ``Fault`` of kind `inputOutput` when the recorder's lane stayed full: storage cannot keep up, and
  ///   going on would leave a silent hole.
  package mutating func publish(_ batch: inout [Tick]) throws(Fault) {
    guard !batch.isEmpty else { return }
    try waitForRecorder(room: batch.count)
    for index in batch.indices {
      sequence &+= 1
      batch[index].sequence = sequence
      // The wall clock may be set back; the stream's order in time must not go back with it.
      if batch[index].receiveTime < receiveTime { batch[index].receiveTime = receiveTime }
      receiveTime = batch[index].receiveTime
    }
    let span = batch.span
    _ = recorder.write(span)
    broadcaster.publish(span)
    mark.set(sequence: sequence, hash: broadcaster.hash.value)
  }

  /// Publishes the record of an outage; `end` is nil while it lasts.
  ///
  /// - Parameter instruments: whom it concerns: a record each.
  mutating func publishGap(
    of instruments: [InstrumentID] = [.all], start: Timestamp, end: Timestamp?, now: Timestamp,
    cause: GapCause
  ) throws(Fault) {
    var records = instruments.map { instrument in
      Tick(
        instrument: instrument, sequence: 0, receiveTime: end ?? now, exchangeTime: start, lastPrice: .zero,
        dayVolume: 0, lastTradeSeconds: 0, lastQuantity: cause.rawValue, openInterest: 0,
        flags: end == nil ? .gapOpen : [], kind: .gap)
    }
    try publish(&records)
    if end != nil, start.isKnown { segment.add(.gaps) }
  }

  /// Waits while the recorder is behind, for a bounded time: meanwhile the venue's bytes wait in the kernel, and
  /// nothing is lost.
  private mutating func waitForRecorder(room count: Int) throws(Fault) {
    if recorder.hasRoom(for: count) { return }
    segment.add(.recorderWaits)
    let deadline = Timestamp.monotonicNanoseconds() + Int64(recorderWaitMillisecondsMax) * 1_000_000
    while !recorder.hasRoom(for: count) {
      guard Timestamp.monotonicNanoseconds() < deadline else {
        segment.add(.recorderDrops, UInt64(count))
        throw Fault(
          .inputOutput,
          "the recorder fell behind: its lane of \(recorder.capacity) slots stayed full for "
            + "\(recorderWaitMillisecondsMax) ms, so storage is too slow or stuck; \(count) ticks were lost "
            + "and the feed stops")
      }
      usleep(50)
    }
  }
}
