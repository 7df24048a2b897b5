import Glibc
import MarketData

/// Trials of the real LaneWriter and LaneReader between real processes: what kills, stops and vandals do to them.
///
/// Run by the end-to-end tests, by `make soak-ring` and, built with sanitizers, by `make check-sanitizers`.
@main
struct RingTrial {
  static let usage = """
    usage: ring-trial soak KILLS [--judge-times] [--seeded-bug loses|tears|doubles]
           ring-trial stall SECONDS [--judge-times]
           ring-trial siege SECONDS
           ring-trial truncation ROUNDS [--seeded-bug unguarded]
           ring-trial threads RECORDS [--seeded-bug overflows]

    """

  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    var seededBug: String?
    if let flag = arguments.firstIndex(of: "--seeded-bug"), flag + 1 < arguments.count {
      seededBug = arguments[flag + 1]
      arguments.removeSubrange(flag...(flag + 1))
    }
    let isJudged = arguments.contains("--judge-times")
    arguments.removeAll { $0 == "--judge-times" }
    do {
      switch (arguments.first, arguments.count) {
      case ("soak", 2):
        try KillSoak.run(kills: number(arguments[1]), seededBug: seededBug, isJudged: isJudged)
      case ("stall", 2): try StallTrial.run(seconds: number(arguments[1]), isJudged: isJudged)
      case ("siege", 2): try SiegeTrial.run(seconds: number(arguments[1]))
      case ("truncation", 2):
        try TruncationTrial.run(rounds: number(arguments[1]), isGuarded: seededBug == nil)
      case ("threads", 2): try ThreadTrial.run(records: number(arguments[1]), overflows: seededBug != nil)
      // The roles, as the trials start them.
      case ("soak-producer", 3): try SoakProducer.run(feed: arguments[1], ledger: arguments[2])
      case ("soak-consumer", 3): try SoakConsumer.run(feed: arguments[1], ledger: arguments[2])
      case ("count", 3): try CountingConsumer.run(feed: arguments[1], lane: arguments[2])
      case ("unguarded", 2): try TruncationTrial.runUnguarded(feed: arguments[1])
      case ("truncate", 2): try TruncationTrial.truncate(object: arguments[1])
      case ("vandal", 3): try Vandal.run(object: arguments[1], milliseconds: number(arguments[2]))
      default: throw Fault(.usage, usage)
      }
    } catch {
      let fault = error as? Fault ?? Fault(.software, "\(error)")
      print("ring-trial: \(fault.message)")
      exit(fault.kind.rawValue)
    }
  }

  private static func number(_ text: String) throws(Fault) -> Int {
    guard let number = Int(text), number > 0 else { throw Fault(.usage, "'\(text)' is no positive number") }
    return number
  }
}

/// Random numbers that a seed repeats.
struct Chance {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next(below bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }
}

extension Tick {
  /// A record all of whose bytes follow from two numbers, so that a mixture of two is told from either.
  static func trial(value: UInt64, start: UInt64) -> Tick {
    let mixed = (value &* 0x9e37_79b9_7f4a_7c15) ^ (start &* 0xc2b2_ae3d_27d4_eb4f)
    return Tick(
      instrument: InstrumentID(rawValue: UInt32(truncatingIfNeeded: mixed >> 48)), sequence: value,
      receiveTime: Timestamp(nanoseconds: Int64(bitPattern: start)),
      exchangeTime: Timestamp(nanoseconds: Int64(bitPattern: mixed)),
      lastPrice: Price(units: Int64(bitPattern: ~mixed)), dayVolume: Int64(bitPattern: mixed &* 3),
      lastTradeSeconds: UInt32(truncatingIfNeeded: mixed),
      lastQuantity: UInt32(truncatingIfNeeded: mixed >> 8),
      openInterest: UInt32(truncatingIfNeeded: mixed >> 16))
  }

  /// The number of the producer's start that wrote it.
  var trialStart: UInt64 { UInt64(bitPattern: receiveTime.nanoseconds) }

  /// True when every byte but stamp and gap mark is what ``trial(value:start:)`` gives.
  var isWhole: Bool {
    var expected = Tick.trial(value: sequence, start: trialStart)
    expected.stamp = stamp
    expected.flags = flags
    return expected == self && flags.subtracting(.gapBefore).isEmpty
  }
}
