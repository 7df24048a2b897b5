import MarketData

/// Flags a price that the exchange does not allow today, where its limits are known, or else one that lies further
/// from the last accepted price than a percentage of that price. Corrected, it is the limit that it passed, or the
/// last accepted price.
///
/// A price inside the band is accepted: the next one is compared with it. A price outside is flagged and put on
/// trial; it is not compared with. One bad print therefore flags itself and nothing after it. When the market has
/// really moved, the following trades agree with the price on trial (each lies within the band of the one before),
/// and the third of them, ``tradesToAccept``, is accepted. The venue repeats its last price in every snapshot, so only
/// a tick of another trade adds to the count: one whose cumulative volume differs or, without volume, whose time
/// differs. A price back inside the band ends the trial. Ticks out of order and prices that are not positive are
/// never compared with; the latter are not judged, their own flag says enough.
struct OffBandRule: TickRule {
  static let name = "off-band"
  static let purpose = "its price lies outside of the day's limits, or far from the last accepted one"
  static var flag: TickFlags { .offBand }

  /// Trades that must agree on a new level before it is accepted, the first one included.
  static let tradesToAccept: UInt8 = 3

  static let parameters = [RuleParameter("percent", 1...10_000, standard: 20)]
  static var canCorrect: Bool { true }

  /// The greatest accepted distance in percent of the last accepted price.
  let percent: UInt64

  /// The accepted price, the one on trial, and the day's limits, zero while unknown.
  struct Memory: BitwiseCopyable {
    var accepted = Price.zero
    var onTrial = Price.zero
    var trialMark: Int64 = 0
    var lower = Price.zero
    var upper = Price.zero
    var trialTrades: UInt8 = 0
  }
  static var freshMemory: Memory { Memory() }

  init(_ values: RuleValues) {
    percent = UInt64(values["percent"])
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    guard tick.lastPrice.units > 0 else { return false }
    if memory.upper.units > 0 { return tick.lastPrice < memory.lower || tick.lastPrice > memory.upper }
    let isInOrder = !tick.flags.contains(.outOfOrder)
    if memory.accepted == .zero || isNear(tick.lastPrice, memory.accepted) {
      if isInOrder {
        memory.accepted = tick.lastPrice
        memory.trialTrades = 0
      }
      return false
    }
    return isInOrder ? !endsTrial(tick, &memory) : true
  }

  func correct(_ tick: inout Tick, memory: inout Memory) -> Bool {
    if memory.upper.units > 0 {
      tick.lastPrice = min(max(tick.lastPrice, memory.lower), memory.upper)
      return true
    }
    guard memory.accepted.units > 0 else { return false }
    tick.lastPrice = memory.accepted
    return true
  }

  func reason(for tick: Tick) -> String {
    "the price \(tick.lastPrice) lies outside of the day's limits, or more than \(percent) percent from the last "
      + "accepted one"
  }

  /// Limits of an instrument hold until others come; unusable ones give the band back its say.
  func note(_ limits: PriceLimits, memory: inout Memory) {
    memory.lower = limits.areUsable ? limits.lower : .zero
    memory.upper = limits.areUsable ? limits.upper : .zero
  }

  /// Whether the two prices are at most the band apart, exactly: both sides of the comparison are 128 bits wide.
  @inline(__always)
  private func isNear(_ price: Price, _ reference: Price) -> Bool {
    let distance = (price.units - reference.units).magnitude.multipliedFullWidth(by: 100)
    let band = reference.units.magnitude.multipliedFullWidth(by: percent)
    return (distance.high, distance.low) <= (band.high, band.low)
  }

  /// Takes an off-band price into the trial; true when it is the trade that has the new level accepted.
  @inline(never)
  private func endsTrial(_ tick: Tick, _ memory: inout Memory) -> Bool {
    let mark = tick.flags.contains(.withoutVolume) ? tick.eventTime.nanoseconds : tick.dayVolume
    if memory.trialTrades == 0 || !isNear(tick.lastPrice, memory.onTrial) {
      memory.trialTrades = 1
    } else if mark != memory.trialMark {
      memory.trialTrades += 1
    }
    memory.onTrial = tick.lastPrice
    memory.trialMark = mark
    guard memory.trialTrades == Self.tradesToAccept else { return false }
    memory.accepted = tick.lastPrice
    memory.trialTrades = 0
    return true
  }
}
