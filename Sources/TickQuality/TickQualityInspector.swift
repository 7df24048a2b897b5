public import MarketData

/// Judges ticks by the chosen rules, in their order, and by what it has seen of each instrument before.
///
/// Every tick that breaks a rule is flagged; what else becomes of it is the rule's ``RuleAction``. Nothing is dropped,
/// and flags that the venue's decoder has set stay. The verdict on a tick depends on the ticks and subscriptions before
/// it, never on how they were cut into batches: each rule goes through the whole batch before the next one, which
/// comes to the same as tick by tick, since rules share nothing but a tick's own flags. All memory is taken when the
/// inspector is made.
public struct TickQualityInspector: ~Copyable, Sendable {
  private let seats: [RuleSeat]
  /// Seats before those of the chosen rules.
  private let tagCount: Int
  private let memory: RuleMemory
  private var broken: [UInt64]
  private var originals: [Tick] = []
  private let wantsLimits: Bool

  /// The most instruments that can be judged; at some 400 bytes an instrument it bounds the inspector's memory.
  public static let instrumentsMaxLimit = 1_048_576
  private static let originalsCapacity = 1024

  /// Ticks of kind ``TickKind/trade`` that were judged.
  public private(set) var inspectedCount: UInt64 = 0
  /// Ticks of kind ``TickKind/trade`` that were passed over, because their instrument's index is too high.
  public private(set) var beyondLimitCount: UInt64 = 0

  /// Makes an inspector that has seen nothing yet.
  ///
  /// - Parameters:
  ///   - rules: In the order in which they judge.
  ///   - phases: When each instrument's market trades, by which auctions are tagged; nil tags none.
  ///   - instrumentsMax: Instruments with an index below this are judged; 1 to ``instrumentsMaxLimit``.
  public init(rules: [ChosenRule], phases: MarketPhases? = nil, instrumentsMax: Int = 16_384) {
    precondition(
      (1...Self.instrumentsMaxLimit).contains(instrumentsMax), "instrumentsMax is out of its limits")
    var layout = BlockLayout()
    let tags = phases.map { [ChosenRule(AuctionTag(RuleValues([:], phases: $0)), .flag)] } ?? []
    seats = (tags + rules).map { $0.makeSeat(&layout) }
    tagCount = tags.count
    memory = RuleMemory(bytesPerInstrument: layout.byteCount, instruments: instrumentsMax)
    broken = Array(repeating: 0, count: seats.count)
    wantsLimits = rules.contains { $0.rule is OffBandRule || $0.flag == .userRule }
    for seat in seats { seat.prepare(memory) }
    originals.reserveCapacity(Self.originalsCapacity)
  }

  /// Tells that instruments were subscribed, or subscribed again after a reconnect, at an instant of the feed's
  /// clock: the first tick of each may be a replay from the venue's memory.
  ///
  /// To be called when the request is sent, before the ticks that follow it are inspected.
  public mutating func noteSubscribed(_ instruments: [InstrumentID], at instant: Timestamp) {
    for instrument in instruments where instrument.index < memory.instruments {
      for seat in seats { seat.noteSubscribed(instrument.index, instant, memory) }
    }
  }

  /// Judges ticks in the order of their arrival; records of other kinds are left alone. Where a tick was corrected,
  /// what it was before is appended to the batch.
  public mutating func inspect(_ ticks: inout [Tick]) {
    var trades: UInt64 = 0
    var beyond: UInt64 = 0
    for index in ticks.indices {
      if ticks[index].kind == .trade {
        trades &+= 1
        if ticks[index].instrument.index >= memory.instruments { beyond &+= 1 }
      } else if wantsLimits, ticks[index].kind == .priceLimits {
        note(PriceLimits(ticks[index]), of: ticks[index].instrument)
      }
    }
    inspectedCount &+= trades &- beyond
    beyondLimitCount &+= beyond
    guard trades > beyond else { return }
    for position in seats.indices {
      broken[position] &+= seats[position].judge(&ticks, memory, &originals)
    }
    guard !originals.isEmpty else { return }
    ticks.append(contentsOf: originals)
    originals.removeAll(keepingCapacity: true)
  }

  /// Limits hold for the whole day, so that it does not matter that those of a batch are noted before its ticks.
  private func note(_ limits: PriceLimits, of instrument: InstrumentID) {
    guard instrument.index < memory.instruments else { return }
    for seat in seats { seat.noteLimits(limits, instrument.index, memory) }
  }

  /// How many ticks broke each rule so far, by the rule's name, in the order in which the rules judge.
  public var counts: [(name: String, count: UInt64)] {
    seats.indices.dropFirst(tagCount).map { (seats[$0].name, broken[$0]) }
  }

  /// How many ticks of one instrument broke each rule so far.
  public func counts(of instrument: InstrumentID) -> [(name: String, count: UInt64)] {
    guard instrument.index < memory.instruments else { return [] }
    return seats.dropFirst(tagCount).map { ($0.name, $0.count(instrument.index, memory)) }
  }
}

/// Lays out the block of an instrument, place by place.
struct BlockLayout {
  private(set) var byteCount = 0

  mutating func seat<Rule: TickRule>(_ rule: Rule, _ action: RuleAction) -> RuleSeat {
    let memory = take(Rule.Memory.self)
    return RuleSeat(
      TypedSeat(rule: rule, action: action, offset: memory, countOffset: take(UInt32.self)))
  }

  private mutating func take<Value>(_: Value.Type) -> Int {
    let alignment = MemoryLayout<Value>.alignment
    let offset = (byteCount + alignment - 1) / alignment * alignment
    byteCount = offset + MemoryLayout<Value>.size
    return offset
  }
}
