import MarketData
import Testing

@testable import Venues

/// What becomes of each layout, and of bytes that are no layout at all.
@Suite struct KiteDecoderTests {
  private static let receiveTime = Timestamp(seconds: 1_700_000_100)
  private static let time = 1_700_000_000

  private func decode(_ message: [UInt8], tokens: [UInt32: UInt32]) -> ([Tick], SourceStatistics) {
    var decoder = KiteDecoder()
    for (token, id) in tokens { decoder.tokens.insert(token, InstrumentID(rawValue: id)) }
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    decoder.decode(
      message.span.bytes, receiveTime: Self.receiveTime, into: &ticks, statistics: &statistics)
    return (ticks, statistics)
  }

  @Test func aFullPacketFillsEveryFieldOfTheTick() {
    let message = KiteBytes.message([
      KiteBytes.full(256_265 * 256 + 1, price: 170_455, volume: 3_000_000_000, time: Self.time)
    ])
    let (ticks, statistics) = decode(message, tokens: [256_265 * 256 + 1: 5])
    #expect(
      ticks == [
        Tick(
          instrument: InstrumentID(rawValue: 5), sequence: 0, receiveTime: Self.receiveTime,
          exchangeTime: Timestamp(seconds: Int64(Self.time)), lastPrice: Price(units: 1_704_550_000_000),
          dayVolume: 3_000_000_000, lastTradeSeconds: UInt32(Self.time) - 1, lastQuantity: 7,
          openInterest: 900)
      ])
    #expect(statistics.ticks == 1)
    #expect(statistics.badFrames == 0)
  }

  @Test func layoutsWithoutTimeOrVolumeSayWhatTheyLack() {
    let token = 7 << 8 | 1
    let index = 7 << 8 | 9
    let message = KiteBytes.message([
      KiteBytes.ltp(token, price: 100), KiteBytes.quote(token, price: 101, volume: 55),
      KiteBytes.index(index, price: 102, time: nil), KiteBytes.index(index, price: 103, time: Self.time),
      KiteBytes.full(token, price: 104, volume: 56, time: 0),
    ])
    let (ticks, _) = decode(message, tokens: [UInt32(token): 1, UInt32(index): 2])
    #expect(ticks.map(\.lastPrice.description) == ["1", "1.01", "1.02", "1.03", "1.04"])
    #expect(ticks.map(\.dayVolume) == [0, 55, 0, 0, 56])
    #expect(
      ticks.map(\.flags) == [
        [.withoutVolume, .noExchangeTime], [.noExchangeTime], [.withoutVolume, .noExchangeTime],
        [.withoutVolume],
        [.noExchangeTime],
      ])
    #expect(ticks[3].exchangeTime == Timestamp(seconds: Int64(Self.time)))
  }

  @Test func rule8TheDaysPricesAreToldBeforeTheTickWithWhichTheyChanged() {
    let (token, index) = (7 << 8 | 1, 8 << 8 | 9)
    let quote = KiteBytes.quote(token, price: 1000, volume: 5)
    let message = KiteBytes.message([
      quote, quote, KiteBytes.full(token, price: 1001, volume: 6, time: Self.time),
      KiteBytes.index(index, price: 500, time: nil), KiteBytes.ltp(token, price: 1),
    ])
    var decoder = KiteDecoder(tellsDaySummaries: true)
    decoder.tokens.insert(UInt32(token), InstrumentID(rawValue: 3))
    decoder.tokens.insert(UInt32(index), InstrumentID(rawValue: 0))
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    decoder.decode(message.span.bytes, receiveTime: Self.receiveTime, into: &ticks, statistics: &statistics)
    #expect(
      ticks.map(\.kind) == [.daySummary, .trade, .trade, .daySummary, .trade, .daySummary, .trade, .trade])
    #expect(statistics.ticks == 5)
    func summary(_ open: Int64, _ high: Int64, _ low: Int64, _ close: Int64) -> DaySummary {
      func price(_ paise: Int64) -> Price { Price(units: paise * 10_000_000) }
      return DaySummary(open: price(open), high: price(high), low: price(low), previousClose: price(close))
    }
    #expect(DaySummary(ticks[0]) == summary(999, 1004, 996, 1001))
    #expect(DaySummary(ticks[3]) == summary(1000, 1005, 997, 1002))
    #expect(DaySummary(ticks[5]) == summary(499, 504, 496, 501))
    #expect(ticks[0].instrument.rawValue == 3 && ticks[0].receiveTime == Self.receiveTime)
  }

  @Test func anIndexInATradableLayoutHasNoVolumeEither() {
    let (ticks, _) = decode(
      KiteBytes.message([KiteBytes.full(9, price: 100, volume: 0, time: Self.time)]), tokens: [9: 0])
    #expect(ticks.map(\.flags) == [.withoutVolume])
  }

  @Test(
    arguments: [
      (1, "1234567.89"), (2, "1234567.89"), (3, "12.3456789"), (4, "1234567.89"), (5, "1234567.89"),
      (6, "12345.6789"), (7, "1234567.89"), (8, "1234567.89"), (9, "1234567.89"), (12, "12345.6789"),
      (0, "1234567.89"), (255, "1234567.89"),
    ])
  func theSegmentChoosesTheDivisor(segment: Int, price: String) {
    let token = 77 << 8 | segment
    let (ticks, _) = decode(
      KiteBytes.message([KiteBytes.ltp(token, price: 123_456_789)]), tokens: [UInt32(token): 0])
    #expect(ticks.map(\.lastPrice.description) == [price])
  }

  @Test(arguments: [(-3763, "-37.63"), (Int(Int32.min), "-21474836.48"), (Int(Int32.max), "21474836.47")])
  func pricesAreSigned(wire: Int, price: String) {
    let (ticks, _) = decode(KiteBytes.message([KiteBytes.ltp(7, price: wire)]), tokens: [7: 0])
    #expect(ticks.map(\.lastPrice.description) == [price])
  }

  @Test func packetsOfUnknownLengthAreCountedAndTheRestIsRead() {
    let message = KiteBytes.message([
      KiteBytes.words([7, 0, 0]), KiteBytes.ltp(7, price: 1), [], KiteBytes.ltp(7, price: 2),
    ])
    let (ticks, statistics) = decode(message, tokens: [7: 0])
    #expect(ticks.count == 2)
    #expect(statistics.badFrames == 2)
    #expect(statistics.lastBadFrame.contains("packet 3 of 4"))
  }

  @Test func tokensThatNobodyAskedForAreCounted() {
    let message = KiteBytes.message([KiteBytes.ltp(7, price: 1), KiteBytes.ltp(8, price: 1)])
    let (ticks, statistics) = decode(message, tokens: [8: 0])
    #expect(ticks.count == 1)
    #expect(statistics.unknownInstruments == 1)
  }

  @Test func bytesBehindTheLastPacketAreIgnored() {
    let (ticks, statistics) = decode(
      KiteBytes.message([KiteBytes.ltp(7, price: 1)]) + [0xDE, 0xAD], tokens: [7: 0])
    #expect(ticks.count == 1)
    #expect(statistics.badFrames == 0)
  }

  @Test func aMessageOfOneByteIsAHeartbeat() {
    let (ticks, statistics) = decode([0], tokens: [:])
    #expect(ticks.isEmpty)
    #expect(statistics.heartbeats == 1)
    #expect(statistics.badFrames == 0)
  }

  @Test func aMessageCutAtAnyByteKeepsThePacketsBeforeTheCut() {
    let packets = [
      KiteBytes.full(7, price: 1, volume: 1, time: Self.time), KiteBytes.ltp(7, price: 2),
      KiteBytes.index(9, price: 3, time: Self.time), KiteBytes.quote(7, price: 4, volume: 2),
    ]
    let message = KiteBytes.message(packets)
    var wholeEnd = 2
    let ends = packets.map { packet in
      wholeEnd += 2 + packet.count
      return wholeEnd
    }
    for count in 2..<message.count {
      let (ticks, statistics) = decode(Array(message[..<count]), tokens: [7: 0, 9: 1])
      #expect(ticks.count == ends.filter { $0 <= count }.count)
      #expect(statistics.badFrames == 1, "cut at byte \(count)")
      #expect(statistics.lastBadFrame.contains("packet \(ticks.count + 1) of 4"))
    }
  }

  @Test func noBytesAtAllMakeItTrap() {
    var generator = SeededGenerator(seed: 20_261_123)
    var disagreements = 0
    for round in 0..<6000 {
      var message = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
        UInt8.random(in: .min ... .max, using: &generator)
      }
      // Small counts and real lengths get past the first checks.
      if round % 2 == 0, message.count > 3 {
        message[0] = 0
        message[1] &= 7
        message[2] = 0
        message[3] = [8, 28, 32, 44, 184].randomElement(using: &generator) ?? 8
      }
      let (ticks, statistics) = decode(message, tokens: [0: 0])
      let description = KiteMessage.describe(message)
      if statistics.ticks != UInt64(ticks.count) || statistics.badFrames != UInt64(description.errors.count) {
        disagreements += 1
      }
    }
    #expect(disagreements == 0)
  }
}
