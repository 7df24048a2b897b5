internal import CSharedRing
internal import Glibc
internal import MarketData

/// Becoming the producer of a shared-memory object: of the one that is there, or of a new one in its place.
enum SegmentClaim {
  /// Rounds that other starting and dying producers can cost before the claim is given up.
  private static let attemptsMax = 100

  /// Returns a mapping whose producer's lock is held, and whose name is still the object's.
  ///
  /// What lies there is locked before it is judged, and kept locked while its name is removed: of two processes
  /// that start at the same time one gets the object and the other is refused, whatever their steps' order.
  /// - Parameters:
  ///   - isUsable: whether the object that lies there is to be taken over as it is; called with its lock held.
  ///   - heldFault: the refusal when another process has it.
  static func claim(
    _ name: String, byteCount: Int, options: SegmentOptions,
    isUsable: (borrowing SharedMapping) throws(Fault) -> Bool,
    heldFault: (borrowing SharedMapping) -> Fault
  ) throws(Fault) -> SharedMapping {
    for _ in 0..<attemptsMax {
      if let old = try SharedMapping(existing: name, access: .readWrite) {
        guard old.tryLock(role: Int32(TICKRING_LOCK_PRODUCER)) else { throw heldFault(old) }
        let status = old.status
        // Removed by another starting process between opening and locking.
        guard status.isStillNamed else { continue }
        guard status.owner == geteuid() else {
          throw Fault(
            .held,
            "shared memory '\(name)' belongs to user \(status.owner), not to this one (\(geteuid())); "
              + "remove it, or choose another name")
        }
        if try isUsable(old) {
          try old.setOwnership(options)
          return old
        }
        SharedMapping.unlink(name)
        continue
      }
      guard let new = try SharedMapping(new: name, byteCount: byteCount, options: options) else { continue }
      guard new.tryLock(role: Int32(TICKRING_LOCK_PRODUCER)) else { throw heldFault(new) }
      if new.status.isStillNamed { return new }
    }
    throw Fault(.held, "other processes keep making and removing shared memory '\(name)'")
  }
}
