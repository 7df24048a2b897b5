internal import Glibc
public import MarketData

/// A venue's token of the day, as it is kept between login and use.
public struct StoredToken: Sendable, Hashable {
  /// The venue's name in lower case: `kite`.
  public var venue: String
  /// What the venue wants to be shown, by names of its own: `api_key`, `access_token`.
  public var words: [String: String]
  /// When it was obtained.
  public var obtained: Timestamp
  /// When the venue stops accepting it; nil when that is not known.
  public var expires: Timestamp?

  /// Makes a token.
  public init(venue: String, words: [String: String], obtained: Timestamp, expires: Timestamp? = nil) {
    self.venue = venue
    self.words = words
    self.obtained = obtained
    self.expires = expires
  }

  /// True when the venue will not accept it any more.
  public func isExpired(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
}

/// Keeps the tokens of venues, one file each, that nobody but the user can read: files of mode 0600 in a directory of
/// mode 0700. What others could have read or written is refused, for it is a secret no longer.
public struct TokenStore: Sendable {
  /// Where the files are; need not exist before the first token is written.
  public let directory: String

  /// The environment variable that names the directory.
  public static let directoryVariable = "TICKRING_TOKEN_DIRECTORY"
  private static let fileBytesMax = 65_536
  private static let others: mode_t = 0o077

  /// Makes a store in `directory`.
  public init(directory: String) {
    self.directory = directory
  }

  /// The store that a user's environment stands for: ``directoryVariable``, else `tickring/tokens` in
  /// `XDG_CONFIG_HOME`, else in `HOME/.config`.
  public init(environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let named = value(Self.directoryVariable) {
      directory = named
    } else {
      let root = value("XDG_CONFIG_HOME") ?? value("HOME").map { "\($0)/.config" } ?? "."
      directory = "\(root)/tickring/tokens"
    }
  }

  /// The file of a venue's token.
  public func path(of venue: String) -> String { "\(directory)/\(venue).json" }

  /// Reads a venue's token, and when its file was written; nil when there is none.
  ///
  /// - Throws: ``Fault`` of kind `configuration` when others can read or write the file or it belongs to somebody
  ///   else, `badData` when it is malformed, `missingInput` when it cannot be read.
  public func read(_ venue: String) throws(Fault) -> (token: StoredToken, written: Timestamp)? {
    let path = path(of: venue)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw Fault(.missingInput, "cannot read the token file '\(path)': \(Self.reason())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Fault(.system, "cannot look at the token file '\(path)': \(Self.reason())")
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
      throw Fault(
        .configuration,
        "the token file '\(path)' is no ordinary file of this user; remove it and log in again")
    }
    guard status.st_mode & Self.others == 0 else {
      throw Fault(
        .configuration,
        "the token file '\(path)' is open to others (mode \(Self.octal(status.st_mode))), so its token may be known to "
          + "them; remove it and log in again")
    }
    guard status.st_size <= Self.fileBytesMax else {
      throw Fault(
        .badData, "the token file '\(path)' is larger than \(Self.fileBytesMax) bytes; log in again")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else {
      throw Fault(
        .missingInput, "cannot read the token file '\(path)': \(count < 0 ? Self.reason() : "it shrank")")
    }
    do {
      let written = Timestamp(seconds: Int64(status.st_mtim.tv_sec)) + Int64(status.st_mtim.tv_nsec)
      return (try Self.token(bytes), written)
    } catch {
      throw Fault(.badData, "the token file '\(path)' is malformed, \(error.message); log in again")
    }
  }

  /// Keeps a token in place of an older one; a reader sees the one or the other, whole.
  ///
  /// - Throws: ``Fault`` of kind `cannotCreate` when directory or file cannot be made, `configuration` when the
  ///   directory is open to others.
  public func write(_ token: StoredToken) throws(Fault) {
    try makeDirectory()
    let path = path(of: token.venue)
    let temporary = "\(path).\(getpid()).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw Fault(.cannotCreate, "cannot create the token file '\(path)': \(Self.reason())")
    }
    let bytes = Array(Self.text(token).utf8)
    let isWritten =
      fchmod(descriptor, 0o600) == 0
      && bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count
      && fsync(descriptor) == 0
    let failure = Self.reason()
    close(descriptor)
    guard isWritten, rename(temporary, path) == 0 else {
      let reason = isWritten ? Self.reason() : failure
      unlink(temporary)
      throw Fault(.cannotCreate, "cannot write the token file '\(path)': \(reason)")
    }
  }

  private func makeDirectory() throws(Fault) {
    var status = stat()
    if stat(directory, &status) != 0 {
      var made = ""
      for part in directory.split(separator: "/", omittingEmptySubsequences: false) {
        made += part
        let isLast = made.utf8.count == directory.utf8.count
        if !made.isEmpty, mkdir(made, isLast ? 0o700 : 0o755) != 0, errno != EEXIST {
          throw Fault(.cannotCreate, "cannot make the directory '\(made)' for tokens: \(Self.reason())")
        }
        made += "/"
      }
      guard stat(directory, &status) == 0 else {
        throw Fault(.cannotCreate, "cannot make the directory '\(directory)' for tokens: \(Self.reason())")
      }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw Fault(.cannotCreate, "'\(directory)', where tokens should be kept, is no directory; name another")
    }
    guard status.st_mode & Self.others == 0 else {
      throw Fault(
        .configuration,
        "the directory '\(directory)' is open to others (mode \(Self.octal(status.st_mode))); tokens are kept only "
          + "where mode 0700 keeps them private: change it, or name another")
    }
  }

  private static func octal(_ mode: mode_t) -> String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  private static func reason() -> String { String(cString: strerror(errno)) }

  // MARK: The file's text

  private static func text(_ token: StoredToken) -> String {
    var members = [("venue", token.venue), ("obtained", token.obtained.rfc3339)]
    if let expires = token.expires { members.append(("expires", expires.rfc3339)) }
    members += token.words.sorted { $0.key < $1.key }.map { ("word.\($0.key)", $0.value) }
    return "{\n"
      + members.map { "  \(JSONText.quoted($0.0)): \(JSONText.quoted($0.1))" }.joined(separator: ",\n")
      + "\n}\n"
  }

  private static func token(_ bytes: [UInt8]) throws(Fault) -> StoredToken {
    var token = StoredToken(venue: "", words: [:], obtained: .unknown)
    var scanner = JSONScanner(bytes)
    try scanner.object { (key, scanner) throws(Fault) in
      let text = try scanner.string()
      switch key {
      case "venue": token.venue = text
      case "obtained": token.obtained = try time(text)
      case "expires": token.expires = try time(text)
      case _ where key.hasPrefix("word."): token.words[String(key.dropFirst("word.".count))] = text
      default: break
      }
    }
    try scanner.expectEnd()
    return token
  }

  private static func time(_ text: String) throws(Fault) -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw Fault(.badData, "'\(text)' is no time with its zone")
    }
    return time
  }
}
