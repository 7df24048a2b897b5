/// An operating error that reaches a person: what was wrong, where, and what would be right, in one sentence.
///
/// Every module throws this one type, so that the command line can turn any failure into a stable exit code.
/// Programmer errors are preconditions, not faults.
public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is. The raw value is the process's exit code, after BSD's `sysexits.h`.
  public enum Kind: Int32, Sendable, CaseIterable {
    /// A check was carried out and failed (a proof that does not hold, bad frames among good ones).
    case checkFailed = 1
    /// The command line was wrong.
    case usage = 64
    /// Input data are malformed.
    case badData = 65
    /// A named input does not exist or cannot be read.
    case missingInput = 66
    /// A service (venue, feed) cannot be reached or stopped answering.
    case unavailable = 69
    /// A defect of TickRing itself.
    case software = 70
    /// A system call failed for a reason outside TickRing's control.
    case system = 71
    /// An output cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed: full disk, bad sector, closed pipe.
    case inputOutput = 74
    /// Another process holds what is needed; trying later may succeed.
    case held = 75
    /// The other side broke its protocol.
    case protocolViolation = 76
    /// Credentials were refused.
    case refused = 77
    /// The configuration file is wrong.
    case configuration = 78
  }

  /// The kind, which decides the exit code and whether a retry makes sense.
  public let kind: Kind
  /// One sentence for a person, without a trailing newline.
  public let message: String

  /// Makes a fault from its kind and its sentence.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The sentence.
  public var description: String { message }
}
