internal import Logging
internal import MarketData
internal import SharedRing

/// Puts records where others see them: the last-value table, then the strategies' lanes, then the counters. What
/// a live feed and a replayed one have in common.
struct Broadcaster: ~Copyable {
  private let segment: FeedSegment
  private var fan = LaneFan<Lane>()
  private(set) var hash = TickStreamHash()
  private var ticks: UInt64 = 0
  private var lastValues: LastValueBatch
  private var truncationsSeen = SharedMapping.truncations

  init(segment: FeedSegment) {
    self.segment = segment
    lastValues = LastValueBatch(instrumentsMax: segment.instrumentsMax)
  }

  mutating func add(_ lane: Lane) {
    removeLane(lane.name)
    fan.add(lane)
  }

  mutating func removeLane(_ name: String) { fan.removeAll { $0.name == name } }

  var lanes: [Lane] { fan.lanes }

  func lane(_ name: String) -> Lane? { lanes.first { $0.name == name } }

  /// Publishes a batch of at least one record, in its order and with the sequences it has.
  mutating func publish(_ batch: Span<Tick>) {
    hash.update(batch)
    ticks &+= lastValues.store(batch, in: segment)
    fan.write(batch)
    let last = batch[batch.count - 1]
    segment.set(.ticks, ticks)
    segment.set(.receiveTime, UInt64(bitPattern: last.receiveTime.nanoseconds))
    segment.set(.streamHash, hash.value)
    segment.set(.sequence, last.sequence)
    if SharedMapping.truncations != truncationsSeen { removeTruncatedLanes() }
  }

  /// Lets go of lanes that their consumers have cut short: nothing written there reaches anybody.
  private mutating func removeTruncatedLanes() {
    truncationsSeen = SharedMapping.truncations
    for lane in lanes where lane.isTruncated {
      segment.add(.truncatedLanes)
      Logger(label: "tickring").error(
        "lane '\(lane.name)' was cut short by process \(lane.consumerPID) or another that may write it, and gets nothing any more; its consumer must attach again"
      )
    }
    fan.removeAll { $0.isTruncated }
  }

  /// Puts a record into every lane that does not belong to the stream: neither hash nor counters know of it.
  func announce(_ record: Tick) {
    fan.write([record].span)
  }

  /// Begins a new fingerprint.
  mutating func restartHash() { hash = TickStreamHash() }
}
