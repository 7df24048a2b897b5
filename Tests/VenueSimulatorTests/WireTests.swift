import MarketData
import Testing
import VenueSimulator

/// Frames as hand-computed bytes, from the field tables of the protocol note.
@Suite struct WireTests {
  private static let share: UInt32 = 2885 << 8 | 1  // 0x000B4501
  private static let index: UInt32 = 1001 << 8 | 9  // 0x0003E909

  private static let quoteBytes: [UInt8] = [
    0x00, 0x0B, 0x45, 0x01, 0x00, 0x03, 0xD0, 0xF9, 0x00, 0x00, 0x00, 0x07, 0x00, 0x03, 0xD0, 0x91,
    0xB2, 0xD0, 0x5E, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x00, 0x03, 0xD0, 0x90,
    0x00, 0x03, 0xD1, 0x58, 0x00, 0x03, 0xD0, 0x2C, 0x00, 0x03, 0xCE, 0x9C,
  ]
  private static let fullTail: [UInt8] = [
    0x60, 0xE2, 0x94, 0x7F, 0x00, 0x00, 0x00, 0x0B, 0x00, 0x00, 0x00, 0x0C, 0x00, 0x00, 0x00, 0x0A,
    0x60, 0xE2, 0x94, 0x80,
    0, 0, 0, 1, 0x00, 0x03, 0xD0, 0xF4, 1, 1, 0, 0, 0, 0, 0, 2, 0x00, 0x03, 0xD0, 0xEF, 1, 2, 0, 0,
    0, 0, 0, 3, 0x00, 0x03, 0xD0, 0xEA, 1, 3, 0, 0, 0, 0, 0, 4, 0x00, 0x03, 0xD0, 0xE5, 1, 4, 0, 0,
    0, 0, 0, 5, 0x00, 0x03, 0xD0, 0xE0, 1, 5, 0, 0,
    0, 0, 0, 16, 0x00, 0x03, 0xD0, 0xFE, 2, 1, 0, 0, 0, 0, 0, 17, 0x00, 0x03, 0xD1, 0x03, 2, 2, 0, 0,
    0, 0, 0, 18, 0x00, 0x03, 0xD1, 0x08, 2, 3, 0, 0, 0, 0, 0, 19, 0x00, 0x03, 0xD1, 0x0D, 2, 4, 0, 0,
    0, 0, 0, 20, 0x00, 0x03, 0xD1, 0x12, 2, 5, 0, 0,
  ]
  private static let indexFullBytes: [UInt8] = [
    0x00, 0x03, 0xE9, 0x09, 0x00, 0x1E, 0x84, 0x5C, 0x00, 0x1E, 0x84, 0xE4, 0x00, 0x1E, 0x84, 0x1C,
    0x00, 0x1E, 0x84, 0xB2, 0x00, 0x1E, 0x84, 0x80, 0xFF, 0xFF, 0xFF, 0xDC, 0x60, 0xE2, 0x94, 0x80,
  ]

  /// A venue whose market does not begin to move during the test.
  private func withStillVenue(_ body: @escaping @Sendable (TickerClient) throws -> Void) async throws {
    try await withVenue(ScriptedMarket(), { $0.leadMilliseconds = 3_600_000 }) { _, port in
      try body(try TickerClient(tickerAt: port))
    }
  }

  @Test func subscribingSendsOneFrameWithTheQuotePacketsOfAllInstruments() async throws {
    try await withStillVenue { client in
      client.subscribe([Self.share, Self.index])
      let message = try client.receive()
      #expect(
        message
          == .binary([0, 2, 0, 44] + Self.quoteBytes + [0, 28] + Self.indexFullBytes.prefix(28)))
    }
  }

  @Test func fullModeSendsTheWholePackets() async throws {
    try await withStillVenue { client in
      client.subscribe([Self.share, Self.index])
      _ = try client.receive()
      client.setMode("full", [Self.share, Self.index])
      let message = try client.receive()
      #expect(Self.quoteBytes.count + Self.fullTail.count == 184)
      #expect(
        message
          == .binary(
            [0, 2, 0, 184] + Self.quoteBytes + Self.fullTail + [0, 32] + Self.indexFullBytes))
    }
  }

  @Test func ltpModeSendsTokenAndPriceOnly() async throws {
    try await withStillVenue { client in
      client.subscribe([Self.share])
      _ = try client.receive()
      client.setMode("ltp", [Self.share])
      let message = try client.receive()
      #expect(message == .binary([0, 1, 0, 8] + Self.quoteBytes.prefix(8)))
    }
  }

  @Test func aNegativePriceIsSentAsTwosComplement() async throws {
    try await withVenue(ScriptedMarket()) { _, port in
      let client = try TickerClient(tickerAt: port)
      client.subscribe([Self.share])
      let packets = try client.receivePackets(atLeast: 2)
      #expect(packets[1][4..<8] == [0xFF, 0xFF, 0xFF, 0xFB])
    }
  }
}
