import CZlib
import Foundation
import MarketData
import Testing
import VenueSimulator

/// A file in a directory of its own, removed with the object.
private final class TemporaryFile {
  let path: String
  private let directory: URL

  init(_ text: String, gzip: Bool = false, truncatedBy: Int = 0) throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "tickfile-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    path = directory.appending(path: "trades.csv").path
    if gzip {
      let file = gzopen(path, "wb")
      gzwrite(file, text, UInt32(text.utf8.count))
      gzclose(file)
    } else {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    if truncatedBy > 0 {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      try data.dropLast(truncatedBy).write(to: URL(fileURLWithPath: path))
    }
  }

  deinit { try? FileManager.default.removeItem(at: directory) }
}

@Suite struct TickFileTests {
  private static let header =
    "receive_time_ns,exchange_time_ns,symbol,price,quantity,trade_id,buyer_is_maker\n"

  private static func market(_ text: String, gzip: Bool = false) throws -> TickFileMarket {
    let file = try TemporaryFile(text, gzip: gzip)
    return try TickFileMarket(path: file.path)
  }

  private static func row(_ milliseconds: Int, _ symbol: String, _ price: String, _ quantity: String)
    -> String
  {
    let time = 1_723_161_254_000_000_000 + milliseconds * 1_000_000
    return "\(time),\(time + 1_255_000_000),\(symbol),\(price),\(quantity),1,0\n"
  }

  @Test(arguments: [false, true])
  func eachInstrumentGetsTheCoarsestExactScale(gzip: Bool) throws {
    let market = try Self.market(
      Self.header + Self.row(0, "paise", "61837.63000000", "0.02000000") + Self.row(1, "fine", "2.1834", "4")
        + Self.row(2, "finer", "83.1234567", "1.5") + Self.row(2, "paise", "61838", "0.00345"), gzip: gzip)
    #expect(market.mappings.map(\.symbol.text) == ["SIM:PAISE", "SIM:FINE", "SIM:FINER"])
    #expect(market.mappings.map(\.priceDivisor) == [100, 10_000, 10_000_000])
    #expect(market.mappings.map { $0.token & 0xFF } == [1, 6, 3])
    #expect(market.mappings.map(\.quantityUnit) == ["0.00001", "1", "0.1"])
    #expect(market.tradeCount == 4)
    #expect(market.start == Timestamp(nanoseconds: 1_723_161_254_000_000_000))
  }

  @Test func tradesBecomeUpdatesWithCumulativeVolumeAtTheirReceiveTimes() throws {
    var market = try Self.market(
      Self.header + Self.row(0, "a", "10.5", "1.5") + Self.row(40, "b", "7", "3")
        + Self.row(90, "a", "10.45", "0.25"))
    #expect(market.quote(of: 0).volume == 0)
    #expect(market.quote(of: 0).lastPrice == 1050)
    #expect(market.nextUpdate(until: market.start + -1) == nil)
    #expect(market.nextUpdate(until: market.start) == 0)
    #expect(market.nextUpdate(until: market.start + 39_999_999) == nil)
    #expect(market.nextUpdate(until: market.start + 40_000_000) == 1)
    #expect(!market.isFinished)
    #expect(market.nextUpdate(until: market.start + 1_000_000_000) == 0)
    #expect(market.isFinished)
    let quote = market.quote(of: 0)
    #expect(quote.lastPrice == 1045)
    #expect(quote.lastQuantity == 25)
    #expect(quote.volume == 175)
    #expect(quote.exchangeSeconds == 1_723_161_255)
    #expect((quote.open, quote.high, quote.low) == (1050, 1050, 1045))
  }

  @Test func columnsAreFoundByNameAndTheLastTwoMayLack() throws {
    let market = try Self.market(
      "note,symbol,quantity,price,exchange_time_ns,receive_time_ns\r\n"
        + "x,a,2,5.5,1723161255000000000,1723161254000000000\r\n")
    #expect(market.tradeCount == 1)
    #expect(market.quote(of: 0).lastPrice == 550)
  }

