import MarketData
import Testing
import TickQuality

/// The inspector around the rules: what it leaves alone, what it counts, and that batches do not matter.
@Suite struct InspectorTests {
  @Test func onlyFlagsAreChangedAndTheDecodersFlagsStay() {
    var inspector = makeInspector()
    let tick = makeTick(0, price: "0", flags: [.withoutVolume, .auction])
    var batch = [tick]
    inspector.inspect(&batch)
    var expected = tick
    expected.flags = [.withoutVolume, .auction, .notPositive]
    #expect(batch == [expected])
  }

  @Test func recordsOfOtherKindsAreLeftAloneAndNotCounted() {
    var inspector = makeInspector()
    var gap = makeTick(0, price: "0")
    gap.kind = .gap
    var batch = [gap]
    inspector.inspect(&batch)
    #expect(batch == [gap])
    #expect(inspector.inspectedCount == 0)
  }

  @Test func anInstrumentBeyondTheLimitIsPassedOverAndCounted() {
    var inspector = makeInspector(instrumentsMax: 3)
    inspector.noteSubscribed([InstrumentID(rawValue: 3), .all], at: .unknown)
    var batch = [
      makeTick(0, price: "0", instrument: 2), makeTick(0, price: "0", instrument: 3),
      makeTick(0, price: "0", instrument: .max),
    ]
    inspector.inspect(&batch)
    #expect(batch.map(\.flags) == [.notPositive, [], []])
    #expect(inspector.inspectedCount == 1)
    #expect(inspector.beyondLimitCount == 2)
  }

  @Test func everyRuleCountsWhatItFlaggedUnderTheFlagsName() {
    var inspector = makeInspector()
    inspector.noteSubscribed([InstrumentID(rawValue: 0)], at: Timestamp(seconds: sessionStartSeconds))
    var batch = [
      makeTick(-5), makeTick(-5), makeTick(-5), makeTick(-6), makeTick(1, price: "300"),
      makeTick(2, volume: 1),
      makeTick(3, price: "0"), makeTick(4, receivedAfterNanoseconds: 61_000_000_000),
    ]
    inspector.inspect(&batch)
    let counts = Dictionary(uniqueKeysWithValues: inspector.counts.map { ($0.name, $0.count) })
    #expect(
      counts == [
        "cached": 1, "duplicate": 2, "out-of-order": 1, "off-band": 1, "volume-reset": 1, "not-positive": 1,
        "stale": 1,
      ])
    let flagNames = Set(TickFlags.names.map(\.name))
    #expect(inspector.counts.allSatisfy { flagNames.contains($0.name) })
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func flagsDoNotDependOnHowTheStreamIsCutIntoBatches(seed: UInt64) {
    var random = TestRandom(seed: seed &* 0x9E37_79B9_7F4A_7C15)
    let ticks = (0..<600).map { _ in randomTick(&random) }
    let subscriptions = Set((0..<8).map { _ in Int.random(in: 0..<600, using: &random) })

    let whole = inspected(ticks, subscriptions: subscriptions) { 600 }
    let single = inspected(ticks, subscriptions: subscriptions) { 1 }
    let mixed = inspected(ticks, subscriptions: subscriptions) { Int.random(in: 1...50, using: &random) }

    #expect(whole.ticks == single.ticks)
    #expect(whole.ticks == mixed.ticks)
    #expect(whole.counts == single.counts)
    #expect(whole.counts == mixed.counts)
    #expect(whole.counts.allSatisfy { $0 > 0 }, "the stream shall break every rule")
  }

  /// A tick that breaks rules often: few instruments, few values.
  private func randomTick(_ random: inout TestRandom) -> Tick {
    var tick = makeTick(
      Int64.random(in: 0..<4, using: &random),
      price: ["0", "100", "110", "150"].randomElement(using: &random) ?? "",
      volume: Int64.random(in: 0..<3, using: &random), instrument: UInt32.random(in: 0..<3, using: &random),
      receivedAfterNanoseconds: Int64.random(in: 0..<90, using: &random) * 1_000_000_000)
    if Bool.random(using: &random) { tick.flags = .withoutVolume }
    return tick
  }

  /// Runs a stream through a fresh inspector in batches of the sizes that `nextSize` gives, cut also where a
  /// subscription comes in between.
  private func inspected(
    _ ticks: [Tick], subscriptions: Set<Int>, nextSize: () -> Int
  ) -> (ticks: [Tick], counts: [UInt64]) {
    var inspector = makeInspector()
    var result: [Tick] = []
    while result.count < ticks.count {
      let start = result.count
      if subscriptions.contains(start) {
        let all = (0..<3).map { InstrumentID(rawValue: $0) }
        inspector.noteSubscribed(all, at: Timestamp(seconds: sessionStartSeconds + 2))
      }
      let cut = subscriptions.filter { $0 > start }.min() ?? ticks.count
      var batch = Array(ticks[start..<min(start + nextSize(), cut)])
      inspector.inspect(&batch)
      result += batch
    }
    return (result, inspector.counts.map(\.count))
  }
}
