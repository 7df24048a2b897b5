import MarketData
import Testing

@testable import Venues

/// What `tickring decode kite` shows.
@Suite struct KiteMessageTests {
  @Test func aQuoteShowsExactDecimalsUnderTheVendorsNames() {
    let hex = KiteBytes.hex(KiteBytes.message([KiteBytes.quote(769, price: -5, volume: 4_000_000_000)]))
    let description = KiteMessage.describe(hex: hex)
    #expect(
      description.lines == [
        """
        {"tradable":true,"mode":"quote","instrument_token":769,"last_price":-0.05,"last_traded_quantity":7,\
        "average_traded_price":-0.02,"volume_traded":4000000000,"total_buy_quantity":400,\
        "total_sell_quantity":500,"ohlc":{"open":-0.06,"high":-0.01,"low":-0.09,"close":-0.04}}
        """
      ])
    #expect(description.errors.isEmpty)
  }

  @Test func anIndexReadsHighLowOpenClose() {
    let hex = KiteBytes.hex(KiteBytes.message([KiteBytes.index(265, price: 1000, time: 1_625_461_887)]))
    #expect(
      KiteMessage.describe(hex: hex).lines == [
        """
        {"tradable":false,"mode":"full","instrument_token":265,"last_price":10,\
        "ohlc":{"open":9.99,"high":10.04,"low":9.96,"close":10.01},"exchange_timestamp":1625461887}
        """
      ])
  }

  @Test func afterAFaultItGoesOn() {
    let message = KiteBytes.message([KiteBytes.words([1, 2, 3]), KiteBytes.ltp(769, price: 250)])
    let description = KiteMessage.describe(message)
    #expect(
      description.errors == [
        "packet 1 of 2 at byte 4 has 12 bytes, which is no known layout (8, 28, 32, 44 or 184)"
      ])
    #expect(
      description.lines == [
        "{\"tradable\":true,\"mode\":\"ltp\",\"instrument_token\":769,\"last_price\":2.5}"
      ])
  }

  @Test func aShortMessageSaysWhereItBreaks() {
    #expect(
      KiteMessage.describe(hex: "0002 0008 00000301").errors == [
        "packet 1 of 2 at byte 2 declares 8 bytes, but 4 of the message's 8 bytes are left"
      ])
    #expect(
      KiteMessage.describe(hex: "000100").errors == [
        "packet 1 of 1 at byte 2 should begin with a 2-byte length, but 1 of the message's 3 bytes are left"
      ])
  }

  @Test(
    arguments: [
      ("00 0x", "'x' at column 5 is not a hexadecimal digit"),
      ("00é", "byte 195 at column 3 is not a hexadecimal digit"),
      ("00000", "the line ends in half a byte: 5 hexadecimal digits, where pairs are needed"),
      ("hello", "'h' at column 1 is not a hexadecimal digit"),
    ])
  func aLineThatIsNotHexIsAFault(line: String, error: String) {
    #expect(KiteMessage.describe(hex: line) == .init(lines: [], errors: [error]))
  }

  @Test(arguments: ["", "00", "0000", " \t0 0\r\n"])
  func heartbeatsAndEmptyMessagesHoldNothing(line: String) {
    #expect(KiteMessage.describe(hex: line) == .init())
  }
}
