extension FeedConfiguration {
  /// The tick archive.
  public struct Archive: Sendable, Hashable {
    /// What is given up when the device is full.
    public enum FullDeviceStep: String, Sendable, Hashable, CaseIterable {
      /// Delete the oldest archive file.
      case deleteOldest = "delete-oldest"
      /// Archive no more until there is room again; strategies and candles go on.
      case stopArchive = "stop-archive"
      /// HALT.
      case halt
    }

    /// Size in MiB at which an archive file ends and the next begins.
    public var segmentMegabytes = 1024
    /// Time after which an archive file ends and the next begins; nil leaves it to day and size.
    public var segmentMinutes: Int?
    /// Days that the archive reaches back; nil keeps all.
    public var keepDays: Int?
    /// GiB that the archive takes at most; nil keeps all.
    public var keepGigabytes: Int?
    /// What is given up when the device is full, first things first.
    public var whenFull = [FullDeviceStep.halt]
    /// Also store every frame of the venue as it came.
    public var captureFrames = false
    /// MiB of frames that may wait for the recorder thread.
    public var captureMegabytes = 16

    /// Bounds of ``segmentMegabytes``.
    public static let segmentMegabytesBounds = 1...65_536
    /// Bounds of ``segmentMinutes``.
    public static let segmentMinutesBounds = 1...1440
    /// Bounds of ``keepDays``: a restart looks at the last two.
    public static let keepDaysBounds = 2...36_500
    /// Bounds of ``keepGigabytes``.
    public static let keepGigabytesBounds = 1...1_000_000
    /// Bounds of ``captureMegabytes``.
    public static let captureMegabytesBounds = 1...4096

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Archive: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "segment_megabytes", \.segmentMegabytes, .wholeNumber(segmentMegabytesBounds),
      "Size in MiB at which an archive file ends and the next begins"),
    ConfigurationKey(
      "segment_minutes", \.segmentMinutes, .optional(.wholeNumber(segmentMinutesBounds)),
      "Time after which it does; with or without, every day begins a file of its own"),
    ConfigurationKey(
      "keep_days", \.keepDays, .optional(.wholeNumber(keepDaysBounds)),
      "Archive files of more than so many days before the newest are deleted; empty keeps them"),
    ConfigurationKey(
      "keep_gigabytes", \.keepGigabytes, .optional(.wholeNumber(keepGigabytesBounds)),
      "The oldest archive files are deleted while all take more than so many GiB; empty keeps them"),
    ConfigurationKey(
      "when_full", \.whenFull, .fullDeviceSteps,
      "What is given up when the disk is full, first things first; captured frames are before anything"),
    ConfigurationKey(
      "capture_frames", \.captureFrames, .flag,
      "Also store the venue's frames as they came, for `tickring archive redecode`"),
    ConfigurationKey(
      "capture_megabytes", \.captureMegabytes, .wholeNumber(captureMegabytesBounds),
      "Frames in MiB that may wait to be stored; more are dropped and counted"),
  ]
}