  @Test(arguments: [
    ("receive_time_ns,symbol,price,quantity\n", ":1:", "exchange_time_ns"),
    (header, "", "no trade"),
    (header + row(0, "a", "1", "1") + "1723161254000000000,1723161254000000000,a\n", ":3:", "price"),
    (header + row(0, "a", "1.x", "1"), ":2:", "price '1.x'"),
    (header + row(0, "a", "-1", "1"), ":2:", "price '-1'"),
    (header + row(0, "a", "1", "0"), ":2:", "quantity '0'"),
    (header + "12x,1723161254000000000,a,1,1\n", ":2:", "receive_time_ns '12x'"),
    (header + row(0, "", "1", "1"), ":2:", "symbol"),
    (header + row(5, "a", "1", "1") + row(4, "a", "1", "1"), ":3:", "goes back"),
    (header + row(0, "a", "1.23", "1") + row(1, "a", "1.00000001", "1"), ":3:", "SIM:A"),
    (header + row(0, "a", "30000000", "1"), ":2:", "SIM:A"),
    (header + row(0, "a", "3000", "1") + row(1, "a", "0.00001", "1"), ":3:", "SIM:A"),
    (header + row(0, "a", "1", "4294967295") + row(1, "a", "1", "1"), ":3:", "SIM:A"),
    (header + row(0, "a", "1", "5000") + row(1, "a", "1", "0.000001"), ":3:", "SIM:A"),
    (header + row(0, "a", "1", "1") + row(0, "A", "1", "1"), ":3:", "two spellings"),
    (header + String(repeating: "x", count: 5000), ":2:", "longer"),
  ])
  func aFileThatCannotBePlayedExactlyIsNamedWithItsLine(text: String, place: String, word: String) throws {
    let file = try TemporaryFile(text)
    let fault = #expect(throws: Fault.self) { try TickFileMarket(path: file.path) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains(file.path + place) == true, "\(fault?.message ?? "")")
    #expect(fault?.message.contains(word) == true, "\(fault?.message ?? "")")
  }

  @Test func aTruncatedGzipFileIsAFault() throws {
    let rows = (0..<500).map { Self.row($0, "a", "\(100 + $0 * 7919 % 1000)", "\(1 + $0 * 31 % 97)") }
    let file = try TemporaryFile(Self.header + rows.joined(), gzip: true, truncatedBy: 40)
    let fault = #expect(throws: Fault.self) { try TickFileMarket(path: file.path) }
    #expect(fault?.kind == .badData)
    #expect(fault?.message.contains("damaged") == true)
  }

  @Test func aMissingFileIsAFault() {
    let fault = #expect(throws: Fault.self) { try TickFileMarket(path: "/nowhere/trades.csv.gz") }
    #expect(fault?.kind == .missingInput)
  }

  @Test func aTickFileCannotBeUnpaced() throws {
    let market = try Self.market(Self.header + Self.row(0, "a", "1", "1"))
    let fault = #expect(throws: Fault.self) { try makeVenue(market) { $0.isUnpaced = true } }
    #expect(fault?.kind == .usage)
  }

  private static var recorded: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "shared/data/binance_trades_20240808.csv.gz").path
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: recorded), "the recorded trades are not there"))
  func everyRecordedTradeReachesTheClientWithItsPrice() async throws {
    let market = try TickFileMarket(path: Self.recorded)
    #expect(market.tradeCount == 55_270)
    #expect(market.mappings.map(\.symbol.text).contains("SIM:SPOT_BTCUSDT"))
    let tokens = market.mappings.map(\.token)
    let venue = try makeVenue(market) { $0.speed = 400 }
    let port = try await venue.start()
    async let reading = onThread {
      let client = try TickerClient(tickerAt: port)
      client.subscribe(tokens)
      var ticks = 0
      var volumes: [Int: Int] = [:]
      while case .binary(let payload) = try client.receive() {
        guard payload.count > 1 else { continue }
        for packet in try TickerClient.packets(payload) {
          ticks += 1
          volumes[wireNumber(packet, 0)] = wireNumber(packet, 16)
        }
      }
      client.sendFrame(opcode: 8, [3, 0xE9])
      return (ticks, volumes)
    }
    await venue.waitUntilFinished()
    await venue.stop()
    let (ticks, volumes) = try await reading
    #expect(ticks == 55_270 + 6)
    #expect(venue.report.ticks == ticks)
    // The file's own sum of spot_btcusdt, in its unit of 0.00001.
    let bitcoin = try #require(market.mappings.first { $0.symbol.text == "SIM:SPOT_BTCUSDT" })
    #expect(bitcoin.quantityUnit == "0.00001")
    #expect(volumes[Int(bitcoin.token)] == 21_203_315)
  }
}
