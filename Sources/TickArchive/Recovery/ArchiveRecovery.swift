internal import Glibc
internal import MarketData

/// Where a writer goes on, found by looking at the newest segment of the feed and at its journal.
struct ArchiveRecovery: ~Copyable {
  /// The segment to append to; nil when a new one must be begun.
  var segment: SegmentOutput?
  /// The newest segment's name; a new one must come after it.
  var newest: SegmentName?
  /// The one before it.
  var beforeNewest: SegmentName?
  /// Sequence of the last record in the blocks of the archive.
  var lastSequence: UInt64?
  /// What is defined in the segment to append to.
  var defined: [InstrumentID: Instrument] = [:]
  /// What the journal holds beyond the last block.
  var journaled: [Tick] = []
  /// What was deleted as too old or too much.
  var deleted: [DeletedSegment] = []
  /// What was wrong; nil when nothing was.
  var report: RecoveryReport?

  /// Finds the end of the archive and cuts off what a crash left there.
  ///
  /// - Throws: ``Fault`` when files cannot be read, opened for writing or cut, or are of a newer version.
  init(
    directory: String, feed: String, content: SegmentName.Content = .ticks, calls: FileCalls
  ) throws(Fault) {
    var names = try ArchiveDirectory.segments(in: directory, feed: feed, content: content)
    let removed =
      try Self.removeUnfinished(of: feed, content, in: directory, calls)
      + Self.removeStubs(&names, in: directory, calls)
    newest = names.last
    beforeNewest = names.dropLast().last
    let journal = content == .ticks ? try ArchiveJournal.contents(directory: directory, feed: feed) : nil
    var found = RecoveryReport(file: removed.first ?? "")
    if let name = names.last {
      let path = ArchiveDirectory.path(directory, name.fileName)
      let file = try InputFile(path)
      var contents = try Self.contents(of: file)
      if let journal { contents.cutAtDamage(behind: journal.checkpoint.safeEnd(of: name)) }
      lastSequence = contents.lastSequence
      if lastSequence == nil { lastSequence = try Self.lastSequence(of: names.dropLast(), in: directory) }

      found = RecoveryReport(file: path)
      found.lastSequence = lastSequence
      found.damaged = contents.damage
      found.isHeaderDamaged = contents.header == nil
      found.fileLength = contents.fileLength
      if contents.header != nil {
        for instrument in try contents.instruments(in: file) { defined[instrument.id] = instrument }
        var output = try SegmentOutput(path: path, name: name, contents: contents, calls: calls)
        do throws(WriteFailure) { try output.cutTornEnd() } catch { throw error.fault }
        segment = consume output
        found.bytesCut = contents.tornLength
        found.fileLength -= contents.tornLength
      }
    }
    found.removed = removed
    if let journal {
      let last = lastSequence
      journaled = journal.ticks.filter { tick in last.map { tick.sequence > $0 } ?? true }
      found.recordsFromJournal = journaled.count
      if let last = journaled.last { found.lastSequence = last.sequence }
    }
    report = found.isEmpty ? nil : found
  }

  /// Removes what never got its final name.
  private static func removeUnfinished(
    of feed: String, _ content: SegmentName.Content, in directory: String, _ calls: FileCalls
  ) throws(Fault) -> [String] {
    var removed: [String] = []
    for file in try ArchiveDirectory.files(in: directory) where file.hasSuffix(SegmentName.unfinishedSuffix) {
      let finished = String(file.dropLast(SegmentName.unfinishedSuffix.count))
      let name = SegmentName(fileName: finished)
      guard
        name.map({ $0.feed == feed && $0.content == content }) ?? (finished == feed + ArchiveJournal.suffix)
      else { continue }
      let path = ArchiveDirectory.path(directory, file)
      guard calls.remove(path) == 0 else {
        throw Fault(.cannotCreate, "cannot remove the unfinished \(path): \(systemErrorText(errno))")
      }
      removed.append(path)
    }
    return removed
  }

  /// Removes the newest segments as long as they are shorter than a header: a power cut took their contents before
  /// anything in them was safe.
  private static func removeStubs(
    _ names: inout [SegmentName], in directory: String, _ calls: FileCalls
  ) throws(Fault) -> [String] {
    var removed: [String] = []
    while let name = names.last {
      let path = ArchiveDirectory.path(directory, name.fileName)
      guard try InputFile(path).length() < SegmentHeader.length else { break }
      guard calls.remove(path) == 0 else {
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

  /// The last sequence in the newest of these segments that holds records.
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

extension SegmentContents {
  /// Takes the first damage at or behind a place as the end of the segment.
  fileprivate mutating func cutAtDamage(behind safeEnd: Int) {
    guard !isComplete, let first = damage.first(where: { $0.offset >= safeEnd }) else { return }
    entries.removeAll { $0.offset > first.offset }
    damage.removeAll { $0.offset >= first.offset }
    end = first.offset
  }
}
