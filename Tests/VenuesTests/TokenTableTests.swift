import MarketData
import Testing

@testable import Venues

@Suite struct TokenTableTests {
  @Test func itFindsWhatADictionaryFinds() {
    var generator = SeededGenerator(seed: 7)
    var table = TokenTable()
    var dictionary: [UInt32: InstrumentID] = [:]
    for number in 0..<20_000 {
      // Half of the tokens are dense, as a venue's are; the rest lie anywhere.
      let token =
        number % 2 == 0
        ? UInt32(number) << 8 | 1 : UInt32.random(in: .min ... .max, using: &generator)
      let instrument = InstrumentID(rawValue: UInt32(number))
      table.insert(token, instrument)
      dictionary[token] = instrument
    }
    #expect(table.count == dictionary.count)
    for (token, instrument) in dictionary { #expect(table.instrument(ofToken: token) == instrument) }
    for _ in 0..<20_000 {
      let token = UInt32.random(in: .min ... .max, using: &generator)
      #expect(table.instrument(ofToken: token) == dictionary[token])
    }
  }

  @Test func tokensZeroAndAllOnesAreTokensLikeAnyOther() {
    var table = TokenTable()
    #expect(table.instrument(ofToken: 0) == nil)
    #expect(table.instrument(ofToken: .max) == nil)
    table.insert(0, InstrumentID(rawValue: 3))
    table.insert(.max, InstrumentID(rawValue: 4))
    #expect(table.instrument(ofToken: 0) == InstrumentID(rawValue: 3))
    #expect(table.instrument(ofToken: .max) == InstrumentID(rawValue: 4))
  }

  @Test func aSecondInstrumentReplacesTheFirst() {
    var table = TokenTable()
    table.insert(9, InstrumentID(rawValue: 1))
    table.insert(9, InstrumentID(rawValue: 2))
    #expect(table.count == 1)
    #expect(table.instrument(ofToken: 9) == InstrumentID(rawValue: 2))
  }
}
