internal import Synchronization

/// How far the stream has come, and the fingerprint of all of it: written by the thread that publishes, once a batch,
/// and read by the recorder, which leaves it beside the archive. A sequence lock: neither side ever waits for a lock.
package final class StreamMark: Sendable {
  private let version = Atomic<UInt64>(0)
  private let sequence = Atomic<UInt64>(0)
  private let hash = Atomic<UInt64>(0)

  package init() {}

  /// Notes the sequence of the newest record and the fingerprint up to and including it.
  func set(sequence newSequence: UInt64, hash newHash: UInt64) {
    let next = version.load(ordering: .relaxed) &+ 1
    version.store(next, ordering: .relaxed)
    atomicMemoryFence(ordering: .releasing)
    sequence.store(newSequence, ordering: .relaxed)
    hash.store(newHash, ordering: .relaxed)
    version.store(next &+ 1, ordering: .releasing)
  }

  /// What was noted last; nil before the first record, or while the publishing thread is just writing.
  func read() -> (sequence: UInt64, hash: UInt64)? {
    let before = version.load(ordering: .acquiring)
    guard before > 0, before & 1 == 0 else { return nil }
    let found = (sequence.load(ordering: .relaxed), hash.load(ordering: .relaxed))
    atomicMemoryFence(ordering: .acquiring)
    return version.load(ordering: .relaxed) == before ? found : nil
  }
}
