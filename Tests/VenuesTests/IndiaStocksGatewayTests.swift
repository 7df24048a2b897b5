import Foundation
import MarketData
import Testing
import VenueSimulator

@testable import Venues

/// The gateway that comes along, with the real package from PyPI, against the simulated Angel One; its candles must be
/// those that our own client gets.
@Suite struct IndiaStocksGatewayTests {
  private static let totpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

  private static func options(port: Int, script: String, python: String, pin: String = "0000")
    -> GatewayOptions
  {
    var environment = ProcessInfo.processInfo.environment
    environment["TICKRING_ANGELONE_API_KEY"] = "simkey"
    environment["TICKRING_ANGELONE_CLIENT_CODE"] = "DEMO"
    environment["TICKRING_ANGELONE_PIN"] = pin
    environment["TICKRING_ANGELONE_TOTP_SECRET"] = totpSecret
    let base = "http://127.0.0.1:\(port)"
    return GatewayOptions(
      command: [python, "-u", script, "--api-url", base, "--master-url", base + AngelOneInstruments.path],
      environment: environment)
  }

  /// Runs `body` with the gateway's script and a Python that has the package; cancels, saying why, without it.
  private static func withGateway(
    _ body: @escaping @Sendable (Int, _ script: String, _ python: String) throws -> Void
  )
    async throws
  {
    let python: String
    do {
      python = try await onThread { try PythonEnvironment.python(with: IndiaStocksAPIGateway.packages) }
    } catch {
      try Test.cancel("the package india-stocks-api cannot be had: \(error)")
    }
    try await withTemporaryFolder { folder in
      let script = folder.appending(path: "gateway.py")
      try IndiaStocksAPIGateway.script.write(to: script, atomically: true, encoding: .utf8)
      try await withSimulatedAngelOne(instruments: 12) { port in try body(port, script.path, python) }
    }
  }

  @Test func candlesAreThoseOfOurOwnClient() async throws {
    try await Self.withGateway { port, script, python in
      let history = GatewayHistory(options: Self.options(port: port, script: script, python: python))
      defer { history.close() }
      let base = "http://127.0.0.1:\(port)"
      let listed = try #require(try history.instruments())
      let own = try AngelOneInstruments.download(with: try HTTPClient(), baseURL: base).rows
      #expect(Set(listed.map(\.symbol)).isSubset(of: Set(own.map(\.symbol))) && !listed.isEmpty)
      let credentials = try AngelOneCredentials(
        apiKey: "simkey", clientCode: "DEMO", pin: "0000", totpSecret: Self.totpSecret)
      let session = AngelOneSession(
        credentials: { credentials }, baseURL: base,
        budget: RequestBudget([])
      ) { (request) throws(Fault) in try HTTPClient().send(request) }
      let direct = RESTHistory(AngelOneCandles(baseURL: base, session: session), budget: RequestBudget([]))
      let row = try #require(
        own.first { row in listed.contains { $0.symbol == row.symbol } && row.type.isEmpty })
      let instrument = Instrument(
        id: InstrumentID(rawValue: 5), symbol: row.symbol, venueToken: row.venueToken,
        priceTick: row.priceTick,
        lotSize: row.lotSize)
      // More than one request of the venue's 30 days, and days, which the package would ask for as hours.
      let to = CivilTime(year: 2024, month: 8, day: 2, hour: 12).timestamp()
      for (interval, days) in [(Interval.minute, 40), (.day, 60)] {
        let from = to + -Int64(days) * 86_400_000_000_000
        let candles = try history.candles(of: instrument, interval: interval, from: from, to: to)
        #expect(candles == (try direct.candles(of: instrument, interval: interval, from: from, to: to)))
        #expect(candles.count > (interval == .day ? 30 : 20 * 375))
      }
      let stranger = Instrument(
        id: InstrumentID(rawValue: 1), symbol: try Symbol("NSE:NOBODY"), venueToken: "", priceTick: .zero,
        lotSize: 1)
      #expect(throws: Fault.self) {
        try history.candles(of: stranger, interval: .minute, from: to, to: to + 1)
      }
      do throws(Fault) {
        _ = try history.candles(of: stranger, interval: .minute, from: to, to: to + 1)
      } catch {
        #expect(error.kind == .usage && error.message.contains("the broker lists no NSE:NOBODY"))
      }
    }
  }

  @Test func aWrongPINIsRefused() async throws {
    try await Self.withGateway { port, script, python in
      let temporary = URL(filePath: script).deletingLastPathComponent().appending(path: "temporary")
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
      var options = Self.options(port: port, script: script, python: python, pin: "1111")
      options.environment["TMPDIR"] = temporary.path
      let history = GatewayHistory(options: options)
      defer { history.close() }
      let row = try #require(try history.instruments()?.first)
      let instrument = Instrument(
        id: InstrumentID(rawValue: 5), symbol: row.symbol, venueToken: row.venueToken, priceTick: .zero,
        lotSize: 1)
      let to = CivilTime(year: 2024, month: 8, day: 2, hour: 12).timestamp()
      do throws(Fault) {
        _ = try history.candles(of: instrument, interval: .minute, from: to + -86_400_000_000_000, to: to)
        Issue.record("the login went through")
      } catch {
        #expect(error.kind == .refused, "\(error.message)")
        #expect(!error.message.contains("1111"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).count == 1)
      history.close()
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).isEmpty)
    }
  }
}
