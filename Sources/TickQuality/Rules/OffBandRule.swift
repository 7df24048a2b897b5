import MarketData

/// Flags a price that lies further from the last accepted price than a percentage of that price.
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
  static var flag: TickFlags { .offBand }

  /// Trades that must agree on a new level before it is accepted, the first one included.
  static let tradesToAccept: UInt8 = 3

  /// The greatest accepted distance in percent of the last accepted price; 0 turns the rule off.
  let percent: UInt64

  /// The accepted price and the one on trial.
  struct Memory: BitwiseCopyable {
    var accepted = Price.zero
    var onTrial = Price.zero
    var trialMark: Int64 = 0
    var trialTrades: UInt8 = 0
  }

  /// Makes the rule for a band of so many percent to either side; 0 turns it off.
  init(percent: Int) {
    self.percent = UInt64(percent)
  }

  @inline(__always)
  func isBroken(by tick: Tick, memory: inout Memory) -> Bool {
    guard percent != 0, tick.lastPrice.units > 0 else { return false }
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
