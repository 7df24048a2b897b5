extension FeedConfiguration {
  /// The tick archive.
  public struct Archive: Sendable, Hashable {
    /// Size in MiB at which an archive file ends and the next begins.
    public var segmentMegabytes = 1024

    /// Bounds of ``segmentMegabytes``.
    public static let segmentMegabytesBounds = 1...65_536

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Archive: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "segment_megabytes", \.segmentMegabytes, .wholeNumber(segmentMegabytesBounds),
      "Size in MiB at which an archive file ends and the next begins")
  ]
}
