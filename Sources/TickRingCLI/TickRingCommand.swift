internal import ArgumentParser
internal import Foundation
internal import MarketData

/// The command `tickring`.
@main
struct TickRingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tickring",
    abstract: "A market-data feed handler: a broker's live feed in shared memory, candles and an archive.",
    discussion: """
      Start with `tickring demo`: the whole system on this machine, without an account or a network.

      Exit codes: 0 done; 1 a check failed; 64 wrong usage; 65 bad input data; 66 no such input; 69 venue or feed \
      not available; 70 defect in tickring; 71 system call failed; 73 cannot create output; 74 reading or writing \
      failed; 75 held by another process; 76 the other side broke its protocol; 77 credentials refused; \
      78 configuration wrong.
      """,
    version: "0.1.0",
    subcommands: [
      DemoCommand.self, SimulateCommand.self, LoginCommand.self, InstrumentsCommand.self, HistoryCommand.self,
      IngestCommand.self, WatchCommand.self, ObserveCommand.self,
      UnobserveCommand.self, SubscriptionsCommand.self, ResumeFeedCommand.self, GapsCommand.self,
      QueryCommand.self, ReplayCommand.self, ArchiveCommand.self, ImportCommand.self,
      CalendarCommand.self, CandlesCommand.self, StoreCommand.self, QualityCommand.self, StatusCommand.self,
      SharedMemoryCommand.self,
      DecodeCommand.self, GatewayCommand.self, DebugCommand.self,
      ConfigCommand.self,
    ])

  static func main() async {
    // A reader that goes away (`tickring watch | head`) must not kill a process that holds shared memory.
    signal(SIGPIPE, SIG_IGN)
    Console.openStandardStreams()
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try Console.checkOutput()
    } catch let fault as Fault {
      Console.error(fault.message)
      Foundation.exit(fault.kind.rawValue)
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      Console.error(sentence(for: error))
      Foundation.exit(Fault.Kind.usage.rawValue)
    }
  }

  /// The parser's complaint as one sentence, without the usage that it adds, but with where that is to be read.
  private static func sentence(for error: any Error) -> String {
    var words = message(for: error).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    while words.hasSuffix(".") { words.removeLast() }
    // An option's name or a quotation begins as it is written; a sentence goes on in lower case here.
    if words.dropFirst().first?.isLowercase == true {
      words = words.prefix(1).lowercased() + words.dropFirst()
    }
    let help = fullMessage(for: error).firstMatch(of: #/See '([^']+)'/#).map { String($0.output.1) }
    return "\(words); see `\(help ?? "tickring --help")`"
  }
}
