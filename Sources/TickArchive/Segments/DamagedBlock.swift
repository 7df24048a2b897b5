public import MarketData

/// A part of a segment that cannot be read, with what is known of the records lost in it.
public struct DamagedBlock: Sendable, Hashable, CustomStringConvertible {
  /// Path of the segment.
  public var file: String
  /// Where the damage starts, in bytes from the start of the file.
  public var offset: Int
  /// Bytes up to the next readable block.
  public var length: Int
  /// What is wrong, as the end of a sentence that begins with the block.
  public var cause: String
  /// No record before this sequence is lost here; nil when that is not known or no ticks are concerned.
  public var firstSequence: UInt64?
  /// No record after this sequence is lost here; nil when that is not known or no ticks are concerned.
  public var lastSequence: UInt64?
  /// No record received before this is lost here; nil when that is not known or no ticks are concerned.
  public var earliest: Timestamp?
  /// No record received after this is lost here; nil when that is not known or no ticks are concerned.
  public var latest: Timestamp?
  /// True when the bounds come from the block's own header.
  let hasSoundHeader: Bool

  /// Damage to a block whose header is sound and gives the exact bounds.
  init(_ entry: IndexEntry, file: String, cause: String) {
    self.file = file
    offset = entry.offset
    length = entry.length
    self.cause = cause
    hasSoundHeader = true
    guard entry.kind == .ticks else { return }
    firstSequence = entry.firstSequence
    lastSequence = entry.lastSequence
    earliest = entry.earliest
    latest = entry.latest
  }

  /// Damage of which only the place is known; its bounds follow from the ticks around it.
  init(file: String, range: Range<Int>, cause: String) {
    self.file = file
    offset = range.lowerBound
    length = range.count
    self.cause = cause
    hasSoundHeader = false
  }

  /// Takes bounds from the nearest sound blocks of ticks. Where their sequences join up, no tick can be missing.
  mutating func bound(after previous: IndexEntry?, before next: IndexEntry?) {
    if let previous, let next, previous.lastSequence &+ 1 >= next.firstSequence { return }
    firstSequence = previous.map { $0.lastSequence &+ 1 }
    earliest = previous?.latest
    lastSequence = next.map { $0.firstSequence &- 1 }
    latest = next?.earliest
  }

  /// One sentence with file, place, cause and bounds.
  public var description: String {
    var text = "\(file): the block at byte \(offset) (\(length) bytes) is damaged: \(cause)"
    switch (firstSequence, lastSequence) {
    case (let first?, let last?): text += "; lost are sequences \(first) to \(last)"
    case (let first?, nil): text += "; lost are sequences from \(first) on"
    case (nil, let last?): text += "; lost are sequences up to \(last)"
    case (nil, nil): break
    }
    if let earliest, let latest { text += ", received \(earliest.rfc3339) to \(latest.rfc3339)" }
    return text
  }
}

/// What readers do on meeting a damaged block.
public enum DamagePolicy: Sendable, Hashable {
  /// Throw a ``Fault`` that names the block and its bounds.
  case fail
  /// Leave out the block, read on behind it, and report it.
  case skip
}
