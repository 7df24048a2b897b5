import MarketData

/// All rules in the order in which they judge a tick.
///
/// The composition is spelled out rather than a list of existentials: each rule is inlined into one pass over the
/// batch. Order matters where a rule reads a flag that another raises: volume-reset and off-band come after
/// out-of-order.
struct RuleSet: Sendable {
  let notPositive = NotPositiveRule()
  let cachedOnSubscribe = CachedOnSubscribeRule()
  let duplicate = DuplicateRule()
  let outOfOrder = OutOfOrderRule()
  let stale: StaleRule
  let volumeReset = VolumeResetRule()
  let offBand: OffBandRule

  /// What all rules together remember of one instrument.
  struct Memory: Sendable, BitwiseCopyable {
    var duplicate = DuplicateRule.Memory()
    var outOfOrder = OutOfOrderRule.Memory()
    var volumeReset = VolumeResetRule.Memory()
    var offBand = OffBandRule.Memory()
    var cachedOnSubscribe = CachedOnSubscribeRule.Memory()
    var notPositive = NotPositiveRule.Memory()
    var stale = StaleRule.Memory()
  }

  /// The rules' names and flags, in their order.
  static let catalogue: [(name: String, flag: TickFlags)] = [
    entry(NotPositiveRule.self), entry(CachedOnSubscribeRule.self), entry(DuplicateRule.self),
    entry(OutOfOrderRule.self), entry(StaleRule.self), entry(VolumeResetRule.self), entry(OffBandRule.self),
  ]

  private static func entry<Rule: TickRule>(_ rule: Rule.Type) -> (name: String, flag: TickFlags) {
    (rule.name, rule.flag)
  }

  /// Judges one tick by every rule, adds the flags that were raised, and returns these.
  @inline(__always)
  func judge(_ tick: inout Tick, memory: inout Memory) -> TickFlags {
    var raised = TickFlags()
    judge(&tick, by: notPositive, &memory.notPositive, &raised)
    judge(&tick, by: cachedOnSubscribe, &memory.cachedOnSubscribe, &raised)
    judge(&tick, by: duplicate, &memory.duplicate, &raised)
    judge(&tick, by: outOfOrder, &memory.outOfOrder, &raised)
    judge(&tick, by: stale, &memory.stale, &raised)
    judge(&tick, by: volumeReset, &memory.volumeReset, &raised)
    judge(&tick, by: offBand, &memory.offBand, &raised)
    return raised
  }

  @inline(__always)
  private func judge<Rule: TickRule>(
    _ tick: inout Tick, by rule: Rule, _ memory: inout Rule.Memory, _ raised: inout TickFlags
  ) {
    if rule.isBroken(by: tick, memory: &memory) {
      tick.flags.formUnion(Rule.flag)
      raised.formUnion(Rule.flag)
    }
  }
}
