extension FeedConfiguration {
  /// The thread that stores ticks and candles.
  public struct Recorder: Sendable, Hashable {
    /// Processor that the thread is pinned to; none when nil.
    public var cpu: Int?
    /// Ticks in one compressed block of the archive.
    public var blockTicks = 32_768
    /// A block is sealed at the latest after so many seconds.
    public var sealSeconds = 60
    /// What was recorded is safe from a power cut after so many seconds.
    public var syncSeconds = 1
    /// How long the receive thread waits for room in the recorder's lane before that is an incident.
    public var fullWaitMilliseconds = 500

    /// Bounds of ``blockTicks``.
    public static let blockTicksBounds = 1...32_768
    /// Bounds of ``sealSeconds``.
    public static let sealSecondsBounds = 1...3600
    /// Bounds of ``syncSeconds``.
    public static let syncSecondsBounds = 1...3600
    /// Bounds of ``fullWaitMilliseconds``.
    public static let fullWaitMillisecondsBounds = 0...60_000

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Recorder: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "cpu", \.cpu, .optional(.wholeNumber(FeedConfiguration.processorBounds)),
      "Processor that the thread is pinned to"),
    ConfigurationKey(
      "block_ticks", \.blockTicks, .wholeNumber(blockTicksBounds),
      "Ticks in one compressed block of the archive"),
    ConfigurationKey(
      "seal_seconds", \.sealSeconds, .wholeNumber(sealSecondsBounds),
      "A block that is not full is sealed, and so seen by readers, at the latest after so many seconds"),
    ConfigurationKey(
      "sync_seconds", \.syncSeconds, .wholeNumber(syncSecondsBounds),
      "What was recorded is safe from a power cut after so many seconds"),
    ConfigurationKey(
      "full_wait_milliseconds", \.fullWaitMilliseconds, .wholeNumber(fullWaitMillisecondsBounds),
      "How long the receive thread waits for room in the recorder's lane before that is an incident"),
  ]
}
