import MarketData

/// A rule at its place in the order, which judges whole batches: one dynamic call for a batch, and a loop that knows
/// the rule's type for its ticks.
protocol RuleSeat: Sendable {
  var name: String { get }
  /// Takes what this rule needs in the block of each instrument.
  func prepare(_ memory: borrowing RuleMemory)
  /// Judges the trades of a batch; `originals` takes those that were corrected, as they were. Returns how many broke
  /// the rule.
  func judge(_ ticks: inout [Tick], _ memory: borrowing RuleMemory, _ originals: inout [Tick]) -> UInt64
  func noteSubscribed(_ instrument: Int, at instant: Timestamp, _ memory: borrowing RuleMemory)
  func note(_ limits: PriceLimits, of instrument: Int, _ memory: borrowing RuleMemory)
  /// How many ticks of an instrument broke the rule.
  func count(_ instrument: Int, _ memory: borrowing RuleMemory) -> UInt64
}

struct TypedSeat<Rule: TickRule>: RuleSeat {
  let rule: Rule
  let action: RuleAction
  /// Where the rule's memory lies in an instrument's block.
  let offset: Int
  /// Where its count of broken ticks lies.
  let countOffset: Int

  var name: String { Rule.name }

  func prepare(_ memory: borrowing RuleMemory) {
    let places = memory.places(of: Rule.Memory.self, at: offset)
    for instrument in 0..<memory.instruments { places.with(instrument) { $0 = Rule.freshMemory } }
  }

  func judge(_ ticks: inout [Tick], _ memory: borrowing RuleMemory, _ originals: inout [Tick]) -> UInt64 {
    let places = memory.places(of: Rule.Memory.self, at: offset)
    let counts = memory.places(of: UInt32.self, at: countOffset)
    let instruments = memory.instruments
    var broken: UInt64 = 0
    var span = ticks.mutableSpan
    for position in span.indices {
      let index = span[position].instrument.index
      guard span[position].kind == .trade, index < instruments,
        places.with(index, { rule.isBroken(by: span[position], memory: &$0) })
      else { continue }
      broken &+= 1
      counts.with(index) { $0 &+= 1 }
      span[position].flags.formUnion(Rule.flag)
      switch action {
      case .flag: break
      case .reject: span[position].kind = .rejected
      case .correct:
        var original = span[position]
        guard places.with(index, { rule.correct(&span[position], memory: &$0) }) else { continue }
        original.kind = .original
        originals.append(original)
      }
    }
    return broken
  }

  func noteSubscribed(_ instrument: Int, at instant: Timestamp, _ memory: borrowing RuleMemory) {
    memory.places(of: Rule.Memory.self, at: offset).with(instrument) {
      rule.noteSubscribed(at: instant, memory: &$0)
    }
  }

  func note(_ limits: PriceLimits, of instrument: Int, _ memory: borrowing RuleMemory) {
    memory.places(of: Rule.Memory.self, at: offset).with(instrument) { rule.note(limits, memory: &$0) }
  }

  func count(_ instrument: Int, _ memory: borrowing RuleMemory) -> UInt64 {
    memory.places(of: UInt32.self, at: countOffset).with(instrument) { UInt64($0) }
  }
}
