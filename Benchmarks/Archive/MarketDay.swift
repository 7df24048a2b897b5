internal import Foundation
internal import MarketData

/// A seeded day like one at the NSE, tick by tick in the order in which a broker's websocket would bring it.
///
/// Activity of the instruments follows Zipf's law; that of the day is U-shaped, with noise from minute to minute and
/// from second to second; one message carries several ticks, stamped some nanoseconds apart as they are parsed. Prices
/// walk in steps of 0.05 and bounce between bid and ask; half of the instruments trade in lots; a snapshot stands for one
/// trade or several; one in ten repeats a trade that is known already. The venue tells whole seconds.
struct MarketDay {
  static let instrumentCount = 2000
  /// 2026-01-15 09:15 at UTC+05:30.
  static let open = Timestamp(seconds: 1_768_448_700)
  private static let sessionSeconds = 375 * 60
  private static let packetTicks = 4.0
  private static let zipfExponent = 0.9
  private static let priceTick: Int64 = 50_000_000
  private static let lots: [Int64] = [15, 25, 35, 50, 65, 75, 125, 250, 400, 550, 700, 1250, 2600]
  private static let roundQuantities: [Int64] = [1, 5, 10, 20, 25, 50, 100, 200, 500, 1000]

  private var random: RandomNumbers
  private let packetsBySecond: [Int]
  private let activity: [Double]
  private var states: [InstrumentState] = []
  private var second = 0
  private var arrivals: [Int64] = []
  private var nextArrival = 0
  private var leftInPacket = 0
  private var time = MarketDay.open.nanoseconds
  private var sequence: UInt64 = 0

  /// The instrument with the most ticks.
  let busiest: InstrumentID

  /// Makes a day of about so many ticks; the same ones for the same seed.
  init(ticks: Int, seed: UInt64) {
    var random = RandomNumbers(seed: seed)
    packetsBySecond = Self.packets(Int(Double(ticks) / Self.packetTicks * 1.02) + 1, &random)
    var weights = (1...Self.instrumentCount).map { pow(Double($0), -Self.zipfExponent) }
    weights.shuffle(using: &random.generator)
    let sum = weights.reduce(0, +)
    var total = 0.0
    activity = weights.map { weight in
      total += weight / sum
      return total
    }
    busiest = InstrumentID(
      rawValue: UInt32(weights.indices.max { weights[$0] < weights[$1] } ?? 0))
    for _ in 0..<Self.instrumentCount { states.append(InstrumentState(&random)) }
    self.random = random
  }

  /// What the archive is told of the instruments.
  static func instruments() throws(Fault) -> [Instrument] {
    var instruments: [Instrument] = []
    for number in 0..<instrumentCount {
      instruments.append(
        Instrument(
          id: InstrumentID(rawValue: UInt32(number)), symbol: try Symbol("NSE:S\(number)"),
          venueToken: "\(256 * number + 1)", priceTick: Price(units: priceTick), lotSize: 1))
    }
    return instruments
  }

  /// The next tick; a day that is over goes on after the close.
  mutating func next() -> Tick {
    if leftInPacket == 0 {
      time = max(time + 1, arrival())
      leftInPacket = random.geometric(mean: Self.packetTicks)
    } else {
      time += Int64(random.below(47)) + 28
      if random.chance(0.01) { time += Int64(random.below(3800)) + 200 }
    }
    leftInPacket -= 1
    sequence += 1
    let draw = random.uniform()
    let number = min(
      PartitionPoint.first(of: activity.count) { activity[$0] > draw }, Self.instrumentCount - 1)
    return states[number].tick(UInt32(number), sequence, Timestamp(nanoseconds: time), &random)
  }

  /// The instant at which the next packet comes.
  private mutating func arrival() -> Int64 {
    while nextArrival == arrivals.count {
      let start = Self.open.nanoseconds + Int64(second) * 1_000_000_000
      arrivals = (0..<packetsBySecond[min(second, packetsBySecond.count - 1)]).map { _ in
        // Half of a second's packets come in its first part, as venues send what they gathered.
        let part = random.uniform()
        return start + Int64((random.chance(0.5) ? part * 0.4 : part) * 1e9)
      }
      arrivals.sort()
      nextArrival = 0
      second += 1
    }
    nextArrival += 1
    return arrivals[nextArrival - 1]
  }

