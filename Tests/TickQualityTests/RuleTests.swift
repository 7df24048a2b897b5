import MarketData
import Testing
import TickQuality

/// Each rule at both sides of its boundary, through the door that the feed uses.
@Suite struct RuleTests {
  /// The flags that an inspector sets on a stream of ticks, handed over in one batch.
  private func flags(_ ticks: [Tick], _ settings: [RuleSetting] = ordinaryRules) -> [TickFlags] {
    var inspector = makeInspector(settings)
    var copy = ticks
    inspector.inspect(&copy)
    return copy.map(\.flags)
  }

  @Test func anOrdinaryStreamCarriesNoFlag() {
    #expect(flags((0..<20).map { makeTick($0) }).allSatisfy { $0 == [] })
  }

  @Test func aDuplicateEqualsThePreviousTickInAllTheVenueSaid() {
    let tick = makeTick(0)
    var later = tick
    later.receiveTime = tick.receiveTime + 1_000_000
    #expect(flags([tick, later]) == [[], .duplicate])
    #expect(flags([tick, makeTick(0, instrument: 1)]) == [[], []])
  }

  @Test(
    arguments: [
      { (tick: inout Tick) in tick.exchangeTime = tick.exchangeTime + 1_000_000_000 },
      { $0.lastPrice = Price(units: $0.lastPrice.units + 50_000_000) },
      { $0.dayVolume += 1 },
      { $0.lastTradeSeconds += 1 },
      { $0.lastQuantity += 1 },
      { $0.openInterest += 1 },
    ] as [@Sendable (inout Tick) -> Void])
  func aTickThatDiffersInAnyOneVenueFieldIsNoDuplicate(change: @Sendable (inout Tick) -> Void) {
    var changed = makeTick(0)
    change(&changed)
    #expect(flags([makeTick(0), changed]) == [[], []])
  }

  @Test func aDuplicateIsComparedWithThePreviousTickOnly() {
    let first = makeTick(0, volume: 1000)
    #expect(flags([first, makeTick(0, volume: 1001), first])[2] == .volumeReset)
  }

  @Test func outOfOrderIsOlderThanTheNewestExchangeTimeAndEqualIsInOrder() {
    #expect(flags([makeTick(5), makeTick(5, volume: 1006)]) == [[], []])
    #expect(flags([makeTick(5), makeTick(4)]) == [[], .outOfOrder])
    let newestCounts = flags([makeTick(5), makeTick(3), makeTick(4)])
    #expect(newestCounts == [[], .outOfOrder, .outOfOrder])
  }

  @Test func aTimeFarInTheFutureDoesNotPutTheRestOfTheDayOutOfOrder() {
    let believed = makeTick(5, receivedAfterNanoseconds: -60_000_000_000)
    let slip = makeTick(5, receivedAfterNanoseconds: -60_000_000_001)
    #expect(flags([believed, makeTick(4)]) == [[], .outOfOrder])
    #expect(flags([slip, makeTick(4, volume: 1006)]) == [[], []])
  }

  @Test func staleIsReceivedLaterThanTheThreshold() {
    let options = rules("stale", "seconds", 60)
    #expect(flags([makeTick(0, receivedAfterNanoseconds: 60_000_000_000)], options) == [[]])
    #expect(flags([makeTick(0, receivedAfterNanoseconds: 60_000_000_001)], options) == [.stale])
    let off = rules("stale", "seconds", nil)
    #expect(flags([makeTick(0, receivedAfterNanoseconds: 86_400_000_000_000)], off) == [[]])
  }

  @Test func aTickWithoutExchangeTimeIsNeitherStaleNorOutOfOrder() {
    var tick = makeTick(1, flags: .noExchangeTime)
    tick.exchangeTime = .unknown
    #expect(flags([makeTick(0), tick]) == [[], .noExchangeTime])
  }

  @Test func offBandIsFurtherFromTheAcceptedPriceThanTheBand() {
    let options = rules("off-band", "percent", 20)
    for (price, expected) in [
      ("120", TickFlags()), ("120.000000001", .offBand), ("80", []), ("79.999999999", .offBand),
    ] {
      #expect(flags([makeTick(0), makeTick(1, price: price)], options) == [[], expected])
    }
    let off = rules("off-band", "percent", nil)
    #expect(flags([makeTick(0), makeTick(1, price: "5000")], off) == [[], []])
  }

