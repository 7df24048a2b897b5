import MarketData

@testable import Venues

/// Messages of Kite's ticker: the decoder of the feed, and the one for people, which must see the same packets.
struct KiteFrames: FuzzTarget {
  static let name = "kite"
  private static let lengths = [8, 28, 32, 44, 184]
  private var decoder = KiteDecoder()
  private var ticks: [Tick] = []

  init() {
    for index in 0..<8 as Range<UInt32> {
      decoder.tokens.insert(index << 8 | 1, InstrumentID(rawValue: index))
    }
  }

  static func seeds() -> [[UInt8]] {
    let packets = lengths.map { length -> [UInt8] in
      [0, UInt8(length), 0, 0, 1, 1] + [UInt8](repeating: 7, count: length - 4)
    }
    return packets.map { [0, 1] + $0 } + [[0, UInt8(packets.count)] + packets.flatMap(\.self), [0]]
  }

  mutating func read(_ input: [UInt8]) {
    ticks.removeAll(keepingCapacity: true)
    var statistics = SourceStatistics()
    decoder.decode(
      input.span.bytes, receiveTime: Timestamp(seconds: 1), into: &ticks, statistics: &statistics)
    precondition(statistics.ticks == ticks.count)
    let description = KiteMessage.describe(input)
    precondition(description.lines.count == ticks.count + Int(statistics.unknownInstruments))
    precondition(description.errors.count == statistics.badFrames)
    for tick in ticks { seededBug(tick.lastPrice.units / 10_000_000) }
  }
}

/// Frames of Angel One's stream, through both of its decoders.
struct AngelOneFrames: FuzzTarget {
  static let name = "angelone"
  private var decoder = AngelOneDecoder()
  private var ticks: [Tick] = []

  init() {
    for number in 1...3 as ClosedRange<UInt32> {
      if let token = AngelOneToken(exchange: 1, number: number) {
        decoder.insert(token, InstrumentID(rawValue: number))
      }
    }
  }

  static func seeds() -> [[UInt8]] {
    [(1, 51), (2, 123), (3, 379), (4, 443)].map { mode, length in
      [mode, 1, UInt8(ascii: "2")] + [UInt8](repeating: 0, count: 24)
        + [UInt8](repeating: 1, count: length - 27)
    } + [Array("pong".utf8), Array("{\"errorCode\":\"E1001\",\"errorMessage\":\"x\"}".utf8)]
  }

  mutating func read(_ input: [UInt8]) {
    ticks.removeAll(keepingCapacity: true)
    var statistics = SourceStatistics()
    decoder.decode(
      input.span.bytes, receiveTime: Timestamp(seconds: 1), into: &ticks, statistics: &statistics)
    precondition(ticks.count + Int(statistics.badFrames + statistics.unknownInstruments) <= 1)
    let description = AngelOneMessage.describe(input)
    // What the feed takes, people can read.
    precondition(ticks.isEmpty || (description.lines.count == 1 && description.errors.isEmpty))
    for tick in ticks { seededBug(tick.dayVolume) }
  }
}
