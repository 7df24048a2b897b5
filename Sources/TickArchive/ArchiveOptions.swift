/// How an archive is divided, kept safe and kept small.
public struct ArchiveOptions: Sendable, Hashable {
  /// Ticks in a full block, 1 to 32768. Fewer make single ticks quicker to reach and the archive larger: with 4096
  /// about a quarter.
  public var blockTicks: Int
  /// A segment that has reached this many bytes is followed by another.
  public var segmentBytesMax: Int
  /// A segment whose first record was received so long before is followed by another; nil leaves it to day and size.
  public var segmentSecondsMax: Int?
  /// Keep a journal of what is in no block yet, so that ``ArchiveWriter/synchronize()`` makes everything safe.
  public var keepsJournal = false
  /// Segments of more than so many days before the newest one's are deleted; nil keeps them.
  public var daysMax: Int?
  /// The oldest segments are deleted while all of the feed's, captures included, take more bytes; nil keeps them.
  public var totalBytesMax: Int?
  /// When the device is full, delete the oldest segments rather than fail.
  public var deletesOldestWhenFull = false

  /// Ticks in a full block unless told otherwise, and the most that the format allows.
  public static let blockTicksDefault = ArchiveLimits.blockTicksMax
  /// One gibibyte.
  public static let segmentBytesMaxDefault = 1 << 30

  /// Makes options; the values must be above zero and within their bounds.
  public init(
    blockTicks: Int = blockTicksDefault, segmentBytesMax: Int = segmentBytesMaxDefault,
    segmentSecondsMax: Int? = nil
  ) {
    precondition((1...Self.blockTicksDefault).contains(blockTicks), "a block holds 1 to 32768 ticks")
    precondition(segmentBytesMax > 0, "a segment holds at least one byte")
    precondition(segmentSecondsMax ?? 1 > 0, "a segment holds at least one second")
    self.blockTicks = blockTicks
    self.segmentBytesMax = segmentBytesMax
    self.segmentSecondsMax = segmentSecondsMax
  }
}

/// What a writer has stored since it was opened.
public struct ArchiveStatistics: Sendable, Hashable {
  /// Ticks in sealed blocks.
  public var ticks: UInt64 = 0
  /// Bytes written, headers and footers included.
  public var bytes: UInt64 = 0
  /// Blocks of ticks.
  public var blocks: UInt64 = 0

  /// All zero.
  public init() {}
}
