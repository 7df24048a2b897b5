public import MarketData

/// Sets the quality flags on ticks, by fixed rules and by what it has seen of each instrument before.
///
/// A tick is only ever flagged, never changed otherwise and never dropped; flags that the venue's decoder has set
/// stay. The verdict on a tick depends on the ticks and subscriptions before it, never on how they were cut into
/// batches. All memory is taken when the inspector is made.
public struct TickQualityInspector: Sendable {
  private let rules: RuleSet
  private var memories: [RuleSet.Memory]
  private var countsByBit = [UInt64](repeating: 0, count: TickFlags.RawValue.bitWidth)

  /// Ticks of kind ``TickKind/trade`` that were judged.
  public private(set) var inspectedCount: UInt64 = 0
  /// Ticks of kind ``TickKind/trade`` that were passed over, because their instrument's index is not below
  /// ``TickQualityOptions/instrumentsMax``.
  public private(set) var beyondLimitCount: UInt64 = 0

  /// Makes an inspector that has seen nothing yet.
  public init(options: TickQualityOptions = TickQualityOptions()) {
    rules = RuleSet(
      stale: StaleRule(seconds: options.staleSeconds), offBand: OffBandRule(percent: options.bandPercent))
    memories = Array(repeating: RuleSet.Memory(), count: options.instrumentsMax)
  }

  /// Tells that instruments were subscribed, or subscribed again after a reconnect, at an instant of the feed's
  /// clock: the first tick of each may be a replay from the venue's memory.
  ///
  /// To be called when the request is sent, before the ticks that follow it are inspected.
  public mutating func noteSubscribed(_ instruments: [InstrumentID], at instant: Timestamp) {
    for instrument in instruments where instrument.index < memories.count {
      memories[instrument.index].cachedOnSubscribe = .init(subscribedAt: instant)
    }
  }

  /// Judges ticks in the order of their arrival and adds the flags that they deserve; records of other kinds are
  /// left alone.
  public mutating func inspect(_ ticks: inout [Tick]) {
    var span = ticks.mutableSpan
    for position in span.indices where span[position].kind == .trade {
      let index = span[position].instrument.index
      guard index < memories.count else {
        beyondLimitCount &+= 1
        continue
      }
      inspectedCount &+= 1
      let raised = rules.judge(&span[position], memory: &memories[index])
      if !raised.isEmpty { count(raised) }
    }
  }

  private mutating func count(_ raised: TickFlags) {
    var bits = raised.rawValue
    while bits != 0 {
      countsByBit[bits.trailingZeroBitCount] &+= 1
      bits &= bits &- 1
    }
  }

  /// How many ticks each rule has flagged so far, by the rule's name, in the order in which the rules judge.
  public var counts: [(name: String, count: UInt64)] {
    RuleSet.catalogue.map { ($0.name, countsByBit[$0.flag.rawValue.trailingZeroBitCount]) }
  }
}
