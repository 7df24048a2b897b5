internal import ArgumentParser
internal import Foundation
internal import MarketData

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract:
      "Run the whole system on this machine, without an account or a network, and prove that it is right.",
    discussion: """
      Starts a simulated venue, a feed handler and a strategy, each a process of its own; stops them in order; \
      then compares what the venue sent with what was decoded, archived and replayed. Exits 0 only if all agrees.
      """)

  @Option(help: "Whose interfaces the simulated venue has: kite or angelone.") var venue = "kite"
  @Option(help: "How long to run. Default: 30, or to the end of --ticks FILE.") var seconds: Double?
  @Option(help: "Instruments of the simulated venue (200 to 3000).") var instruments = 200
  @Option(help: "Serve this recorded tick file instead of a synthetic market.") var ticks: String?
  @Option(help: "Seconds of the market in one second of the machine. Default: 10, or 1 with --ticks.")
  var speed: Double?
  @Option(help: "Seed of the synthetic market.") var seed: UInt64 = 1
  @Option(help: "Keep the data in this directory, which must not exist yet.") var keep: String?
  @Flag(help: "Print the summary as one JSON object.") var json = false

  static let instrumentsRange = 200...3000
  static let speedRange = 0.01...1000.0

  func validate() throws {
    guard Self.instrumentsRange.contains(instruments) else {
      throw ValidationError(
        "--instruments must be from \(Self.instrumentsRange.lowerBound) to \(Self.instrumentsRange.upperBound), "
          + "what one connection of the venue carries")
    }
    guard seconds.map({ $0 >= 1 && $0 <= 86_400 }) ?? true else {
      throw ValidationError("--seconds must be from 1 to 86400")
    }
    guard speed.map(Self.speedRange.contains) ?? true else {
      throw ValidationError("--speed must be from 0.01 to 1000")
    }
  }

  func run() async throws {
    let session = try DemoSession(
      options: DemoSession.Options(
        vendor: try SimulateCommand.vendor(named: venue),
        seconds: seconds ?? (ticks == nil ? 30 : nil), instruments: instruments, ticksFile: ticks,
        speed: speed ?? (ticks == nil ? 10 : 1), seed: seed, keptDirectory: keep,
        view: json ? .silent : Console.isTerminal ? .table : .lines))
    let summary = try await session.run()
    if json { try Console.json(summary) } else { Console.write(summary.table()) }
    guard summary.isProven else { throw ExitCode(Fault.Kind.checkFailed.rawValue) }
  }
}