  @Test func theBandIsExactAtTheEndOfThePriceRange() {
    let prices = [Int64.max / 2, Int64.max, 1].map(Price.init(units:))
    let ticks = prices.enumerated().map { position, price in
      var tick = makeTick(Int64(position))
      tick.lastPrice = price
      return tick
    }
    #expect(flags(ticks, rules("off-band", "percent", 101)) == [[], [], []])
    #expect(flags(ticks, rules("off-band", "percent", 99)) == [[], .offBand, .offBand])
  }

  @Test func oneBadPrintDoesNotBecomeTheReference() {
    let prices = ["100", "10", "100.5", "10", "101"]
    let ticks = prices.enumerated().map { makeTick(Int64($0), price: $1) }
    #expect(flags(ticks) == [[], .offBand, [], .offBand, []])
  }

  @Test func theThirdTradeThatAgreesOnANewLevelIsAccepted() {
    let prices = ["100", "150", "151", "152", "153", "100"]
    let ticks = prices.enumerated().map { makeTick(Int64($0), price: $1) }
    #expect(flags(ticks) == [[], .offBand, .offBand, [], [], .offBand])
  }

  @Test func pricesThatDisagreeStartTheTrialAnew() {
    let prices = ["100", "150", "300", "310", "305"]
    let ticks = prices.enumerated().map { makeTick(Int64($0), price: $1) }
    #expect(flags(ticks) == [[], .offBand, .offBand, .offBand, []])
  }

  @Test func aRepeatedSnapshotOfABadPrintDoesNotConfirmIt() {
    var ticks = [makeTick(0)]
    for second in 1...10 { ticks.append(makeTick(Int64(second), price: "10", volume: 1001)) }
    #expect(flags(ticks).dropFirst().allSatisfy { $0 == .offBand })
  }

  @Test func anIndexMovesToANewLevelByTimeSinceItHasNoVolume() {
    let prices = ["100", "150", "151", "152"]
    let ticks = prices.enumerated().map {
      makeTick(Int64($0), price: $1, volume: 0, flags: .withoutVolume)
    }
    let mark = TickFlags.withoutVolume
    #expect(flags(ticks) == [mark, [mark, .offBand], [mark, .offBand], mark])
  }

  @Test func aTickOutOfOrderIsJudgedByTheBandButNeverBecomesTheReference() {
    let ticks = [
      makeTick(9), makeTick(8, price: "118"), makeTick(7, price: "130"), makeTick(10, price: "121"),
    ]
    #expect(flags(ticks) == [[], .outOfOrder, [.outOfOrder, .offBand], .offBand])
  }

  @Test func volumeResetIsAFallOfCumulativeVolume() {
    #expect(flags([makeTick(0, volume: 500), makeTick(1, volume: 500)]) == [[], []])
    #expect(flags([makeTick(0, volume: 500), makeTick(1, volume: 499)]) == [[], .volumeReset])
  }

  @Test func theLowerVolumeOfATickOutOfOrderIsNoReset() {
    let ticks = [makeTick(5, volume: 500), makeTick(4, volume: 400), makeTick(6, volume: 450)]
    #expect(flags(ticks) == [[], .outOfOrder, .volumeReset])
  }

  @Test func anInstrumentWithoutVolumeHasNoReset() {
    let ticks = [makeTick(0, volume: 5), makeTick(1, volume: 0, flags: .withoutVolume)]
    #expect(flags(ticks) == [[], .withoutVolume])
  }

  @Test func notPositiveIsZeroOrBelowAndIsNotJudgedByTheBand() {
    #expect(flags([makeTick(0, price: "0.000000001")]) == [[]])
    #expect(flags([makeTick(0, price: "0")]) == [.notPositive])
    #expect(flags([makeTick(0), makeTick(1, price: "-37"), makeTick(2)]) == [[], .notPositive, []])
  }
}
