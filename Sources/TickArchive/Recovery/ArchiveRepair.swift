internal import Glibc
public import MarketData

/// What was copied out of a damaged archive, and what could not be.
public struct RepairReport: Sendable, Hashable {
  /// Segments read.
  public var segments = 0
  /// Records in the copy.
  public var records: UInt64 = 0
  /// Parts that could not be read, with the bounds of what is lost.
  public var lost: [DamagedBlock] = []
  /// Bytes behind the last whole block of a segment: a write that was never finished.
  public var tornEnds: [VerifyReport.TornEnd] = []
  /// Blocks that were read but whose sequences did not follow those before; their records are left out.
  public var recordsOutOfOrder: UInt64 = 0
}

extension ArchiveReader {
  /// The name of the feed that a segment is of, by its header or else by its file name; nil when neither tells.
  ///
  /// - Throws: ``Fault`` of kind `missingInput` or `inputOutput` when the file cannot be read.
  public static func feed(ofSegment path: String) throws(Fault) -> String? {
    let file = try InputFile(path)
    var bytes: [UInt8] = []
    let count = try file.read(SegmentHeader.length, at: 0, into: &bytes)
    if let header = SegmentHeader(Array(bytes[..<count])) { return header.name.feed }
    return path.split(separator: "/").last.flatMap { SegmentName(fileName: String($0))?.feed }
  }

  /// Writes everything that can be read into a new archive of the same feed, which is sound. The original is only read.
  ///
  /// - Parameters:
  ///   - directory: Where the copy goes; it must not hold segments of this feed.
  ///   - feed: Names the copy's segments.
  ///   - progress: Called now and then with the number of records so far.
  /// - Throws: ``Fault`` of kind `cannotCreate` when there are segments already, and whatever reader and writer throw.
  public func repair(
    into directory: String, feed: String, options: ArchiveOptions = .init(),
    progress: (UInt64) -> Void = { _ in }
  ) throws(Fault) -> RepairReport {
    if access(directory, F_OK) == 0, try !ArchiveDirectory.segments(in: directory, feed: feed).isEmpty {
      throw Fault(
        .cannotCreate,
        "\(directory) holds segments of the feed \(feed) already; name another directory for the copy")
    }
    let check = try verify()
    var report = RepairReport()
    report.segments = check.segments
    report.lost = check.damaged
    report.tornEnds = check.tornEnds
    var writer = try ArchiveWriter(directory: directory, feed: feed, options: options)
    try writer.define(instruments)
    var last: UInt64?
    try forEachBlock(damage: .skip) { ticks throws(Fault) in
      for index in ticks.indices {
        let tick = ticks[index]
        guard last.map({ tick.sequence > $0 }) ?? true else {
          report.recordsOutOfOrder += 1
          continue
        }
        last = tick.sequence
        _ = try writer.append(tick)
        report.records += 1
      }
      progress(report.records)
    }
    try writer.close()
    return report
  }
}
