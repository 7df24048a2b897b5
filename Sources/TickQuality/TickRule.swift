import MarketData

/// One thing that can be remarkable about a tick, decided from the tick and from what was seen of its instrument
/// before.
///
/// A rule is a value: its thresholds are its stored properties, its name and its flag belong to the type. It keeps
/// nothing itself; what it must remember of one instrument is its `Memory`, which the inspector holds.
protocol TickRule: Sendable {
  /// What the rule remembers of one instrument.
  associatedtype Memory: Sendable, BitwiseCopyable

  /// A word or two for counters and logs, the same as the flag's name.
  static var name: String { get }
  /// The flag that the rule raises.
  static var flag: TickFlags { get }

  /// Decides whether the tick deserves the flag, and remembers of it what later ticks need.
  ///
  /// `tick.flags` holds what the venue's decoder and the rules before this one have said.
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool
}
