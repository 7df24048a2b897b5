import MarketData
import Testing
import TickQuality

/// What becomes of ticks that break a rule, and rules that a program brings itself.
@Suite struct ActionTests {
  private let instrument = InstrumentID(rawValue: 0)

  private func inspected(_ ticks: [Tick], _ settings: [RuleSetting]) -> [Tick] {
    var inspector = makeInspector(settings)
    var batch = ticks
    inspector.inspect(&batch)
    return batch
  }

  @Test func aRejectedTickStaysAsARecordOfItsKindAndNoLaterRuleJudgesIt() {
    let bad = makeTick(1, price: "0")
    let result = inspected(
      [makeTick(0), bad, makeTick(2)], [RuleSetting("not-positive", .reject), RuleSetting("volume-reset")])
    #expect(result.map(\.kind) == [.trade, .rejected, .trade])
    var expected = bad
    expected.kind = .rejected
    expected.flags = .notPositive
    #expect(result[1] == expected)
  }

  @Test func aCorrectedTickIsMendedAndItsOriginalFollows() {
    let bad = makeTick(1, price: "0")
    let result = inspected(
      [makeTick(0, price: "123.45"), bad, makeTick(2)], [RuleSetting("not-positive", .correct)])
    #expect(result.map(\.kind) == [.trade, .trade, .trade, .original])
    #expect(result[1].lastPrice == Price(decimal: "123.45"))
    var original = bad
    original.kind = .original
    original.flags = .notPositive
    #expect(result[3] == original)
  }

  @Test func whatCannotBeCorrectedIsOnlyFlagged() {
    let result = inspected([makeTick(0, price: "0")], [RuleSetting("not-positive", .correct)])
    #expect(result.map(\.flags) == [.notPositive])
    #expect(result.map(\.kind) == [.trade])
  }

  @Test func aPriceOffBandIsCorrectedToTheLimitOrTheLastAcceptedOne() {
    let band = inspected(
      [makeTick(0), makeTick(1, price: "150")], [RuleSetting("off-band", .correct)])
    #expect(band[1].lastPrice == Price(decimal: "100"))
    let limits = PriceLimits(lower: Price(decimal: "90") ?? .zero, upper: Price(decimal: "110") ?? .zero)
    let limited = inspected(
      [
        limits.record(of: instrument, receiveTime: makeTick(0).receiveTime), makeTick(0),
        makeTick(1, price: "110.05"),
      ], [RuleSetting("off-band", .correct)])
    #expect(limited[2].lastPrice == Price(decimal: "110"))
    #expect(limited[2].flags == .offBand)
  }

