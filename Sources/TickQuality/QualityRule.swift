/// What rules for ticks and rules for candles have in common: a name, a purpose, and what can be tuned.
public protocol QualityRule: Sendable {
  /// A word or two for configuration, counters and reports: small letters, digits and hyphens.
  static var name: String { get }
  /// What breaks the rule, for people: half a sentence without a subject.
  static var purpose: String { get }
  /// What can be tuned; nothing unless it says otherwise.
  static var parameters: [RuleParameter] { get }
  /// True when the rule can mend what breaks it; false unless it says otherwise.
  static var canCorrect: Bool { get }
}

extension QualityRule {
  /// Nothing to tune.
  public static var parameters: [RuleParameter] { [] }
  /// Nothing to mend.
  public static var canCorrect: Bool { false }
}

/// Something about a rule that can be tuned: a whole number with its bounds.
public struct RuleParameter: Sendable, Hashable {
  /// Its name in the configuration; says its unit.
  public let name: String
  /// What is allowed.
  public let bounds: ClosedRange<Int>
  /// What it is unless told.
  public let standard: Int

  /// Makes a parameter; the standard lies within the bounds.
  public init(_ name: String, _ bounds: ClosedRange<Int>, standard: Int) {
    precondition(bounds.contains(standard), "the standard of \(name) is out of its bounds")
    self.name = name
    self.bounds = bounds
    self.standard = standard
  }
}
