import MarketData
import Testing

/// The tick's layout is a contract with other processes and languages, so every offset is pinned here and, for C,
/// by static assertions in the header.
@Suite struct TickLayoutTests {
  @Test func aTickIsOneCacheLine() {
    #expect(MemoryLayout<Tick>.size == 64)
    #expect(MemoryLayout<Tick>.stride == 64)
    #expect(MemoryLayout<Tick>.alignment == 8)
  }

  @Test func fieldsLieWhereTheHeaderSays() {
    let offsets: [(field: PartialKeyPath<Tick>, offset: Int)] = [
      (\.stamp, 0), (\.instrument, 4), (\.sequence, 8), (\.receiveTime, 16), (\.exchangeTime, 24),
      (\.lastPrice, 32), (\.dayVolume, 40), (\.lastTradeSeconds, 48), (\.lastQuantity, 52),
      (\.openInterest, 56), (\.flags, 60), (\.kind, 62), (\.reserved, 63),
    ]
    for (field, offset) in offsets { #expect(MemoryLayout<Tick>.offset(of: field) == offset, "\(field)") }
  }
}
