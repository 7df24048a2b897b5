// What the control socket says of HALTs, subscriptions and the configuration.

/// A HALT.
public struct HaltLine: Codable, Sendable {
  /// `instrument`, `venue`, `storage` or `all`.
  public var scope: String
  /// The venue, or the instruments; empty for the whole process.
  public var subject: String
  /// What happened, in a sentence.
  public var reason: String
  /// What ends it, in a sentence.
  public var resume: String
  /// By the machine's clock, in nanoseconds since 1970 UTC.
  public var sinceNanoseconds: Int64
  /// The exit code with which the feed ends if it is stopped now.
  public var exitCode: Int32

  /// Makes a line.
  public init(
    scope: String, subject: String, reason: String, resume: String, sinceNanoseconds: Int64, exitCode: Int32
  ) {
    self.scope = scope
    self.subject = subject
    self.reason = reason
    self.resume = resume
    self.sinceNanoseconds = sinceNanoseconds
    self.exitCode = exitCode
  }
}

/// What a request to resume ended.
public struct ResumeAnswer: Codable, Sendable {
  /// The HALTs that were latched.
  public var resumed: [HaltLine]

  /// Makes an answer.
  public init(resumed: [HaltLine]) { self.resumed = resumed }
}

/// How far each subscription has come.
public struct SubscriptionsAnswer: Codable, Sendable {
  /// One subscription.
  public struct Line: Codable, Sendable {
    /// The instrument.
    public var symbol: String
    /// `ltp`, `quote` or `full`.
    public var mode: String
    /// `requested`, `sent`, `ticking` or `mute`.
    public var standing: String

    /// Makes a line.
    public init(symbol: String, mode: String, standing: String) {
      self.symbol = symbol
      self.mode = mode
      self.standing = standing
    }
  }

  /// The subscriptions in order of their symbols.
  public var subscriptions: [Line]

  /// Makes an answer.
  public init(subscriptions: [Line]) { self.subscriptions = subscriptions }
}

/// What a reload of the configuration changed.
public struct ReloadAnswer: Codable, Sendable {
  /// The dotted names of the keys that have another value now.
  public var changed: [String]
  /// Symbols that are asked of the venue on behalf of the configuration since.
  public var added: [String]
  /// Symbols that the configuration does not name any more.
  public var removed: [String]

  /// Makes an answer.
  public init(changed: [String], added: [String], removed: [String]) {
    self.changed = changed
    self.added = added
    self.removed = removed
  }
}
