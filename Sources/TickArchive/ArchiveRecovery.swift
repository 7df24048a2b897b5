internal import Glibc
internal import MarketData

/// Where a writer goes on, found by looking at the newest segment of the feed.
struct ArchiveRecovery: ~Copyable {
  /// The segment to append to; nil when a new one must be begun.
  var segment: SegmentOutput?
  /// The newest segment's name; a new one must come after it.
  var newest: SegmentName?
  /// Sequence of the last tick in the archive.
  var lastSequence: UInt64?
  /// What is defined in the segment to append to.
  var defined: [InstrumentID: Instrument] = [:]
  /// What was wrong; nil when nothing was.
  var report: RecoveryReport?

  /// Finds the end of the archive and cuts off what a crash left there.
  ///
  /// - Throws: ``Fault`` when files cannot be read, opened for writing or cut, or are of a newer version.
  init(directory: String, feed: String, calls: FileCalls) throws(Fault) {
    var names = try ArchiveDirectory.segments(in: directory, feed: feed)
    let removed = try Self.removeStubs(&names, in: directory)
    newest = names.last
    guard let name = names.last else {
      if let path = removed.first {
        report = RecoveryReport(file: path)
        report?.removed = removed
      }
      return
    }
    let path = ArchiveDirectory.path(directory, name.fileName)
    let file = try InputFile(path)
    let contents = try Self.contents(of: file)
    lastSequence = contents.lastSequence
    if lastSequence == nil { lastSequence = try Self.lastSequence(of: names.dropLast(), in: directory) }

    var found = RecoveryReport(file: path)
    found.removed = removed
    found.lastSequence = lastSequence
    found.damaged = contents.damage
    found.isHeaderDamaged = contents.header == nil
    found.fileLength = contents.fileLength
    if contents.header != nil {
      for instrument in try contents.instruments(in: file) { defined[instrument.id] = instrument }
      var output = try SegmentOutput(path: path, name: name, contents: contents, calls: calls)
      try output.cutTornEnd()
      segment = consume output
      found.bytesCut = contents.tornLength
      found.fileLength -= contents.tornLength
    }
    report = found.isEmpty ? nil : found
  }

  /// Removes the newest segments as long as they are shorter than a header: their creation was cut short, and they
  /// never held anything.
  private static func removeStubs(_ names: inout [SegmentName], in directory: String) throws(Fault)
    -> [String]
  {
    var removed: [String] = []
    while let name = names.last {
      let path = ArchiveDirectory.path(directory, name.fileName)
      guard try InputFile(path).length() < SegmentHeader.length else { break }
      guard unlink(path) == 0 else {
        throw Fault(.cannotCreate, "cannot remove the empty segment \(path): \(systemErrorText(errno))")
      }
      removed.append(path)
      names.removeLast()
    }
    return removed
  }

  /// A footer is only written when all is well; without one every checksum is looked at.
  private static func contents(of file: borrowing InputFile) throws(Fault) -> SegmentContents {
    let contents = try SegmentContents(file, depth: .index)
    return contents.isComplete ? contents : try SegmentContents(file, depth: .payloads)
  }

  /// The last sequence in the newest of these segments that holds ticks.
  private static func lastSequence(
    of names: some BidirectionalCollection<SegmentName>, in directory: String
  ) throws(Fault) -> UInt64? {
    for name in names.reversed() {
      let file = try InputFile(ArchiveDirectory.path(directory, name.fileName))
      if let sequence = try contents(of: file).lastSequence { return sequence }
    }
    return nil
  }
}
