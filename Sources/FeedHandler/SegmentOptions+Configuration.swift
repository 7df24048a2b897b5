internal import Configuration
internal import Glibc
internal import MarketData
internal import SharedRing

extension SegmentOptions {
  /// The options that the configuration asks for.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when there is no such group.
  init(_ shared: FeedConfiguration.SharedMemory) throws(Fault) {
    self.init(
      mode: shared.mode, group: try shared.group.map { name throws(Fault) in try Self.number(ofGroup: name) },
      wantsHugePages: shared.hugePages, isLocked: shared.lockMemory)
  }

  private static func number(ofGroup name: String) throws(Fault) -> UInt32 {
    if let number = UInt32(name) { return number }
    // Before any thread was started: getgrnam keeps its answer in static memory.
    guard let entry = getgrnam(name) else {
      throw Fault(
        .configuration, "shared_memory.group is '\(name)', but this machine has no group of that name")
    }
    return entry.pointee.gr_gid
  }
}
