public import MarketData

/// One segment at a glance.
public struct SegmentInfo: Sendable, Hashable {
  /// Path of the file.
  public var file: String
  /// Format version; nil when the segment's header is damaged.
  public var version: Int?
  /// Ticks in readable blocks.
  public var ticks: Int
  /// Length of the file.
  public var bytes: Int
  /// Readable blocks of ticks.
  public var blocks: Int
  /// Earliest receive time; nil without ticks.
  public var firstTime: Timestamp?
  /// Latest receive time; nil without ticks.
  public var lastTime: Timestamp?
  /// Sequence of the first tick; nil without ticks.
  public var firstSequence: UInt64?
  /// Sequence of the last tick; nil without ticks.
  public var lastSequence: UInt64?
  /// True when the segment ends with a sound footer index: it was closed in good order and is not being written.
  public var isComplete: Bool

  init(_ contents: SegmentContents, file: String, kind: BlockHeader.Kind = .ticks) {
    let blocks = contents.entries.filter { $0.kind == kind }
    self.file = file
    version = contents.header.map { Int($0.version) }
    ticks = blocks.reduce(0) { $0 + $1.recordCount }
    bytes = contents.fileLength
    self.blocks = blocks.count
    firstTime = blocks.map(\.earliest).min()
    lastTime = blocks.map(\.latest).max()
    firstSequence = blocks.first?.firstSequence
    lastSequence = blocks.last?.lastSequence
    isComplete = contents.isComplete
  }
}

/// What a check of every byte of an archive found.
public struct VerifyReport: Sendable, Hashable {
  /// Bytes at the end of a segment that belong to no complete block.
  public struct TornEnd: Sendable, Hashable {
    /// Path of the segment.
    public var file: String
    /// End of the last good block.
    public var offset: Int
    /// Bytes behind it.
    public var length: Int
  }

  /// Segments looked at.
  public var segments = 0
  /// Good blocks of ticks.
  public var blocks = 0
  /// Ticks in them.
  public var ticks = 0
  /// Bytes of all files.
  public var bytes = 0
  /// What cannot be read, in order.
  public var damaged: [DamagedBlock] = []
  /// What a crash, or a writer that is at it just now, left at the end of a segment.
  public var tornEnds: [TornEnd] = []

  init() {}

  /// True when nothing is damaged. A torn end is no damage: it never held anything that was acknowledged.
  public var isSound: Bool { damaged.isEmpty }
}
