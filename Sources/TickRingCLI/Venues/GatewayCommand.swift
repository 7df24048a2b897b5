internal import ArgumentParser
internal import Foundation
internal import MarketData
internal import Venues

struct GatewayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gateway",
    abstract: "Run a gateway that comes with TickRing, as a feed does, or install what it needs.",
    subcommands: [IndiaStocksAPI.self])

  struct IndiaStocksAPI: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "india-stocks-api",
      abstract: "Past candles of Angel One through the Python package india-stocks-api.",
      discussion: """
        Once: `tickring gateway india-stocks-api --install DIRECTORY` makes a Python environment with the package there. \
        Then a feed's configuration names it: gateway_command: [tickring, gateway, india-stocks-api, --environment, \
        DIRECTORY]. Credentials come from TICKRING_ANGELONE_API_KEY, TICKRING_ANGELONE_CLIENT_CODE, \
        TICKRING_ANGELONE_PIN and TICKRING_ANGELONE_TOTP_SECRET. Arguments after -- go to the Python program.
        """)

    @Option(help: "Make a Python environment with the package in this directory, and end.") var install:
      String?
    @Option(
      help: "Directory of the Python environment to run in; without it, the python3 in PATH runs the gateway."
    )
    var environment: String?
    @Flag(help: "Print the Python program.") var print = false
    @Argument(parsing: .postTerminator, help: "Arguments of the Python program.") var arguments: [String] = []

    func run() throws {
      if print { return Console.line(IndiaStocksAPIGateway.script) }
      if let install { return try make(install) }
      var words = ["python3", "-u", "-c", IndiaStocksAPIGateway.script] + arguments
      if let environment {
        words[0] = environment + "/bin/python"
        guard FileManager.default.isExecutableFile(atPath: words[0]) else {
          throw Fault(
            .missingInput,
            "'\(environment)' holds no Python environment; make it with tickring gateway india-stocks-api "
              + "--install '\(environment)'")
        }
      }
      // In this process's place, so that the feed talks to the program itself.
      signal(SIGPIPE, SIG_DFL)
      var pointers = words.map { strdup($0) }
      pointers.append(nil)
      execvp(words[0], pointers)
      throw Fault(.missingInput, "'\(words[0])' cannot be run: \(String(cString: strerror(errno)))")
    }

    private func make(_ directory: String) throws(Fault) {
      let python = directory + "/bin/python"
      if !FileManager.default.isExecutableFile(atPath: python) {
        try call("python3", ["-m", "venv", directory])
      }
      try call(python, ["-m", "pip", "install", "--quiet"] + IndiaStocksAPIGateway.packages)
      Console.line("installed in \(directory); a feed's configuration takes past candles from it with")
      Console.line("history:")
      Console.line("  source: gateway")
      Console.line("  gateway_command: [tickring, gateway, india-stocks-api, --environment, \(directory)]")
    }

    private func call(_ program: String, _ arguments: [String]) throws(Fault) {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [program] + arguments
      process.standardOutput = FileHandle.standardError
      do { try process.run() } catch {
        throw Fault(.missingInput, "\(program) cannot be run: \(error.localizedDescription)")
      }
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw Fault(
          .unavailable,
          "\(program) \(arguments.joined(separator: " ")) ended with code \(process.terminationStatus)")
      }
    }
  }
}
