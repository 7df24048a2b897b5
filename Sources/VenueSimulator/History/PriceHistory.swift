import Glibc
public import MarketData

/// One minute of an instrument in wire units.
public struct MinuteCandle: Sendable, Hashable {
  /// Minutes since 1970 UTC.
  public var minute: Int32
  /// First price.
  public var open: Int32
  /// Highest price.
  public var high: Int32
  /// Lowest price.
  public var low: Int32
  /// Last price.
  public var close: Int32
  /// Quantity traded.
  public var volume: UInt32
  /// Open interest at the end; 0 for what is no derivative.
  public var openInterest: UInt32
}

/// The minutes before a simulation began, made up: any of them on its own, always the same for the same seed.
///
/// The price follows a sum of noises of growing period, each a line through hashed lattice values, so a minute
/// costs the same wherever it lies. The path is shifted to run into the instrument's opening price at the start.
public struct PriceHistory: Sendable {
  /// The minutes in which the market trades.
  public let minutes: TradingMinutes
  /// The first instant that this history does not cover any more: the start of the simulation's first minute.
  public let end: Timestamp

  private let seed: UInt64
  private let endOrdinal: Int

  /// Relative price change of the shortest noise; each next one has four times the period and, as in a random
  /// walk, twice the amplitude.
  private static let shortestAmplitude = 0.0004
  private static let noises = 9
  /// Seconds in a minute.
  static let secondsPerMinute: Int64 = 60

  /// Makes the history before the minute in which `start` lies.
  public init(seed: UInt64, minutes: TradingMinutes, start: Timestamp) {
    self.seed = seed
    self.minutes = minutes
    end = Timestamp(seconds: start.seconds - start.seconds % Self.secondsPerMinute)
    endOrdinal = minutes.ordinal(atOrAfter: end)
  }

  /// The closing price of the last session that ended before the simulation's first day, in wire units.
  public func previousClose(of instrument: SimulatedInstrument) -> Int32 {
    price(of: instrument, at: minutes.firstOrdinal(ofDay: CivilTime(end).dayNumber))
  }

  /// The last second of the session before the simulation's first day.
  public var previousSessionEnd: Timestamp {
    var day = CivilTime(end).dayNumber - 1
    while !minutes.isOpen(onDay: day) { day -= 1 }
    let endMinute = minutes.firstMinuteOfDay + minutes.minutesPerSession
    let seconds = Int64(day) * 86_400 + Int64(endMinute) * Self.secondsPerMinute - 1
    return Timestamp(seconds: seconds - Int64(CivilTime.indiaOffsetSeconds))
  }

  /// The candle of the trading minute `minuteOfSession` (from 0) of an open day.
  func candle(of instrument: SimulatedInstrument, day: Int, minuteOfSession: Int) -> MinuteCandle {
    let ordinal = minutes.firstOrdinal(ofDay: day) + minuteOfSession
    let open = price(of: instrument, at: ordinal)
    let close = price(of: instrument, at: ordinal + 1)
    let draw = SeededGenerator.hash(seed, UInt64(instrument.token), UInt64(ordinal), 0xCA)
    let reachMax = max(1, Int64(Double(open) * Self.shortestAmplitude) / Int64(instrument.priceTick))
    let above = Int64(draw & 0xFFFF) % (reachMax + 1) * Int64(instrument.priceTick)
    let below = Int64(draw >> 16 & 0xFFFF) % (reachMax + 1) * Int64(instrument.priceTick)
    let isTraded = instrument.segment.isTradable
    return MinuteCandle(
      minute: Int32(clamping: minuteNumber(day: day, minuteOfSession: minuteOfSession)), open: open,
      high: Int32(clamping: Int64(max(open, close)) + above),
      low: max(min(open, close) - Int32(clamping: below), min(open, close, instrument.priceTick)),
      close: close,
      volume: isTraded ? UInt32(1 + (draw >> 32 & 0xFFF)) &* instrument.lotSize : 0,
      openInterest: instrument.segment.isDerivative
        ? UInt32(100_000 + Int(50_000 * path(of: instrument, at: ordinal))) &* instrument.lotSize : 0)
  }

  /// Minutes since 1970 UTC of a session's minute.
  func minuteNumber(day: Int, minuteOfSession: Int) -> Int {
    day * 1440 + minutes.firstMinuteOfDay + minuteOfSession - CivilTime.indiaOffsetSeconds / 60
  }

  /// The price at a minute's start: the opening price at the end of history, a whole number of price steps away
  /// from it before.
  private func price(of instrument: SimulatedInstrument, at ordinal: Int) -> Int32 {
    let change = path(of: instrument, at: ordinal) - path(of: instrument, at: endOrdinal)
    let tick = Double(instrument.priceTick)
    let steps = (Double(instrument.openingPrice) * expm1(change) / tick).rounded()
    let moved = Double(instrument.openingPrice) + steps * tick
    return Int32(clamping: Int64(max(moved, min(Double(instrument.openingPrice), tick))))
  }

  /// The sum of the noises at a minute: the logarithm of a price, up to a constant.
  private func path(of instrument: SimulatedInstrument, at ordinal: Int) -> Double {
    var sum = 0.0
    var amplitude = Self.shortestAmplitude
    var period = 1
    for noise in 0..<Self.noises {
      let key = SeededGenerator.hash(seed, UInt64(instrument.token) << 8 | UInt64(noise))
      let node = ordinal / period
      let share = Double(ordinal % period) / Double(period)
      let left = SeededGenerator.unit(SeededGenerator.mixed(key &+ UInt64(node)))
      let right = SeededGenerator.unit(SeededGenerator.mixed(key &+ UInt64(node + 1)))
      sum += amplitude * (2 * (left + (right - left) * share) - 1)
      amplitude *= 2
      period *= 4
    }
    return sum
  }
}
