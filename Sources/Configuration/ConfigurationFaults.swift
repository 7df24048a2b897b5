public import MarketData

/// Everything that is wrong with a configuration file, so that one look mends it all.
public struct ConfigurationFaults: Error, Equatable, Sendable, CustomStringConvertible {
  /// The faults in the order of their lines; never empty. A file that cannot be read is one fault of kind
  /// `missingInput`, all others are of kind `configuration`. Each is one sentence on one line that begins with the
  /// file's name and, where there is one, the line number.
  public let all: [Fault]

  init(_ first: Fault, _ others: [Fault] = []) {
    all = [first] + others
  }

  /// The first of them, for callers that report only one.
  public var fault: Fault { all[0] }

  /// All sentences, one a line.
  public var description: String { all.map(\.message).joined(separator: "\n") }
}
