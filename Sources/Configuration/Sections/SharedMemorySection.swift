extension FeedConfiguration {
  /// Size and rights of the shared memory through which ticks reach strategies.
  public struct SharedMemory: Sendable, Hashable {
    /// File mode of the shared memory: who may open it.
    public var mode: UInt32 = 0o600
    /// Group that owns the shared memory, by name or number; nil for the process's own.
    public var group: String?
    /// Ticks that fit into one strategy's lane; a power of two.
    public var laneSlots = 65_536
    /// Ticks that fit into the recorder's lane; a power of two.
    public var recorderSlots = 262_144
    /// Strategies that can be attached at a time.
    public var lanesMax = 16
    /// Instruments that the feed can hold.
    public var instrumentsMax = 16_384
    /// Whether lanes ask for huge pages.
    public var hugePages = false
    /// Whether the shared memory is locked, never to be swapped out.
    public var lockMemory = false

    /// The longest name of a group.
    public static let groupBytesMax = 32
    /// Bounds of ``laneSlots``.
    public static let laneSlotsBounds = 1024...16_777_216
    /// Bounds of ``recorderSlots``.
    public static let recorderSlotsBounds = 16_384...16_777_216
    /// Bounds of ``lanesMax``.
    public static let lanesMaxBounds = 1...256
    /// Bounds of ``instrumentsMax``.
    public static let instrumentsMaxBounds = 1...65_536

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.SharedMemory: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "mode", \.mode, .fileMode,
      "Who may open lanes and ask for them; the feed itself is written by its owner alone"),
    ConfigurationKey(
      "group", \.group, .optional(.groupName(bytesMax: groupBytesMax)),
      "Group to which the mode's middle digit applies; the process's own unless given"),
    ConfigurationKey(
      "lane_slots", \.laneSlots, .powerOfTwo(laneSlotsBounds),
      "Ticks of 64 bytes that fit into one strategy's lane"),
    ConfigurationKey(
      "recorder_slots", \.recorderSlots, .powerOfTwo(recorderSlotsBounds),
      "Ticks of 64 bytes that fit into the recorder's lane"),
    ConfigurationKey(
      "lanes_max", \.lanesMax, .wholeNumber(lanesMaxBounds), "Strategies that can be attached at a time"),
    ConfigurationKey(
      "instruments_max", \.instrumentsMax, .wholeNumber(instrumentsMaxBounds),
      "Instruments that the feed can hold"),
    ConfigurationKey(
      "huge_pages", \.hugePages, .trueOrFalse,
      "Ask for huge pages under the lanes; a kernel that has none is said at start, and does no harm"),
    ConfigurationKey(
      "lock_memory", \.lockMemory, .trueOrFalse,
      "Never swap the shared memory out; needs a limit of locked memory (ulimit -l) of that size"),
  ]
}
