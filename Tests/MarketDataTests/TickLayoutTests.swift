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

  @Test(
    arguments: [
      (\Tick.stamp as PartialKeyPath<Tick>, 0), (\Tick.instrument, 4), (\Tick.sequence, 8),
      (\Tick.receiveTime, 16), (\Tick.exchangeTime, 24), (\Tick.lastPrice, 32), (\Tick.dayVolume, 40),
      (\Tick.lastTradeSeconds, 48), (\Tick.lastQuantity, 52), (\Tick.openInterest, 56), (\Tick.flags, 60),
      (\Tick.kind, 62), (\Tick.reserved, 63),
    ] as [(PartialKeyPath<Tick>, Int)])
  func fieldsLieWhereTheHeaderSays(field: PartialKeyPath<Tick>, offset: Int) {
    #expect(MemoryLayout<Tick>.offset(of: field) == offset)
  }
}
