import MarketData
import Testing
import VenueSimulator

@testable import Venues

/// The OpenAlgo source and history against a simulated server on a real socket.
@Suite struct OpenAlgoTests {
  private static let marketStart = Timestamp(seconds: 1_795_405_500)
  private static let key = "demo"

  private static func withVenue(
    cutAfterTicks: Int? = nil, _ body: @escaping @Sendable (Int) throws -> Void
  ) async throws {
    var configuration = OpenAlgoVenue.Configuration()
    configuration.cutAfterTicks = cutAfterTicks
    configuration.speed = 20
    let venue = try OpenAlgoVenue(
      configuration: configuration,
      market: SyntheticMarket(seed: 3, instrumentCount: 20, start: marketStart))
    let port = Int(try await venue.start())
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await onThread { try body(port) })
    } catch { outcome = .failure(error) }
    await venue.stop()
    try outcome.get()
  }

  private static func source(_ port: Int, key: String = key) -> OpenAlgoSource {
    var options = OpenAlgoSource.Options()
    options.url = "ws://127.0.0.1:\(port)"
    options.connectTimeoutMilliseconds = 5000
    return OpenAlgoSource(options: options) { key }
  }

  private static func instruments(_ port: Int) throws -> [Instrument] {
    let rows = try OpenAlgoInstruments.download(
      with: try HTTPClient(), baseURL: "http://127.0.0.1:\(port)", apiKey: key)
    return rows.enumerated().map { index, row in
      Instrument(
        id: InstrumentID(rawValue: UInt32(index)), symbol: row.symbol, venueToken: row.venueToken,
        priceTick: row.priceTick, lotSize: row.lotSize)
    }
  }

  private static func receive(
    _ source: OpenAlgoSource, until isEnough: ([Tick]) -> Bool
  ) throws(Fault) -> [Tick] {
    var ticks: [Tick] = []
    let deadline = Deadline(afterMilliseconds: 20_000)
    while !deadline.isPast, !isEnough(ticks) {
      _ = try source.receive(timeoutMilliseconds: 20, into: &ticks)
    }
    return ticks
  }

  private static func fault(_ body: () throws(Fault) -> Void) -> Fault? {
    do throws(Fault) {
      try body()
      return nil
    } catch { return error }
  }

  @Test func ticksComeRoundedToTheirStep() async throws {
    try await Self.withVenue { port in
      let instruments = try Self.instruments(port)
      let source = Self.source(port)
      try source.subscribe(to: instruments)
      try source.connect()
      let ticks = try Self.receive(source) { $0.count >= 200 }
      #expect(ticks.count >= 200 && Set(ticks.map(\.instrument)).count == instruments.count)
      for tick in ticks {
        let instrument = instruments[tick.instrument.index]
        // Nothing is left of the noise behind the four digits that the finest segment has.
        #expect(
          tick.lastPrice > .zero && tick.lastPrice.units % 100_000 == 0,
          "\(instrument.symbol) \(tick.lastPrice)")
        #expect(!tick.exchangeTime.isKnown || tick.exchangeTime >= Self.marketStart + -7 * 86_400_000_000_000)
        #expect(tick.flags.contains(.withoutVolume) == instrument.symbol.exchange.hasSuffix("_INDEX"))
      }
      #expect(source.statistics.badFrames == 0 && source.statistics.unknownInstruments == 0)
      #expect(source.statistics.complaints == 0)
      source.close()
    }
  }

  @Test func aWrongKeyIsRefusedWithoutRepeatingIt() async throws {
    try await Self.withVenue { port in
      let fault = try #require(
        Self.fault { () throws(Fault) in try Self.source(port, key: "hunter2").connect() })
      #expect(fault.kind == .refused)
      #expect(
        fault.message.contains("AUTHENTICATION_ERROR: Invalid API key") && !fault.message.contains("hunter2"))
    }
  }

  @Test func modesAndSetsChangeWhileItRuns() async throws {
    try await Self.withVenue { port in
      let instruments = try Self.instruments(port).filter { !$0.symbol.exchange.hasSuffix("_INDEX") }
      let nobody = Instrument(
        id: InstrumentID(rawValue: 99), symbol: try Symbol("NSE:NO\"BODY"), venueToken: "", priceTick: .zero,
        lotSize: 1)
      let source = Self.source(port)
      try source.subscribe(to: [Subscription(instruments[0], mode: .ltp), Subscription(nobody)])
      try source.connect()
      var ticks = try Self.receive(source) { $0.count >= 3 }
      #expect(ticks.allSatisfy { $0.flags.contains(.withoutVolume) && $0.dayVolume == 0 })
      #expect(source.statistics.complaints == 1)
      #expect(source.statistics.lastComplaint.hasPrefix("not every instrument was subscribed: "))
      try source.subscribe(to: [Subscription(instruments[0], mode: .full), Subscription(instruments[1])])
      ticks = try Self.receive(source) { ticks in
        ticks.contains { $0.instrument == instruments[1].id } && ticks.count > 5
      }
      #expect(ticks.last.map { $0.dayVolume > 0 && !$0.flags.contains(.withoutVolume) } == true)
      try source.subscribe(to: [instruments[1]])
      _ = try Self.receive(source) { $0.count > 20 }
      ticks = try Self.receive(source) { $0.count > 20 }
      #expect(ticks.allSatisfy { $0.instrument == instruments[1].id })
      source.close()
    }
  }

  @Test func aCutIsAnOutageAndTheNextConnectionRestoresTheSet() async throws {
    try await Self.withVenue(cutAfterTicks: 60) { port in
      let instruments = try Self.instruments(port)
      let source = Self.source(port)
      try source.subscribe(to: instruments)
      for _ in 0..<3 {
        try source.connect()
        var ticks: [Tick] = []
        let fault = Self.fault { () throws(Fault) in
          while true { _ = try source.receive(timeoutMilliseconds: 20, into: &ticks) }
        }
        #expect(fault?.kind == .unavailable)
        #expect(Set(ticks.map(\.instrument)).count == instruments.count && ticks.count >= 60)
      }
    }
  }

  @Test(
    arguments: [
      ("{\"status\":\"error\",\"code\":\"NOT_AUTHENTICATED\",\"message\":\"m\"}", Fault.Kind.refused),
      ("{\"status\":\"error\",\"code\":\"BROKER_CONNECTION_ERROR\",\"message\":\"m\"}", .unavailable),
      ("{\"type\":\"error\",\"code\":\"SERVER_ERROR\",\"message\":\"m\"}", .unavailable),
    ])
  func anErrorOfTheServerEndsTheConnection(text: String, kind: Fault.Kind) async throws {
    let server = try ScriptedServer { peer in
      peer.upgrade()
      _ = peer.readFrame()
      peer.send(serverFrame(1, Array("{\"type\":\"auth\",\"status\":\"success\"}".utf8)))
      peer.send(serverFrame(1, Array(text.utf8)))
      peer.waitForEnd()
    }
    try await onThread {
      let source = Self.source(server.port)
      try source.connect()
      let fault = Self.fault { () throws(Fault) in _ = try Self.receive(source) { _ in false } }
      #expect(fault?.kind == kind && fault?.message.hasSuffix("_ERROR: m") != (kind == .refused))
      source.close()
    }
  }

  @Test func aServerThatDoesNotAnswerTheKeyIsUnavailable() async throws {
    let server = try ScriptedServer { peer in
      peer.upgrade()
      peer.waitForEnd()
    }
    try await onThread {
      var options = OpenAlgoSource.Options()
      options.url = "ws://127.0.0.1:\(server.port)"
      options.connectTimeoutMilliseconds = 200
      let fault = Self.fault { () throws(Fault) in try OpenAlgoSource(options: options) { "k" }.connect() }
      #expect(fault?.kind == .unavailable)
      #expect(fault?.message.hasSuffix("no answer to the API key in 200 ms") == true)
    }
  }

  @Test func badMessagesAreCountedAndSkipped() async throws {
    let tick = "{\"type\":\"market_data\",\"symbol\":\"A\",\"exchange\":\"NSE\",\"data\":{\"ltp\":1}}"
    let server = try ScriptedServer { peer in
      peer.upgrade()
      _ = peer.readFrame()
      for text in [
        "{\"type\":\"auth\",\"status\":\"success\"}", "nonsense", String(tick.dropLast(3)), "[]", tick,
      ] {
        peer.send(serverFrame(1, Array(text.utf8)))
      }
      peer.waitForEnd()
    }
    try await onThread {
      let source = Self.source(server.port)
      try source.subscribe(to: [
        Instrument(
          id: InstrumentID(rawValue: 4), symbol: try Symbol("NSE:A"), venueToken: "", priceTick: .zero,
          lotSize: 1)
      ])
      try source.connect()
      #expect(try Self.receive(source) { $0.count == 1 }.map(\.instrument.rawValue) == [4])
      #expect(source.statistics.badFrames == 3)
      source.close()
    }
  }

  @Test func candlesComeOverREST() async throws {
    try await Self.withVenue { port in
      let instrument = try #require(try Self.instruments(port).first)
      let history = RESTHistory(
        OpenAlgoCandles(baseURL: "http://127.0.0.1:\(port)") { Self.key }, budget: RequestBudget([]))
      let to = Self.marketStart
      let from = to + -45 * 86_400_000_000_000
      let candles = try history.candles(of: instrument, interval: .minute, from: from, to: to)
      #expect(candles.count > 25 * 375 && candles.count < 36 * 375)
      #expect(zip(candles, candles.dropFirst()).allSatisfy { $0.start < $1.start })
      #expect(
        candles.allSatisfy { $0.start >= from && $0.start < to && $0.low <= $0.open && $0.high >= $0.close })
      #expect(candles.allSatisfy { $0.close.units % 10_000_000 == 0 && $0.origin == .venue })
      let days = try history.candles(of: instrument, interval: .day, from: from, to: to)
      #expect(days.count > 25 && days.allSatisfy { CivilTime($0.start).timeText == "00:00:00" })
      let usage = Self.fault { () throws(Fault) in
        _ = try history.candles(of: instrument, interval: .minutes(7), from: from, to: to)
      }
      #expect(usage?.kind == .usage && usage?.message.contains("7m") == true)
      let stranger = RESTHistory(
        OpenAlgoCandles(baseURL: "http://127.0.0.1:\(port)") { "hunter2" }, budget: RequestBudget([]))
      let refusal = Self.fault { () throws(Fault) in
        _ = try stranger.candles(of: instrument, interval: .minute, from: from, to: to)
      }
      #expect(refusal?.kind == .refused)
      #expect(
        refusal?.message.contains("Invalid openalgo apikey") == true
          && refusal?.message.contains("hunter2") == false)
    }
  }

  @Test(
    arguments: [
      (
        200, "{\"status\":\"success\",\"data\":[{\"timestamp\":1}]}", CandleRefusal.Remedy.none,
        Fault.Kind.protocolViolation,
        "row 1 of data needs a timestamp"
      ),
      (200, "{\"status\":\"error\",\"message\":\"no data\"}", .none, .unavailable, "no data"),
      (
        400, "{\"status\":\"error\",\"message\":{\"interval\":[\"bad\"]}}", .none, .unavailable,
        "{\"interval\":[\"bad\"]} (HTTP status 400)"
      ),
      (429, "<html>", .slowDown, .unavailable, "(HTTP status 429)"),
      (403, "{\"status\":\"error\",\"message\":\"key\"}", .newCredentials, .refused, "key (HTTP status 403)"),
      (500, "{\"status\":\"error\",\"message\":\"m\"}", .retry, .unavailable, "m (HTTP status 500)"),
    ])
  func answersWithoutCandlesAreRefusals(
    status: Int, body: String, remedy: CandleRefusal.Remedy, kind: Fault.Kind, words: String
  ) throws {
    let instrument = Instrument(
      id: InstrumentID(rawValue: 1), symbol: try Symbol("NSE:A"), venueToken: "", priceTick: .zero, lotSize: 1
    )
    let part = CandleRequest(instrument, from: Self.marketStart, to: Self.marketStart + 1)
    do throws(CandleRefusal) {
      _ = try OpenAlgoCandles(baseURL: "http://x") { "k" }
        .candles(in: HTTPResponse(status: status, body: Array(body.utf8)), for: part)
      Issue.record("no refusal")
    } catch {
      #expect(error.remedy == remedy && error.fault.kind == kind, "\(error)")
      #expect(error.fault.message.contains(words), "\(error.fault.message)")
      #expect(error.fault.message.hasPrefix("OpenAlgo's 1m candles of NSE:A: "))
    }
  }

  @Test func dailyRowsThatBeginAtMidnightUTCBeginOnTheIndianDay() throws {
    let instrument = Instrument(
      id: InstrumentID(rawValue: 1), symbol: try Symbol("NSE:A"), venueToken: "", priceTick: .zero, lotSize: 1
    )
    let part = CandleRequest(instrument, interval: .day, from: Self.marketStart, to: Self.marketStart + 1)
    let row =
      "{\"timestamp\":1700006400,\"open\":1.5,\"high\":2,\"low\":1.0000000000000002,\"close\":1.75,\"volume\":9,\"oi\":3}"
    let body = Array("{\"status\":\"success\",\"data\":[\(row)]}".utf8)
    let candles = try OpenAlgoCandles(baseURL: "http://x") { "k" }
      .candles(in: HTTPResponse(status: 200, body: body), for: part)
    #expect(candles.map(\.start.rfc3339) == ["2023-11-15T00:00:00+05:30"])
    #expect(candles.map(\.low.description) == ["1"] && candles.map(\.openInterest) == [3])
  }
}
