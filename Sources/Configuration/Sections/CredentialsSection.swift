extension FeedConfiguration {
  /// Where the venue's token of the day is kept. Credentials themselves are no part of a configuration.
  public struct Credentials: Sendable, Hashable {
    /// The directory of token files; nil stands for the user's own.
    public var directory: String?

    /// Makes the section with its defaults.
    public init() {}
  }
}

extension FeedConfiguration.Credentials: ConfigurationSection {
  static let keys: [ConfigurationKey<Self>] = [
    ConfigurationKey(
      "directory", \.directory, .optional(.path(bytesMax: FeedConfiguration.pathBytesMax)),
      "Directory of the tokens that `tickring login` keeps, of mode 0700; TICKRING_TOKEN_DIRECTORY or "
        + "~/.config/tickring/tokens when empty")
  ]
}
