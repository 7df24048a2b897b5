public import MarketData

/// One thing that can be remarkable about a tick, decided from the tick and from what was seen of its instrument
/// before.
///
/// A rule is a value: its thresholds are its stored properties, its name and its flag belong to the type. It keeps
/// nothing itself; what it must remember of one instrument is its ``Memory``, which the inspector holds. A rule of the
/// user's own is one type that conforms, and one call of ``RuleCatalogue/register(_:)``:
///
/// ```swift
/// struct OddLotRule: TickRule {
///   static let name = "odd-lot"
///   static let purpose = "the last quantity is no whole number of hundreds"
///   init(_ values: RuleValues) {}
///   func isBroken(by tick: Tick, memory: inout NoMemory) -> Bool { tick.lastQuantity % 100 != 0 }
/// }
/// RuleCatalogue.register(OddLotRule.self)  // before the configuration is read; then `- rule: odd-lot` is valid
/// ```
///
/// Rules judge on the receive thread: they must neither allocate nor wait.
public protocol TickRule: QualityRule {
  /// What the rule remembers of one instrument.
  associatedtype Memory: Sendable, BitwiseCopyable = NoMemory

  /// The flag that the rule raises; ``TickFlags/userRule`` unless it says otherwise.
  static var flag: TickFlags { get }
  /// What is remembered before the first tick.
  static var freshMemory: Memory { get }

  /// Makes the rule with values for all of its ``parameters``, each within its bounds.
  init(_ values: RuleValues)

  /// Decides whether the tick breaks the rule, and remembers of it what later ticks need.
  ///
  /// `tick.flags` holds what the venue's decoder and the rules before this one have said.
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool
  /// Mends a tick that has just broken the rule, which is asked of rules that ``QualityRule/canCorrect``; false when that
  /// is not possible this time, and the tick is as it was.
  func correct(_ tick: inout Tick, memory: inout Memory) -> Bool
  /// Why a tick that broke the rule was rejected or corrected: one sentence, made off the path of the tick.
  func reason(for tick: Tick) -> String

  /// Told that the instrument was subscribed, or subscribed again after a reconnect.
  func noteSubscribed(at instant: Timestamp, memory: inout Memory)
  /// Told of the prices between which the exchange lets the instrument trade.
  func note(_ limits: PriceLimits, memory: inout Memory)
}

/// The memory of a rule that the tick alone decides.
public struct NoMemory: Sendable, BitwiseCopyable {
  /// Nothing.
  public init() {}
}

extension TickRule {
  /// The flag of rules that the user brought.
  public static var flag: TickFlags { .userRule }

  /// Mends nothing.
  public func correct(_: inout Tick, memory _: inout Memory) -> Bool { false }
  /// The purpose as a sentence.
  public func reason(for _: Tick) -> String { Self.purpose }
  /// Passes it over.
  public func noteSubscribed(at _: Timestamp, memory _: inout Memory) {}
  /// Passes them over.
  public func note(_: PriceLimits, memory _: inout Memory) {}
}

extension TickRule where Memory == NoMemory {
  /// Nothing.
  public static var freshMemory: NoMemory { NoMemory() }
}

/// What happens to a tick that breaks a rule. It is flagged in any case, and nothing is ever dropped.
public enum RuleAction: String, Sendable, Hashable, CaseIterable {
  /// It goes on, flagged.
  case flag
  /// It is mended and goes on; what it was before follows as a record of kind ``TickKind/original``.
  case correct
  /// It goes on as a record of kind ``TickKind/rejected``, which no candle, last value or strategy takes.
  case reject
}

/// What a rule is made from: a value for each of its parameters, and when the markets trade.
public struct RuleValues: Sendable {
  /// When each instrument's market trades.
  public let phases: MarketPhases
  private let values: [String: Int]

  init(_ values: [String: Int], phases: MarketPhases) {
    self.values = values
    self.phases = phases
  }

  /// The value of one of the rule's parameters; a name that is none of them is a programmer's error.
  public subscript(_ name: String) -> Int {
    guard let value = values[name] else { preconditionFailure("the rule has no parameter '\(name)'") }
    return value
  }
}
