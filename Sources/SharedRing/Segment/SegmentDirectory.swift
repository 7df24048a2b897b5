internal import CSharedRing
internal import Glibc
public import MarketData

/// The shared-memory objects of this machine that are named as TickRing's.
public enum SegmentDirectory {
  /// Where Linux keeps POSIX shared memory.
  private static let path = "/dev/shm"

  /// Names of the objects of one feed, or of all, in their order.
  public static func objects(of feed: String? = nil) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let file = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name = try? SegmentNames.parse("/" + file), feed == nil || name.feed == feed else { continue }
      names.append("/" + file)
    }
    return names.sorted()
  }

  /// Names of the lanes of a feed.
  public static func laneNames(of feed: String) -> [String] {
    objects(of: feed).compactMap { object in
      guard let name = try? SegmentNames.parse(object) else { return nil }
      return name.lane
    }
  }

  /// Removes an object that nobody holds.
  ///
  /// Both ends are locked meanwhile, so what a process takes up at this moment stays. A journal with records that
  /// were not stored yet is never removed.
  /// - Parameter isDryRun: only says what would be done.
  /// - Returns: why it must stay, in a sentence; nil when it was (or would be) removed, or had gone.
  /// - Throws: ``Fault`` of kind `missingInput` when it may not be opened.
  public static func remove(_ object: String, isDryRun: Bool = false) throws(Fault) -> String? {
    guard let report = try SegmentReport(object: object) else { return nil }
    if report.producer.isHeld { return "process \(report.producer.pid) writes it" }
    if report.consumer.isHeld { return "process \(report.consumer.pid) reads it" }
    if let reason = journalReason(report) { return reason }
    if isDryRun { return nil }
    guard let mapping = try SharedMapping(existing: object, access: .readWrite) else { return nil }
    guard mapping.tryLock(role: Int32(TICKRING_LOCK_PRODUCER)),
      mapping.tryLock(role: Int32(TICKRING_LOCK_CONSUMER)), mapping.status.isStillNamed
    else { return "a process has just taken it up" }
    // Looked at again under the locks: its records may have come since.
    if let fresh = try SegmentReport(object: object), let reason = journalReason(fresh) { return reason }
    SharedMapping.unlink(object)
    return nil
  }

  private static func journalReason(_ report: SegmentReport) -> String? {
    guard report.unstored > 0 else { return nil }
    guard report.attach == .staleProducer || report.attach == .ready else {
      return
        "it may hold \(report.unstored) records that were not stored; start the TickRing of layout version "
        + "\(report.layoutVersion.map(String.init) ?? "unknown") once, or remove it by hand"
    }
    return
      "it holds \(report.unstored) records that were not stored; start `tickring ingest` with data directory "
      + "'\(report.journalOwner)' once to store them"
  }
}
