import MarketData

/// A rule at its place in the order, as the inspector calls it: one call for a whole batch.
///
/// It consists of functions, since there is no other way to a loop that is compiled for the rule's very type. A protocol
/// that ``TypedSeat`` conforms to would be called by code that learns the type at run time, and takes three times as
/// long; a function is compiled for the type that is known where it is made, which for TickRing's own rules is the
/// catalogue's list of them.
struct RuleSeat: Sendable {
  let name: String
  /// Takes what this rule needs in the block of each instrument.
  let prepare: @Sendable (borrowing RuleMemory) -> Void
  /// Judges the trades of a batch; the second array takes those that were corrected, as they were. Returns how many
  /// broke the rule.
  let judge: @Sendable (inout [Tick], borrowing RuleMemory, inout [Tick]) -> UInt64
  let noteSubscribed: @Sendable (Int, Timestamp, borrowing RuleMemory) -> Void
  let noteLimits: @Sendable (PriceLimits, Int, borrowing RuleMemory) -> Void
  /// How many ticks of an instrument broke the rule.
  let count: @Sendable (Int, borrowing RuleMemory) -> UInt64

  init<Rule: TickRule>(_ seat: TypedSeat<Rule>) {
    name = Rule.name
    prepare = { seat.prepare($0) }
    judge = { seat.judge(&$0, $1, &$2) }
    noteSubscribed = { seat.noteSubscribed($0, at: $1, $2) }
    noteLimits = { seat.note($0, of: $1, $2) }
    count = { seat.count($0, $1) }
  }
}

/// What a seat does, for a rule of one type.
struct TypedSeat<Rule: TickRule>: Sendable {
  let rule: Rule
  let action: RuleAction
  /// Where the rule's memory lies in an instrument's block.
  let offset: Int
  /// Where its count of broken ticks lies.
  let countOffset: Int

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
