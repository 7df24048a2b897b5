/// What a writer found to be wrong at the end of the archive when it was opened, and what it did about it.
public struct RecoveryReport: Sendable, Hashable, CustomStringConvertible {
  /// Path of the segment that the writer looked at, the newest of the feed.
  public var file: String
  /// Bytes that were cut off behind the last good block.
  public var bytesCut = 0
  /// Length of the file now.
  public var fileLength = 0
  /// Sequence of the last tick that is safe; nil when the archive holds none.
  public var lastSequence: UInt64?
  /// Blocks before the end that cannot be read; they are left as they are.
  public var damaged: [DamagedBlock] = []
  /// True when the segment's own header is damaged, so that it is left alone and a new segment is begun.
  public var isHeaderDamaged = false
  /// Paths of newer segments that were removed because not even their header had been written completely.
  public var removed: [String] = []
  /// Records that were in no block yet and came back from the journal.
  public var recordsFromJournal = 0

  init(file: String) { self.file = file }

  /// True when there is nothing to tell.
  var isEmpty: Bool {
    bytesCut == 0 && damaged.isEmpty && !isHeaderDamaged && removed.isEmpty && recordsFromJournal == 0
  }

  /// What happened, in sentences for a person.
  public var description: String {
    var sentences = removed.map { "\($0) was removed: its writing had only begun" }
    if isHeaderDamaged {
      sentences.append("\(file) is left as it is and a new segment is begun: its header is damaged")
    }
    if bytesCut > 0 {
      let safe = lastSequence.map { "sequence \($0) is the last that is safe" } ?? "the archive holds no tick"
      sentences.append(
        "\(file) was cut to \(fileLength) bytes: the last \(bytesCut) bytes were of an unfinished write; \(safe)"
      )
    }
    if recordsFromJournal > 0 {
      sentences.append("\(recordsFromJournal) records that were in no block yet came back from the journal")
    }
    sentences += damaged.map(\.description)
    return sentences.map { $0 + "." }.joined(separator: " ")
  }
}
