import Glibc
import MarketData
import Testing

@testable import Venues

/// Attempts to connect that nobody wants any more, while the other side takes the connection and says nothing.
@Suite struct GivingUpTests {
  private static func kite(_ port: Int) -> KiteSource {
    var options = KiteSource.Options()
    options.url = "ws://127.0.0.1:\(port)"
    return KiteSource(options: options) { KiteCredentials(apiKey: "k", accessToken: "t") }
  }

  private static func source(_ name: String, _ port: Int) -> any TickSource {
    switch name {
    case "openalgo":
      var options = OpenAlgoSource.Options()
      options.url = "ws://127.0.0.1:\(port)"
      return OpenAlgoSource(options: options) { "k" }
    case "spread":
      var options = SpreadSource.Options(instrumentsPerConnection: 1, connectionsMax: 2)
      options.patienceMilliseconds = 60_000
      return SpreadSource(name: name, options: options) { kite(port) }
    case "gateway": return GatewaySource(options: GatewayOptions(command: ["sleep", "60"], environment: [:]))
    default: return kite(port)
    }
  }

  @Test(arguments: ["kite", "openalgo", "spread", "gateway"])
  func anAttemptEndsWhenItIsToStop(name: String) throws {
    let gate = Log<Bool>()
    let hasBegun = Log<Bool>()
    let server = try ScriptedServer { peer in
      _ = peer.readRequest()
      hasBegun.append(true)
      while gate.all.isEmpty { usleep(1000) }
    }
    defer {
      gate.append(true)
      server.finish()
    }
    let source = Self.source(name, server.port)
    try source.subscribe(
      to: (1...2 as ClosedRange<UInt32>).map { number in
        Subscription(
          Instrument(
            id: InstrumentID(rawValue: number), symbol: try Symbol("NSE:S\(number)"), venueToken: "\(number)",
            priceTick: .zero, lotSize: 1))
      })
    var questions = 0
    let fault = #expect(throws: Fault.self) {
      try source.connect {
        questions += 1
        return questions > 3 && (name == "gateway" || !hasBegun.all.isEmpty)
      }
    }
    #expect(fault?.kind == .unavailable)
    #expect(
      fault?.message.hasSuffix(name == "gateway" ? "is not waited for any longer" : "to connect was given up")
        == true, "\(fault?.message ?? "")")
  }
}
