import MarketData
import Testing

@testable import Venues

/// Frames of SmartStream to ticks: fields, flags, and everything that is no tick.
@Suite struct AngelOneDecoderTests {
  /// Writes frames by the protocol description's offsets.
  private struct Frame {
    var bytes: [UInt8]

    init(mode: UInt8, exchange: UInt8 = 1, token: String = "2885", count: Int) {
      bytes = [UInt8](repeating: 0, count: count)
      guard count >= 27 else { return }
      bytes[0] = mode
      bytes[1] = exchange
      for (index, byte) in token.utf8.prefix(25).enumerated() { bytes[2 + index] = byte }
    }

    mutating func put(_ value: Int64, at offset: Int) {
      for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
  }

  private static let instrument = InstrumentID(rawValue: 3)

  private func decode(_ frame: Frame) throws -> (ticks: [Tick], statistics: SourceStatistics) {
    var decoder = AngelOneDecoder()
    decoder.insert(try AngelOneToken(venueToken: "1/2885"), Self.instrument)
    decoder.insert(try AngelOneToken(venueToken: "13/2885"), InstrumentID(rawValue: 4))
    decoder.insert(try AngelOneToken(venueToken: "1/99926000"), InstrumentID(rawValue: 5))
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    decoder.decode(
      frame.bytes.span.bytes, receiveTime: Timestamp(seconds: 7), into: &ticks, statistics: &statistics)
    return (ticks, statistics)
  }

  private func snapQuote(exchange: UInt8 = 1, token: String = "2885") -> Frame {
    var frame = Frame(mode: 3, exchange: exchange, token: token, count: 379)
    frame.put(1_700_000_000_123, at: 35)
    frame.put(250_005, at: 43)
    frame.put(12, at: 51)
    frame.put(5_000_000_000, at: 67)
    frame.put(1_699_999_999, at: 123)
    frame.put(77, at: 131)
    return frame
  }

  @Test func aSnapQuoteFillsEveryFieldOfTheTick() throws {
    let tick = try #require(try decode(snapQuote()).ticks.first)
    #expect(tick.instrument == Self.instrument)
    #expect(tick.receiveTime == Timestamp(seconds: 7))
    #expect(tick.exchangeTime.nanoseconds == 1_700_000_000_123_000_000)
    #expect(tick.lastPrice == Price(decimal: "2500.05"))
    #expect(tick.dayVolume == 5_000_000_000)
    #expect(tick.lastQuantity == 12)
    #expect(tick.lastTradeSeconds == 1_699_999_999)
    #expect(tick.openInterest == 77)
    #expect(tick.flags == [])
  }

  @Test func currenciesAreScaledByTenMillion() throws {
    let tick = try #require(try decode(snapQuote(exchange: 13)).ticks.first)
    #expect(tick.instrument.rawValue == 4)
    #expect(tick.lastPrice == Price(decimal: "0.0250005"))
  }

  @Test func indicesAndLastPricesHaveNoVolume() throws {
    let index = try #require(try decode(snapQuote(token: "99926000")).ticks.first)
    #expect(index.flags == .withoutVolume)
    let last = try #require(try decode(Frame(mode: 1, count: 51)).ticks.first)
    #expect(last.flags == [.withoutVolume, .noExchangeTime])
  }

  @Test func quantitiesBeyondTheirFieldAreClampedNotWrapped() throws {
    var frame = snapQuote()
    frame.put(.max, at: 51)
    frame.put(-1, at: 131)
    frame.put(-1, at: 123)
    let tick = try #require(try decode(frame).ticks.first)
    #expect(tick.lastQuantity == .max)
    #expect(tick.openInterest == 0)
    #expect(tick.lastTradeSeconds == 0)
  }

  @Test func whatIsNoTickIsCounted() throws {
    #expect(try decode(Frame(mode: 9, count: 60)).statistics.badFrames == 1)
    #expect(try decode(Frame(mode: 3, count: 378)).statistics.badFrames == 1)
    #expect(try decode(Frame(mode: 1, count: 0)).statistics.badFrames == 1)
    for token in ["41", "", "12A", "99999999999999999"] {
      #expect(try decode(snapQuote(token: token)).statistics.unknownInstruments == 1, "\(token)")
    }
    var unpriced = snapQuote()
    unpriced.put(.max, at: 43)
    let answer = try decode(unpriced)
    #expect(answer.statistics.badFrames == 1 && answer.ticks.isEmpty)
    // Depth is known and has no price.
    let depth = try decode(Frame(mode: 4, count: 443))
    #expect(depth.ticks.isEmpty && depth.statistics == SourceStatistics())
  }

  @Test func aHoleInTheNumberingIsFlaggedAndCounted() throws {
    var decoder = AngelOneDecoder()
    decoder.insert(try AngelOneToken(venueToken: "1/2885"), Self.instrument)
    var ticks: [Tick] = []
    var statistics = SourceStatistics()
    for number: Int64 in [7, 8, 9, 10, 11, 14] {
      var frame = snapQuote()
      frame.put(number, at: 27)
      decoder.decode(frame.bytes.span.bytes, receiveTime: .unknown, into: &ticks, statistics: &statistics)
    }
    #expect(ticks.map(\.flags) == Array(repeating: [], count: 5) + [.missedBefore])
    #expect(statistics.sequenceHoles == 1 && statistics.missedMessages == 2)
  }

  @Test func everyLengthOfEveryModeIsAccepted() throws {
    for mode in UInt8(0)...6 {
      for count in 0...460 {
        var frame = Frame(mode: mode, count: max(27, count))
        frame.bytes = Array(frame.bytes.prefix(count))
        let (ticks, statistics) = try decode(frame)
        #expect(ticks.count + Int(statistics.badFrames) <= 1)
      }
    }
  }

  @Test func venueTokensAreChecked() throws {
    for text in ["2885", "1/", "/2885", "16/1", "1/268435456", "1/2885/3", "1/x"] {
      #expect(throws: Fault.self, "\(text)") { try AngelOneToken(venueToken: text) }
    }
  }

  @Test func errorTextsOfTheVenueAreTold() {
    let text = #"{"correlationID":"a","errorCode":"E1002","errorMessage":"limit"}"#
    #expect(AngelOneMessage.describe(Array(text.utf8)).errors == ["the venue says: E1002: limit"])
  }
}