  /// How many packets come in each second of the session.
  private static func packets(_ count: Int, _ random: inout RandomNumbers) -> [Int] {
    var minute = 1.0
    let intensity = (0..<sessionSeconds).map { second in
      if second % 60 == 0 { minute = exp(0.25 * random.normal()) }
      let part = Double(second) / Double(sessionSeconds - 1)
      let shape =
        0.55 + 2.2 * exp(-part / 0.05) + 1.3 * exp(-(1 - part) / 0.07)
        + 0.25 * (2 * part - 1) * (2 * part - 1)
      return shape * minute * exp(0.35 * random.normal())
    }
    let sum = intensity.reduce(0, +)
    var total = 0.0
    var given = 0
    return intensity.map { value in
      total += value
      let packets = Int(total / sum * Double(count)) - given
      given += packets
      return packets
    }
  }

  /// One instrument's trading.
  private struct InstrumentState {
    private let lot: Int64
    private let spread: Int64
    /// All prices in steps of 0.05.
    private var middle: Int64
    private var price: Int64
    private var isBuying = false
    private var quantity: Int64 = 1
    private var volume: Int64 = 0
    private var tradeSeconds: Int64 = 0

    init(_ random: inout RandomNumbers) {
      let isDerivative = random.chance(0.5)
      lot = isDerivative ? MarketDay.lots[random.below(MarketDay.lots.count)] : 1
      let logarithm = isDerivative ? 8.5 + 1.4 * random.normal() : 10.6 + random.normal()
      middle = max(40, Int64(exp(logarithm) / 5))
      spread = max(1, Int64(Double(middle) * exp(-8.3 + 0.7 * random.normal())))
      price = middle
    }

    mutating func tick(
      _ number: UInt32, _ sequence: UInt64, _ time: Timestamp, _ random: inout RandomNumbers
    ) -> Tick {
      let isFirst = tradeSeconds == 0
      if isFirst || !random.chance(0.1) { trade(time, &random) }
      return Tick(
        instrument: InstrumentID(rawValue: number), sequence: sequence, receiveTime: time,
        exchangeTime: Timestamp(seconds: tradeSeconds), lastPrice: Price(units: price * MarketDay.priceTick),
        dayVolume: volume, lastTradeSeconds: UInt32(tradeSeconds), lastQuantity: UInt32(quantity),
        openInterest: 0, flags: isFirst ? .auction : [])
    }

    private mutating func trade(_ time: Timestamp, _ random: inout RandomNumbers) {
      if random.chance(0.28) {
        middle += Int64((random.laplace() * max(0.6, Double(spread) * 0.45)).rounded())
      }
      if random.chance(0.35) { isBuying.toggle() }
      price = max(1, middle + (isBuying ? (spread + 1) / 2 : -(spread / 2)))
      quantity =
        random.chance(0.25)
        ? MarketDay.roundQuantities[random.below(MarketDay.roundQuantities.count)]
        : max(1, Int64(exp(2.4 + 1.5 * random.normal())))
      if lot > 1 { quantity = min(max(quantity / 12, 1), 40) * lot }
      volume += quantity
      if random.chance(0.35) {
        let each = max(1, Int64(Double(quantity) * exp(0.6 * random.normal()) / Double(lot))) * lot
        volume += Int64(random.geometric(mean: 1 / 0.3)) * each
      }
      let late = random.chance(0.05) ? random.uniform() * 1.5 : 0
      let delay = 0.02 + 0.15 * random.uniform() + late
      tradeSeconds = max(tradeSeconds, (time.nanoseconds - Int64(delay * 1e9)) / 1_000_000_000)
    }
  }
}

/// Draws from the distributions that a day needs.
struct RandomNumbers {
  var generator: SplitMix
  private var spareNormal: Double?

  init(seed: UInt64) { generator = SplitMix(state: seed) }

  /// At least 0 and below 1.
  mutating func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

  mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

  mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

  /// Of mean 0 and deviation 1, two at a time (Box and Muller 1958).
  mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let radius = (-2 * log(1 - uniform())).squareRoot()
    let angle = 2 * Double.pi * uniform()
    spareNormal = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Of mean 0 and scale 1.
  mutating func laplace() -> Double {
    let draw = uniform() - 0.5
    return (draw < 0 ? 1 : -1) * log(max(1 - 2 * abs(draw), 0x1p-53))
  }

  /// A number of trials from 1 on.
  mutating func geometric(mean: Double) -> Int { 1 + Int(log(1 - uniform()) / log(1 - 1 / mean)) }
}

/// Bisection.
enum PartitionPoint {
  /// The first index below `count` for which the condition holds, which holds for all after it; else `count`.
  static func first(of count: Int, where holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
