internal import Glibc
internal import MarketData

/// A segment that was deleted to make room, or could not be.
public struct DeletedSegment: Sendable, Hashable, CustomStringConvertible {
  /// Why a segment had to go.
  public enum Reason: Sendable, Hashable {
    /// It was older than the archive is to reach back.
    case age
    /// The archive had grown larger than it may.
    case size
    /// The device was full.
    case deviceFull
  }

  /// Path of the segment.
  public var file: String
  /// Its length.
  public var bytes: Int
  /// Why it had to go.
  public var reason: Reason
  /// What the system said when it could not be deleted; nil when it is gone.
  public var failure: String?

  /// One sentence.
  public var description: String {
    let cause =
      switch reason {
      case .age: "it is older than the archive is to reach back"
      case .size: "the archive had grown larger than it may"
      case .deviceFull: "the device is full"
      }
    return failure.map {
      "the archive segment \(file) should go, since \(cause), but cannot be deleted: \($0)"
    }
      ?? "the archive segment \(file) (\(bytes) bytes) was deleted: \(cause)"
  }
}

/// Decides which segments of a feed go, and deletes them: the oldest first, of the same day captures before ticks.
/// The newest segment of ticks always stays, since it says where the feed goes on.
struct ArchiveRetention {
  let directory: String
  let feed: String
  let calls: FileCalls

  private struct Candidate {
    var name: SegmentName
    var bytes: Int
  }

  /// Deletes what is too old or too much. `kept` is never touched.
  func apply(_ options: ArchiveOptions, keeping kept: Set<SegmentName>) throws(Fault) -> [DeletedSegment] {
    guard options.daysMax != nil || options.totalBytesMax != nil else { return [] }
    let all = try candidates()
    var total = all.reduce(0) { $0 + $1.bytes }
    guard let newest = all.map(\.name).max() else { return [] }
    var deleted: [DeletedSegment] = []
    for candidate in all where !kept.contains(candidate.name) {
      let isTooOld = options.daysMax.map { newest.days(since: candidate.name) > $0 } ?? false
      let isTooMuch = options.totalBytesMax.map { total > $0 } ?? false
      guard isTooOld || isTooMuch else { continue }
      deleted.append(delete(candidate, isTooOld ? .age : .size))
      total -= candidate.bytes
    }
    return deleted
  }

  /// Deletes the oldest segment; nil when there is none that may go.
  func deleteOldest(keeping kept: Set<SegmentName>) throws(Fault) -> DeletedSegment? {
    try candidates().first { !kept.contains($0.name) }.map { delete($0, .deviceFull) }
  }

  private func candidates() throws(Fault) -> [Candidate] {
    var found: [Candidate] = []
    for content in SegmentName.Content.allCases {
      for name in try ArchiveDirectory.segments(in: directory, feed: feed, content: content) {
        var status = stat()
        // Whoever deleted it meanwhile has done the work.
        guard stat(ArchiveDirectory.path(directory, name.fileName), &status) == 0 else { continue }
        found.append(Candidate(name: name, bytes: Int(status.st_size)))
      }
    }
    return found.sorted { Self.order($0.name) < Self.order($1.name) }
  }

  private static func order(_ name: SegmentName) -> (Int, Int, Int) {
    (name.date, name.content == .frames ? 0 : 1, name.number)
  }

  private func delete(_ candidate: Candidate, _ reason: DeletedSegment.Reason) -> DeletedSegment {
    let path = ArchiveDirectory.path(directory, candidate.name.fileName)
    let failure = calls.remove(path) == 0 ? nil : systemErrorText(errno)
    return DeletedSegment(file: path, bytes: candidate.bytes, reason: reason, failure: failure)
  }
}
