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
  /// One sentence for a person, on one line and of at most ``messageBytesMax`` bytes of UTF-8.
  public let message: String

  /// The longest sentence; what goes beyond is cut off.
  public static let messageBytesMax = 4096

  /// Makes a fault from its kind and its sentence. What a sentence quotes may come from anybody, so each control
  /// character becomes a space: nothing forges a line of a log, moves a terminal's cursor, or floods either.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    let isFit =
      message.utf8.count <= Self.messageBytesMax && !message.unicodeScalars.contains(where: Self.isControl)
    self.message = isFit ? message : Self.fit(message)
  }

  private static func fit(_ text: String) -> String {
    let ellipsis: Unicode.Scalar = "…"
    var line = String.UnicodeScalarView()
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      guard bytes + UTF8.width(ellipsis) <= messageBytesMax else {
        line.append(ellipsis)
        break
      }
      line.append(isControl(scalar) ? " " : scalar)
    }
    return String(line)
  }

  /// The controls of ASCII and Latin-1, C0 and C1.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
  }

  /// The sentence.
  public var description: String { message }
}
