/// How an archive is divided.
public struct ArchiveOptions: Sendable, Hashable {
  /// Ticks in a full block, 1 to 32768. Fewer make single ticks quicker to reach and the archive larger: with 4096
  /// about a quarter.
  public var blockTicks: Int
  /// A segment that has reached this many bytes is followed by another.
  public var segmentBytesMax: Int

  /// Ticks in a full block unless told otherwise, and the most that the format allows.
  public static let blockTicksDefault = ArchiveLimits.blockTicksMax
  /// One gibibyte.
  public static let segmentBytesMaxDefault = 1 << 30

  /// Makes options; both values must be above zero and within their bounds.
  public init(
    blockTicks: Int = blockTicksDefault, segmentBytesMax: Int = segmentBytesMaxDefault
  ) {
    precondition((1...Self.blockTicksDefault).contains(blockTicks), "a block holds 1 to 32768 ticks")
    precondition(segmentBytesMax > 0, "a segment holds at least one byte")
    self.blockTicks = blockTicks
    self.segmentBytesMax = segmentBytesMax
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
