import Foundation
import Glibc
import MarketData
import Testing
import VenueSimulator

@testable import Venues

/// Runs `body` against a simulated Angel One whose market begins at once, on Monday, 5 August
/// 2024, 10:00 in India.
func withSimulatedAngelOne<Value: Sendable>(
  instruments: Int, updatesPerSecond: Double = 1,
  _ configure: (inout SimulatedVenue.Configuration) -> Void = { _ in },
  async body: (_ port: Int) async throws -> Value
) async throws -> Value {
  var configuration = SimulatedVenue.Configuration()
  configuration.vendor = .angelone
  configuration.leadMilliseconds = 0
  configuration.drainTimeoutMilliseconds = 3000
  configure(&configuration)
  let start = CivilTime(year: 2024, month: 8, day: 5, hour: 10).timestamp()
  let venue = try SimulatedVenue(
    configuration: configuration,
    market: SyntheticMarket(
      seed: 7, instrumentCount: instruments, start: start, updatesPerSecond: updatesPerSecond))
  let port = try await venue.start()
  do {
    let value = try await body(Int(port))
    await venue.stop()
    return value
  } catch {
    await venue.stop()
    throw error
  }
}

/// The same, with a body that blocks, on a thread of its own.
func withSimulatedAngelOne<Value: Sendable>(
  instruments: Int, updatesPerSecond: Double = 1,
  _ configure: (inout SimulatedVenue.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (_ port: Int) throws -> Value
) async throws -> Value {
  try await withSimulatedAngelOne(
    instruments: instruments, updatesPerSecond: updatesPerSecond, configure,
    async: { port in try await onThread { try body(port) } })
}

/// The client's parts against the simulated venue over real sockets: login, list, stream, candles, refusals.
@Suite struct AngelOneSimulatorTests {
  /// What a customer of the simulated venue uses.
  private struct Customer {
    let session: AngelOneSession
    let instruments: [Instrument]
    let http: String
    let caFile: String?
    private let websocket: String

    init(
      port: Int, pin: String = "0000", scheme: (http: String, websocket: String) = ("http", "ws"),
      caFile: String? = nil
    )
      throws
    {
      let base = "\(scheme.http)://127.0.0.1:\(port)"
      http = base
      websocket = "\(scheme.websocket)://127.0.0.1:\(port)/smart-stream"
      self.caFile = caFile
      let credentials = try AngelOneCredentials(
        apiKey: "simkey", clientCode: "DEMO", pin: pin, totpSecret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
      session = AngelOneSession(
        credentials: { credentials },
        baseURL: base, budget: RequestBudget([])
      ) { (request) throws(Fault) in try HTTPClient(caFile: caFile).send(request) }
      let list = try AngelOneInstruments.download(with: try HTTPClient(caFile: caFile), baseURL: base)
      instruments = list.rows.enumerated().map { number, row in
        Instrument(
          id: InstrumentID(rawValue: UInt32(number)), symbol: row.symbol, venueToken: row.venueToken,
          priceTick: row.priceTick, lotSize: row.lotSize)
      }
    }

    func source() -> AngelOneSource {
      var options = AngelOneSource.Options()
      options.url = websocket
      options.caFile = caFile
      options.pingMilliseconds = 50
      return AngelOneSource(options: options, session: session)
    }

    func history(_ limits: [RateLimit] = []) -> RESTHistory {
      RESTHistory(
        AngelOneCandles(baseURL: http, session: session), budget: RequestBudget(limits), caFile: caFile)
    }

    func instrument(_ symbol: String) throws -> Instrument {
      try #require(instruments.first { $0.symbol.text == symbol })
    }
  }

  private static func receive(
    _ source: AngelOneSource, into ticks: inout [Tick], until isDone: ([Tick]) -> Bool
  ) throws {
    let deadline = Deadline(afterMilliseconds: 20_000)
    while !isDone(ticks) {
      _ = try source.receive(timeoutMilliseconds: 20, into: &ticks)
      if deadline.isPast { throw Fault(.unavailable, "the simulated venue is silent") }
    }
  }

  private static func post(fault: String, port: Int) throws {
    let response = try HTTPClient().send(
      HTTPRequest(.post, "http://127.0.0.1:\(port)/simulator/faults", body: Array(fault.utf8)))
    #expect(response.status == 200)
  }

  @Test func ticksOfEverySegmentAndModeArriveWithAllTheyCarry() async throws {
    try await withSimulatedAngelOne(instruments: 40, updatesPerSecond: 20) { port in
      let customer = try Customer(port: port)
      let source = customer.source()
      var wanted = customer.instruments.map { Subscription($0) }
      let last = try #require(wanted.firstIndex { $0.instrument.symbol.text == "NSE:SIM0014" })
      wanted[last].mode = .ltp
      try source.subscribe(to: wanted)
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { ticks in
        Set(ticks.map(\.instrument)).count == wanted.count && ticks.count > 1000
          && source.statistics.heartbeats > 2
      }
      source.close()
      #expect(source.statistics.badFrames == 0 && source.statistics.unknownInstruments == 0)
      #expect(source.statistics.sequenceHoles == 0 && source.statistics.complaints == 0)
      func of(_ symbol: String) throws -> Tick {
        let id = try customer.instrument(symbol).id
        return try #require(ticks.last { $0.instrument == id })
      }
      let share = try of("NSE:SIM0020")
      #expect(
        share.flags == [] && share.dayVolume > 0 && share.lastQuantity > 0 && share.lastTradeSeconds > 0)
      #expect(share.exchangeTime.isKnown && share.lastPrice.units % 50_000_000 == 0)
      #expect(try of("NSE:SIM0014").flags == .withoutVolume)
      #expect(try of("NSE:SIM50").flags.contains(.withoutVolume))
      let currency = try #require(customer.instruments.first { $0.symbol.exchange == "CDS" })
      let rupees = try of(currency.symbol.text).lastPrice.units / Price.unitsPerOne
      #expect((60...110).contains(rupees))
      let future = try #require(customer.instruments.first { $0.symbol.text.hasSuffix("FUT") })
      #expect(try of(future.symbol.text).openInterest > 0)
    }
  }

  @Test(.enabled(if: TLSProxy.canRun, "needs the programs openssl and python3"))
  func allOfItRunsOverTLSAndNothingWithoutTrust() async throws {
    try await withSimulatedAngelOne(
      instruments: 40, updatesPerSecond: 20,
      async: { upstream in
        try await TLSProxy.run(to: upstream) { port, caFile in
          let customer = try Customer(port: port, scheme: ("https", "wss"), caFile: caFile)
          let source = customer.source()
          try source.subscribe(to: customer.instruments)
          try source.connect()
          var ticks: [Tick] = []
          try Self.receive(source, into: &ticks) { $0.count > 500 }
          source.close()
          let day = Timestamp(rfc3339: "2024-08-02T09:15:00+05:30") ?? .unknown
          let candles = try customer.history().candles(
            of: try customer.instrument("NSE:SIM0020"), interval: .minute, from: day,
            to: day + 10 * 60 * Timestamp.nanosecondsPerSecond)
          #expect(candles.count == 10)
          let distrust = #expect(throws: Fault.self) {
            _ = try Customer(port: port, scheme: ("https", "wss"))
          }
          #expect(distrust?.kind == .protocolViolation)
        }
      })
  }

  @Test func whatIsLeftSendsNothingAndWhatIsAddedDoes() async throws {
    try await withSimulatedAngelOne(instruments: 40, updatesPerSecond: 20) { port in
      let customer = try Customer(port: port)
      let source = customer.source()
      let (first, second) = (try customer.instrument("NSE:SIM0014"), try customer.instrument("NSE:SIM0015"))
      try source.subscribe(to: [first])
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { $0.count > 5 }
      try source.subscribe(to: [second])
      try Self.receive(source, into: &ticks) { $0.contains { $0.instrument == second.id } }
      let left = ticks.count
      try Self.receive(source, into: &ticks) { $0.count > left + 20 }
      #expect(ticks[left...].allSatisfy { $0.instrument == second.id })
      source.close()
    }
  }

  @Test func aLostStretchShowsAsAHole() async throws {
    try await withSimulatedAngelOne(instruments: 40, updatesPerSecond: 50) { port in
      let customer = try Customer(port: port)
      let source = customer.source()
      try source.subscribe(to: customer.instruments)
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { $0.count > 2000 }
      #expect(source.statistics.sequenceHoles == 0)
      // What the market does while the venue is silent is lost.
      try Self.post(fault: "silence+0.5", port: port)
      try Self.receive(source, into: &ticks) { _ in source.statistics.sequenceHoles > 10 }
      #expect(ticks.contains { $0.flags.contains(.missedBefore) })
      source.close()
    }
  }

  @Test func whatNobodyAskedForIsNoHole() async throws {
    try await withSimulatedAngelOne(instruments: 40, updatesPerSecond: 50) { port in
      let customer = try Customer(port: port)
      let source = customer.source()
      let kept = try customer.instrument("NSE:SIM0020")
      let changed = try customer.instrument("NSE:SIM0014")
      try source.subscribe(to: [kept, changed])
      try source.connect()
      func receive(_ count: Int, of instrument: Instrument) throws {
        var ticks: [Tick] = []
        try Self.receive(source, into: &ticks) { $0.count { $0.instrument == instrument.id } >= count }
      }
      try receive(20, of: changed)
      try source.subscribe(to: [Subscription(kept), Subscription(changed, mode: .ltp)])
      try receive(20, of: changed)
      try source.subscribe(to: [kept])
      try receive(60, of: kept)
      try source.subscribe(to: [kept, changed])
      try receive(20, of: changed)
      #expect(source.statistics.sequenceHoles == 0, "\(source.statistics)")
      source.close()
    }
  }

  @Test func anExpiredSessionIsRenewedByTheNextConnectionAndTheNextRequest() async throws {
    try await withSimulatedAngelOne(instruments: 40) { port in
      let customer = try Customer(port: port)
      let source = customer.source()
      try source.subscribe(to: customer.instruments)
      try source.connect()
      var ticks: [Tick] = []
      try Self.receive(source, into: &ticks) { !$0.isEmpty }
      try Self.post(fault: "token-expiry+1000", port: port)
      let lost = #expect(throws: Fault.self) { try Self.receive(source, into: &ticks) { _ in false } }
      #expect(lost?.kind == .unavailable)
      try source.connect()
      ticks = []
      try Self.receive(source, into: &ticks) { !$0.isEmpty }
      source.close()
      let day = Timestamp(rfc3339: "2024-08-02T09:15:00+05:30") ?? .unknown
      let candles = try customer.history().candles(
        of: try customer.instrument("NSE:SIM0020"), interval: .minute, from: day,
        to: day + 10 * 60 * Timestamp.nanosecondsPerSecond)
      #expect(candles.count == 10)
    }
  }

  @Test func candlesComeInPartsAtTheVenuesPace() async throws {
    try await withSimulatedAngelOne(instruments: 40, { $0.angelOne.keepsRateLimits = true }) { port in
      let customer = try Customer(port: port)
      let from = Timestamp(rfc3339: "2024-06-03T00:00:00+05:30") ?? .unknown
      let to = Timestamp(rfc3339: "2024-08-03T00:00:00+05:30") ?? .unknown
      let history = customer.history(AngelOneCandles.rateLimits)
      let share = try customer.instrument("NSE:SIM0020")
      let minutes = try history.candles(of: share, interval: .minute, from: from, to: to)
      // 45 weekdays in three parts, since one request may span 30 days.
      #expect(minutes.count == 45 * 375)
      #expect(zip(minutes, minutes.dropFirst()).allSatisfy { $0.start < $1.start })
      let days = try history.candles(of: share, interval: .day, from: from, to: to)
      #expect(days.count == 45)
      #expect(days.map(\.volume).reduce(0, +) == minutes.map(\.volume).reduce(0, +))
    }
  }

  @Test func refusalsOfTheSimulatedVenueHaveTheirKinds() async throws {
    try await withSimulatedAngelOne(instruments: 40) { port in
      let wrong = try Customer(port: port, pin: "1111")
      let fault = #expect(throws: Fault.self) { try wrong.source().connect() }
      #expect(fault?.kind == .refused && fault?.message.contains("AB1007") == true)
      let customer = try Customer(port: port)
      let held = try (0..<3).map { _ in
        let source = customer.source()
        try source.connect()
        return source
      }
      let fourth = #expect(throws: Fault.self) { try customer.source().connect() }
      #expect(fourth?.kind == .unavailable)
      #expect(
        fourth?.message.contains("Maximum of 3 connections reached") == true, "\(fourth?.message ?? "")")
      for source in held { source.close() }
      let source = customer.source()
      let complaint = try customer.instrument("NSE:SIM0014")
      try source.subscribe(to: [complaint])
      try Self.post(fault: "status:503+1000", port: port)
      // The fault begins with the venue's next step.
      while try HTTPClient().send(HTTPRequest(.get, customer.http + "/")).status != 503 { usleep(1000) }
      let down = #expect(throws: Fault.self) { try source.connect() }
      #expect(down?.kind == .unavailable)
    }
  }
}
