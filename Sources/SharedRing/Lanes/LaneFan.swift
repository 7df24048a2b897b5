package import MarketData

/// A lane among others that take the same batches.
package protocol FannedLane: AnyObject {
  /// Writes what of the batch its consumer observes; true when a part of it waits for ``publishStaged()``, behind
  /// ``LaneWriter/fence()``.
  func stage(_ batch: Span<Tick>) -> Bool
  /// Publishes that part; does nothing where there is none.
  func publishStaged()
}

/// Lanes that take the same batches, with one fence between all of them: with eight lanes and batches of 32 a fence for
/// each takes more than half of the time.
package struct LaneFan<Lane: FannedLane> {
  @usableFromInline package private(set) var lanes: [Lane] = []
  /// The same lanes, whose references are not counted as they are written to: counting is atomic, and so a fence.
  @usableFromInline var uncounted: [Unmanaged<Lane>] = []

  package init() {}

  package mutating func add(_ lane: Lane) {
    lanes.append(lane)
    uncounted.append(.passUnretained(lane))
  }

  package mutating func removeAll(where isLeaving: (Lane) -> Bool) {
    lanes.removeAll(where: isLeaving)
    uncounted = lanes.map { .passUnretained($0) }
  }

  /// Writes a batch into every lane, the first one first.
  @inlinable
  package func write(_ batch: Span<Tick>) {
    uncounted.withUnsafeBufferPointer { lanes in
      var isStaged = false
      for index in lanes.indices {
        lanes[index]._withUnsafeGuaranteedRef { isStaged = $0.stage(batch) || isStaged }
      }
      guard isStaged else { return }
      LaneWriter.fence()
      for index in lanes.indices { lanes[index]._withUnsafeGuaranteedRef { $0.publishStaged() } }
    }
  }
}
