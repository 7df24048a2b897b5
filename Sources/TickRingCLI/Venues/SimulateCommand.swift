internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import TradingCalendar
internal import VenueSimulator

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run a simulated venue: a broker's ticker and history, byte for byte, on this machine.",
    discussion: """
      Listens on 127.0.0.1 alone. Clients of `kite` log in with the API key `demo` and the access token `demo`; those \
      of `angelone` with the API key `demo`, the client code `DEMO`, the PIN `0000` and one-time passwords of the \
      secret `GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ`. The market stands still until a first client asks for its clock or subscribes. Faults can also be asked for while it runs: \
      `curl -d 'silence+5' http://127.0.0.1:PORT/simulator/faults`.
      """)

  @Option(help: "Whose interfaces it has: kite, angelone or openalgo.") var venue = "kite"
  @Flag(help: "Refuse requests beyond the venue's documented rates.") var rateLimits = false
  @Option(help: "Port to listen on; 0 for any that is free.") var port: UInt16 = 0
  @Option(help: "Instruments of the synthetic market (1 to 9000).") var instruments = 200
  @Option(help: "Updates of an average instrument of the synthetic market in a second of its time.")
  var rate = 1.0
  @Option(help: "Seed of the synthetic market and of its history.") var seed: UInt64 = 1
  @Option(help: "Serve this recorded tick file (CSV, plain or gzip) instead of a synthetic market.")
  var ticks: String?
  @Option(help: "Seconds of the market in one second of the machine.") var speed = 1.0
  @Flag(help: "Send as fast as the client reads, for measuring throughput.") var unpaced = false
  @Option(help: "Stop sending after so many ticks.") var ticksMax: Int?
  @Option(
    help:
      "Misbehave: KIND[:ARGUMENT][@START][+DURATION] with seconds; may be repeated. Kinds: \(VenueFault.forms.joined(separator: ", "))."
  )
  var fault: [String] = []
  @Option(
    help:
      "Misbehave by a plan: a file with one fault a line, or seed:N[,count=C][,every=SECONDS][,kinds=A|B].")
  var faultPlan: String?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Flag(help: .hidden) var stopWithStandardInput = false

  /// API key and access token of the simulated customer.
  static let credential = "demo"
  private static let kiteRequestsPerSecondMax = 3
  private static let sessionStart = (hour: 9, minute: 15)

  func run() async throws {
    if venue == Self.openAlgo { return try await runOpenAlgo() }
    let stop = StopSignal(withStandardInput: stopWithStandardInput)
    var configuration = SimulatedVenue.Configuration()
    configuration.port = port
    configuration.vendor = try Self.vendor(named: venue)
    configuration.angelOne.keepsRateLimits = rateLimits
    configuration.historicalRequestsPerSecondMax = rateLimits ? Self.kiteRequestsPerSecondMax : nil
    configuration.apiKey = Self.credential
    configuration.accessToken = Self.credential
    configuration.apiSecret = Self.credential
    configuration.speed = speed
    configuration.isUnpaced = unpaced
    configuration.ticksMax = ticksMax
    configuration.faults = try parsedFaults()
    configuration.faultSeed = seed
    let simulated = try makeVenue(configuration)
    let boundPort = try await simulated.start()
    try tell("listening", port: Int(boundPort))
    var isFinishTold = false
    await stop.wait {
      guard !isFinishTold, simulated.isFinished else { return false }
      isFinishTold = true
      // A broken pipe to whoever started us is no reason to cut off the clients.
      try? tell("finished")
      return false
    }
    await simulated.stop()
    try tell("report", report: VenueReportLine(simulated.report))
  }

  private func makeVenue(_ configuration: SimulatedVenue.Configuration) throws(Fault) -> SimulatedVenue {
    guard let ticks else {
      return try SimulatedVenue(
        configuration: configuration,
        market: SyntheticMarket(
          seed: seed, instrumentCount: instruments, start: Self.marketStart(.wallClock()),
          updatesPerSecond: rate))
    }
    let market = try TickFileMarket(path: ticks, seed: seed)
    if !json {
      Console.line("\(ticks): \(Format.count(market.tradeCount)) trades from \(market.start.rfc3339)")
      for mapping in market.mappings { Console.line("  \(mapping)") }
    }
    return try SimulatedVenue(configuration: configuration, market: market)
  }

  /// The synthetic market begins at 09:15 of the latest ordinary trading day that the shipped calendar knows, whatever
  /// the hour is now.
  static func marketStart(_ now: Timestamp) -> Timestamp {
    let calendar = TradingCalendar.shipped
    var day = min(CivilTime(now).dayNumber, calendar.range(of: .cash)?.upperBound ?? .max)
    while true {
      var start = CivilTime(dayNumber: day)
      (start.hour, start.minute) = sessionStart
      guard let known = try? calendar.tradingDay(day, of: MarketGroup(.cash)) else {
        return start.timestamp()
      }
      if known.sessions.first?.start == start.timestamp() { return start.timestamp() }
      day -= 1
    }
  }

  /// - Throws: ``Fault`` of kind `usage` that names those that there are.
  static func vendor(named name: String) throws(Fault) -> SimulatedVenue.Vendor {
    guard let vendor = SimulatedVenue.Vendor(rawValue: name) else {
      let known = (SimulatedVenue.Vendor.allCases.map(\.rawValue) + [openAlgo]).joined(separator: ", ")
      throw Fault(.usage, "--venue '\(name)' is not one of \(known)")
    }
    return vendor
  }

  private func parsedFaults() throws(Fault) -> [VenueFault] {
    var faults: [VenueFault] = []
    for text in fault { faults.append(try VenueFault(text)) }
    if let faultPlan { faults += try FaultPlan(argument: faultPlan).faults }
    return faults
  }

  /// How a feed's configuration names this venue.
  private func sourceSection(_ port: Int) -> String {
    let path = SimulatedVenue.Vendor(rawValue: venue)?.websocketPath ?? ""
    return """
      source:
        venue: \(venue)
        websocket_url: ws://127.0.0.1:\(port)\(path)
        api_url: http://127.0.0.1:\(port)
        clock: simulator
      """
  }

  func tell(_ event: String, port: Int? = nil, report: VenueReportLine? = nil) throws(Fault) {
    if json { return try Console.json(VenueLine(event: event, port: port, report: report)) }
    if let port { Console.line("listening on 127.0.0.1:\(port); Ctrl-C stops\n" + sourceSection(port)) }
    if event == "finished" { Console.line("the market has ended; Ctrl-C stops") }
    if let report {
      let ticks = report.ticksByToken.values.reduce(0, +)
      Console.line("\(Format.count(ticks)) ticks sent in \(Format.count(report.frames)) frames")
    }
  }
}

extension VenueReportLine {
  init(_ report: SimulationReport) {
    ticksByToken = report.ticksByVenueToken.mapValues { UInt64($0) }
    frames = UInt64(report.frames)
    bytes = UInt64(report.bytes)
  }
}
