import Foundation
import Glibc
import MarketData
import Testing

@testable import Venues

/// Gateways that behave, and all the ways in which a program can misbehave, as real processes.
@Suite struct GatewayTests {
  private static let instruments = ["NSE:A", "NSE:B"].enumerated().compactMap { index, name in
    (try? Symbol(name)).map {
      Instrument(
        id: InstrumentID(rawValue: UInt32(index)), symbol: $0, venueToken: "T-\(name)", priceTick: .zero,
        lotSize: 1)
    }
  }
  private static let start = Timestamp(seconds: 1_700_000_040)

  private static func options(_ behaviour: String, log: Log<String> = Log()) throws -> GatewayOptions {
    guard let python = Tool.path("python3"),
      let script = Bundle.module.path(forResource: "gateway", ofType: "py", inDirectory: "Resources")
    else { try Test.cancel("there is no python3, in which the test's gateways are written") }
    var options = GatewayOptions(
      command: [python, "-u", script, behaviour], environment: ProcessInfo.processInfo.environment)
    options.log = { level, text in log.append("\(level): \(text)") }
    return options
  }

  /// Receives until the source throws, `isEnough` holds, or the time is up.
  private static func receive(
    _ source: GatewaySource, seconds: Double = 20, until isEnough: ([Tick]) -> Bool = { _ in false }
  ) throws(Fault) -> [Tick] {
    var ticks: [Tick] = []
    let end = Date().addingTimeInterval(seconds)
    while Date() < end, !isEnough(ticks) {
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

  /// The fault with which a gateway of that behaviour is met, be it at its start or later.
  private static func fault(
    of behaviour: String, _ change: (inout GatewayOptions) -> Void = { _ in }
  ) throws -> Fault? {
    var options = try options(behaviour)
    change(&options)
    let source = GatewaySource(options: options)
    defer { source.close() }
    return fault { () throws(Fault) in
      try source.subscribe(to: instruments)
      try source.connect()
      _ = try receive(source)
    }
  }

  @Test func ticksComeWithAllTheirFields() async throws {
    try await onThread {
      let log = Log<String>()
      let source = GatewaySource(options: try Self.options("good", log: log))
      try source.subscribe(to: Self.instruments)
      try source.connect()
      let ticks = try Self.receive(source) { $0.count >= 2 }
      #expect(ticks.map(\.instrument.rawValue) == [0, 1])
      #expect(ticks.map(\.lastPrice.description) == ["100.3", "101.3"])
      let tick = try #require(ticks.first)
      #expect(
        tick.exchangeTime.nanoseconds == 1_700_000_000_500_000_000 && tick.lastTradeSeconds == 1_700_000_000)
      #expect(tick.dayVolume == 7 && tick.lastQuantity == 3 && tick.openInterest == 9 && tick.flags == [])
      #expect(source.statistics.ticks == 2)
      try source.subscribe(to: [Self.instruments[1]])
      _ = try Self.receive(source) { _ in log.all.contains("info: left NSE:A") }
      #expect(log.all == ["info: starting", "info: left NSE:A"])
      #expect(source.statistics.unknownInstruments == 1 && source.statistics.badFrames == 0)
      source.close()
    }
  }

  @Test func aSilentGatewayIsAskedWhetherItIsThere() async throws {
    try await onThread {
      for (behaviour, isAlive) in [("good", true), ("mute", false)] {
        var options = try Self.options(behaviour)
        options.pingMilliseconds = 30
        let source = GatewaySource(options: options)
        try source.connect()
        _ = try Self.receive(source, seconds: isAlive ? 20 : 0.5) { _ in source.statistics.heartbeats >= 3 }
        #expect((source.statistics.heartbeats >= 3) == isAlive, "\(behaviour)")
        source.close()
      }
    }
  }

  @Test(
    arguments: [
      (
        "nonsense-first", Fault.Kind.protocolViolation,
        "begins with 'Welcome to my gateway!', where its hello should be"
      ),
      ("other-protocol", .configuration, "speaks version 9 of the protocol, but 1 is spoken here"),
      ("no-ticks", .configuration, "does not list \"ticks\" among the capabilities of its hello"),
      ("refuses", .refused, "ended with exit code 77; its last words: the password is wrong"),
      ("fails-at-once", .unavailable, "ended with exit code 1; its last words: Traceback"),
      ("nonsense", .protocolViolation, "wrote 100 lines in a row that are not of the protocol"),
      ("overlong", .protocolViolation, "writes a line longer than 1048576 bytes"),
      (
        "cut", .unavailable,
        "ended with exit code 3 in the middle of the line '{\"type\":\"tick\",\"symbol\":\"NSE:A\",\"pri'; its last words: "
          + "out of paper"
      ),
      ("killed", .unavailable, "was ended by signal 9"),
      ("closes-output", .unavailable, "closed its standard output and was stopped"),
      ("says-refused", .refused, "says: the session is over"),
    ])
  func aBadGatewayIsOneSentence(behaviour: String, kind: Fault.Kind, words: String) async throws {
    try await onThread {
      let fault = try #require(try Self.fault(of: behaviour), "\(behaviour)")
      #expect(fault.kind == kind, "\(fault.message)")
      #expect(fault.message.contains(words), "\(fault.message)")
      #expect(fault.message.contains("python3") && !fault.message.contains("\n"))
    }
  }

  @Test func aGatewayWithoutAHelloIsGivenUpInTime() async throws {
    try await onThread {
      let fault = try Self.fault(of: "no-hello") { $0.helloTimeoutMilliseconds = 200 }
      #expect(fault?.kind == .unavailable)
      #expect(fault?.message.contains("has not said hello in 200 ms") == true)
    }
  }

  @Test(arguments: [["/nonexistent/gateway"], ["tickring-no-such-program"], ["/"], [""], []])
  func aProgramThatDoesNotExistIsAWrongConfiguration(command: [String]) async throws {
    try await onThread {
      let source = GatewaySource(options: GatewayOptions(command: command, environment: [:]))
      #expect(Self.fault { () throws(Fault) in try source.connect() }?.kind == .configuration)
    }
  }

  @Test func someNonsenseIsCountedAndSkipped() async throws {
    try await onThread {
      let log = Log<String>()
      let source = GatewaySource(options: try Self.options("some-nonsense", log: log))
      try source.subscribe(to: Self.instruments)
      try source.connect()
      let ticks = try Self.receive(source) { $0.count >= 2 }
      #expect(ticks.count == 2 && source.statistics.badFrames == 3)
      #expect(source.statistics.lastBadFrame == "the tick has no text \"symbol\", as in \"NSE:RELIANCE\"")
      #expect(log.all.contains("debug: the gateway wrote a line of the unknown type 'novelty'"))
      source.close()
    }
  }

  @Test func aFloodIsReadInMeasuredPiecesAndEndsWhenTold() async throws {
    try await onThread {
      let source = GatewaySource(options: try Self.options("flood"))
      try source.subscribe(to: Self.instruments)
      try source.connect()
      var ticks: [Tick] = []
      for _ in 0..<50 {
        ticks.removeAll(keepingCapacity: true)
        _ = try source.receive(timeoutMilliseconds: 1000, into: &ticks)
        #expect(ticks.count <= 2 * GatewayProcess.readBytesMax / 70)
      }
      #expect(source.statistics.ticks > 1000)
      let begin = Date()
      source.close()
      #expect(-begin.timeIntervalSinceNow < 10)
    }
  }

  @Test func aStubbornGatewayAndItsChildrenAreGoneAfterClose() async throws {
    try await onThread {
      let log = Log<String>()
      let source = GatewaySource(options: try Self.options("stubborn", log: log))
      try source.connect()
      _ = try Self.receive(source) { _ in log.all.contains { $0.contains("child") } }
      let line = try #require(log.all.first { $0.contains("child") })
      let child = try #require(Int32(line.split(separator: " ").last ?? ""))
      #expect(kill(child, 0) == 0)
      source.close()
      // A kill takes effect when the kernel comes to it; then the orphan is init's to reap, and a zombie until it does.
      var state: String?
      for _ in 0..<1000 {
        state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
        if state == nil || state?.contains(") Z ") == true { break }
        usleep(10_000)
      }
      #expect(state == nil || state?.contains(") Z ") == true, "\(state ?? "")")
      // Nobody of ours is left to be waited for by name.
      #expect(waitpid(child, nil, WNOHANG) == -1)
    }
  }

  @Test func nothingThatIsOpenHereReachesTheGateway() throws {
    // As libcurl opens a venue's connection: over exec it would stay open.
    let leak = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(leak) }
    let process = try GatewayProcess(
      command: ["/bin/sh", "-c", "ls -l /proc/$$/fd"], environment: ProcessInfo.processInfo.environment
    ) { _ in }
    defer { process.stop() }
    var open = ""
    #expect(throws: Fault.self) {
      while true {
        _ = try process.receive(timeoutMilliseconds: 10_000) { (bytes, line, _) throws(Fault) in
          open += String(decoding: bytes[line], as: UTF8.self) + "\n"
          return true
        }
      }
    }
    #expect(open.contains("0 -> pipe:") && !open.contains("socket:"), "\(open)")
  }

  @Test func aDeafGatewayIsNotWaitedFor() async throws {
    try await onThread {
      let many = try (0..<60_000).map { index in
        Instrument(
          id: InstrumentID(rawValue: UInt32(index)), symbol: try Symbol("NSE:NAME\(index)"),
          venueToken: String(repeating: "x", count: 60), priceTick: .zero, lotSize: 1)
      }
      let source = GatewaySource(options: try Self.options("deaf"))
      try source.subscribe(to: many)
      let fault = Self.fault { () throws(Fault) in try source.connect() }
      #expect(fault?.kind == .unavailable)
      #expect(fault?.message.contains("does not read its standard input") == true, "\(fault?.message ?? "")")
      source.close()
    }
  }

  @Test func anErrorAboutOneInstrumentIsAComplaintOnly() async throws {
    try await onThread {
      let source = GatewaySource(options: try Self.options("says-no-such"))
      try source.subscribe(to: Self.instruments)
      try source.connect()
      #expect(try Self.receive(source) { $0.count >= 2 }.count == 2)
      #expect(source.statistics.complaints == 1 && source.statistics.lastComplaint == "there is no NSE:A")
      source.close()
    }
  }

  @Test func theListOfInstrumentsComesInParts() async throws {
    try await onThread {
      let history = GatewayHistory(options: try Self.options("good"))
      let rows = try #require(try history.instruments())
      #expect(rows.map(\.symbol.text) == ["NSE:A", "NSE:B"])
      #expect(rows.map(\.venueToken) == ["T-NSE:A", "7"])
      #expect(rows.map(\.priceTick.description) == ["0.05", "0"] && rows.map(\.lotSize) == [1, 50])
      history.close()
      #expect(try GatewayHistory(options: try Self.options("no-ticks")).instruments() == nil)
    }
  }

  @Test func candlesAreCutToTheRangeAndExact() async throws {
    try await onThread {
      let history = GatewayHistory(options: try Self.options("good"))
      for _ in 0..<3 {
        let candles = try history.candles(
          of: Self.instruments[0], interval: .minute, from: Self.start, to: Self.start + 120_000_000_000)
        #expect(candles.map(\.start) == [Self.start, Self.start + 60_000_000_000])
        #expect(candles.map(\.open.description) == ["3.3", "3.5"])
        #expect(candles.map(\.volume) == [10, 20] && candles.map(\.openInterest) == [0, 6])
      }
    }
  }

  @Test(
    arguments: [
      ("refused", Fault.Kind.refused, "says: the token is dead"),
      (
        "descending", .protocolViolation,
        "answers with 1m candles of NSE:A that are not ascending at 2023-11-15T03:44:00+05:30"
      ),
      ("bad-row", .protocolViolation, "row 1 has 5 values, where [time, open, high, low, close, volume]"),
      ("no-answer", .unavailable, "has not answered the request for the candles of NSE:A in 300 ms"),
      ("dies-in-history", .unavailable, "ended with exit code 5"),
    ])
  func aBadAnswerIsOneSentence(behaviour: String, kind: Fault.Kind, words: String) async throws {
    try await onThread {
      var options = try Self.options(behaviour)
      options.answerTimeoutMilliseconds = 300
      let history = GatewayHistory(options: options)
      for _ in 0..<2 {
        let fault = try #require(
          Self.fault { () throws(Fault) in
            _ = try history.candles(
              of: Self.instruments[0], interval: .minute, from: Self.start, to: Self.start + 120_000_000_000)
          })
        #expect(fault.kind == kind && fault.message.contains(words), "\(fault.message)")
      }
    }
  }

  @Test(arguments: ["no-answer", "no-hello"])
  func aHangingGatewayDoesNotKeepAnybodyFromStopping(behaviour: String) async throws {
    try await onThread {
      let history = GatewayHistory(options: try Self.options(behaviour))
      let request = CandleRequest(Self.instruments[0], from: Self.start, to: Self.start + 120_000_000_000)
      var looks = 0
      func isOver() -> Bool {
        looks += 1
        return looks > 5
      }
      // Where it is waited for to the end, what is delivered is its failure.
      try history.fetch([request, request], urgency: .routine, until: isOver) { (delivery) throws(Fault) in
        Issue.record("delivered \(delivery.outcome)")
      }
      #expect(looks > 5)
    }
  }
}