  @Test func knownLimitsDecideInPlaceOfTheBand() {
    let limits = PriceLimits(lower: Price(decimal: "50") ?? .zero, upper: Price(decimal: "150") ?? .zero)
    #expect(PriceLimits(limits.record(of: instrument, receiveTime: .unknown)) == limits)
    let ticks = [limits.record(of: instrument, receiveTime: makeTick(0).receiveTime)]
    let prices = ["100", "150", "150.05", "50", "49.95"].enumerated().map { makeTick(Int64($0), price: $1) }
    #expect(
      inspected(ticks + prices, [RuleSetting("off-band")]).dropFirst().map(\.flags)
        == [[], [], .offBand, [], .offBand])
  }

  @Test func clockSkewIsATimeAheadOfOursAndIsCorrectedToTheReceiveTime() {
    let fine = makeTick(0, receivedAfterNanoseconds: -5_000_000_000)
    let ahead = makeTick(0, receivedAfterNanoseconds: -5_000_000_001)
    #expect(inspected([fine, ahead], [RuleSetting("clock-skew")]).map(\.flags) == [[], .clockSkew])
    let corrected = inspected([ahead], [RuleSetting("clock-skew", .correct)])[0]
    #expect(corrected.exchangeTime == ahead.receiveTime)
    #expect(Int64(corrected.lastTradeSeconds) == ahead.receiveTime.seconds)
  }

  @Test func anInferredGapIsAVolumeThatRoseByMoreThanTheLastTradeInASilence() {
    let rule = [RuleSetting("inferred-gap", values: ["silence_seconds": 10])]
    // makeTick's last quantity is 5.
    #expect(inspected([makeTick(0, volume: 100), makeTick(11, volume: 105)], rule)[1].flags == [])
    #expect(inspected([makeTick(0, volume: 100), makeTick(11, volume: 106)], rule)[1].flags == .missedBefore)
    #expect(inspected([makeTick(0, volume: 100), makeTick(10, volume: 900)], rule)[1].flags == [])
    #expect(inspected([makeTick(0, volume: 100), makeTick(11, volume: 50)], rule)[1].flags == [])
  }

  @Test func aSubscriptionInBetweenProvesNoGap() {
    var inspector = makeInspector([RuleSetting("inferred-gap")])
    var first = [makeTick(0, volume: 100)]
    inspector.inspect(&first)
    inspector.noteSubscribed([instrument], at: makeTick(50).receiveTime)
    var second = [makeTick(60, volume: 900)]
    inspector.inspect(&second)
    #expect(second[0].flags == [])
  }

  @Test func aSequenceGapIsWhatTheSourceFlagged() {
    var inspector = makeInspector([RuleSetting("sequence-gap")])
    var batch = [makeTick(0), makeTick(1, flags: .missedBefore)]
    inspector.inspect(&batch)
    #expect(inspector.counts.map(\.count) == [1])
    #expect(inspector.counts(of: instrument).map(\.count) == [1])
  }

  @Test func theVerdictNamesRuleAndReason() throws {
    let chosen = try RuleCatalogue.make(
      [RuleSetting("duplicate"), RuleSetting("stale", .reject), RuleSetting("not-positive", .correct)],
      phases: MarketPhases())
    var record = makeTick(0, receivedAfterNanoseconds: 90_000_000_000, flags: [.duplicate, .stale])
    record.kind = .rejected
    let verdict = chosen.verdict(on: record)
    #expect(verdict?.rule == "stale")
    #expect(verdict?.reason == "it was received 90 s after its exchange time; up to 60 s are accepted")
    record.kind = .original
    #expect(chosen.verdict(on: record) == nil)
  }

  @Test func wrongChoicesAreRefused() {
    for (settings, part) in [
      ([RuleSetting("nonsense")], "there is no quality rule 'nonsense'"),
      ([RuleSetting("stale"), RuleSetting("stale")], "chosen twice"),
      ([RuleSetting("duplicate", .correct)], "cannot correct; it can flag or reject"),
      ([RuleSetting("stale", values: ["seconds": 0])], "cannot have seconds 0"),
      ([RuleSetting("stale", values: ["minutes": 1])], "cannot have minutes 1"),
    ] {
      let fault = #expect(throws: Fault.self) { try RuleCatalogue.make(settings, phases: MarketPhases()) }
      #expect(fault?.kind == .configuration)
      #expect(fault?.message.contains(part) == true)
    }
  }

  /// A rule as a user writes it.
  private struct OddLotRule: TickRule {
    static let name = "odd-lot"
    static let purpose = "the last quantity is no whole lot"
    static let parameters = [RuleParameter("lot", 1...1000, standard: 100)]
    let lot: UInt32
    init(_ values: RuleValues) { lot = UInt32(values["lot"]) }
    func isBroken(by tick: Tick, memory _: inout NoMemory) -> Bool { tick.lastQuantity % lot != 0 }
  }

  @Test func aRuleOfTheUsersOwnIsOneTypeAndOneRegistration() throws {
    RuleCatalogue.register(OddLotRule.self)
    #expect(RuleCatalogue.rule(named: "odd-lot") != nil)
    #expect(inspected([makeTick(0)], [RuleSetting("odd-lot")])[0].flags == .userRule)
    let tuned = [RuleSetting("odd-lot", .reject, values: ["lot": 2])]
    #expect(inspected([makeTick(0)], tuned)[0].kind == .rejected)
    #expect(inspected([makeTick(0)], [RuleSetting("odd-lot", .reject, values: ["lot": 5])])[0].kind == .trade)
    let chosen = try RuleCatalogue.make(tuned, phases: MarketPhases())
    var record = makeTick(0, flags: .userRule)
    record.kind = .rejected
    #expect(chosen.verdict(on: record)?.reason == "the last quantity is no whole lot")
  }
}
